package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// terminal runs a command of switchboard in dir and returns its status and all that it prints. env
// wins over what tests have in common.
func terminal(t *testing.T, dir string, env []string, args ...string) (status int, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1", pluginVariable + "=good",
		"SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + pluginHome,
	}, env...)
	text, _ := cmd.CombinedOutput() // the status says whether it is an error
	return cmd.ProcessState.ExitCode(), string(text)
}

// says fails the test unless the command ends with this status and prints these words.
func says(t *testing.T, dir string, env []string, status int, words []string, args ...string) {
	t.Helper()
	got, out := terminal(t, dir, env, args...)
	if got != status {
		t.Errorf("%v: status %d, want %d:\n%s", args, got, status, out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("%v does not print %q:\n%s", args, w, out)
		}
	}
	if strings.Contains(out, "canary") {
		t.Errorf("%v prints a secret:\n%s", args, out)
	}
}

// runsUntil repeats a command that asks the running host until it ends with this status and prints
// these words, and returns what it printed last: a check of a busy machine that has no answer in
// time is not ok for a moment.
func runsUntil(t *testing.T, dir string, env []string, status int, words []string, args ...string) string {
	t.Helper()
	out := repeated(t, status, words, func() (int, string) { return terminal(t, dir, env, args...) })
	if strings.Contains(out, "canary") {
		t.Errorf("%v prints a secret:\n%s", args, out)
	}
	return out
}

// repeated is runsUntil for a command that is run otherwise. It gives up after a minute.
func repeated(t *testing.T, status int, words []string, run func() (int, string)) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		got, out := run()
		if got == status && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(out, w) }) {
			return out
		}
		if time.Now().After(deadline) {
			t.Errorf("status %d, want %d and %q:\n%s", got, status, words, out)
			return out
		}
	}
}

// TestDBCopy moves an integration, with wrong uses before and after.
func TestDBCopy(t *testing.T) {
	t.Parallel()
	dir, database := newDir(t, hosttest.File), postgres.Database(t)
	address, open := filepath.Join(dir, "address"), filepath.Join(dir, "open")
	for path, mode := range map[string]os.FileMode{address: 0o600, open: 0o644} {
		if err := os.WriteFile(path, []byte(database+"\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	to := func(url string) []string { return []string{"SWITCHBOARD_DATABASE_URL=" + url} }
	says(t, dir, to(database), 1, []string{"contains no database", "--data-dir"}, "db", "copy")
	p := start(t, dir).ready()
	id := p.create(p.token())
	says(t, dir, to(database), 1, []string{"another switchboard", "stop that one"}, "db", "copy")
	if got := p.stop(); got != 0 {
		t.Fatalf("switchboard has ended with %d", got)
	}
	for _, wrong := range []struct {
		env, args, words []string
	}{
		{nil, nil, []string{"no database to copy to", "SWITCHBOARD_DATABASE_URL", "--to"}},
		{to("mysql://u:canary@db/x"), nil, []string{"not a PostgreSQL address"}},
		{to("sqlite:other.db"), nil, []string{"not a PostgreSQL address"}},
		{to("postgres://u:canary@127.0.0.1/x?sslmode=perhaps"), nil, []string{"database URL: cannot be read"}},
		{nil, []string{"--to", "postgres://u:canary@127.0.0.1/x"}, []string{"name of an environment variable or of a file"}},
		{nil, []string{"--to", "NOWHERE"}, []string{`neither an environment variable nor a file "NOWHERE"`}},
		{nil, []string{"--to", open}, []string{open}}, // anybody can read it
		{append(to(database), "SWITCHBOARD_SECRET_KEY="+seal.NewKey()), nil, []string{"SWITCHBOARD_SECRET_KEY"}},
	} {
		says(t, dir, wrong.env, 1, wrong.words, append([]string{"db", "copy"}, wrong.args...)...)
	}
	says(t, dir, nil, 0, []string{"integrations ", "compared with the original", "secret-key", "api-token"}, "db", "copy", "--to", address)
	says(t, dir, to(database), 1, []string{"is not empty", "integrations"}, "db", "copy")

	key, err := os.ReadFile(filepath.Join(dir, "data", "secret-key"))
	if err != nil {
		t.Fatal(err)
	}
	token := p.token()
	p = start(t, dir, "SWITCHBOARD_DATABASE_URL="+database, "SWITCHBOARD_SECRET_KEY="+strings.TrimSpace(string(key)), "SWITCHBOARD_API_TOKEN="+token).ready()
	if status, body := p.send("GET", "/api/v1/integrations/"+id, token, "", ""); status != 200 {
		t.Errorf("the integration on PostgreSQL: %d %s", status, body)
	}
}

// TestCommandsAskTheHostsThatShareADatabase asks the host on the data directory, another one
// through the public address, and the database itself once none runs.
func TestCommandsAskTheHostsThatShareADatabase(t *testing.T) {
	t.Parallel()
	dir, elsewhere := newDir(t, twoWeeks), newDir(t, twoWeeks)
	shared := []string{"SWITCHBOARD_DATABASE_URL=" + postgres.Database(t), "SWITCHBOARD_SECRET_KEY=" + seal.NewKey(), "SWITCHBOARD_API_TOKEN=a-token-of-all-hosts"}
	const token = "a-token-of-all-hosts"
	p := start(t, dir, shared...).ready()
	id := p.create(token)
	hosttest.Eventually(t, "the host is listed", func() bool {
		_, body := p.send("GET", "/api/v1/hosts", token, "", "")
		return strings.Contains(body, `"address"`)
	})
	if second := start(t, dir, shared...); second.wait() != 1 || !strings.Contains(second.log.String(), "is using it") {
		t.Errorf("a second host on the same data directory: %s", second.log)
	}
	and := func(more ...string) []string { return append(append([]string{}, shared...), more...) }
	ask := []string{"whowouldanswer", "--integration", id, "--at", "2026-01-06T00:00:00Z"}
	// Whoever opened the store would need a database that answers, or plugins.
	says(t, dir, and("SWITCHBOARD_DATABASE_URL=postgres://u@127.0.0.1:1/x"), 0, []string{"  Alice Example\n"}, ask...)
	says(t, elsewhere, and("SWITCHBOARD_PUBLIC_URL="+p.url, "SWITCHBOARD_PLUGIN_DIR=nowhere"), 0, []string{"  Alice Example\n"}, ask...)
	says(t, elsewhere, shared, 1, []string{"switchboard runs on", "SWITCHBOARD_PUBLIC_URL"}, ask...)
	if got := p.stop(); got != 0 {
		t.Fatalf("switchboard has ended with %d", got)
	}
	says(t, elsewhere, shared, 0, []string{"  Alice Example\n"}, ask...)
	says(t, elsewhere, and("SWITCHBOARD_PUBLIC_URL="+p.url), 0, []string{"  Alice Example\n"}, ask...)
}
