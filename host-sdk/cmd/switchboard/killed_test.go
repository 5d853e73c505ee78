package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
	"github.com/livecallrouting/livecall/internal/killed"
)

// moments is how many moments at most a command is killed at; LIVECALL_TEST_BOUNDARIES=all tries
// each.
const moments = 16

// copied is a copy of a test's folder, which is written to the disk no more.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	// Which must be the owner's alone.
	for _, name := range []string{"secret-key", "api-token", "next-secret-key"} {
		if err := os.Chmod(filepath.Join(to, "data", name), 0o600); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return to
}

// killedAtEachStep runs a command in copies of a folder, and kills each before another of its
// changes to files. In args DIR stands for the copy. check looks at the copy afterwards.
func killedAtEachStep(t *testing.T, dir string, env, args []string, check func(t *testing.T, dir string, killed bool)) {
	t.Helper()
	command := func(dir string, n int) ([]string, bool) {
		t.Helper()
		log, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = log.Close() }()
		var placed []string
		for _, a := range args {
			placed = append(placed, strings.ReplaceAll(a, "DIR", dir))
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], placed...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
		cmd.Env = append([]string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir(), runVariable + "=1",
			"SWITCHBOARD_LISTEN=127.0.0.1:0", "SWITCHBOARD_DATA_DIR=" + filepath.Join(dir, "data"), "SWITCHBOARD_PLUGIN_DIR=" + pluginHome,
		}, env...)
		changes, died, err := killed.Before(cmd, dir, n)
		if errors.Is(err, killed.ErrUnsupported) {
			t.Skip(err)
		}
		if err != nil {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("%v: %v\n%s", args, err, text)
		}
		return changes, died
	}
	most := moments
	if os.Getenv("LIVECALL_TEST_BOUNDARIES") == "all" {
		most = 0
	}
	whole := copied(t, dir)
	changes, _ := command(whole, 0)
	check(t, whole, false)
	worth := killed.Worth(changes, most)
	t.Logf("%d changes of files; killed before %d of them", len(changes), len(worth))
	if len(worth) < 5 {
		t.Fatalf("only %d moments: %q", len(worth), changes)
	}
	for _, n := range worth {
		t.Run(fmt.Sprintf("before change %d, %s", n, changes[n-1]), func(t *testing.T) {
			dir := copied(t, dir)
			if _, died := command(dir, n); !died {
				t.Logf("it ended before: it makes fewer changes this time")
			}
			check(t, dir, true)
		})
	}
}

// readable reads everything that is secret in the data directory, with the keys that a start would
// have, and returns the names of the integrations.
func readable(t *testing.T, dir, database string, env ...string) (names []string) {
	t.Helper()
	s := settings.Settings{DataDir: filepath.Join(dir, "data")}
	for _, e := range env {
		if key, ok := strings.CutPrefix(e, "SWITCHBOARD_SECRET_KEY="); ok {
			s.SecretKey = settings.Secret(key)
		} else if key, ok := strings.CutPrefix(e, "SWITCHBOARD_NEXT_SECRET_KEY="); ok {
			s.NextSecretKey = settings.Secret(key)
		}
	}
	if err := s.KeepSecrets(); err != nil {
		t.Errorf("the secrets: %v", err)
		return nil
	}
	key, also, err := s.Keys()
	if err != nil {
		t.Errorf("the keys: %v", err)
		return nil
	}
	db, err := sqldb.Open(t.Context(), database)
	if err != nil {
		t.Errorf("the database does not open: %v", err)
		return nil
	}
	defer func() { _ = db.Close() }()
	kept, err := sqlstore.New(t.Context(), db, key, nil, also...)
	if err != nil {
		t.Errorf("the store does not open: %v", err)
		return nil
	}
	for _, name := range []string{"guarded_media_key", "health_proof_key", "page_link_key"} {
		if value, err := kept.InitSetting(t.Context(), name, "made anew"); err != nil || value == "made anew" {
			t.Errorf("the setting %s: %q, %v", name, value, err)
		}
	}
	list, err := kept.ListIntegrations(t.Context())
	if err != nil {
		t.Errorf("the integrations: %v", err)
	}
	for _, in := range list {
		if !strings.Contains(string(in.Options), "canary-option-secret") {
			t.Errorf("the options of %s are %s", in.Name, in.Options)
		}
		names = append(names, in.Name)
	}
	return names
}

func sqliteIn(dir string) string {
	return "sqlite:" + filepath.Join(dir, "data", settings.DatabaseFile)
}

// hosted is a folder in which a host has run, and what it has made.
func hosted(t *testing.T, integrations int, env ...string) string {
	t.Helper()
	dir := newDir(t, hosttest.File)
	p := start(t, dir, env...).ready()
	token := "a-token-of-all-hosts"
	if !slices.Contains(env, "SWITCHBOARD_API_TOKEN="+token) {
		token = p.token()
	}
	for range integrations {
		p.create(token)
	}
	p.stop()
	return dir
}

// TestAChangeOfTheKeyMayBeKilled kills rekey before each change that it makes to a file: everything
// can be read afterwards, and rekey once more ends the change.
func TestAChangeOfTheKeyMayBeKilled(t *testing.T) {
	t.Parallel()
	dir := hosted(t, 2)
	old := kept(t, dir, "secret-key")
	killedAtEachStep(t, dir, nil, []string{"rekey"}, func(t *testing.T, dir string, killed bool) {
		t.Helper()
		if names := readable(t, dir, sqliteIn(dir)); len(names) != 2 {
			t.Errorf("after the kill there are %q", names)
		}
		if killed {
			says(t, dir, nil, 0, []string{"Nothing is left of the key"}, "rekey")
		}
		if names := readable(t, dir, sqliteIn(dir)); len(names) != 2 {
			t.Errorf("at the end there are %q", names)
		}
		if kept(t, dir, "secret-key") == old || kept(t, dir, "old-secret-key-"+keyID(t, old)) != old {
			t.Error("the key is not changed, or the old one is not kept for backups")
		}
		if _, err := os.Stat(filepath.Join(dir, "data", "next-secret-key")); !os.IsNotExist(err) {
			t.Errorf("a next key is left: %v", err)
		}
	})
}

// TestAChangeOfTheKeyMayBeKilledAtEachCommit does it on PostgreSQL, before and after each commit.
func TestAChangeOfTheKeyMayBeKilledAtEachCommit(t *testing.T) {
	t.Parallel()
	old, next := seal.NewKey(), seal.NewKey()
	database := postgres.Database(t)
	shared := []string{"SWITCHBOARD_DATABASE_URL=" + database, "SWITCHBOARD_API_TOKEN=a-token-of-all-hosts"}
	dir := hosted(t, 2, append(shared, "SWITCHBOARD_SECRET_KEY="+old)...)
	from, to := old, next
	for n := 1; n < 50; n++ {
		died := false
		for _, when := range []string{"before", "after"} {
			file := filepath.Join(t.TempDir(), "commits")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			keys := []string{"SWITCHBOARD_SECRET_KEY=" + from, "SWITCHBOARD_NEXT_SECRET_KEY=" + to}
			env := append(append([]string{fmt.Sprintf("SWITCHBOARD_TEST_EXIT=%s:%d@%s", when, n, file)}, shared...), keys...)
			status, out := terminal(t, dir, env, "rekey")
			if status != 70 && status != 0 {
				t.Fatalf("%s commit %d: status %d: %s", when, n, status, out)
			}
			died = died || status == 70
			if names := readable(t, dir, database, keys...); len(names) != 2 {
				t.Errorf("%s commit %d: there are %q", when, n, names)
			}
			says(t, dir, append(shared, keys...), 0, []string{"Nothing is left of the key " + keyID(t, from)}, "rekey")
			if names := readable(t, dir, database, "SWITCHBOARD_SECRET_KEY="+to); len(names) != 2 {
				t.Errorf("%s commit %d: with the new key alone there are %q", when, n, names)
			}
			from, to = to, from
		}
		if !died {
			t.Logf("killed before and after each of %d commits", n-1)
			if n < 4 {
				t.Errorf("only %d commits", n-1)
			}
			return
		}
	}
	t.Error("rekey made 50 commits, or more")
}

// TestARestoreMayBeKilled kills restore before each change that it makes to a file: the database is
// the one from before or the one of the backup, and restore once more restores. The one from before
// is put aside.
func TestARestoreMayBeKilled(t *testing.T) {
	t.Parallel()
	dir := hosted(t, 1)
	says(t, dir, nil, 0, nil, "backup", "--to", filepath.Join(dir, "b.tar.gz"))
	p := start(t, dir).ready()
	p.create(p.token())
	p.signal(os.Kill) // its log is not folded into the database
	p.wait()
	killedAtEachStep(t, dir, nil, []string{"restore", "--replace", "DIR/b.tar.gz"}, func(t *testing.T, dir string, killed bool) {
		t.Helper()
		if names := readable(t, dir, sqliteIn(dir)); len(names) != 1 && len(names) != 2 {
			t.Errorf("after the kill there are %q: neither what was there nor the backup", names)
		}
		if killed {
			says(t, dir, nil, 0, []string{"is in " + filepath.Join(dir, "data")}, "restore", "--replace", filepath.Join(dir, "b.tar.gz"))
		}
		if names := readable(t, dir, sqliteIn(dir)); len(names) != 1 {
			t.Errorf("restored, but there are %q", names)
		}
		aside, err := filepath.Glob(filepath.Join(dir, "data", "switchboard.db.before-restore-*[0-9Z]"))
		if err != nil || len(aside) == 0 {
			t.Fatalf("nothing was put aside: %v", err)
		}
		whole := 0
		for _, path := range aside {
			if names := readable(t, dir, "sqlite:"+path); len(names) == 2 {
				whole++
			}
		}
		if whole == 0 {
			t.Errorf("the database from before is lost; aside are %q", aside)
		}
		left, err := filepath.Glob(filepath.Join(dir, "data", ".restore-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %q %v", left, err)
		}
	})
}

// TestABackupMayBeKilled kills backup before each change that it makes to a file: either there is
// no file with the name of the backup, or it can be restored.
func TestABackupMayBeKilled(t *testing.T) {
	t.Parallel()
	dir := hosted(t, 1)
	killedAtEachStep(t, dir, nil, []string{"backup", "--to", "DIR/b.tar.gz"}, func(t *testing.T, dir string, killed bool) {
		t.Helper()
		archive := filepath.Join(dir, "b.tar.gz")
		if _, err := os.Stat(archive); err == nil {
			says(t, dir, nil, 0, []string{"is whole"}, "restore", "--check", archive)
		} else if !killed {
			t.Errorf("there is no backup: %v", err)
		}
		if names := readable(t, dir, sqliteIn(dir)); len(names) != 1 {
			t.Errorf("the database has %q", names)
		}
		if killed {
			archive = filepath.Join(dir, "again.tar.gz")
			says(t, dir, nil, 0, []string{"written and read again"}, "backup", "--to", archive)
			says(t, dir, nil, 0, []string{"is whole"}, "restore", "--check", archive)
		}
		left, err := filepath.Glob(filepath.Join(dir, ".*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %q %v", left, err)
		}
	})
}
