package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const twoWeeks = `
users:
  - {id: alice, name: Alice Example, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, phones: ["+12025550144"]}
teams:
  - id: devops
    name: DevOps
    members: [alice, bob]
    schedule: {timezone: UTC, layers: [{rotation: {start: "2026-01-05T09:00", every: 1w, users: [alice, bob]}}]}
`

// TestWhoWouldAnswer asks the running host, and, without one, the database itself.
func TestWhoWouldAnswer(t *testing.T) {
	t.Parallel()
	dir := newDir(t, twoWeeks)
	ask := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"whowouldanswer"}, args...)...)
		cmd.Dir = dir
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1", pluginVariable + "=good",
			"SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + pluginHome,
		}
		out, _ := cmd.CombinedOutput() // the status is looked at below
		if diff := cmp.Diff(want, cmd.ProcessState.ExitCode()); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", out, diff)
		}
		return string(out)
	}
	if got := ask(1, "--integration", "int_1"); !strings.Contains(got, "it contains no database yet") {
		t.Fatalf("ask(1, --integration, int_1) does not contain %q:\n%s", "it contains no database yet", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); !os.IsNotExist(err) {
		t.Fatalf("asking makes nothing: %v", err)
	}

	p := start(t, dir).ready()
	id := p.create(p.token())
	check := func() {
		t.Helper()
		if got := ask(0, "--integration", id, "--at", "2026-01-06T00:00:00Z"); got != "  Alice Example\n" {
			t.Fatalf(`ask(0, "--integration", id, "--at", "2026-01-06T00:00:00Z") = %q, want %q`, got, "  Alice Example\n")
		}
		if got := ask(0, "--integration", id, "--at", "2026-01-13T00:00:00Z"); got != "  Bob Example\n" {
			t.Fatalf(`ask(0, "--integration", id, "--at", "2026-01-13T00:00:00Z") = %q, want %q`, got, "  Bob Example\n")
		}
		if got := ask(1, "--integration", id, "--at", "2026-01-13T00:00:00Z", "--digits", "9"); got != "  Bob Example\n! 9 is no key\n" {
			t.Fatalf(`ask(1, "--integration", id, "--at", "2026-01-13T00:00:00Z", "--digits", "9") = %q, want %q`, got, "  Bob Example\n! 9 is no key\n")
		}
		if got := ask(1, "--integration", id, "--at", "soon"); !strings.Contains(got, `--at "soon" is not a time`) {
			t.Fatalf("ask(1, --integration, id, --at, soon) does not contain %q:\n%s", `--at "soon" is not a time`, got)
		}
		if got := ask(1, "--integration", "int_none"); !strings.Contains(got, "int_none") {
			t.Fatalf("ask(1, --integration, int_none) does not contain %q:\n%s", "int_none", got)
		}
		if got := ask(1); !strings.Contains(got, "--integration") {
			t.Fatalf("ask(1) does not contain %q:\n%s", "--integration", got)
		}
	}
	check()
	if _, err := os.Stat(filepath.Join(dir, "data", "address")); err != nil {
		t.Fatalf("%v", err)
	}
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v, want %v", got, 0)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "address")); !os.IsNotExist(err) {
		t.Fatalf("it exists: %v", err)
	}
	check()

	// Another host may start afterwards, and finds everything.
	p = start(t, dir).ready()
	status, body := p.send("GET", "/api/v1/integrations/"+id, p.token(), "", "")
	if status != 200 {
		t.Fatalf("%v: got %v, want %v", body, status, 200)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.wait()
	if got := ask(0, "--integration", id, "--at", "2026-01-06T00:00:00Z"); got != "  Alice Example\n" {
		t.Fatalf("an address that a killed host left is not used: got %q, want %q", got, "  Alice Example\n")
	}
}
