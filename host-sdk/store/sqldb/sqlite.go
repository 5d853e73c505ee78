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

// Pages that a connection keeps in memory at most, in KiB; see pageSlots for all together. The one
// that writes keeps what it changes most. SQLite drops all pages of one that reads whenever another
// has written.
const (
	writerCache = 4 << 10
	readerCache = 1 << 10
)

// logPages is how many pages of 4 KiB the log has when they are copied into the file. What calls
// write changes the same pages again and again, and each is copied once; SQLite's own 1,000 are
// full after a dozen commits, of which each such copying holds up the last.
const logPages = 4000

// patience is how long a lock of another program is waited for.
type patience struct {
	busy  time.Duration // by a statement
	start time.Duration // by Open
}

// patient outlasts the backup of a large database by another program.
var patient = patience{busy: 5 * time.Second, start: 2 * time.Minute}

// lite is a file of SQLite: one connection that writes, some that read. Readers never wait for the
// writer, nor it for them (write-ahead log).
type lite struct {
	db      *DB
	path    string
	locked  patience
	writer  *sql.DB // one connection, owned by the writing goroutine through conn
	conn    *sql.Conn
	queue   chan *request
	stopped chan struct{} // the writing goroutine has ended
}

// openLite opens the file at path. The goroutine that it starts ends with Close.
func openLite(ctx context.Context, path string, locked patience) (*DB, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, integration.Errorf(integration.KindInvalid, "database URL: sqlite: needs the path of a file, as in sqlite:/path/to/file.db")
	}
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	db := &DB{dialect: SQLite, release: Release, closing: make(chan struct{})}
	// Unbuffered: a request is taken by the writer or not at all.
	l := &lite{db: db, path: path, locked: locked, queue: make(chan *request), stopped: make(chan struct{})}
	db.base = l
	if err := l.connectUnlocked(ctx); err != nil {
		return nil, err
	}
	go l.writing()
	return db, nil
}

// name implements base.
func (l *lite) name() string { return l.path }

// migrator implements base: the writer's connection is never lent out.
func (l *lite) migrator(context.Context) (*sql.DB, error) {
	return sql.Open("sqlite", l.dsn(writerCache))
}

// close implements base. The writer ends first, so that no transaction is cut off.
func (l *lite) close() error {
	<-l.stopped
	return l.disconnect()
}

// prepareFile makes the file before SQLite does, as SQLite would make it readable for others.
// Folders that are missing are made for the owner alone. A mode that lets others read is corrected.
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

// dsn is the driver's name of the file, for a connection that keeps pages of so many KiB. Full
// sync: what was committed survives a power cut. The pragmas are run on each new connection.
func (l *lite) dsn(cache int, extra ...string) string {
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", l.locked.busy.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)", fmt.Sprintf("wal_autocheckpoint(%d)", logPages), fmt.Sprintf("cache_size(-%d)", cache),
		// What is deleted is overwritten: recordings and numbers are to be gone.
		"secure_delete(1)",
		// The journals of savepoints, among others: nothing of them is needed after a crash.
		"temp_store(MEMORY)",
	}}
	q["_pragma"] = append(q["_pragma"], extra...)
	// A transaction takes the lock for writing at its beginning: to take it later can fail in the
	// middle.
	q.Set("_txlock", "immediate")
	// Errors then carry the code that Error looks at.
	q.Set("_error_rc", "1")
	// Text in double quotes is a name and never a value: a misspelt column is an error.
	q.Set("_dqs", "0")
	return "file:" + (&url.URL{Path: l.path}).EscapedPath() + "?" + q.Encode()
}

// connectUnlocked opens the connections, once no other program has the file locked. Each attempt
// waits for as long as a statement does; see patience.
func (l *lite) connectUnlocked(ctx context.Context) error {
	for began := time.Now(); ; {
		err := l.connect(ctx)
		if err == nil {
			return nil
		}
		err = errors.Join(Error("open database "+l.path, err), l.disconnect())
		waited := time.Since(began).Round(time.Second)
		switch {
		case !isLocked(err) || ctx.Err() != nil:
			return err
		case waited >= l.locked.start:
			return integration.Errorf(integration.KindUnavailable, "database %s: another program has had it locked for %v; end that program and start again: %w", l.path, waited, err)
		}
		// They are closed; connect makes new ones.
		l.db.reader, l.db.pages, l.conn, l.writer = nil, nil, nil, nil
		slog.Warn("the database is locked by another program; waiting for it", "database", l.path, "waited", waited.String(), "at_most", l.locked.start.String())
	}
}

// connect opens the connections. After an error, disconnect closes those that are open.
func (l *lite) connect(ctx context.Context) (err error) {
	if l.writer, err = sql.Open("sqlite", l.dsn(writerCache)); err != nil {
		return err
	}
	l.writer.SetMaxOpenConns(1)
	if l.conn, err = l.writer.Conn(ctx); err != nil {
		return err
	}
	// Reading something finds out at once whether the file is a database and its head is intact.
	var tables int
	if err = l.conn.QueryRowContext(ctx, "select count(*) from sqlite_master").Scan(&tables); err != nil {
		return err
	}
	// Whoever opens a database is about to write to it.
	if _, err = l.conn.ExecContext(ctx, "begin immediate"); err != nil {
		return err
	}
	if _, err = l.conn.ExecContext(ctx, "rollback"); err != nil {
		return err
	}
	if l.db.reader, err = l.newReader(readers); err != nil {
		return err
	}
	if l.db.pages, err = l.newReader(pageReaders()); err != nil {
		return err
	}
	return l.db.reader.pool.PingContext(ctx)
}

// newReader makes a reader with so many connections. query_only refuses a statement that would
// write.
func (l *lite) newReader(connections int) (*Reader, error) {
	pool, err := sql.Open("sqlite", strings.Replace(l.dsn(readerCache, "query_only(1)"), "_txlock=immediate", "_txlock=deferred", 1))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return &Reader{db: l.db, pool: pool, on: newStatements(pool, &l.db.texts)}, nil
}

// disconnect closes what connect has opened. It may be called after a connect that failed half-way.
func (l *lite) disconnect() error {
	var errs []error
	for _, r := range []*Reader{l.db.reader, l.db.pages} {
		if r != nil {
			errs = append(errs, r.on.(*statements).close(), r.pool.Close())
		}
	}
	if l.conn != nil {
		errs = append(errs, l.conn.Close())
	}
	if l.writer != nil { // last: the last connection folds the log into the file
		errs = append(errs, l.writer.Close())
	}
	return errors.Join(errs...)
}
