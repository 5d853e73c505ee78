package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Tx is a write under way. The context of its methods carries values only: a statement that has
// begun is not interrupted, as SQLite answers an interrupt by rolling back the whole transaction,
// other callers' writes included. It is one goroutine's at a time.
type Tx interface {
	Queryer
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	// Lock waits until no other transaction has locked any of these names, and locks them until
	// this one ends. Whoever locks several in one transaction names them together, so that two
	// never wait for one another. On SQLite nobody else writes anyway.
	Lock(ctx context.Context, names ...string) error
}

// maxBatch bounds how many writes share one commit, and so how long the first of them waits for the
// others.
const maxBatch = 256

// request is one caller's write: it waits for its turn, runs, and waits for the commit. The writer
// and the caller hand it to each other by its channels, so it needs no lock.
type request struct {
	ctx  context.Context
	turn chan *writer  // its turn: the transaction is the caller's until it sends to ran
	ran  chan error    // what the function returned
	done chan struct{} // err is final
	err  error
}

// errUnwound stands for a function that did not return: it panicked, or ended its goroutine.
var errUnwound = integration.Errorf(integration.KindInternal, "write: the function did not return")

// errIgnored is the error of a function that returned none after a statement had failed.
var errIgnored = integration.Errorf(integration.KindInternal, "write: nothing was written: a statement failed, and the function went on")

// write implements base. f runs on the caller's goroutine, while nobody else writes, and a second
// time if another write of its transaction has failed. It waits in the queue for as long as ctx
// lasts, then until the commit.
func (l *lite) write(ctx context.Context, f func(tx Tx) error) error {
	r := &request{ctx: ctx, turn: make(chan *writer), ran: make(chan error), done: make(chan struct{})}
	select {
	case l.queue <- r: // unbuffered: the writer has it, or nobody
	case <-ctx.Done():
		return errTooLate(ctx.Err())
	case <-l.db.closing:
		return errClosed()
	}
	for {
		select {
		case w := <-r.turn:
			run(f, w, r.ran)
		case <-r.done:
			return r.err
		}
	}
}

// run tells the writer in any case how f ended. A panic goes on in the caller. Without it the
// writer would wait for ever.
func run(f func(Tx) error, w *writer, ran chan<- error) {
	err := error(errUnwound)
	defer func() { ran <- err }()
	err = Error("write", f(w))
}

// errTooLate is the error of a write whose context ended before its turn.
func errTooLate(cause error) error {
	return integration.Errorf(integration.KindDeadline, "write: nothing was written: %w", cause)
}

// writing is the goroutine that owns the writing connection. It ends when the database is closed;
// writes that are queued then fail.
func (l *lite) writing() {
	defer close(l.stopped)
	w := &writer{statements: newStatements(l.conn, &l.db.texts), db: l.db}
	defer func() { _ = w.close() }()
	for {
		select {
		case first := <-l.queue:
			w.batch(first, l.queue)
		case <-l.db.closing:
			return
		}
	}
}

// writer runs batches on one connection. It is the Tx that functions are given; all of them get the
// same one, in turn.
type writer struct {
	*statements
	db     *DB
	failed bool // a statement of the function that runs has failed
}

// Contexts under which statements run; see Tx. noContext has ended: it refuses them.
var (
	txContext = context.Background()
	noContext = func() context.Context {
		ctx, end := context.WithCancel(txContext)
		end()
		return ctx
	}()
)

// context is the one for the next statement of a function. After one that failed SQLite may have
// undone the transaction, so that each statement more would be a commit of its own.
func (w *writer) context() context.Context {
	if w.failed {
		return noContext
	}
	return txContext
}

// QueryContext implements Tx.
func (w *writer) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := w.statements.QueryContext(w.context(), query, args...)
	w.failed = w.failed || err != nil
	return rows, err
}

// QueryRowContext implements Tx.
func (w *writer) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	row := w.statements.QueryRowContext(w.context(), query, args...)
	w.failed = w.failed || row.Err() != nil
	return row
}

// ExecContext implements Tx.
func (w *writer) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	done, err := w.statements.ExecContext(w.context(), query, args...)
	w.failed = w.failed || err != nil
	return done, err
}

// Lock implements Tx.
func (w *writer) Lock(context.Context, ...string) error { return nil }

// do runs a statement of the transaction itself.
func (w *writer) do(query string) error {
	_, err := w.statements.ExecContext(txContext, query)
	return err
}

// batch runs first and whatever waits in the queue meanwhile, commits, and releases the callers.
// Nobody is released before the commit is on disk.
//
// As long as none of them fails, they run without savepoints: with one, SQLite copies every page
// that somebody before has changed, which costs more than to begin again after the few that fail.
func (w *writer) batch(first *request, queue <-chan *request) {
	var all []*request
	defer func() {
		for _, r := range all {
			close(r.done)
		}
	}()
	all = append(all, first)
	// The others stay in the queue, and are tried with a batch of their own.
	if err := w.do("begin immediate"); err != nil {
		first.err = Error("write: nothing was written", err)
		return
	}
	apart := false // each has a savepoint
	for next := first; next != nil; {
		var err error
		if apart {
			err = w.one(next)
		} else if apart = !w.lets(next); apart {
			err = w.again(all)
		}
		if err != nil {
			w.fail(all, err)
			return
		}
		if len(all) >= maxBatch {
			break
		}
		next = waiting(queue)
		if next != nil {
			all = append(all, next)
		}
	}
	if w.db.before != nil {
		w.db.before()
	}
	if err := w.do("commit"); err != nil {
		w.fail(all, err)
	} else if w.db.after != nil {
		w.db.after()
	}
}

// waiting takes whoever waits along; nil: nobody does. Those that could go on now, and may be about
// to write, are let go on once before: a commit costs as much as the writes of several calls.
func waiting(queue <-chan *request) *request {
	for last := false; ; last = true {
		select {
		case next := <-queue:
			return next
		default:
		}
		if last {
			return nil
		}
		runtime.Gosched()
	}
}

// lets lets a caller run its function, unless it is too late for that, and reports whether it did
// what it should. One that goes on after a statement has failed does not, as on PostgreSQL.
func (w *writer) lets(r *request) bool {
	if err := r.ctx.Err(); err != nil {
		r.err = errTooLate(err)
		return true
	}
	w.failed = false
	r.turn <- w
	if r.err = <-r.ran; r.err == nil && w.failed {
		r.err = errIgnored
	}
	return r.err == nil
}

// again undoes the transaction and begins it anew with those that have no error, each within a
// savepoint. An error means that the whole transaction is lost.
func (w *writer) again(all []*request) error {
	_ = w.do("rollback") // SQLite has done so by itself after some errors (disk full, I/O)
	if err := w.do("begin immediate"); err != nil {
		return err
	}
	for _, r := range all {
		if r.err == nil {
			if err := w.one(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// one lets a caller run its function within a savepoint. An error means that the whole transaction
// is lost. The caller's error alone costs the caller's writes alone.
func (w *writer) one(r *request) error {
	if err := w.do("savepoint one"); err != nil {
		return err
	}
	if !w.lets(r) {
		// Fails when the error was of the kind that makes SQLite roll back everything.
		if err := w.do("rollback to one"); err != nil {
			return fmt.Errorf("%w (after: %w)", err, r.err)
		}
	}
	return w.do("release one")
}

// fail ends a transaction that cannot be committed: none of its writes happened. Callers that have
// an error keep it. It is called before any caller is released.
func (w *writer) fail(all []*request, cause error) {
	_ = w.do("rollback") // SQLite may have done so by itself
	for _, r := range all {
		if r.err == nil {
			r.err = Error("write: nothing was written", cause)
		}
	}
}
