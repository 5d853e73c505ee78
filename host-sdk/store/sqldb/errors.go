package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Error turns what a query returned into a contract error, what being the attempt in words ("read
// session"). A contract error stays as it is, nil stays nil. Locked, full, read-only and failing
// disks are unavailable, an ended context is deadline, a damaged file names its remedy, the rest
// (sql.ErrNoRows too, where a caller did not expect it) is internal. Callers decide by the kind
// whether to try again, so unavailable must not be said of a defect. What may pass has the code
// [store.CodeAway], as its text may name the server and its user.
func Error(what string, err error) error {
	if err == nil {
		return nil
	}
	var known *integration.Error
	if errors.As(err, &known) {
		return err
	}
	kind := integration.KindInternal
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		kind = integration.KindDeadline
	case errors.Is(err, sql.ErrConnDone), err.Error() == "sql: database is closed", err.Error() == "sql: statement is closed":
		return errClosed() // database/sql has no names for the last two
	case connectionLost(err), aborted(err):
		kind = integration.KindUnavailable
	case errors.As(err, &pg):
		switch {
		case pg.Code == "57014": // a statement took longer than its limit
			kind = integration.KindDeadline
		case pg.Code == "55P03", strings.HasPrefix(pg.Code, "53"), strings.HasPrefix(pg.Code, "58"):
			// Lock, room, disk.
			kind = integration.KindUnavailable
		}
	case errors.As(err, &lite):
		switch lite.Code() & 0xff { // the low byte is the primary code
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
			sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT,
			sqlite3.SQLITE_PROTOCOL:
			kind = integration.KindUnavailable
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return integration.Errorf(kind, "%s: the database file is damaged: stop the host and put the file back from a backup: %w", what, err)
		}
	}
	out := integration.Errorf(kind, "%s: %w", what, err)
	if kind != integration.KindInternal {
		out.Code = store.CodeAway
	}
	return out
}

// isLocked reports whether err is that another program has the database locked. Only SQLite says
// so; see connectUnlocked.
func isLocked(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && (lite.Code()&0xff == sqlite3.SQLITE_BUSY || lite.Code()&0xff == sqlite3.SQLITE_LOCKED)
}

// errClosed is the error of a database that this process has closed.
func errClosed() error {
	return &integration.Error{Kind: integration.KindUnavailable, Message: "the database is closed", Code: store.CodeAway}
}
