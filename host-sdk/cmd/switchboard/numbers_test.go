package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The test plugin's callers dial +12025550199.
const ownPhone = `users:
  - {id: alice, name: Alice Example, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, phones: ["+12025550144", "+1 202 555 0199"]}
teams:
  - {id: devops, name: DevOps, members: [alice, bob], schedule: {timezone: UTC, layers: [{users: [alice, bob]}]}}
`

func TestConfigCheckReportsAPhoneThatIsTheHotlineItself(t *testing.T) {
	t.Parallel()
	dir := newDir(t, ownPhone)
	check := func(want bool, when string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "config", "check")
		cmd.Dir = dir
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1",
			"SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"),
		}
		out, err := cmd.CombinedOutput()
		const say = "switchboard.yaml:3:59: warning: users[1].phones[1]: Bob Example's phone +1 202-555-0199 is a number of this hotline"
		if err != nil || !strings.Contains(string(out), "is valid") || strings.Contains(string(out), say) != want {
			t.Errorf("%s: warned must be %v (%v):\n%s", when, want, err, out)
		}
	}
	check(false, "before the first start")
	if _, err := os.Stat(filepath.Join(dir, "data")); !os.IsNotExist(err) {
		t.Errorf("checking makes a data directory: %v", err)
	}
	p := start(t, dir).ready()
	id := p.create(p.token())
	check(false, "before the first call")
	if status, body := p.webhook(id, "Call=CA1&From=%2B12025550101"); status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	check(true, "while the host runs")
	if got := p.stop(); got != 0 {
		t.Fatalf("the host ended with %d", got)
	}
	check(true, "without a host")
}
