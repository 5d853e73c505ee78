package integrationtests

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// pluginPID finds the plugin process of switchboard by its parent.
func (h *hotline) pluginPID() int {
	h.t.Helper()
	parent := strconv.Itoa(h.Process.Process.Pid)
	var found int
	h.eventually("a plugin process", func() bool {
		stats, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, path := range stats {
			b, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			// pid (name) state ppid …
			_, rest, ok := strings.Cut(string(b), ") ")
			fields := strings.Fields(rest)
			if ok && len(fields) > 1 && fields[1] == parent && fields[0] != "Z" {
				found, _ = strconv.Atoi(filepath.Base(filepath.Dir(path)))
				return true
			}
		}
		return false
	})
	return found
}

// kill sends a signal to the plugin. One that is stopped (SIGSTOP) stands when kill returns: on a
// crowded machine the thread that is to stop the others may have to wait, while they still answer.
func (h *hotline) kill(signal syscall.Signal) {
	h.t.Helper()
	pid := h.pluginPID()
	if err := syscall.Kill(pid, signal); err != nil {
		h.t.Fatal(err)
	}
	if signal == syscall.SIGSTOP {
		h.eventually("a plugin that stands", func() bool { return stands(pid) })
	}
}

// stands reports whether no thread of a process runs: all are stopped, or the process has ended.
func stands(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state …
		if _, rest, _ := strings.Cut(string(b), ") "); !strings.HasPrefix(rest, "T") && !strings.HasPrefix(rest, "Z") {
			return false
		}
	}
	return true
}

// reach leads the caller from hold to a conversation with Alice.
func (h *hotline) reach(c *twiliosim.Call) {
	h.t.Helper()
	a := h.alert("open", func(a alert) bool { return a.Status == "open" })
	h.acknowledge(a.ID, "alice")
	leg := h.Sim.Phone(alice).RingsNext(h.t)
	leg.Answers()
	leg.Hears(h.t, "press 1")
	leg.Presses("1")
	c.ConnectedTo(h.t, alice)
	h.converses(c)
	c.HangsUp()
	c.Ended(h.t)
	h.cleanedUp()
	if k := h.call(c, "ended", func(k call) bool { return k.State == "ended" }); k.Ended != "connected" {
		h.t.Errorf("ended as %q", k.Ended)
	}
	talks := 0
	for _, l := range h.alert("with the length of the conversation", func(a alert) bool {
		return strings.Contains(a.story(), "took 0 s") || strings.Contains(a.story(), "took ")
	}).Log {
		if strings.Contains(l.Message, "is being connected with the caller") {
			talks++
		}
	}
	if talks != 1 {
		h.t.Errorf("the log mentions %d conversations, want one", talks)
	}
}

// TestKilledPluginLosesNobody kills the plugin, or freezes it, at each stage of a call.
func TestKilledPluginLosesNobody(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "frozen": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, acknowledgeFirst)
			h.kill(signal) // before the call
			c := h.dial()
			c.Hears(t, "Press 2 for DevOps")
			h.kill(signal) // in the menu
			c.Presses("2")
			c.Hears(t, "music-")
			h.kill(signal) // on hold
			h.reach(c)
		})
	}
}

// TestKilledHostIsBackForTheSameCall kills switchboard itself while a caller holds, and starts it
// again.
func TestKilledHostIsBackForTheSameCall(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst)
	h.Sim.Allow(11200, 11205, 11206)
	c := h.onHold()
	a := h.alert("open", func(a alert) bool { return a.Status == "open" })
	pid := h.pluginPID()
	if err := h.KillSwitchboard(); err != nil {
		t.Fatal(err)
	}
	h.eventually("the orphaned plugin ends by itself", func() bool { return syscall.Kill(pid, 0) != nil })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.StartSwitchboard(ctx); err != nil {
		t.Fatal(err)
	}
	if got := h.alert("still there", func(alert) bool { return true }); got.ID != a.ID {
		t.Errorf("alert %s became %s", a.ID, got.ID)
	}
	apologised := slices.ContainsFunc(c.Transcript(), func(e twiliosim.Event) bool { return strings.Contains(e.Text, "application error") })
	if c.Status() == twiliosim.StatusInProgress && !apologised { // Twilio's retries bridged the gap
		h.reach(c)
		return
	}
	// The caller was lost while nobody served: all of the call must be cleaned up.
	h.cleanedUp()
	h.call(c, "ended", func(k call) bool { return k.State == "ended" })
}
