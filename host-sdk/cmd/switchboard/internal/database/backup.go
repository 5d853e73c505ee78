package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/backup"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/internal/tempdir"
)

// BackedUp is what was written. Its list says what to expect of a restore.
type BackedUp struct {
	Path string
	backup.List
}

// errServerBackup is the error for a database that has backup tools of its own, and better ones.
var errServerBackup = errors.New("the database is PostgreSQL, which is backed up with its own tools: pg_dump --format=custom for a copy of one moment, or base backups with an archived write-ahead log to restore any moment. Keep SWITCHBOARD_SECRET_KEY elsewhere: it is not in the database. The page docs/backup.md has the commands")

// Backup writes an archive of the database of the data directory, which a host may use meanwhile,
// and of the switchboard file; see [backup.Write]. The archive is then read and compared. Errors
// hold no secret. It takes no lock: the copy is made within SQLite, while a host commits.
func Backup(ctx context.Context, s settings.Settings, to string) (done BackedUp, err error) {
	defer func() { err = wording.ForPeople(s, err) }()
	if s.Postgres() {
		return done, errServerBackup
	}
	if !datadir.HasDatabase(s) {
		return done, fmt.Errorf("data directory %s: it contains no database: name the right directory with --data-dir", s.DataDir)
	}
	// Asked first, as a copy of a large database takes minutes; backup.Write asks again at the end.
	if _, err := os.Lstat(to); err == nil {
		return done, fmt.Errorf("%s exists already: name another file with --to", to)
	}
	keys, err := s.KnownKeys()
	if err != nil {
		return done, err
	}
	const prefix = ".switchboard-backup-"
	tempdir.Sweep(filepath.Dir(to), prefix) // a backup that was killed has left the whole database
	// Beside the archive, as this disk has to have room for it and the rename stays on one file
	// system.
	work, err := tempdir.New(filepath.Dir(to), prefix)
	if err != nil {
		return done, fmt.Errorf("%s cannot be written: %w: name another file with --to", to, wording.RootCause(err))
	}
	defer func() { err = errors.Join(err, work.Remove()) }()
	sources := map[string]string{backup.Database: filepath.Join(work.Path, backup.Database)}
	// The copy is of one moment, which the list then describes: nothing changes it any more.
	if err := snapshotTo(ctx, s, sources[backup.Database]); err != nil {
		return done, err
	}
	done.Path = to
	if done.List, err = lookAt(ctx, sources[backup.Database]); err != nil {
		return done, err
	}
	// The key must be known here, or nobody could prove later that the archive is whole.
	key := slices.IndexFunc(keys, func(k seal.Key) bool { return k.ID() == done.Key })
	if key < 0 {
		return done, fmt.Errorf("the database was written with the secret key %s, which is not the one here: start with that one, as SWITCHBOARD_SECRET_KEY or in the file %s", done.Key, settings.SecretKeyFile)
	}
	if _, err := os.Stat(s.ConfigPath); err == nil {
		sources[backup.SwitchboardFile] = s.ConfigPath
	}
	done.MadeAt, done.Version = time.Now().UTC().Truncate(time.Second), s.Version
	if done.List, err = backup.Write(to, work.Path, done.List, keys[key], sources); err != nil {
		return done, err
	}
	// What cannot be read now could not be read when it is needed.
	if _, err := backup.Read(to, keys, ""); err != nil {
		return done, errors.Join(fmt.Errorf("the archive was not written as it should be: %w", err), os.Remove(to))
	}
	return done, nil
}

// snapshotTo copies the database of the data directory. Opening it brings no tables up to date.
func snapshotTo(ctx context.Context, s settings.Settings, path string) (err error) {
	db, err := sqldb.Open(ctx, datadir.DatabaseURL(s), sqldb.Direct(s.DatabaseDirectURL.Reveal()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.SnapshotTo(ctx, path)
}

// lookAt checks the copy of a database and says what is in it. Key is the id of the one that its
// values are sealed with.
func lookAt(ctx context.Context, path string) (found backup.List, err error) {
	copied, err := sqldb.OpenSnapshot(path)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	if err := copied.Check(ctx); err != nil {
		return found, err
	}
	if found.Rows, err = copied.Rows(ctx); err != nil {
		return found, err
	}
	if found.Release, err = copied.Release(ctx); err != nil {
		return found, err
	}
	var ids []string
	if found.Key, ids, err = sqlstore.SealedWith(ctx, copied); err != nil {
		return found, err
	}
	// Some of the values have the one key and some the other: a restore would need both, and the
	// one that is on its way out is the one that people throw away.
	for _, id := range ids {
		if id != found.Key {
			return found, fmt.Errorf("the secret key is being changed from %s to %s: end that with switchboard rekey first, as a backup has one key", id, found.Key)
		}
	}
	return found, nil
}

// Restored is what a restore has done. It is complete only without an error.
type Restored struct {
	backup.List
	DataDir string
	Aside   string // where the database from before lies; "": there was none
	// SwitchboardFile is where the switchboard file of the backup was put; "": the backup has none,
	// or the same lies there.
	SwitchboardFile string
}

// restoring is the beginning of the names of folders to which a restore unpacks.
const restoring = ".restore-"

// Restore puts the database of an archive into the data directory, once everything in it was
// checked. A database that is there is refused, or with replace put aside. No host may run on the
// directory: it is locked meanwhile. Errors hold no secret.
func Restore(ctx context.Context, s settings.Settings, path string, replace bool) (done Restored, err error) {
	defer func() { err = wording.ForPeople(s, err) }()
	if s.Postgres() {
		return done, errors.New("the backup is of a database of SQLite, and the settings name PostgreSQL: restore into a data directory, without SWITCHBOARD_DATABASE_URL; switchboard db copy then moves it to PostgreSQL. What pg_dump has written is restored with pg_restore")
	}
	// Noted before they are made: a restore that fails leaves no folders behind.
	made := missingFolders(s.DataDir)
	if err := datadir.Prepare(s.DataDir); err != nil {
		return done, err
	}
	release, err := datadir.Lock(s.DataDir)
	if err != nil {
		return done, err
	}
	// The lock is given back last, so that no host starts on half a restore.
	defer func() {
		if err != nil {
			takeBack(made)
		}
		release()
	}()
	done.DataDir = s.DataDir
	database := filepath.Join(s.DataDir, settings.DatabaseFile)
	if info, err := os.Stat(database); err == nil && info.Size() > 0 && !replace {
		return done, fmt.Errorf("data directory %s: it contains a database: restore into another one with --data-dir, or give --replace to put that database aside", s.DataDir)
	}
	// What a killed restore has left: the lock is held, so no other restore is at work there. Each
	// is as large as the database.
	left, _ := filepath.Glob(filepath.Join(s.DataDir, restoring+"*"))
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return done, err
		}
	}
	// Inside the data directory, and not among the temporary files: the rename below works within
	// one file system only, and it is what makes the exchange happen at once.
	dir, err := os.MkdirTemp(s.DataDir, restoring+"*")
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// Unpacked and checked beside the database, which is not touched before.
	if done.List, err = unpackBackup(ctx, s, path, dir); err != nil {
		return done, err
	}
	// Everything that can be wrong with the archive has been found by now. From here on only the
	// disk can fail, and the old database is there under its old or its new name.
	if done.Aside, err = putAside(ctx, database); err != nil {
		return done, fmt.Errorf("the database that is there cannot be put aside: %w", err)
	}
	if err := os.Rename(filepath.Join(dir, backup.Database), database); err != nil {
		return done, err
	}
	// Before the switchboard file: what matters most must survive a power failure.
	if err := syncDir(s.DataDir); err != nil {
		return done, err
	}
	done.SwitchboardFile, err = putFile(filepath.Join(dir, backup.SwitchboardFile), s.ConfigPath)
	return done, err
}

// missingFolders are the folders that have to be made for a folder, the innermost first.
func missingFolders(folder string) (missing []string) {
	for ; ; folder = filepath.Dir(folder) {
		if _, err := os.Lstat(folder); !errors.Is(err, fs.ErrNotExist) {
			return missing
		}
		missing = append(missing, folder)
	}
}

// takeBack removes folders that were made for a data directory, the innermost first, and the lock
// in it, which the caller holds. What holds anything else stays. It is called while the lock is
// held.
func takeBack(made []string) {
	for i, folder := range made {
		if i == 0 {
			_ = os.Remove(filepath.Join(folder, datadir.LockName)) // as below
		}
		if os.Remove(folder) != nil { // somebody else uses it
			return
		}
	}
}

// CheckBackup checks an archive as Restore does, and changes nothing. The key is needed, as for a
// restore; no data directory is.
func CheckBackup(ctx context.Context, s settings.Settings, path string) (list backup.List, err error) {
	defer func() { err = wording.ForPeople(s, err) }()
	const prefix = "switchboard-backup-"
	tempdir.Sweep("", prefix)
	work, err := tempdir.New("", prefix)
	if err != nil {
		return list, err
	}
	defer func() { err = errors.Join(err, work.Remove()) }()
	return unpackBackup(ctx, s, path, work.Path)
}

// unpackBackup unpacks an archive and checks the database in it. Errors name the archive.
func unpackBackup(ctx context.Context, s settings.Settings, path, dir string) (list backup.List, err error) {
	keys, err := s.KnownKeys()
	if err != nil {
		return list, err
	}
	if list, err = backup.Read(path, keys, dir); err != nil {
		var known *integration.Error
		if errors.As(err, &known) {
			return list, fmt.Errorf("%s: %s", path, known.Message)
		}
		return list, fmt.Errorf("%s: %w", path, err)
	}
	// One release further is fine: tables only grow, and a release reads what the next one has
	// written, since both run side by side during an upgrade.
	if list.Release > sqldb.Release+1 {
		return list, fmt.Errorf("%s: the database in it is of release %d of the tables, and this switchboard reads up to %d: restore it with a newer one, such as %s, which made it", path, list.Release, sqldb.Release+1, list.Version)
	}
	found, err := lookAt(ctx, filepath.Join(dir, backup.Database))
	if err != nil {
		return list, fmt.Errorf("%s: %w", path, err)
	}
	// The list is sealed and the files are hashed, so this is not about an archive that somebody
	// changed: it finds a copy that was wrong when it was packed.
	if !maps.Equal(found.Rows, list.Rows) || found.Key != list.Key {
		return list, fmt.Errorf("%s: the database in it is not the one that its list describes: take another backup", path)
	}
	return list, nil
}

// putAside moves a database away and returns its new name; "": there is none. Its log is folded
// into the file first, where that can be done: a damaged file is moved with its log beside it. What
// was put aside before stays. No host runs on it, as the directory is locked.
func putAside(ctx context.Context, database string) (aside string, err error) {
	const wal, shared = "-wal", "-shm"
	info, err := os.Stat(database)
	there := err == nil && info.Size() > 0
	if there {
		// A database that cannot be opened is moved as it is: it may be why somebody restores.
		if db, err := sqldb.Open(ctx, "sqlite:"+database); err == nil {
			_ = db.Close() // the last one that closes a database of SQLite folds its log
			if info, err := os.Stat(database + wal); err == nil && info.Size() > 0 {
				// Without its log the database would lack what was written last, if this ended now.
				return "", errors.New("another program has it open, such as switchboard backup: try again when that has ended")
			}
		}
	}
	if aside, err = asideName(database); err != nil {
		return "", err
	}
	// The log goes first: a log without its database is ignored, while the log of the old database
	// beside the new one would be played into it.
	for _, suffix := range []string{wal, shared} {
		if err := os.Rename(database+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if !there {
		return "", nil
	}
	// Linked and not moved: at every moment there is a database, the old or the new one.
	if err := os.Link(database, aside); err != nil {
		return aside, os.Rename(database, aside) // a file system without links
	}
	return aside, nil
}

// asideName is a name for a database that is put aside, which neither one nor its log has yet. Two
// restores within a second get names of their own.
func asideName(database string) (string, error) {
	first := database + ".before-restore-" + time.Now().UTC().Format("20060102T150405Z")
	name := first
	for n := 2; ; n++ {
		_, file := os.Lstat(name)
		_, log := os.Lstat(name + "-wal")
		if errors.Is(file, fs.ErrNotExist) && errors.Is(log, fs.ErrNotExist) {
			return name, nil
		}
		if file != nil && !errors.Is(file, fs.ErrNotExist) {
			return "", file
		}
		name = fmt.Sprintf("%s-%d", first, n)
	}
}

// putFile puts the switchboard file of a backup at its place or, where another one lies there,
// beside it. What is there is never replaced. put is where it lies now.
func putFile(source, path string) (put string, err error) {
	text, err := os.ReadFile(source) //nolint:gosec // unpacked a moment ago
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	there, err := os.ReadFile(path) //nolint:gosec // the operator's own
	switch {
	case errors.Is(err, fs.ErrNotExist):
		put = path
	case err == nil && strings.TrimSpace(string(there)) == strings.TrimSpace(string(text)):
		return "", nil
	default:
		// The file that lies here may be newer than the backup, and a host may be started on it.
		put = path + ".from-backup"
	}
	return put, os.WriteFile(put, text, 0o600)
}

// syncDir makes changed names last through a power failure.
func syncDir(path string) error {
	d, err := os.Open(path) //nolint:gosec // the data directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
