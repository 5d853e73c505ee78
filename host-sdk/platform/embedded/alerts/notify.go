package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Limits of sending: an attempt has noticeLease before another process may try, unless this one is
// known to have died; sendParallel notices of a loop are sent at a time.
const (
	// Longer than any hook may take, as its context ends with the lease.
	noticeLease  = time.Minute
	keepTime     = 5 * time.Second // for what is written when a host stops
	sendParallel = 64
	firstAgain   = 5 * time.Second // after a failure; doubled with each further one
	maxAgain     = time.Minute
)

// FreeNotices is the statement that gives back what a host ($1, its [Config.Host]) was sending when
// it died: others send it at once.
const FreeNotices = "update embedded_notices set due = 0, claimed_by = '' where claimed_by = $1 and claimed_by <> ''"

// notice is a row of embedded_notices: a page with whom it is for and by which way. It lives from
// the change that makes it until it was sent, given up, or is not wanted any more.
type notice struct {
	Page

	alertID  string
	person   string // user id; "" for a channel
	team     string // team id; "" for a person
	way      string // wayMail, or the id of an address
	ends     time.Time
	attempts int // this one included
	failed   int // attempts that surely reached nobody
}

// values are the columns of insertNotice. due is at, so it is sent at once: the statement uses $10
// for both.
func (n notice) values() []any {
	return []any{n.ID, n.alertID, string(n.Event), n.person, n.team, n.way, n.Note, n.Layer, n.Round, n.At.UnixMilli(), n.ends.UnixMilli()}
}

// A channel is told of an alert's events one after the other, in their order: its readers go by the
// last.
const (
	// Each takes what has waited longest first.
	dueMails     = "select id from embedded_notices where due <= $1 and way = 'mail' order by due limit $2"
	dueAddresses = `select id from embedded_notices n where due <= $1 and way <> 'mail' and (team = '' or not exists (
		select 1 from embedded_notices e where e.alert_id = n.alert_id and e.team = n.team and e.way = n.way and e.id < n.id))
		order by due limit $2`
)

// runMails and runAddresses send what is due, each with workers of its own: a mail server that
// hangs delays no other way, and the other way round.
func (s *Service) runMails(ctx context.Context)     { s.runNotices(ctx, dueMails, s.wakeMails) }
func (s *Service) runAddresses(ctx context.Context) { s.runNotices(ctx, dueAddresses, s.wakeOthers) }

// wakeSenders has both loops look at what is due.
func (s *Service) wakeSenders() {
	wake(s.wakeMails)
	wake(s.wakeOthers)
}

// runNotices sends notices as they become due: at once when this process made them, otherwise
// within the poll interval. They are sent beside one another, so that what hangs for one person
// holds up nobody else. A round in which something failed is followed by a pause. It returns when
// ctx has ended and what is being sent has come back.
func (s *Service) runNotices(ctx context.Context, query string, woken <-chan struct{}) {
	var failures retries
	var sending sync.WaitGroup
	defer sending.Wait()
	slots := make(chan struct{}, sendParallel)
	for ctx.Err() == nil {
		err := s.moveOldPages(ctx)
		ids, failed := s.dueIDs(ctx, query, s.clock.Now(), dueBatch)
		err = errors.Join(err, failed)
		for _, id := range ids {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			// Claimed only when there is room to send it, or its lease could end while it waits.
			n, failed := s.claimNotice(ctx, id)
			if failed != nil {
				err = failed
			}
			sending.Go(func() {
				defer func() { <-slots }()
				if n != nil {
					s.attempt(ctx, *n)
				}
			})
		}
		switch pause := failures.after(err); {
		case err != nil:
			s.logFailure(ctx, "pages cannot be read, will retry", err)
			_ = clock.Sleep(ctx, s.clock, pause)
		case len(ids) == 0:
			s.waitUntil(ctx, s.nextNotice(ctx), woken)
		}
	}
}

// nextNotice is when to look again: never later than pollDue, as other processes make notices too.
// An error counts as nothing due: the next round meets it again and logs it.
func (s *Service) nextNotice(ctx context.Context) time.Time {
	next := s.clock.Now().Add(pollDue)
	var earliest sql.NullInt64
	if err := s.db.Read().QueryRowContext(ctx, "select min(due) from embedded_notices").Scan(&earliest); err == nil && earliest.Valid {
		if at := fromMS(earliest.Int64); at.After(s.clock.Now()) && at.Before(next) {
			next = at
		}
	}
	return next
}

// claimNotice takes a notice that is due until its lease ends.
const claimNotice = `update embedded_notices set due = $2, attempts = attempts + 1, claimed_by = $4 where id = $1 and due <= $3
	returning alert_id, event, person, team, way, note, layer, round, at, ends, attempts, failed`

// claimNotice claims a notice for noticeLease; nil: another process has it. The claim is committed
// before the hook runs, because a hook may take as long as a mail server does and must not hold a
// transaction open. A process that dies in between leaves the notice to the next one, so that it
// may be sent twice but is never lost. The number of attempts is counted by the claim, so an
// attempt that kills its process counts too.
func (s *Service) claimNotice(ctx context.Context, id string) (*notice, error) {
	n := &notice{Page: Page{ID: id}}
	var at, ends int64
	now := s.clock.Now()
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		return tx.QueryRowContext(ctx, claimNotice, id, now.Add(noticeLease).UnixMilli(), now.UnixMilli(), s.cfg.Host).
			Scan(&n.alertID, &n.Event, &n.person, &n.team, &n.way, &n.Note, &n.Layer, &n.Round, &at, &ends, &n.attempts, &n.failed)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // there is nothing to do, and that is no error
	}
	if err != nil {
		return nil, sqldb.Error("claim a notice", err)
	}
	n.At, n.ends = fromMS(at), fromMS(ends)
	return n, nil
}

// attempt hands a notice to its hook, and ends it when it was sent, or when it will not be:
// somebody has the alert, the person or the way is gone from the file, its time is over, or the
// hook says that trying again cannot help. What failed otherwise is tried again after a pause. The
// alert is read when it is sent, so that a page shows what is so now.
func (s *Service) attempt(ctx context.Context, n notice) {
	var err error
	if n.Alert, err = s.oneRecord(ctx, s.db.Read(), n.alertID); err != nil {
		if integration.KindOf(err) == integration.KindNotFound {
			s.end(ctx, n, "")
			return
		}
		s.logFailure(ctx, "the alert of a page cannot be read, will retry", err)
		return
	}
	to := s.recipientOf(&n)
	if to == nil {
		s.end(ctx, n, "")
		return
	}
	if n.late() {
		s.end(ctx, n, n.missed(to))
		return
	}
	// Real turns the lease into time by the wall: a hook talks to servers, whatever the service's
	// clock does.
	hookCtx, cancel := context.WithTimeout(ctx, s.clock.Real(noticeLease))
	err = s.send(hookCtx, n, to)
	cancel()
	// A host that stops still writes down what became of the page, so that the next one does not
	// send it again. Run waits for that.
	stopping := ctx.Err() != nil
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), s.clock.Real(keepTime))
	defer cancel()
	switch {
	case err == nil:
		// First the finding, then the row: a crash in between sends twice and forgets nothing.
		s.noteReach(ctx, n.key(), "")
		s.end(ctx, n, n.done(to))
	case stopping && !refused(err): // broken off, which says nothing of the person
		s.putOff(ctx, n, err)
	// Its time is not over, and another attempt may help.
	case !refused(err) && s.clock.Now().Before(n.ends):
		s.logFailure(ctx, "page not sent, will retry", err)
		s.putOff(ctx, n, err)
	default:
		s.log.Error("a page is given up", "alert", n.alertID, "user", n.person, "team", n.team, "way", to.by, "layer", n.Layer, "attempts", n.attempts, "error", err)
		s.noteReach(ctx, n.key(), notReached(n, to, err))
		s.end(ctx, n, n.givenUp(to, err))
	}
}

// refused reports whether a page is refused for good, such as since its address does not exist.
// Wrong credentials are about the host's account: it may be put right.
func refused(err error) bool {
	kind := integration.KindOf(err)
	return kind.Final() && kind != integration.KindUnauthorized
}

// unsure reports whether an attempt that failed may have reached somebody all the same: it was
// broken off, or the server took its time, while it may have had the page already.
func unsure(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || integration.KindOf(err) == integration.KindDeadline
}

// putOff has a notice tried again after a pause that grows. Only the host that has claimed it may:
// the lease may be over and another one at it.
func (s *Service) putOff(ctx context.Context, n notice, err error) {
	if !unsure(err) {
		n.failed++
	}
	due := s.clock.Now().Add(min(firstAgain<<min(n.attempts-1, 10), maxAgain)).UnixMilli()
	err = s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "update embedded_notices set due = $2, failed = $4, claimed_by = '' where id = $1 and claimed_by = $3",
			n.ID, due, s.cfg.Host, n.failed)
		return err
	})
	if err != nil {
		s.logFailure(ctx, "a page that was not sent is tried again only when its lease ends", err)
	}
}

// errEnded says that another process has ended a notice, as its lease was over.
var errEnded = errors.New("the notice has ended")

// end deletes a notice, and says in the alert's story what came of it, in one transaction; "":
// nothing. Otherwise the story could say twice that somebody was told.
func (s *Service) end(ctx context.Context, n notice, line string) {
	var err error
	if line == "" {
		err = s.db.Write(ctx, func(tx sqldb.Tx) error { return endNotice(ctx, tx, n.ID) })
	} else {
		_, err = s.change(ctx, func(q sqldb.Queryer) (*alert, error) { return alertByID(ctx, q, n.alertID) }, func(c *change) error {
			c.addLog("", line)
			c.ended = n.ID
			return nil
		})
	}
	if err != nil && !errors.Is(err, errEnded) {
		s.logFailure(ctx, "a page that was sent cannot be ended; it is sent again", err)
	}
	if n.team != "" {
		wake(s.wakeOthers) // the channel's next one may be due
	}
}

// endNotice deletes a notice; one that is gone: errEnded. errEnded rolls the story's line back with
// it.
func endNotice(ctx context.Context, tx sqldb.Tx, id string) error {
	done, err := tx.ExecContext(ctx, deleteNotice, id)
	if err != nil {
		return sqldb.Error("end a notice", err)
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return sqldb.Error("end a notice", err)
	}
	return errEnded
}

// moveOldPages makes notices of what the release before has left, or another host of it leaves. The
// old form is one row for all people of a layer.
func (s *Service) moveOldPages(ctx context.Context) error {
	ids, err := s.dueIDs(ctx, "select id from embedded_pages where due <= $1 order by due limit $2", s.clock.Now(), dueBatch)
	for _, id := range ids {
		if err == nil {
			err = s.moveOldPage(ctx, id)
		}
	}
	return err
}

// moveOldPage makes the notices of a page and deletes it. The row never changes: what was read of
// it before the transaction holds, if it is still there.
func (s *Service) moveOldPage(ctx context.Context, id string) error {
	now := s.clock.Now()
	page := Page{Event: EventPaged}
	var alertID, text string
	var at int64
	err := s.db.Read().QueryRowContext(ctx, "select alert_id, layer, round, users, at from embedded_pages where id = $1", id).
		Scan(&alertID, &page.Layer, &page.Round, &text, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	var users []string
	if err == nil {
		err = json.Unmarshal([]byte(text), &users)
	}
	if err != nil {
		return sqldb.Error("move a page", err)
	}
	page.At = fromMS(at)
	var notices []notice
	for _, user := range users {
		for _, way := range s.ways(s.file().User(user)) {
			n := notice{Page: page, alertID: alertID, person: user, way: way, ends: now.Add(pageTime)}
			if n.ID, err = newID(now); err != nil {
				return err
			}
			notices = append(notices, n)
		}
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, "delete from embedded_pages where id = $1 and due <= $2", id, now.UnixMilli())
		if err != nil {
			return sqldb.Error("move a page", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return sqldb.Error("move a page", err)
		}
		for _, n := range notices {
			if _, err := tx.ExecContext(ctx, insertNotice, n.values()...); err != nil {
				return sqldb.Error("move a page", err)
			}
		}
		return nil
	})
}

// Wake has the service look at what is due at once, such as when a host that was sending has died.
func (s *Service) Wake() { s.wakeSenders() }
