package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	gooselock "github.com/pressly/goose/v3/lock"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Option is a choice of [Open].
type Option func(*choices)

// choices are what Open's options have chosen; the zero value is the default.
type choices struct {
	direct string
}

// Direct gives the address of the server itself where the database's is that of a pooler which
// hands out connections by the transaction. What needs a connection for longer goes there: notices,
// the lock of a host, migrations. "" is the database's address.
func Direct(url string) Option { return func(c *choices) { c.direct = url } }

// parseDirect reads the server's own address; nil: it is the database's. Its error never repeats
// the address, which may hold a password.
func parseDirect(url string) (*pgx.ConnConfig, error) {
	if url == "" {
		return nil, nil //nolint:nilnil // as promised
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The cause repeats the address.
		return nil, integration.Errorf(integration.KindInvalid, "direct database URL: cannot be read: want postgres://user@host/database")
	}
	return config, nil
}

// own is the configuration of a connection to the server itself.
func (s *server) own() *pgx.ConnConfig {
	if s.direct != nil {
		return s.direct.Copy()
	}
	return s.config.Copy()
}

// Directly is the configuration of a connection to the server itself, see [Direct], without limits
// on statements, which a pooler may refuse to take. It is for connections that wait without a
// statement for a long time. A file has none: unsupported.
func (db *DB) Directly() (*pgx.ConnConfig, error) {
	s, ok := db.base.(*server)
	if !ok {
		return nil, integration.Errorf(integration.KindUnsupported, "database %s: one host has no others", db.Name())
	}
	config := s.own()
	for _, limit := range limits {
		delete(config.RuntimeParams, limit)
	}
	return config, nil
}

// unlimited is own for statements that may take as long as they do.
func (s *server) unlimited() *pgx.ConnConfig {
	config := s.own()
	for _, limit := range limits {
		config.RuntimeParams[limit] = "0"
	}
	return config
}

// IsPooled reports whether a connection is a pooler's, which gives its clients numbers of its own.
// The number that the server gave at the beginning of the connection is compared with that of
// whoever runs the statement.
func IsPooled(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	err := conn.QueryRow(ctx, "select pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid)
	return pid != conn.PgConn().PID(), err
}

// migrationLock keeps others from migrating meanwhile. It lasts as long as a transaction of its
// own: what lasts as long as a connection gets lost behind a pooler, or never ends. A host that
// dies while it migrates loses the connection, and so the lock.
type migrationLock struct {
	config *pgx.ConnConfig
	db     *sql.DB
	tx     *sql.Tx
}

// SessionLock implements lock.SessionLocker of goose, whose own one has the same number. Programs
// of earlier releases, which have goose's, are kept out as well.
func (l *migrationLock) SessionLock(ctx context.Context, _ *sql.Conn) (err error) {
	l.db = stdlib.OpenDB(*l.config)
	defer func() {
		if err != nil {
			err = errors.Join(err, l.db.Close())
		}
	}()
	if l.tx, err = l.db.BeginTx(ctx, nil); err != nil {
		return err
	}
	// Others may migrate for minutes, and this transaction stands still as long.
	for _, limit := range limits {
		if _, err := l.tx.ExecContext(ctx, "set local "+limit+" = 0"); err != nil {
			return err
		}
	}
	_, err = l.tx.ExecContext(ctx, "select pg_advisory_xact_lock($1)", gooselock.DefaultLockID)
	return err
}

// SessionUnlock implements lock.SessionLocker.
func (l *migrationLock) SessionUnlock(context.Context, *sql.Conn) error {
	_ = l.tx.Rollback() // it has nothing to write
	return l.db.Close()
}
