package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// readers is how many connections read at the same time for calls. These reads take microseconds;
// more only cost memory.
const readers = 4

// pageReaders is the same for pages and API, whose reads may take many milliseconds: half of the
// processors, so that the others are left to calls.
func pageReaders() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// patience is how long a lock of another program is waited for.
type patience struct {
	busy  time.Duration // by a statement
	start time.Duration // by Open
}

// patient outlasts the backup of a large database by another program.
var patient = patience{busy: 5 * time.Second, start: 2 * time.Minute}

// DB is an open database: one connection that writes, some that read. All methods may be called
// concurrently.
type DB struct {
	path    string
	dialect Dialect
	locked  patience

	writer  *sql.DB // one connection, owned by the writing goroutine through conn
	conn    *sql.Conn
	queue   chan *request
	closing chan struct{}
	stopped chan struct{} // the writing goroutine has ended

	reader    *Reader
	pages     *Reader
	texts     texts
	closeOnce sync.Once
	closeErr  error
}

// Open opens the database at url, "sqlite:" and the path of a file, and makes it when it does not
// exist: the file for its owner only (0600; SQLite gives its side files the same mode), missing
// folders likewise (0700). Several processes of one machine may open the same file. A wrong address
// is invalid, an address of another database (postgres://) unsupported, a file that cannot be made
// or opened unavailable. A file that another program has locked is waited for, with a line in the
// log, for at most two minutes; then it is unavailable. No error repeats the address of a database
// with a password in it.
func Open(ctx context.Context, url string) (*DB, error) { return open(ctx, url, patient) }

// open is Open with another patience.
func open(ctx context.Context, url string, locked patience) (*DB, error) {
	scheme, path, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
	case "postgres", "postgresql":
		return nil, integration.Errorf(integration.KindUnsupported, "database URL: %s:// is not supported yet; use sqlite:/path/to/file.db", scheme)
	default:
		return nil, integration.Errorf(integration.KindInvalid, "database URL: want sqlite:/path/to/file.db")
	}
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, integration.Errorf(integration.KindInvalid, "database URL: sqlite: needs the path of a file, as in sqlite:/path/to/file.db")
	}
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	db := &DB{path: path, dialect: SQLite, locked: locked, queue: make(chan *request), closing: make(chan struct{}), stopped: make(chan struct{})}
	if err := db.connectUnlocked(ctx); err != nil {
		return nil, err
	}
	go db.writing()
	return db, nil
}

// prepareFile makes the file before SQLite does, as SQLite would make it readable for others.
func prepareFile(path string) error {
	dir := filepath.Dir(path)
	problem := func(err error) error {
		return integration.Errorf(integration.KindUnavailable,
			"database %s: the folder %s must exist or be creatable, and be writable for this process: %w", path, dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return problem(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is the operator's setting
	if err != nil {
		return problem(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return problem(err)
	}
	if !info.Mode().IsRegular() {
		return integration.Errorf(integration.KindInvalid, "database %s: is not a regular file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return integration.Errorf(integration.KindUnavailable, "database %s: other users may read it (mode %v), and the mode cannot be changed: %w", path, info.Mode().Perm(), err)
		}
	}
	// SQLite keeps two files beside the first, and makes and removes them at will.
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return problem(err)
	}
	_ = probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return problem(err)
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
		slog.Warn("the folder of the database is writable for other users; use chmod 700", "folder", dir, "mode", info.Mode().Perm().String())
	}
	return nil
}

// dsn is the driver's name of the file. Full sync: what was committed survives a power cut.
func (db *DB) dsn(extra ...string) string {
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", db.locked.busy.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)", "cache_size(-16384)",
		// The journals of savepoints, among others: nothing of them is needed after a crash.
		"temp_store(MEMORY)",
	}}
	q["_pragma"] = append(q["_pragma"], extra...)
	q.Set("_txlock", "immediate")
	q.Set("_error_rc", "1")
	q.Set("_dqs", "0")
	return "file:" + (&url.URL{Path: db.path}).EscapedPath() + "?" + q.Encode()
}

// connectUnlocked opens the connections, once no other program has the file locked.
func (db *DB) connectUnlocked(ctx context.Context) error {
	for began := time.Now(); ; {
		err := db.connect(ctx)
		if err == nil {
			return nil
		}
		err = errors.Join(Error("open database "+db.path, err), db.disconnect())
		waited := time.Since(began).Round(time.Second)
		switch {
		case !isLocked(err) || ctx.Err() != nil:
			return err
		case waited >= db.locked.start:
			return integration.Errorf(integration.KindUnavailable, "database %s: another program has had it locked for %v; end that program and start again: %w", db.path, waited, err)
		}
		db.reader, db.pages, db.conn, db.writer = nil, nil, nil, nil
		slog.Warn("the database is locked by another program; waiting for it", "database", db.path, "waited", waited.String(), "at_most", db.locked.start.String())
	}
}

// connect opens the connections. After an error, disconnect closes those that are open.
func (db *DB) connect(ctx context.Context) (err error) {
	if db.writer, err = sql.Open("sqlite", db.dsn()); err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	if db.conn, err = db.writer.Conn(ctx); err != nil {
		return err
	}
	// Reading something finds out at once whether the file is a database and its head is intact.
	var tables int
	if err = db.conn.QueryRowContext(ctx, "select count(*) from sqlite_master").Scan(&tables); err != nil {
		return err
	}
	// Whoever opens a database is about to write to it.
	if _, err = db.conn.ExecContext(ctx, "begin immediate"); err != nil {
		return err
	}
	if _, err = db.conn.ExecContext(ctx, "rollback"); err != nil {
		return err
	}
	if db.reader, err = db.newReader(readers); err != nil {
		return err
	}
	if db.pages, err = db.newReader(pageReaders()); err != nil {
		return err
	}
	return db.reader.pool.PingContext(ctx)
}

// newReader makes a reader with so many connections.
func (db *DB) newReader(connections int) (*Reader, error) {
	pool, err := sql.Open("sqlite", strings.Replace(db.dsn("query_only(1)"), "_txlock=immediate", "_txlock=deferred", 1))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return &Reader{db: db, pool: pool, kept: newStatements(pool, &db.texts)}, nil
}

// disconnect closes what connect has opened.
func (db *DB) disconnect() error {
	var errs []error
	for _, r := range []*Reader{db.reader, db.pages} {
		if r != nil {
			errs = append(errs, r.kept.close(), r.pool.Close())
		}
	}
	if db.conn != nil {
		errs = append(errs, db.conn.Close())
	}
	if db.writer != nil { // last: the last connection folds the log into the file
		errs = append(errs, db.writer.Close())
	}
	return errors.Join(errs...)
}

// Dialect says which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Path is the database's file.
func (db *DB) Path() string { return db.path }

// Close finishes the writes that have begun and closes. Later use fails with unavailable.
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		close(db.closing)
		<-db.stopped
		db.closeErr = Error("close database "+db.path, db.disconnect())
	})
	return db.closeErr
}
