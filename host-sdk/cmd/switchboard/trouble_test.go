package main

import (
	"database/sql"
	"os"
	"path/filepath"
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
	hosttest.Eventually(t, "a line about the lock", func() bool { return strings.Contains(p.log.String(), "locked by another program") })
	if _, err := other.ExecContext(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
	if got := p.ready().stop(); got != 0 {
		t.Errorf("it ended with %v", got)
	}
}
