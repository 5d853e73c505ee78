package sharing

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// HostDead is how long the lock of a host must have been missing until the host counts as dead. One
// that lives and has lost its connection has time to take its lock again, or else to leave its work
// alone: that it does after half of this time, so that nobody works on what another may have taken
// over.
const HostDead = time.Second

// Times of a host's lock.
const (
	lockLetGo = HostDead / 2
	// How often the connection is tried, and how long that may take.
	lockBeat    = time.Second
	lockConnect = 3 * time.Second // to connect
	// For the lock, while the server still believes in our last connection.
	lockWait   = 30 * time.Second
	lockAgain  = 50 * time.Millisecond  // between attempts to connect; doubles
	lockRarely = 500 * time.Millisecond // at most that much
)

// lockSettings let the server notice that a machine has lost its power, or the network between, in
// about eleven seconds rather than in two hours: the connection is tried after 5 s without a word,
// and what is sent and not acknowledged is waited for as long. PostgreSQL documentation:
// tcp_keepalives_idle, tcp_user_timeout. A host notices by itself in two seconds.
const lockSettings = "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3; set tcp_user_timeout = 11000"

// lockOf is the number of a host's lock, of the host that $1 names.
const lockOf = "hashtextextended('host/' || $1, 0)"

// ErrTakenOver is why the context of [HostLock.Claiming] ends.
var ErrTakenOver = errors.New("other hosts may have taken over the work of this one, as it lost its lock")

// errPooled says that a connection is not to the server itself.
var errPooled = errors.New("the connection is a pooler's")

// HostLock is the lock that a host holds on the server for as long as it lives, on a connection of
// its own: the server releases it at the moment at which the process ends, however that happens.
// Between losing it and HostDead, the host may get it back without anybody noticing.
type HostLock struct {
	config *pgx.ConnConfig
	id     string
	log    *slog.Logger
	taken  chan struct{} // has room for one: the lock was taken

	mu   sync.Mutex
	held bool
	// A term outlasts a short loss of the lock.
	term  context.Context // in which the host may work on what it claims; nil: it may not
	end   context.CancelCauseFunc
	begun chan struct{} // closed and replaced when a term begins
}

// NewHostLock makes the lock of a host. As notices it takes the server's own address, and errors
// are the same. Nothing is taken before Run.
func NewHostLock(db *sqldb.DB, id string, log *slog.Logger) (*HostLock, error) {
	config, err := db.Directly()
	if err != nil {
		return nil, err
	}
	config.ConnectTimeout = lockConnect
	return &HostLock{config: config, id: id, log: log, taken: make(chan struct{}, 1), begun: make(chan struct{})}, nil
}

// Run takes the lock, and takes it again whenever its connection is lost, until ctx ends. It
// returns ctx's error. Of failures in a row only the first is logged.
func (l *HostLock) Run(ctx context.Context) error {
	pause, failures := lockAgain, 0
	for ctx.Err() == nil {
		err := l.hold(ctx, func() { pause, failures = lockAgain, 0 })
		if ctx.Err() != nil {
			break
		}
		switch failures++; {
		case failures > 1:
		case errors.Is(err, errPooled):
			l.log.Warn("the address of the database is that of a pooler, through which this host hears no notices of others and holds no lock: it sees what they change a little later, and if it dies, its work is taken over only when its leases end. Set SWITCHBOARD_DATABASE_DIRECT_URL to the server's own address")
		default:
			l.log.Warn("this host's lock is lost; it takes it again as soon as the database can be reached", "error", err)
		}
		// It will not change by itself; a minute is for an address that was moved.
		if errors.Is(err, errPooled) {
			pause = time.Minute
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lockRarely)
	}
	return ctx.Err()
}

// hold holds the lock on one connection until that is lost. taken is called once the lock is held.
// It returns why the connection is no longer of use.
func (l *HostLock) hold(ctx context.Context, taken func()) error {
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockBeat)
		defer cancel()
		_ = conn.Close(closing)
	}()
	// Our own last connection may still hold it until the server notices that it is gone.
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	if pooled, err := sqldb.IsPooled(waiting, conn); err != nil || pooled {
		return cmp.Or(err, errPooled)
	}
	if _, err := conn.Exec(waiting, lockSettings); err != nil {
		return err
	}
	if _, err := conn.Exec(waiting, "select pg_advisory_lock("+lockOf+")", l.id); err != nil {
		return err
	}
	taken()
	l.take()
	defer l.lose()
	for {
		if err := beat(ctx, conn); err != nil {
			return err
		}
	}
}

// beat waits until it is time to try whether the connection still works, and tries. A connection
// that the other side closes meanwhile is noticed at once. A ping that is not answered in time ends
// the connection: then the lock may be somebody else's already.
func beat(ctx context.Context, conn *pgx.Conn) error {
	waiting, cancel := context.WithTimeout(ctx, lockBeat)
	defer cancel()
	if _, err := conn.WaitForNotification(waiting); err != nil && (waiting.Err() == nil || ctx.Err() != nil || conn.IsClosed()) {
		return err
	}
	trying, cancel := context.WithTimeout(ctx, lockBeat)
	defer cancel()
	return conn.Ping(trying)
}

// take notes that the lock is held. Nobody has to listen on taken.
func (l *HostLock) take() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = true
	l.begin()
	select {
	case l.taken <- struct{}{}:
	default:
	}
}

// begin begins a term unless there is one. l.mu is held.
func (l *HostLock) begin() {
	if l.term != nil {
		return
	}
	l.term, l.end = context.WithCancelCause(context.Background())
	close(l.begun)
	l.begun = make(chan struct{})
}

// lose notes that the lock is no longer held: unless it is soon again, the term ends. The timer
// looks at what is true then: a lock that was taken again keeps the term.
func (l *HostLock) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = false
	time.AfterFunc(lockLetGo, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.held && l.term != nil {
			l.end(ErrTakenOver)
			l.term = nil
		}
	})
}

// Held reports whether this host holds its lock now. What is decided by it must bear that it is no
// longer true a moment later.
func (l *HostLock) Held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// Taken gets a value when the lock was taken.
func (l *HostLock) Taken() <-chan struct{} { return l.taken }

// Unheld says that the other hosts can read that this one holds no lock: they leave it its work
// until its leases end, so it may work without. It matters behind a pooler, where no lock is ever
// held.
func (l *HostLock) Unheld() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		l.begin()
	}
}

// Claiming waits until this host may claim work, and returns a context that ends, with
// [ErrTakenOver] as its cause, when others may take that over. An error is ctx's. Ask again for
// each claim: a term that has ended stays so.
func (l *HostLock) Claiming(ctx context.Context) (context.Context, error) {
	for {
		l.mu.Lock()
		term, begun := l.term, l.begun
		l.mu.Unlock()
		if term != nil {
			return term, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-begun:
		}
	}
}

// HostsWithoutLock returns those of some hosts whose lock nobody holds. Looking does not keep a
// host from taking its lock, nor others from looking. It tries each lock as one that can be shared
// and gives it back with the statement.
func HostsWithoutLock(ctx context.Context, db *sqldb.DB, ids []string) ([]string, error) {
	if !isServer(db) || len(ids) == 0 {
		return nil, nil // a file has one host
	}
	rows, err := db.Read().QueryContext(ctx, "select id from unnest($1::text[]) id where pg_try_advisory_xact_lock_shared(hashtextextended('host/' || id, 0))", ids)
	if err != nil {
		return nil, sqldb.Error("look for dead hosts", err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, sqldb.Error("look for dead hosts", err)
		}
		out = append(out, id)
	}
	return out, sqldb.Error("look for dead hosts", rows.Err())
}

// LockDeadHost takes the lock of a host that does not hold it, for one transaction of db: of
// several that want to take over its work one does, and the host itself waits until that is done.
// false: somebody has it. On SQLite there is no other host. The lock is released with the
// transaction, which gives the work to others.
func LockDeadHost(ctx context.Context, db *sqldb.DB, tx sqldb.Tx, id string) (free bool, err error) {
	if !isServer(db) {
		return true, nil
	}
	err = tx.QueryRowContext(ctx, "select pg_try_advisory_xact_lock("+lockOf+")", id).Scan(&free)
	return free, err
}

// isServer reports whether several hosts may share a database.
func isServer(db *sqldb.DB) bool { return db.Dialect().Name == sqldb.Postgres.Name }
