package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTokenCommands asks the running host, and, without one, the database itself.
func TestTokenCommands(t *testing.T) {
	t.Parallel()
	dir := newDir(t, twoWeeks)
	token := func(want int, env string, args ...string) (stdout string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"token"}, args...)...)
		cmd.Dir = dir
		cmd.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1",
			"SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + pluginHome, env,
		}
		var errs strings.Builder
		cmd.Stderr = &errs
		out, _ := cmd.Output() // the status is looked at below
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Fatalf("token %v: status %d, want %d: %s%s", args, got, want, out, &errs)
		}
		if want != 0 {
			return errs.String()
		}
		return string(out)
	}
	if got := token(1, "", "list"); !strings.Contains(got, "it contains no database yet") {
		t.Errorf("without a database: %s", got)
	}

	p := start(t, dir).ready()
	secret := strings.TrimSpace(token(0, "", "create", "--role", "viewer", "wall display"))
	if status, body := p.send("GET", "/api/v1/teams", secret, "", ""); status != 200 {
		t.Errorf("the token %q: %d %s", secret, status, body)
	}
	if status, _ := p.send("GET", "/api/v1/integrations", secret, "", ""); status != 403 {
		t.Errorf("a viewer sees integrations: %d", status)
	}
	if got := token(1, "", "create", "--role", "viewer", "wall display"); !strings.Contains(got, `there is a token "wall display" already`) {
		t.Errorf("a name twice: %s", got)
	}
	if got := token(1, "", "create", "--role", "king", "x"); !strings.Contains(got, "--role") {
		t.Errorf("a role that is none: %s", got)
	}
	if got := token(0, "", "list"); !strings.Contains(got, "wall display  viewer  the API token") || strings.Contains(got, secret) {
		t.Errorf("the list:\n%s", got)
	}
	if got := token(0, "", "revoke", "--json", "wall display"); !strings.Contains(got, `"name": "wall display"`) || !strings.Contains(got, `"revoked_at": "20`) {
		t.Errorf("revoked: %s", got)
	}
	if got := token(1, "", "revoke", "wall display"); !strings.Contains(got, "switchboard token list shows all") {
		t.Errorf("revoked twice: %s", got)
	}
	if status, _ := p.send("GET", "/api/v1/teams", secret, "", ""); status != 401 {
		t.Errorf("the revoked token: %d", status)
	}
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v", got)
	}

	// No host runs: the database is opened. Then the API token is switched off, and the token does
	// for programs and for these commands.
	var made struct{ ID, Secret, Role string }
	if err := json.Unmarshal([]byte(token(0, "", "create", "--role", "admin", "--json", "repairs")), &made); err != nil || made.Role != "admin" {
		t.Fatalf("made: %+v (%v)", made, err)
	}
	p = start(t, dir, "SWITCHBOARD_SHARED_TOKEN=off").ready()
	if got := token(1, "", "list"); !strings.Contains(got, "or to a token of an admin") {
		t.Errorf("with the API token that is off: %s", got)
	}
	if got := token(0, "SWITCHBOARD_API_TOKEN="+made.Secret, "list", "--json"); !strings.Contains(got, `"made_by": "the command line"`) {
		t.Errorf("with a token of an admin: %s", got)
	}
	status, body := p.send("GET", "/api/v1/audit", made.Secret, "", "")
	for _, want := range []string{`"who":"the API token","action":"token.create"`, `"who":"the API token","action":"token.revoke"`, `"who":"the command line","action":"token.create"`} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("the audit lacks %s: %d %s", want, status, body)
		}
	}
	if got := p.stop(); got != 0 {
		t.Fatalf("p.stop() = %v", got)
	}
}
