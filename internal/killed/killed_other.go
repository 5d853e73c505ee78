//go:build !linux || !amd64

package killed

import "os/exec"

func before(*exec.Cmd, string, int) ([]string, bool, error) { return nil, false, ErrUnsupported }
