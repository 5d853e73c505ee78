package alerts

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Intervals, on the service's clock.
const (
	pollDue            = 5 * time.Second // another process may have set a time-out, and died
	pollForeignChanges = time.Second     // changes of other processes
	firstRetry         = time.Second     // after a failure; doubled with each further one
	maxRetry           = 30 * time.Second
	dueBatch           = 100    // time-outs taken from the database at once
	maxPaged           = 10_000 // alerts whose layers are looked at after a change of the file
)

// Run escalates alerts whose time-out has passed, hints at what other processes on the same
// database changed, and hands pages to Config.Notify and Config.Send. It returns ctx's error when
// ctx ends. Time-outs are kept in the database: those that passed while nothing ran fire at once.
// Several processes may run it on one database. Two processes that find the same alert due both
// try; the one whose change is committed first wins, and the other finds nothing to do.
func (s *Service) Run(ctx context.Context) error {
	var all sync.WaitGroup
	loops := []func(context.Context){s.runTimeouts}
	if !s.cfg.Alone {
		loops = append(loops, s.runForeignChanges)
	}
	if s.cfg.Notify != nil || s.cfg.Send != nil {
		loops = append(loops, s.runMails, s.runAddresses)
	}
	for _, loop := range loops {
		all.Go(func() { loop(ctx) })
	}
	all.Wait()
	return ctx.Err()
}

// runTimeouts fires time-outs as they become due, and sleeps until the next one in between. Its
// loop holds no lock: a change that comes while it reads wakes it by noted.
func (s *Service) runTimeouts(ctx context.Context) {
	var failures retries
	late := delays{}
	for ctx.Err() == nil {
		s.looksAt.Store(0) // what is changed from here on may come too late for this look
		next, err := s.fireDue(ctx, late)
		if pause := failures.after(err); pause > 0 {
			s.logFailure(ctx, "escalation cannot read or change alerts", err)
			// No waking: what is new could not be read or changed either.
			_ = clock.Sleep(ctx, s.clock, pause)
			continue
		}
		s.looksAt.Store(next.UnixMilli())
		s.waitUntil(ctx, next, s.wakeRunner)
	}
}

// retries counts the failures of a loop since its last success. Its zero value is no failure.
type retries int

// after is the pause that follows a round which ended with err: none after a success.
func (r *retries) after(err error) time.Duration {
	if err == nil {
		*r = 0
		return 0
	}
	*r++
	return min(firstRetry<<min(*r-1, 10), maxRetry) // 10: no overflow, and far beyond maxRetry
}

// fireDue times out what is due and returns when to look again. After a full batch it looks again
// at once.
func (s *Service) fireDue(ctx context.Context, late delays) (time.Time, error) {
	now := s.clock.Now()
	// A deadline of at most a year ahead is that of any open alert: it stands for all alerts that
	// wait for somebody.
	if s.fileChanged.Swap(false) {
		if _, _, err := s.changeDue(ctx, now.AddDate(1, 0, 0), maxPaged, (*change).leaveLostLayer, late); err != nil {
			s.fileChanged.Store(true)
			return time.Time{}, err
		}
	}
	next, more, err := s.changeDue(ctx, now, dueBatch, (*change).timeOut, late)
	if err != nil {
		return time.Time{}, err
	}
	if more {
		return now, nil
	}
	var earliest sql.NullInt64
	if err := s.db.Read().QueryRowContext(ctx, "select min(deadline) from embedded_alerts where deadline > $1", now.UnixMilli()).Scan(&earliest); err != nil {
		return time.Time{}, sqldb.Error("read time-outs", err)
	}
	// Never later than this, for time-outs that another process sets meanwhile.
	poll := s.clock.Now().Add(pollDue)
	if next.IsZero() || poll.Before(next) {
		next = poll
	}
	if earliest.Valid && fromMS(earliest.Int64).Before(next) {
		next = fromMS(earliest.Int64)
	}
	return next, nil
}

// delays are the alerts that could not be changed, by id. Each is tried again after a pause of its
// own, which grows, so that one row that cannot be read holds up nobody else. It is the loop's own
// and needs no lock.
type delays map[string]*delay

type delay struct {
	failures retries
	until    time.Time
}

// changeDue changes the alerts whose time-outs pass until a time, at most limit of them. again is
// when one that could not be changed is tried again, zero if all were; more: there may be others.
// One alert after the other, each in a transaction of its own: a batch would let one bad row fail
// all.
func (s *Service) changeDue(ctx context.Context, until time.Time, limit int, do func(*change), late delays) (again time.Time, more bool, err error) {
	ids, err := s.dueIDs(ctx, "select id from embedded_alerts where deadline <= $1 order by deadline limit $2", until, limit)
	if err != nil {
		return again, false, err
	}
	now, changed := s.clock.Now(), 0
	var failed error
	for _, id := range ids {
		d := late[id]
		// Otherwise its pause is not over.
		if d == nil || !d.until.After(now) {
			_, err := s.change(ctx, func(q sqldb.Queryer) (*alert, error) { return alertByID(ctx, q, id) }, func(c *change) error {
				do(c)
				return nil
			})
			// Deleted meanwhile.
			if err == nil || integration.KindOf(err) == integration.KindNotFound {
				delete(late, id)
				changed++
				continue
			}
			if d == nil {
				d = &delay{}
				late[id] = d
			}
			d.until, failed = now.Add(d.failures.after(err)), cmp.Or(failed, err)
		}
		if again.IsZero() || d.until.Before(again) {
			again = d.until
		}
	}
	if failed != nil {
		s.logFailure(ctx, "an alert cannot be read or changed, its escalation waits", failed)
	}
	if len(ids) < limit {
		// Others did them.
		maps.DeleteFunc(late, func(id string, _ *delay) bool { return !slices.Contains(ids, id) })
	}
	return again, len(ids) == limit && changed > 0, nil
}

// dueIDs reads ids by a query on the time and the limit. Ids alone: each row is read again by
// whoever changes it.
func (s *Service) dueIDs(ctx context.Context, query string, now time.Time, limit int) ([]string, error) {
	rows, err := s.db.Read().QueryContext(ctx, query, now.UnixMilli(), limit)
	if err != nil {
		return nil, sqldb.Error("read what is due", err)
	}
	defer func() { _ = rows.Close() }()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, sqldb.Error("read what is due", err)
		}
		ids = append(ids, id)
	}
	return ids, sqldb.Error("read what is due", rows.Err())
}

// waitUntil returns at a time, when woken, or when ctx ends. A clock of tests may be moved between
// reading the time and starting the timer; one second too many would then be waited for for ever.
func (s *Service) waitUntil(ctx context.Context, at time.Time, woken <-chan struct{}) {
	now := s.clock.Now()
	timer := s.clock.NewTimer(at.Sub(now))
	defer timer.Stop()
	if s.clock.Now().Sub(now) > time.Millisecond {
		return // the clock was moved before the timer began to run: look at what is due again
	}
	select {
	case <-ctx.Done():
	case <-woken:
	case <-timer.C:
	}
}

// logFailure logs a failure of a loop unless the program is ending. Every statement fails once ctx
// has ended, and that is no news.
func (s *Service) logFailure(ctx context.Context, message string, err error) {
	if ctx.Err() == nil {
		s.log.Error(message, "error", err)
	}
}

// overlap is how far each look at the changes of other hosts reaches back behind the look before
// it. A change names the time at which it was decided, and is committed later: by as much as a
// write can wait for a lock, or for a database that is away.
const overlap = time.Minute

// runForeignChanges hints at alerts that another process changed: one that has died since could
// not. Each look covers the minute before the last one again, see overlap; what is known already is
// not read.
func (s *Service) runForeignChanges(ctx context.Context) {
	since := s.clock.Now()
	var failures retries
	for pause := time.Duration(0); clock.Sleep(ctx, s.clock, max(pollForeignChanges, pause)) == nil; {
		now := s.clock.Now()
		err := s.hintAtForeign(ctx, since.Add(-overlap))
		if pause = failures.after(err); err != nil {
			s.logFailure(ctx, "changed alerts cannot be read", err)
			continue
		}
		// Only after a success, so that nothing is left out while the database was away.
		since = now
	}
}

// hintAtForeign hints at what others changed since a time. Only what is not known yet is read
// whole. updated_at is by the other host's clock, of which hosts keep account; the overlap allows
// for some difference.
func (s *Service) hintAtForeign(ctx context.Context, since time.Time) error {
	rows, err := s.db.Read().QueryContext(ctx, "select id, version from embedded_alerts where updated_at >= $1", since.UnixMilli())
	if err != nil {
		return sqldb.Error("read changed alerts", err)
	}
	defer func() { _ = rows.Close() }()
	var ids []string
	for rows.Next() {
		var id string
		var version int64
		if err := rows.Scan(&id, &version); err != nil {
			return sqldb.Error("read changed alerts", err)
		}
		if !s.seen.knows(id, version) {
			ids = append(ids, id)
		}
	}
	if err := rows.Err(); err != nil {
		return sqldb.Error("read changed alerts", err)
	}
	for _, id := range ids {
		a, err := alertByID(ctx, s.db.Read(), id)
		if err != nil {
			return err
		}
		if !s.seen.knows(id, a.version) { // ours, meanwhile
			s.noted(a)
			s.hint(a)
		}
	}
	return nil
}
