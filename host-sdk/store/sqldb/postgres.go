package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Connections of one host to a server: so many write, and read for calls, at the same time. Pages
// have pageReaders more; migrations one while they run.
const (
	serverWriters = 8
	serverReaders = 8
)

// Limits that the server holds for us, so that nothing of ours stands in its way for longer: of one
// statement, of waiting for a lock, of a transaction in which nothing happens.
const (
	statementTime = 20 * time.Second
	lockTime      = 10 * time.Second
	// A host that freezes in a transaction holds up its calls as long; one that is slow begins
	// anew.
	idleTime = 10 * time.Second
)

// limits are the names of these limits.
var limits = []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"}

// How a transaction that met another one, or lost its connection before the commit, is begun anew,
// and how a query is that lost its connection. Once the server has been away for anewTime, nobody
// waits for it any more until it is back: callers hear at once that they should hold.
const (
	anewAttempts = 40
	anewPause    = 5 * time.Millisecond // doubles up to anewLongest, less a random part
	anewLongest  = 250 * time.Millisecond
	anewTime     = 6 * time.Second // in all: a webhook has 9 s
)

// server is a database of PostgreSQL. Its readers are the DB's.
type server struct {
	db      *DB
	config  *pgx.ConnConfig
	direct  *pgx.ConnConfig // see [Direct]; nil: config
	writing *sql.DB
	// gone is since when no connection has worked, in Unix nanoseconds; 0: the last one did.
	gone atomic.Int64
}

// openServer connects to a server, and waits for one that cannot be reached. url has been checked
// to begin with postgres:. An address may set its own limits, which then count.
func openServer(ctx context.Context, url, direct string, locked patience) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// The cause repeats the address.
		return nil, integration.Errorf(integration.KindInvalid, "database URL: cannot be read: want postgres://user@host/database")
	}
	for name, limit := range map[string]time.Duration{"statement_timeout": statementTime, "lock_timeout": lockTime, "idle_in_transaction_session_timeout": idleTime} {
		if _, given := config.RuntimeParams[name]; !given {
			config.RuntimeParams[name] = strconv.FormatInt(limit.Milliseconds(), 10)
		}
	}
	if _, given := config.RuntimeParams["application_name"]; !given {
		config.RuntimeParams["application_name"] = "livecall"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	own, err := parseDirect(direct)
	if err != nil {
		return nil, err
	}
	db := &DB{dialect: Postgres, release: Release, texts: texts{rewrite: Postgres.text}, closing: make(chan struct{})}
	s := &server{db: db, config: config, direct: own}
	db.base = s
	pooled, err := s.reach(ctx, locked.start)
	if err != nil {
		return nil, err
	}
	// A pooler hands out another connection for each transaction, where what was prepared is not
	// known.
	if pooled && !strings.Contains(url, "default_query_exec_mode") {
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	// Readers have pools of their own: however much is read, a write finds a connection.
	s.writing = pool(config, serverWriters)
	db.reader, db.pages = s.newReader(serverReaders), s.newReader(pageReaders())
	return db, nil
}

// pool is a number of connections, which are made when they are needed. Idle ones are closed after
// five minutes, as a server has only so many.
func pool(config *pgx.ConnConfig, connections int) *sql.DB {
	p := stdlib.OpenDB(*config)
	p.SetMaxOpenConns(connections)
	p.SetMaxIdleConns(connections)
	p.SetConnMaxIdleTime(5 * time.Minute)
	return p
}

// newReader makes a reader with so many connections.
func (s *server) newReader(connections int) *Reader {
	p := pool(s.config, connections)
	return &Reader{db: s.db, pool: p, on: serverReader{s, p}, again: s.again}
}

// reach waits until the server answers, and reports whether there is a pooler before it. Only what
// is unavailable is waited for: a wrong password does not become right.
func (s *server) reach(ctx context.Context, most time.Duration) (pooled bool, err error) {
	for began := time.Now(); ; {
		if pooled, err = s.look(ctx); err == nil {
			return pooled, nil
		}
		err = Error("open database "+s.name(), err)
		waited := time.Since(began)
		if integration.KindOf(err) != integration.KindUnavailable || ctx.Err() != nil || waited >= most {
			return false, err
		}
		slog.Warn("the database cannot be reached; waiting for it", "database", s.name(), "waited", waited.Round(time.Second).String(),
			"at_most", most.String(), "error", err.Error())
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// look connects once, and refuses a server that is too old. The statements are run without
// preparing them, which a pooler may not know.
func (s *server) look(ctx context.Context) (pooled bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "08P01" && strings.Contains(refused.Message, "startup parameter") {
		return false, integration.Errorf(integration.KindInvalid, "database %s: the pooler does not pass on the limits that a host sets: have it ignore them (ignore_startup_parameters = %s), and give them to the user by alter role: %w", s.name(), strings.Join(limits, ", "), err)
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	const oldest = 15
	var version int
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num')::int", pgx.QueryExecModeExec).Scan(&version); err != nil {
		return false, err
	}
	if version < oldest*10_000 {
		return false, integration.Errorf(integration.KindUnsupported, "database %s: PostgreSQL %d is too old: use %d or newer", s.name(), version/10_000, oldest)
	}
	return IsPooled(ctx, conn)
}

// name implements base.
func (s *server) name() string {
	c := s.config
	return c.User + "@" + net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) + "/" + c.Database
}

// migrator implements base. A migration may take longer than a statement of a call.
func (s *server) migrator(context.Context) (*sql.DB, error) {
	return stdlib.OpenDB(*s.unlimited()), nil
}

// checkRoom implements base.
func (s *server) checkRoom() error { return nil }

// close implements base.
func (s *server) close() error { return s.disconnect() }

// disconnect closes all pools; statements that run end first.
func (s *server) disconnect() error {
	return errors.Join(s.writing.Close(), s.db.reader.pool.Close(), s.db.pages.pool.Close())
}

// write implements base.
func (s *server) write(ctx context.Context, f func(tx Tx) error) error {
	return Error("write", s.again(ctx, func() error { return s.once(ctx, f) }))
}

// again calls try until it neither met another transaction nor lost its connection. Pauses are
// random, so that two that met do not meet again. It ends early when the database is closed.
func (s *server) again(ctx context.Context, try func() error) error {
	began, pause := time.Now(), anewPause
	for attempt := 1; ; attempt++ {
		err := try()
		if !anew(err) {
			s.gone.Store(0)
			return err
		}
		if away := s.away(err); away > anewTime || attempt >= anewAttempts || time.Since(began) > anewTime || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-s.db.closing:
			return errClosed()
		case <-time.After(time.Duration(rand.Int64N(int64(pause)) + 1)): //nolint:gosec // no secret
		}
		pause = min(2*pause, anewLongest)
	}
}

// away is how long no connection has worked, err being what has just happened. A transaction that
// met another one proves that the server is there.
func (s *server) away(err error) time.Duration {
	if aborted(err) {
		return 0
	}
	now := time.Now().UnixNano()
	s.gone.CompareAndSwap(0, now)
	return time.Duration(now - s.gone.Load())
}

// once runs f in a transaction. An error that [anew] knows says that nothing was written. A panic
// in f undoes the transaction, too.
func (s *server) once(ctx context.Context, f func(tx Tx) error) (err error) {
	// What has begun is not interrupted: the server's own limits end it.
	tx, err := s.writing.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return unwritten(s.db.closedError(err))
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // it has ended already, or ends with its connection
		}
	}()
	// It stays where f does not return: the deferred function then undoes what f wrote.
	err = errUnwound
	if err = f(serverTx{tx, &s.db.texts, s.db.each}); err != nil {
		return unwritten(err)
	}
	if s.db.before != nil {
		s.db.before()
	}
	if err = tx.Commit(); err == nil && s.db.after != nil {
		s.db.after()
	}
	// Not begun anew: it would be written twice if it was.
	if err != nil && !aborted(err) {
		return integration.Errorf(integration.KindUnavailable, "write: the connection was lost, and whether it was written is not known: %w", err)
	}
	return err
}

// lost is an error of a connection before the commit, so that nothing was written.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

// unwritten marks an error before the commit that comes of the connection.
func unwritten(err error) error {
	if err == nil || !connectionLost(err) {
		return err
	}
	return lost{err}
}

// anew reports whether the transaction should be begun anew: it met another one, or its connection
// was lost before the commit. A lost connection during the commit is not among them; see once.
func anew(err error) bool {
	var l lost
	return aborted(err) || errors.As(err, &l)
}

// aborted reports whether the server has undone a transaction because it met another one. Codes:
// PostgreSQL documentation, Appendix A.
func aborted(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// connectionLost reports whether err comes of a server that is gone, shutting down, starting, full,
// or not the one that takes writes. The texts at the end are of drivers that have no error of their
// own for it.
func connectionLost(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P") || pg.Code == "53300" || pg.Code == "25006" || pg.Code == "25P03"
	}
	var network net.Error
	return errors.As(err, &network) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "bad connection")
}

// serverTx is a transaction on a server. Statements run under txContext, not under the caller's;
// see Tx.
type serverTx struct {
	tx    *sql.Tx
	texts *texts
	each  func() // see DB.AfterStatements; nil: nothing
}

// ran is called after each statement, for tests.
func (t serverTx) ran() {
	if t.each != nil {
		t.each()
	}
}

// QueryContext implements Tx.
func (t serverTx) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	defer t.ran()
	return t.tx.QueryContext(txContext, t.texts.of(query), storable(args)...)
}

// QueryRowContext implements Tx.
func (t serverTx) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	defer t.ran()
	return t.tx.QueryRowContext(txContext, t.texts.of(query), storable(args)...)
}

// ExecContext implements Tx.
func (t serverTx) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	defer t.ran()
	return t.tx.ExecContext(txContext, t.texts.of(query), storable(args)...)
}

// Lock implements Tx, by the server's locks on numbers: two names may have the same number, and
// then wait for one another without need. In the order of the numbers, two transactions never wait
// for each other.
func (t serverTx) Lock(ctx context.Context, names ...string) error {
	numbers := make([]int64, len(names))
	for i, name := range names {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name))
		numbers[i] = int64(h.Sum64()) //nolint:gosec // bits, not values
	}
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		if _, err := t.ExecContext(ctx, "select pg_advisory_xact_lock($1)", n); err != nil {
			return err
		}
	}
	return nil
}

// serverReader reads from a server, each query by itself. A query that lost its connection is run
// again, as it has changed nothing.
type serverReader struct {
	s    *server
	pool *sql.DB
}

// QueryContext implements Queryer.
func (r serverReader) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	text, args := r.s.db.texts.of(query), storable(args)
	err = r.s.again(ctx, func() error {
		rows, err = r.pool.QueryContext(ctx, text, args...) //nolint:sqlclosecheck // the caller's
		return unwritten(err)
	})
	return rows, err
}

// QueryRowContext implements Queryer. An error is in the row.
func (r serverReader) QueryRowContext(ctx context.Context, query string, args ...any) (row *sql.Row) {
	text, args := r.s.db.texts.of(query), storable(args)
	_ = r.s.again(ctx, func() error {
		row = r.pool.QueryRowContext(ctx, text, args...)
		return unwritten(row.Err())
	})
	return row
}

// storable replaces what a text of PostgreSQL cannot hold: the character 0 and bytes that are no
// UTF-8, which nobody types and some software sends. The caller's slice is left as it is.
func storable(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok && (strings.Contains(s, "\x00") || !utf8.ValidString(s)) {
			args = slices.Clone(args)
			args[i] = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
		}
	}
	return args
}
