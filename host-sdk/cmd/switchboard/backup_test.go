package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// repack writes an archive anew, each member as change makes it.
func repack(t *testing.T, from, to string, change func(name string, data []byte) []byte) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	packed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for r := tar.NewReader(packed); ; {
		head, err := r.Next()
		if err == io.EOF { //nolint:errorlint // as the reader promises
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		data = change(head.Name, data)
		if data == nil {
			continue
		}
		if err := w.WriteHeader(&tar.Header{Name: head.Name, Size: int64(len(data)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if w.Close() != nil || z.Close() != nil {
		t.Fatal("the archive cannot be written")
	}
	write(t, to, out.Bytes())
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// whole names what lies in a folder, to see that a refusal leaves nothing.
func whole(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			names = append(names, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

// A backup is taken while the host runs, and restored into another data directory.
func TestABackupIsRestoredElsewhere(t *testing.T) {
	t.Parallel()
	dir, elsewhere := newDir(t, hosttest.File), t.TempDir()
	says(t, dir, nil, 1, []string{"nothing was backed up", "contains no database", "--data-dir"}, "backup")
	p := start(t, dir).ready()
	id := p.create(p.token())
	archive := filepath.Join(dir, "b.tar.gz")
	says(t, dir, nil, 0, []string{archive + ": written and read again", "switchboard.db", "switchboard.yaml", "is in order", "Not in it: the secret key", "API token"}, "backup", "--to", archive)
	if info, err := os.Stat(archive); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the archive's mode: %v %v", info.Mode(), err)
	}
	after := p.create(p.token())
	says(t, dir, nil, 1, []string{"exists already", "--to"}, "backup", "--to", archive)
	says(t, dir, nil, 1, []string{"no-such-folder", "cannot be written"}, "backup", "--to", filepath.Join(dir, "no-such-folder", "b"))
	says(t, dir, nil, 1, []string{"nothing was restored", "is using it", "stop that one"}, "restore", archive)
	says(t, dir, nil, 1, []string{"is using it"}, "restore", "--replace", archive)
	p.optionsOpen(after, p.token())

	key := kept(t, dir, "secret-key")
	says(t, elsewhere, nil, 1, []string{"needs the secret key " + keyID(t, key), "there is none here", "SWITCHBOARD_SECRET_KEY"}, "restore", archive)
	says(t, elsewhere, []string{"SWITCHBOARD_SECRET_KEY=" + seal.NewKey()}, 1, []string{"needs the secret key " + keyID(t, key), "the one here is"}, "restore", archive)
	if left := whole(t, elsewhere); left != "" {
		t.Errorf("what was refused has left %s", left)
	}
	with := []string{"SWITCHBOARD_SECRET_KEY=" + key}
	says(t, elsewhere, with, 0, []string{"is whole", keyID(t, key)}, "restore", "--check", archive)
	says(t, elsewhere, with, 0, []string{"is in " + filepath.Join(elsewhere, "data"), "The switchboard file of the backup is switchboard.yaml", "Start switchboard"}, "restore", archive)
	q := start(t, elsewhere, with...).ready()
	q.optionsOpen(id, q.token())
	if status, _ := q.send("GET", "/api/v1/integrations/"+after, q.token(), "", ""); status != 404 {
		t.Errorf("what came after the backup: status %d", status)
	}
	if q.token() == p.token() {
		t.Error("the API token is in the backup")
	}
	q.stop()
	says(t, elsewhere, with, 1, []string{"contains a database", "--replace"}, "restore", archive)
	says(t, elsewhere, with, 0, []string{"The one from before is", ".before-restore-"}, "restore", "--replace", archive)
	write(t, filepath.Join(elsewhere, "switchboard.yaml"), []byte(strings.Replace(hosttest.File, "DevOps", "Other", 1)))
	says(t, elsewhere, with, 0, []string{"switchboard.yaml.from-backup"}, "restore", "--replace", archive)
	start(t, elsewhere, with...).ready().optionsOpen(id, q.token())
	says(t, dir, []string{"SWITCHBOARD_DATABASE_URL=" + postgres.Database(t), "SWITCHBOARD_SECRET_KEY=" + key, "SWITCHBOARD_API_TOKEN=a-token-of-all-hosts"}, 1, []string{"pg_dump", "docs/backup.md"}, "backup")
}

// Nothing of an archive that is damaged, changed or of a newer format gets into the data directory.
func TestABackupThatIsNotWholeIsRefused(t *testing.T) {
	t.Parallel()
	dir, elsewhere := newDir(t, hosttest.File), t.TempDir()
	p := start(t, dir).ready()
	p.create(p.token())
	archive := filepath.Join(dir, "b.tar.gz")
	says(t, dir, nil, 0, nil, "backup", "--to", archive)
	p.stop()
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.tar.gz")
	with := []string{"SWITCHBOARD_SECRET_KEY=" + kept(t, dir, "secret-key")}
	list := func(change func(map[string]any)) func(string, []byte) []byte {
		return func(name string, text []byte) []byte {
			if name != "backup.json" {
				return text
			}
			var l map[string]any
			if err := json.Unmarshal(text, &l); err != nil {
				t.Fatal(err)
			}
			change(l)
			text, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
	}
	for name, c := range map[string]struct {
		change func(name string, data []byte) []byte
		says   string
	}{
		"a newer format":     {list(func(l map[string]any) { l["format"] = 2 }), "has format 2, and this program reads up to 1"},
		"another row count":  {list(func(l map[string]any) { l["rows"] = map[string]any{} }), "backup.json is not what was written"},
		"a changed file":     {func(name string, b []byte) []byte { return bytes.Replace(b, []byte("devops"), []byte("develop"), 1) }, "is not what was written"},
		"without its seal":   {func(name string, b []byte) []byte { return map[bool][]byte{true: b}[name != "backup.seal"] }, `contains "switchboard.db" where backup.seal should be`},
		"without its list":   {func(name string, b []byte) []byte { return map[bool][]byte{true: b}[name != "backup.json"] }, "is not a backup of switchboard"},
		"without a file":     {func(name string, b []byte) []byte { return map[bool][]byte{true: b}[name != "switchboard.yaml"] }, "is damaged or cut off"},
		"a path in its list": {list(func(l map[string]any) { l["files"] = []any{map[string]any{"name": "../x", "size": 1}} }), "is no part of a backup"},
		"a seal that is none": {func(name string, b []byte) []byte {
			return map[bool][]byte{true: []byte("x"), false: b}[name == "backup.seal"]
		}, "backup.seal is not what was written"},
	} {
		repack(t, archive, bad, c.change)
		for _, args := range [][]string{{"restore", bad}, {"restore", "--check", bad}} {
			if status, out := terminal(t, elsewhere, with, args...); status != 1 || !strings.Contains(out, c.says) {
				t.Errorf("%s: %v: status %d: %s", name, args, status, out)
			}
		}
	}
	// The path is said once, and what to do.
	write(t, bad, []byte("no archive"))
	says(t, elsewhere, with, 1, []string{bad + ": this is not a backup of switchboard", "take another one"}, "restore", bad)
	says(t, elsewhere, with, 1, []string{bad + "-gone: there is no such file: name one"}, "restore", bad+"-gone")
	for _, n := range []int{0, 1, 100, len(data) / 2, len(data) - 1} {
		write(t, bad, data[:n])
		says(t, elsewhere, with, 1, []string{bad}, "restore", bad)
	}
	for _, at := range []int{len(data) / 3, len(data) - 20} {
		flipped := bytes.Clone(data)
		flipped[at] ^= 0x10
		write(t, bad, flipped)
		says(t, elsewhere, with, 1, []string{"damaged"}, "restore", bad)
	}
	says(t, elsewhere, with, 1, []string{"no such file"}, "restore", filepath.Join(dir, "nowhere"))
	says(t, elsewhere, with, 1, []string{"is not a backup"}, "restore", "--data-dir", filepath.Join(elsewhere, "several", "folders", "deep"), filepath.Join(dir, "switchboard.yaml"))
	if left := whole(t, elsewhere); left != "" {
		t.Errorf("what was refused has left %s", left)
	}
	// Somebody's own, which stays.
	if err := os.MkdirAll(filepath.Join(elsewhere, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	says(t, elsewhere, with, 1, []string{"is not a backup"}, "restore", filepath.Join(dir, "switchboard.yaml"))
	if left := whole(t, elsewhere); left != "data data/lock" {
		t.Errorf("what was refused has left %s", left)
	}
	// A data directory with a database that is damaged, which is when a backup is needed.
	write(t, filepath.Join(dir, "data", "switchboard.db"), []byte("not a database"))
	says(t, dir, nil, 1, []string{"nothing was backed up"}, "backup")
	says(t, dir, nil, 0, []string{"The one from before is"}, "restore", "--replace", archive)
	p = start(t, dir).ready()
	if _, body := p.send("GET", "/api/v1/integrations", p.token(), "", ""); !strings.Contains(body, "Hotline") {
		t.Errorf("after the restore: %s", body)
	}
}

// While another program has the database open and its log is not yet part of the file, a restore
// moves nothing: what was written last would be lost.
func TestRestoreWaitsForWhoHasTheDatabaseOpen(t *testing.T) {
	t.Parallel()
	dir := newDir(t, hosttest.File)
	p := start(t, dir).ready()
	id := p.create(p.token())
	archive := filepath.Join(dir, "b.tar.gz")
	says(t, dir, nil, 0, nil, "backup", "--to", archive)
	p.stop()
	database := filepath.Join(dir, "data", "switchboard.db")
	other, err := sqldb.Open(t.Context(), "sqlite:"+database)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	defer func() {
		if !closed {
			_ = other.Close() // the test has failed already
		}
	}()
	err = other.Write(t.Context(), func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE integrations SET name = 'Written last'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	before := whole(t, filepath.Join(dir, "data"))
	says(t, dir, nil, 1, []string{"nothing was restored", "another program has it open", "try again when that has ended"}, "restore", "--replace", archive)
	if after := whole(t, filepath.Join(dir, "data")); after != before {
		t.Errorf("the data directory holds %s, before %s", after, before)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	closed = true
	p = start(t, dir).ready()
	if _, body := p.send("GET", "/api/v1/integrations", p.token(), "", ""); !strings.Contains(body, "Written last") {
		t.Errorf("what was written last is lost: %s", body)
	}
	p.stop()
	says(t, dir, nil, 0, []string{"The one from before is"}, "restore", "--replace", archive)
	p = start(t, dir).ready()
	p.optionsOpen(id, p.token())
	if _, body := p.send("GET", "/api/v1/integrations", p.token(), "", ""); strings.Contains(body, "Written last") {
		t.Errorf("the database of the backup is not in use: %s", body)
	}
}
