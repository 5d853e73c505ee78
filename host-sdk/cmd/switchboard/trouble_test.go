package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to lock the database as another program would

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func TestALostSecretKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	p := start(t, dir).ready()
	p.create(p.token())
	if got := p.stop(); got != 0 {
		t.Fatalf("it ended with %v", got)
	}
	path := filepath.Join(dir, "data", "secret-key")
	key, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, lose := range map[string]func() error{
		"lost":    func() error { return os.Remove(path) },
		"emptied": func() error { return os.WriteFile(path, nil, 0o600) },
	} {
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		p := start(t, dir)
		if got := p.wait(); got != 1 {
			t.Errorf("%s: it ended with %v, want 1", name, got)
		}
		requireOneLine(t, p.log.String())
		if got := p.log.String(); !strings.Contains(got, path) || !strings.Contains(got, "backup") || strings.Contains(got, "delete") {
			t.Errorf("%s: the reason is %s", name, got)
		}
		if left, _ := os.ReadFile(path); len(left) > 0 {
			t.Errorf("%s: a new key was made", name)
		}
		if err := os.WriteFile(path, key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := start(t, dir).ready().stop(); got != 0 {
		t.Errorf("with the key from the backup it ended with %v", got)
	}
}

func TestADatabaseLockedAtTheStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	if got := start(t, dir).ready().stop(); got != 0 {
		t.Fatalf("it ended with %v", got)
	}
	other, err := sql.Open("sqlite", filepath.Join(dir, "data", "switchboard.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), "begin exclusive"); err != nil {
		t.Fatal(err)
	}
	p := start(t, dir)
	p.says("locked by another program")
	if _, err := other.ExecContext(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
	if got := p.ready().stop(); got != 0 {
		t.Errorf("it ended with %v", got)
	}
}

// After a change of the file only the alerts of calls in progress are read again, a few at a time:
// with 20,000 unresolved ones the process does not swell.
func TestAReloadWithManyUnresolvedAlertsIsCheap(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	if got := start(t, dir).ready().stop(); got != 0 {
		t.Fatalf("it ended with %v", got)
	}
	fillAlerts(t, dir, 20_000, "open")
	p := start(t, dir).ready()
	if err := os.WriteFile(filepath.Join(dir, "switchboard.yaml"), []byte(hosttest.File+"\n# changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.says("the changed switchboard file is in force")
	most := 0
	for range 150 { // a second or two: the hints come after the line
		_, metrics := p.get("/metrics")
		_, text, _ := strings.Cut(metrics, "\ngo_goroutines ")
		text, _, _ = strings.Cut(text, "\n")
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("no count of goroutines: %v", err)
		}
		most = max(most, n)
	}
	t.Logf("at most %d goroutines", most)
	if most > 300 {
		t.Errorf("%d goroutines", most)
	}
	if got := p.stop(); got != 0 {
		t.Errorf("it ended with %v", got)
	}
}

// fillAlerts puts so many alerts of a status into the database of a process that does not run.
func fillAlerts(t testing.TB, dir string, n int, status string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "data", "switchboard.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		`insert into embedded_alerts (id, tenant, integration, alert_key, version, status, title, spoken_title, description, urgency,
			fields, attachments, teams, layer, round, paged, rejected, acks, deadline, last_command, entries, created_at, updated_at)
		select 'old' || n, '', 'int-1', 'OLD' || n, 5, $2, 'Call from +12025550143', 'A call', 'A call that ended', 'high',
			'[{"label":"Caller","value":"+12025550143","format":"phone"}]', '[]', '["devops"]', 1, 1, '[]', '[]', '[]', null, 5, 3, n * 1000, n * 1000 from i`,
		`insert into embedded_log (alert_id, n, at, actor, message) select 'old' || n, 1, n * 1000, '', 'Created' from i`,
	} {
		if _, err := db.ExecContext(t.Context(), "with recursive i(n) as (select 1 union all select n + 1 from i where n < $1) "+statement, n, status); err != nil {
			t.Fatal(err)
		}
	}
}

// A database that was removed or emptied beside its key is an accident, which a start that begins a
// new one would hide.
func TestAStartWithoutTheDatabaseOfItsKeySaysSo(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	database := filepath.Join(dir, "data", "switchboard.db")
	p := start(t, dir).ready()
	if log := p.log.String(); strings.Contains(log, "gone or empty") {
		t.Errorf("the first start says:\n%s", log)
	}
	p.stop()
	for name, spoil := range map[string]func() error{
		"emptied": func() error { return os.Truncate(database, 0) },
		"removed": func() error { return os.Remove(database) },
	} {
		for _, more := range []string{"-wal", "-shm"} {
			_ = os.Remove(database + more) // not there after an orderly stop
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		p := start(t, dir).ready()
		if log := p.log.String(); !strings.Contains(log, "gone or empty") || !strings.Contains(log, "backup") {
			t.Errorf("%s: the log says\n%s", name, log)
		}
		p.stop()
	}
}
