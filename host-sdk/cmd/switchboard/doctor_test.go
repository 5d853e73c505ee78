package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	p, s := startWithOwnPlugins(t, "1.2.3")
	says := func(status int, want ...string) {
		t.Helper()
		out, got := s.runs("doctor")
		if got != status {
			t.Errorf("status %d, want %d: %s", got, status, out)
		}
		for _, line := range want {
			if !strings.Contains(out, line) {
				t.Errorf("no %q in:\n%s", line, out)
			}
		}
	}
	says(0, "ok: the switchboard file switchboard.yaml can be used", "ok: plugin testline 1.2.3 is whole", "is running", "ok: store: ",
		"warning: there is no integration", "warning: public_url is not set")
	p.create(p.token())
	says(0, "ok: integration Hotline (", "the plugin testline has no check of its own")
	if out, status := s.runs("doctor", "--json"); status != 0 || !strings.HasPrefix(out, "[") || !strings.Contains(out, `"level": "ok"`) {
		t.Errorf("status %d: %s", status, out)
	}
	file := filepath.Join(s.dir, "switchboard.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(hosttest.File, "America/New_York", "America/Nowhere", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.stop()
	says(1, "error: switchboard.yaml:", "America/Nowhere", "error: no switchboard runs on this data directory: start it with switchboard serve")
	if out, status := s.runs("doctor", "--log-level", "loud"); status != 1 || !strings.Contains(out, "error: settings: log_level") {
		t.Errorf("status %d: %s", status, out)
	}
}
