package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// DB is an open database. All methods may be called concurrently. The fields before, after, each,
// twice and release are set before it is used, if at all.
type DB struct {
	dialect Dialect
	base    base
	reader  *Reader
	pages   *Reader
	texts   texts
	twice   bool
	before  func() // see AtCommit
	after   func()
	each    func() // see AfterStatements
	release int64  // of the program

	closing   chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// base is what a kind of database does in its own way.
type base interface {
	// name is the database in an error: never with a password.
	name() string
	// write is [DB.Write].
	write(ctx context.Context, f func(tx Tx) error) error
	// migrator opens a connection for migrations alone.
	migrator(ctx context.Context) (*sql.DB, error)
	// scrub is [DB.Scrub].
	scrub(ctx context.Context) error
	// checkRoom is [DB.CheckRoom].
	checkRoom() error
	// close ends what open has begun, once closing is closed.
	close() error
}

// Open opens the database at url.
//
// "sqlite:" and the path of a file: it is made when it does not exist: the file for its owner only
// (0600; SQLite gives its side files the same mode), missing folders likewise (0700). Several
// processes of one machine may open the same file. A file that another program has locked is waited
// for, with a line in the log, for at most two minutes; then it is unavailable.
//
// "postgres://" with user, host and database, of PostgreSQL 15 or newer: parameters are those of
// libpq, and of pgx. A server that cannot be reached is waited for in the same way.
//
// Behind a pooler no statement is kept prepared, unless the address says how statements are run
// (default_query_exec_mode), and see [Direct].
//
// A wrong address is invalid, a file that cannot be made or opened unavailable. No error repeats
// the address of a database with a password in it.
func Open(ctx context.Context, url string, options ...Option) (*DB, error) {
	return open(ctx, url, patient, options...)
}

// open is Open with another patience. Tests wait for less long.
func open(ctx context.Context, url string, locked patience, options ...Option) (*DB, error) {
	var chosen choices
	for _, choose := range options {
		choose(&chosen)
	}
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return openLite(ctx, rest, locked)
	case "postgres", "postgresql":
		return openServer(ctx, url, chosen.direct, locked)
	default:
		return nil, integration.Errorf(integration.KindInvalid, "database URL: want sqlite:/path/to/file.db or postgres://user@host/database")
	}
}

// Time is what the clock of a server shows, which all its clients can ask. A file has none:
// unsupported. Hosts compare their own clock with it.
func (db *DB) Time(ctx context.Context) (time.Time, error) {
	if db.dialect.clock == "" {
		return time.Time{}, integration.Errorf(integration.KindUnsupported, "database %s: has no clock of its own", db.Name())
	}
	var us int64
	err := db.reader.QueryRowContext(ctx, db.dialect.clock).Scan(&us)
	return time.UnixMicro(us).UTC(), Error("read the database's clock", err)
}

// Dialect says which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Name is the database in words: its file, or user, host and database of a server.
func (db *DB) Name() string { return db.base.name() }

// Write runs f in a transaction and returns when what it wrote is safe on disk; an error of f
// undoes f's writes alone and is returned (a database error as a contract error, see [Error]), and
// so does a panic. On SQLite, writes that wait at the same time are committed together, in the
// order in which they came: syncing the disk costs the most, and is then shared.
//
// f may run more than once, on the caller's goroutine: a transaction that met another one on
// PostgreSQL, or on SQLite holds a write that failed, is undone and begun anew. On PostgreSQL
// others write at the same time: each statement sees what was committed before it began (read
// committed). So what f reads and then relies on carries its condition in the statement that
// writes, or is locked before (see [Tx]); what f returns to its caller, it sets anew in each run.
// On SQLite nobody else writes meanwhile.
//
// f must run statements and nothing else (a test holds this for the code here): what is to be
// written is decided before, and f checks that it still holds. It must read the rows it asks for to
// their end, or end them, before the next statement, and must not call Write. Once f has begun, the
// end of ctx no longer matters: Write always says what became of f. Before that, an ended context
// is deadline, and f does not run. A connection that is lost while a commit is under way leaves
// open whether it was made: the error is unavailable and says so.
func (db *DB) Write(ctx context.Context, f func(tx Tx) error) error {
	if err := ctx.Err(); err != nil {
		return errTooLate(err)
	}
	if db.twice {
		undone := errors.New("undone")
		if err := db.base.write(ctx, func(tx Tx) error { _ = f(tx); return undone }); !errors.Is(err, undone) {
			return err
		}
	}
	return db.base.write(ctx, f)
}

// Twice makes each later Write run its function two times, as if the first had met another
// transaction: for tests.
func (db *DB) Twice() { db.twice = true }

// AtCommit has before called before each commit, and after once it has been made: for tests that
// end the process there, or count. It must be called before the first Write.
func (db *DB) AtCommit(before, after func()) { db.before, db.after = before, after }

// AfterStatements has f called after each statement of a transaction on a server, before the next
// one or the commit: for tests that let another transaction come in between. It must be called
// before the first Write.
func (db *DB) AfterStatements(f func()) { db.each = f }

// CheckRoom is nil when the disk of the database has room for another MiB, which it finds out by
// writing that much into a file beside the database. A write of one row does not tell: it reuses
// space that the database has already, also on a full disk. Otherwise the error is unavailable. It
// is nil on PostgreSQL, whose disk is not ours to look at.
func (db *DB) CheckRoom() error { return db.base.checkRoom() }

// Close finishes the writes that have begun and closes. Later use fails with unavailable.
func (db *DB) Close() error {
	// Nothing new is taken once closing is closed, so the writer can end after what it has.
	db.closeOnce.Do(func() {
		close(db.closing)
		db.closeErr = Error("close database "+db.base.name(), db.base.close())
	})
	return db.closeErr
}
