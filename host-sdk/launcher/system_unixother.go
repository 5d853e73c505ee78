//go:build unix && !linux

package launcher

import (
	"os"
	"os/exec"
	"syscall"
)

// descriptorPath is not used here.
const descriptorPath = ""

func canRunDescriptors() bool { return false }

func sameContent(_, _ os.FileInfo) bool { return false }

// systemAttributes: see the Linux version; this system cannot tie a process to its parent's life,
// the plugin watches its parent itself.
func systemAttributes(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// waitExit waits for the process to end, then calls endRest: this system cannot tell of an end
// without forgetting the process's number.
func waitExit(cmd *exec.Cmd, endRest func()) error {
	err := cmd.Wait()
	endRest()
	return err
}
