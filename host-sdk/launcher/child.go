package launcher

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

var _ runner.Runner = (*child)(nil)

// child is the operating system's process of a plugin. It is a runner of its own since go-plugin's
// sees an exit only when stdout and stderr have ended, which a grandchild can put off for ever, and
// stops reading after odd output. mu guards what Start's goroutines write. exited comes before
// read: a process is dead as soon as it is gone, though its last words are still being read.
type child struct {
	exe         *executable
	env         []string
	deathSignal bool
	settle      time.Duration // to read the output of a dead process
	out         *output

	handshake *io.PipeReader // the first line of stdout
	exited    chan struct{}  // closed when the process has ended and its group is dead
	read      chan struct{}  // closed when its output has been read, too

	mu     sync.Mutex
	pid    int
	reaped bool
	status error  // of the exit
	stray  string // a first line of stdout that is no handshake
}

// newChild is a process that is not started yet.
func newChild(exe *executable, env []string, deathSignal bool, settle time.Duration, out *output) *child {
	return &child{
		exe: exe, env: env, deathSignal: deathSignal, settle: settle, out: out,
		exited: make(chan struct{}), read: make(chan struct{}),
	}
}

// Start implements runner.Runner. The pipes are this package's own: closing them does not depend on
// who else holds their other ends. go-plugin calls it once. An error leaves no process and no open
// pipe behind.
func (c *child) Start(context.Context) error {
	stdout, stdoutW, err := os.Pipe()
	if err != nil {
		return err
	}
	stderr, stderrW, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdout.Close(), stdoutW.Close())
	}
	err = c.startWith(stdoutW, stderrW)
	_, _ = stdoutW.Close(), stderrW.Close() // ours; the process has its own
	if err != nil {
		return errors.Join(err, stdout.Close(), stderr.Close())
	}
	// From the start on nobody can write to the file; before it, somebody may have.
	if err := c.exe.confirm(); err != nil {
		c.kill()
		close(c.read)
		return errors.Join(err, stdout.Close(), stderr.Close())
	}
	var reading sync.WaitGroup
	pipe, pipeW := io.Pipe()
	c.handshake = pipe
	reading.Go(func() { c.readStdout(stdout, pipeW) })
	reading.Go(func() { c.readLines(stderr) })
	go func() {
		<-c.exited
		// A descendant that left the group may hold the other ends open.
		_ = stdout.SetReadDeadline(time.Now().Add(c.settle))
		_ = stderr.SetReadDeadline(time.Now().Add(c.settle))
		reading.Wait()
		_, _ = stdout.Close(), stderr.Close()
		close(c.read)
	}()
	return nil
}

// startWith starts the process and its watcher. It returns when the process runs, or cannot be run.
// The watcher goroutine lives as long as the process, on a thread of its own.
func (c *child) startWith(stdout, stderr *os.File) error {
	started := make(chan error)
	go func() {
		// Linux sends the death signal when the thread that started the process ends: keep it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var cmd *exec.Cmd
		err := whileBusy(time.Sleep, func() error {
			cmd = c.command(stdout, stderr)
			return cmd.Start()
		})
		if err != nil {
			started <- err
			return
		}
		c.mu.Lock()
		c.pid = cmd.Process.Pid
		c.mu.Unlock()
		started <- nil
		// kill looks at reaped under the same lock: once the process is waited for, its number may
		// be another's.
		status := waitExit(cmd, c.endGroup)
		c.mu.Lock()
		c.reaped, c.status = true, status
		c.mu.Unlock()
		close(c.exited)
	}()
	return <-started
}

// whileBusy repeats start while the file is open for writing, for a quarter of a second: another
// goroutine's fork may hold it open for a moment. Linux refuses to run such a file (ETXTBSY); a
// child that has forked and not yet executed holds all descriptors of this process.
func whileBusy(sleep func(time.Duration), start func() error) (err error) {
	for delay := time.Millisecond; delay < 200*time.Millisecond; delay *= 2 {
		if err = start(); !textBusy(err) {
			return err
		}
		sleep(delay)
	}
	return err
}

// command is the process to start. Its first argument is the installed path, which people know from
// their process lists.
func (c *child) command(stdout, stderr *os.File) *exec.Cmd {
	cmd := &exec.Cmd{
		Path:        c.exe.path,
		Args:        []string{c.exe.installed.Path()},
		Dir:         c.exe.installed.Dir,
		Env:         c.env,
		Stdout:      stdout,
		Stderr:      stderr,
		SysProcAttr: systemAttributes(c.deathSignal),
	}
	// It becomes descriptor 3 of the process, which descriptorPath names.
	if c.exe.file != nil {
		cmd.ExtraFiles = []*os.File{c.exe.file}
	}
	return cmd
}

// readStdout hands the first line to go-plugin and logs the others: after the handshake nothing
// belongs there. A first line that is no handshake is kept for the error of the start. It returns
// when the pipe ends.
func (c *child) readStdout(stdout io.Reader, handshake *io.PipeWriter) {
	r := bufio.NewReaderSize(stdout, maxLine)
	first, _ := r.ReadSlice('\n')
	if isHandshake(first) {
		_, _ = handshake.Write(first) // fails if go-plugin has given up
	} else if len(first) > 0 {
		c.mu.Lock()
		c.stray = strings.TrimSpace(strings.ToValidUTF8(string(first), "\uFFFD"))
		c.mu.Unlock()
		c.out.line(first)
	}
	_ = handshake.Close()
	c.readLines(r)
}

// isHandshake reports whether a line looks like go-plugin's: numbers and words between bars.
// go-plugin's line is CORE|APP|NETWORK|ADDRESS|PROTOCOL, and perhaps more.
func isHandshake(line []byte) bool {
	parts := strings.Split(string(line), "|")
	if len(parts) < 4 {
		return false
	}
	_, err := strconv.Atoi(parts[0])
	return err == nil
}

// readLines logs what is written until the pipe ends.
func (c *child) readLines(r io.Reader) {
	l := &lines{to: c.out.line}
	_, _ = io.Copy(l, r) // ends with the pipe, or its deadline
	l.flush()
}

// kill ends the process and its group at once. It may be called at any time, and does not wait.
func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pid != 0 && !c.reaped {
		killGroup(c.pid)
	}
}

// endGroup is called when the process has ended: its descendants in its group end with it. A
// grandchild that outlived the plugin could go on calling the foreign service in its name.
func (c *child) endGroup() { killGroup(c.pid) }

// exit describes how the process ended; it must have.
func (c *child) exit() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == nil {
		return "exit status 0"
	}
	return c.status.Error()
}

// dead reports whether the process has ended.
func (c *child) dead() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// Wait implements runner.Runner.
func (c *child) Wait(context.Context) error {
	<-c.exited
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// Kill implements runner.Runner.
func (c *child) Kill(context.Context) error {
	c.kill()
	return nil
}

// Stdout implements runner.Runner: the handshake alone.
func (c *child) Stdout() io.ReadCloser { return c.handshake }

// Stderr implements runner.Runner. It is empty: this package reads the log itself, as go-plugin's
// reader panics, in the host, on a line whose message is no text.
func (c *child) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements runner.Runner.
func (c *child) Name() string { return c.exe.installed.Path() }

// ID implements runner.Runner.
func (c *child) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pid == 0 {
		return ""
	}
	return fmt.Sprint(c.pid)
}

// Diagnose implements runner.Runner; see failure.go.
func (c *child) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.Runner. Both are for plugins in containers, whose addresses differ
// from the host's. Ours share the machine.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin implements runner.Runner.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
