package launcher

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// descriptorPath leads a new process to the first file it was handed besides the standard ones.
const descriptorPath = "/proc/self/fd/3"

// canRunDescriptors reports whether /proc is there.
func canRunDescriptors() bool {
	_, err := os.Stat("/proc/self/fd")
	return err == nil
}

// sameContent reports whether nobody can have written to the file between the two looks: ctime
// cannot be set back.
func sameContent(a, b os.FileInfo) bool {
	x, ok := a.Sys().(*syscall.Stat_t)
	y, ok2 := b.Sys().(*syscall.Stat_t)
	return ok && ok2 && x.Ctim == y.Ctim && x.Mtim == y.Mtim && x.Size == y.Size
}

// systemAttributes: a process group of its own, so that no descendant outlives it and the
// terminal's Ctrl-C does not reach it; and death together with the thread that starts it.
func systemAttributes(deathSignal bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if deathSignal {
		attr.Pdeathsig = syscall.SIGKILL
	}
	return attr
}

// waitExit waits for the process to end, and calls endRest before its number can be given to
// another process or group. WNOWAIT leaves the dead process as it is, so its number stays taken
// until cmd.Wait.
func waitExit(cmd *exec.Cmd, endRest func()) error {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	endRest()
	return cmd.Wait()
}
