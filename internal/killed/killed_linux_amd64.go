package killed

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Positions of arguments that are no use here.
const none = -1

// call is a system call that may change a file: which arguments are a descriptor, and a path.
type call struct {
	name     string
	fd, path int
}

// calls are those that Go's library and SQLite make (Linux man-pages: syscalls(2)).
var calls = map[uint64]call{
	unix.SYS_WRITE:     {"write", 0, none},
	unix.SYS_PWRITE64:  {"write", 0, none},
	unix.SYS_WRITEV:    {"write", 0, none},
	unix.SYS_FTRUNCATE: {"truncate", 0, none},
	unix.SYS_FALLOCATE: {"allocate", 0, none},
	unix.SYS_FSYNC:     {"sync", 0, none},
	unix.SYS_FDATASYNC: {"sync", 0, none},
	unix.SYS_FCHMOD:    {"chmod", 0, none},
	unix.SYS_OPEN:      {"create", none, 0},
	unix.SYS_OPENAT:    {"create", none, 1},
	unix.SYS_TRUNCATE:  {"truncate", none, 0},
	unix.SYS_RENAME:    {"rename", none, 0},
	unix.SYS_RENAMEAT:  {"rename", none, 1},
	unix.SYS_RENAMEAT2: {"rename", none, 1},
	unix.SYS_LINK:      {"link", none, 0},
	unix.SYS_LINKAT:    {"link", none, 1},
	unix.SYS_SYMLINKAT: {"symlink", none, 2},
	unix.SYS_UNLINK:    {"remove", none, 0},
	unix.SYS_UNLINKAT:  {"remove", none, 1},
	unix.SYS_RMDIR:     {"remove", none, 0},
	unix.SYS_MKDIR:     {"mkdir", none, 0},
	unix.SYS_MKDIRAT:   {"mkdir", none, 1},
	unix.SYS_CHMOD:     {"chmod", none, 0},
	unix.SYS_FCHMODAT:  {"chmod", none, 1},
}

func before(cmd *exec.Cmd, folder string, n int) (changes []string, died bool, err error) {
	type result struct {
		changes []string
		died    bool
		err     error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // a thread alone may follow what it has started (ptrace(2))
		defer runtime.UnlockOSThread()
		var r result
		r.changes, r.died, r.err = follow(cmd, folder, n)
		done <- r
	}()
	r := <-done
	return r.changes, r.died, r.err
}

// follow starts a program and looks at each of its system calls.
func follow(cmd *exec.Cmd, folder string, n int) (changes []string, died bool, err error) {
	pid, err := startFollowed(cmd)
	if err != nil {
		return nil, false, err
	}
	for {
		var status unix.WaitStatus
		// Of its own process group: programs of other tests are not waited for.
		tid, err := unix.Wait4(-pid, &status, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return changes, died, err
		case status.Exited() || status.Signaled():
			if tid != pid {
				continue
			}
			if died || status.Exited() && status.ExitStatus() == 0 {
				return changes, died, nil
			}
			return changes, died, fmt.Errorf("exit status %d, signal %v", status.ExitStatus(), status.Signal())
		}
		signal := 0
		switch stop := status.StopSignal(); stop {
		case unix.SIGTRAP | 0x80: // a system call begins or ends
			if change := changeOf(pid, tid, folder); change != "" && !died {
				changes = append(changes, change)
				if len(changes) == n {
					died = true
					err = unix.Kill(pid, unix.SIGKILL)
				}
			}
		case unix.SIGTRAP, unix.SIGSTOP: // a thread was started, or begins
		default:
			signal = int(stop)
		}
		if err == nil && !died {
			err = unix.PtraceSyscall(tid, signal)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) { // it has ended meanwhile
			return changes, died, errors.Join(err, unix.Kill(pid, unix.SIGKILL))
		}
	}
}

// startFollowed starts a program that is stopped at its beginning and ends with this one.
func startFollowed(cmd *exec.Cmd) (pid int, err error) {
	attr := &os.ProcAttr{Dir: cmd.Dir, Env: cmd.Env, Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true}}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = null.Close() }()
	attr.Files = []*os.File{null, null, null}
	for i, w := range []any{cmd.Stdout, cmd.Stderr} {
		if f, ok := w.(*os.File); ok {
			attr.Files[i+1] = f
		}
	}
	p, err := os.StartProcess(cmd.Path, cmd.Args, attr)
	if err != nil {
		return 0, err
	}
	pid = p.Pid
	_ = p.Release() // it is waited for with its threads
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return pid, err
	}
	options := unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	return pid, errors.Join(unix.PtraceSetOptions(pid, options), unix.PtraceSyscall(pid, 0))
}

// changeOf names the change that a thread is about to make; "": none, or its system call ends.
func changeOf(pid, tid int, folder string) string {
	var regs unix.PtraceRegs
	if unix.PtraceGetRegs(tid, &regs) != nil {
		return ""
	}
	c, known := calls[regs.Orig_rax]
	// The kernel puts -ENOSYS there before a system call and its result after it (ptrace(2)).
	if !known || int64(regs.Rax) != -int64(unix.ENOSYS) { //nolint:gosec // a register
		return ""
	}
	args := []uint64{regs.Rdi, regs.Rsi, regs.Rdx}
	file := ""
	if c.fd != none {
		file, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, args[c.fd]))
	} else {
		if flags := args[(c.path+1)%3]; c.name == "create" && flags&unix.O_CREAT == 0 {
			return ""
		}
		file = textAt(pid, args[c.path])
	}
	if !strings.HasPrefix(file, folder+"/") {
		return ""
	}
	// Names of temporary files differ each time.
	return c.name + " " + strings.TrimRight(filepath.Base(file), "0123456789")
}

// textAt reads a text of C from a program's memory.
func textAt(pid int, address uint64) string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	text := make([]byte, unix.PathMax)
	n, _ := f.ReadAt(text, int64(address)) //nolint:gosec // an address of the program
	text, _, _ = bytes.Cut(text[:n], []byte{0})
	return string(text)
}
