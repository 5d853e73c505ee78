package demo

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/livecallrouting/livecall/internal/tied"
)

// The most that switchboard takes to start and to stop, on a machine that is busy with much else.
const readyWithin, stopWithin = 2 * time.Minute, 2 * time.Minute

// Host is a switchboard process, or one that was.
type Host struct {
	Addr    string // where it listens
	DataDir string
	Program string    // path of the binary; "": Config.Switchboard
	Process *exec.Cmd // nil: it does not run
	stack   *Stack
	log     io.Writer
	env     []string // besides Config.Env
	end     *ending
}

// Start starts the process (again) and waits until it is ready.
func (h *Host) Start(ctx context.Context) error {
	s := h.stack
	cmd := exec.Command(cmp.Or(h.Program, s.cfg.Switchboard), "serve")
	cmd.Env = append(os.Environ(), "SWITCHBOARD_CONFIG="+s.file,
		"SWITCHBOARD_LISTEN="+h.Addr, "SWITCHBOARD_PUBLIC_URL="+s.URL, "SWITCHBOARD_DATA_DIR="+h.DataDir,
		"SWITCHBOARD_API_TOKEN="+s.Token, "LIVECALL_TWILIO_API_URL="+s.SimURL, "SWITCHBOARD_TEST_CLOCK="+s.cfg.Clock)
	if s.cfg.PluginDir != "" {
		cmd.Env = append(cmd.Env, "SWITCHBOARD_PLUGIN_DIR="+s.cfg.PluginDir)
	}
	cmd.Env = append(append(cmd.Env, s.cfg.Env...), h.env...)
	// It does not get the Ctrl-C of the terminal: Stop ends it in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The log may be discarded, but an error at the start must say what switchboard said.
	var lastLines tail
	cmd.Stderr = io.MultiWriter(&lastLines, orDiscard(h.log))
	cmd.Stdout = cmd.Stderr
	if err := tied.Start(cmd); err != nil { // a killed test must leave no host behind
		return err
	}
	end := &ending{done: make(chan struct{})}
	h.Process, h.end = cmd, end
	go func() {
		end.err = cmd.Wait()
		close(end.done)
	}()
	deadline := time.Now().Add(readyWithin)
	for {
		if resp, err := http.Get("http://" + h.Addr + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-end.done:
			h.Process = nil
			return fmt.Errorf("switchboard ended: %w: %s", errOrEnded(end.err), lastLines.String())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("switchboard is not ready after %s: %s", readyWithin, lastLines.String())
		}
	}
}

// Setenv adds to the environment, from the next start on.
func (h *Host) Setenv(env ...string) { h.env = append(h.env, env...) }

// ending is the end of a process; err may be read once done is closed.
type ending struct {
	done chan struct{}
	err  error
}

// Exited is closed when the switchboard process has ended; ExitError then says how.
func (h *Host) Exited() <-chan struct{} { return h.end.done }

// ExitError is how the process ended; call it when Exited is closed.
func (h *Host) ExitError() error { return errOrEnded(h.end.err) }

// Kill ends the process as a crash would, with what it has started left to itself.
func (h *Host) Kill() error {
	if h.Process == nil {
		return nil
	}
	err := h.Process.Process.Kill()
	<-h.end.done
	h.Process = nil
	return err
}

// Stop asks the process to stop, and kills it after stopWithin.
func (h *Host) Stop() error {
	if h.Process == nil {
		return nil
	}
	_ = h.Process.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.end.done:
		h.Process = nil
		return h.end.err
	case <-time.After(stopWithin):
		_ = h.Process.Process.Kill()
		<-h.end.done
		h.Process = nil
		return fmt.Errorf("switchboard did not stop within %s", stopWithin)
	}
}
