//go:build !unix

package launcher

import (
	"os"
	"os/exec"
	"syscall"
)

// On systems without process groups a plugin works, but is not hardened: its descendants may
// outlive it.

const descriptorPath = ""

func canRunDescriptors() bool { return false }

func sameContent(_, _ os.FileInfo) bool { return false }

func systemAttributes(bool) *syscall.SysProcAttr { return nil }

// waitExit waits for the process to end, then calls endRest: this system cannot tell of an end
// without forgetting the process's number.
func waitExit(cmd *exec.Cmd, endRest func()) error {
	err := cmd.Wait()
	endRest()
	return err
}

// killGroup ends the process alone, as there are no groups here.
func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // fails if it has ended
	}
}

func textBusy(error) bool { return false }
