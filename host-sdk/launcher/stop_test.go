//go:build unix

package launcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestDrainLetsARunningCallFinish, when the plugin is stopped and when it is replaced.
func TestDrainLetsARunningCallFinish(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, p *Plugin){
		"stop": func(_ *testing.T, p *Plugin) { p.Stop(context.Background()) },
		"restart": func(t *testing.T, p *Plugin) {
			if err := p.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"SIGTERM to the group": func(t *testing.T, p *Plugin) {
			if err := syscall.Kill(-p.Status().PID, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(-p.Status().PID, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := launch(t, sharedDir(t), "good")
			pid := p.Status().PID
			result := make(chan error, 1)
			begun := filepath.Join(t.TempDir(), "begun")
			go func() {
				out, err := p.Perform(context.Background(), performing("sleep", "1s "+begun))
				if err == nil && string(out.Payload) != "slept" {
					err = fmt.Errorf("result %q", out.Payload)
				}
				result <- err
			}()
			eventually(t, "the call has begun", func() bool { _, err := os.Stat(begun); return err == nil })
			end(t, p)
			if err := <-result; err != nil {
				t.Fatal(err)
			}
			if name == "restart" {
				eventually(t, "the old process ends", func() bool { return processGone(pid) })
				if got := askPID(t, p); got == pid {
					t.Fatalf("pid is %v, want another than %v", got, pid)
				}
			}
		})
	}
}

// TestStopGivesUpAtItsDeadline: a call that does not end does not hold the host.
func TestStopGivesUpAtItsDeadline(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", suspecting)
	pid := p.Status().PID
	result := make(chan error, 1)
	begun := filepath.Join(t.TempDir(), "begun")
	go func() {
		_, err := p.Perform(context.Background(), performing("sleep", "10m "+begun))
		result <- err
	}()
	eventually(t, "the call has begun", func() bool { _, err := os.Stat(begun); return err == nil })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	p.Stop(ctx)
	if err := <-result; !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if !processGone(pid) {
		t.Fatal("the process is still there")
	}
}

// TestKillOfAFrozenPlugin returns promptly; go-plugin's own would wait for ever.
func TestKillOfAFrozenPlugin(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Plugin){
		"Kill": (*Plugin).Kill,
		"Stop": func(p *Plugin) { p.Stop(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := launch(t, sharedDir(t), "good", suspecting)
			pid := p.Status().PID
			stopProcess(t, pid)
			done := make(chan struct{})
			go func() { defer close(done); end(p) }()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("has not returned")
			}
			if !processGone(pid) {
				t.Fatal("the process is still there")
			}
			end(p) // again: nothing to do
		})
	}
}

// TestGrandchildDoesNotHideADeath: it holds standard output and error of the dead process.
func TestGrandchildDoesNotHideADeath(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	out, err := p.Perform(t.Context(), performing("grandchild", ""))
	if err != nil {
		t.Fatal(err)
	}
	var grandchild int
	_, err = fmt.Sscan(string(out.Payload), &grandchild)
	if err != nil {
		t.Fatal(err)
	}
	pid := p.Status().PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another process answers", func() bool { s := p.Status(); return s.PID != 0 && s.PID != pid })
	eventually(t, "the grandchild ends with its parent", func() bool { return processGone(grandchild) })
}

// When Stop or Kill returns, nothing is left of the process: no number in the status, no process,
// no directory. A plugin that had nothing to do loses no calls, and no warning says so.
func TestNothingIsLeftOfAnEndedPlugin(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *Plugin){
		"stop": func(p *Plugin) { p.Stop(t.Context()) },
		"kill": func(p *Plugin) { p.Kill() },
	} {
		sockets := socketDir(t)
		p, r := launch(t, sharedDir(t), "good", func(c *Config) { c.SocketDir = sockets })
		pid := p.Status().PID
		if ask(t, p, "pid", "") == "" {
			t.Fatalf("%s: no answer", name)
		}
		end(p)
		if got := p.Status().PID; got != 0 {
			t.Errorf("%s: the status still names process %d", name, got)
		}
		if !processGone(pid) {
			t.Errorf("%s: process %d is still there", name, pid)
		}
		if left, err := os.ReadDir(sockets); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v (%v)", name, left, err)
		}
		if strings.Contains(r.log.String(), `"level":"WARN"`) {
			t.Errorf("%s: there was nothing to warn of:\n%s", name, r.log.String())
		}
	}
}
