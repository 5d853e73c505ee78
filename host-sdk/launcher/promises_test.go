//go:build unix

package launcher

import (
	"os"
	"strings"
	"testing"
)

// When Stop or Kill returns, nothing is left of the process: no number in the status, no process, no
// directory. A plugin that had nothing to do loses no calls, and no warning says so.
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

func TestALoggerIsNotNeeded(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Logger = nil })
	if ask(t, p, "pid", "") == "" {
		t.Error("no answer")
	}
}
