package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Page is a notification of one person on call for a layer that an alert has reached.
type Page struct {
	ID    string               // the same when a page is tried again: the key of a mail
	Alert platform.AlertRecord // as it is now
	User  integration.User     // who is still in the file
	Layer int
	Round int
	At    time.Time // when the layer was reached
}

// Limits of notification: an attempt has notifyLease before another process may try; a page is
// given up after notifyAttempts, so after some five minutes, when the next layer mostly has been
// paged; notifyParallel pages are sent at a time.
const (
	notifyLease    = time.Minute
	notifyAttempts = 5
	notifyParallel = 32
)

// runNotify sends pages as they become due: at once when this process made them, otherwise within
// the poll interval. They are sent beside one another, so that a mail server that hangs for one
// person holds up nobody else. A round in which something failed is followed by a pause.
func (s *Service) runNotify(ctx context.Context) {
	var failures retries
	var sending sync.WaitGroup
	defer sending.Wait()
	slots := make(chan struct{}, notifyParallel)
	for ctx.Err() == nil {
		ids, err := s.dueIDs(ctx, "select id from embedded_pages where due <= $1 order by due limit $2", s.clock.Now(), dueBatch)
		for _, id := range ids {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			// Claimed only when there is room to send it, or its lease could end while it waits.
			page, failed := s.claimPage(ctx, id)
			if failed != nil {
				err = failed
			}
			sending.Go(func() {
				defer func() { <-slots }()
				if page != nil {
					s.notify(ctx, *page)
				}
			})
		}
		switch pause := failures.after(err); {
		case err != nil:
			s.logFailure(ctx, "pages cannot be read, will retry", err)
			_ = clock.Sleep(ctx, s.clock, pause)
		case len(ids) == 0:
			s.waitUntil(ctx, s.clock.Now().Add(pollDue), s.wakeNotify)
		}
	}
}

// claimPage takes a page that is due until its lease ends.
const claimPage = `update embedded_pages set due = $2, attempts = attempts + 1 where id = $1 and due <= $3
	returning alert_id, layer, round, users, at, attempts`

// claimedPage is a page that this process is to send, once: attempts counts this one.
type claimedPage struct {
	Page
	alertID  string
	user     string
	attempts int
}

// claimPage claims a page for notifyLease; nil: another process has it. The claim is committed before
// the hook runs, because a hook may take as long as a mail server does and must not hold a
// transaction open. A process that dies in between leaves the page to the next one, so that a page
// may be sent twice but is never lost.
func (s *Service) claimPage(ctx context.Context, id string) (*claimedPage, error) {
	pg := &claimedPage{Page: Page{ID: id}}
	var text string
	var at int64
	var users []string
	now := s.clock.Now()
	until := now.Add(notifyLease)
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		return tx.QueryRowContext(ctx, claimPage, id, until.UnixMilli(), now.UnixMilli()).
			Scan(&pg.alertID, &pg.Layer, &pg.Round, &text, &at, &pg.attempts)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // there is nothing to do, and that is no error
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &users)
	}
	if err != nil {
		return nil, sqldb.Error("claim page", err)
	}
	pg.At = fromMS(at)
	if len(users) != 1 {
		return nil, s.splitPage(ctx, pg, users)
	}
	pg.user = users[0]
	return pg, nil
}

// splitPage replaces a page of several people, as the release before kept them, by one for each.
func (s *Service) splitPage(ctx context.Context, pg *claimedPage, users []string) error {
	var rows [][]any
	for _, user := range users {
		id, err := newID(s.clock.Now())
		if err != nil {
			return err
		}
		rows = append(rows, []any{id, pg.alertID, pg.Layer, pg.Round, toJSON([]string{user}), pg.At.UnixMilli()})
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		for _, row := range rows {
			if _, err := tx.ExecContext(ctx, insertPage, row...); err != nil {
				return sqldb.Error("split page", err)
			}
		}
		return s.endPage(ctx, tx, pg.ID)
	})
}

// endPage deletes a page.
func (s *Service) endPage(ctx context.Context, tx sqldb.Tx, id string) error {
	_, err := tx.ExecContext(ctx, "delete from embedded_pages where id = $1", id)
	return sqldb.Error("end page", err)
}

// notify hands a page to the hook, and ends it when it was sent, or when it will not be: somebody has
// the alert, the person is gone from the file, or the hook says that trying again cannot help. What
// failed otherwise is tried again when the lease is over.
func (s *Service) notify(ctx context.Context, pg claimedPage) {
	var err error
	if pg.Alert, err = s.oneRecord(ctx, s.db.Read(), pg.alertID); err != nil {
		s.logFailure(ctx, "the alert of a page cannot be read, will retry", err)
		return
	}
	if user := s.file().User(pg.user); user != nil && pg.Alert.Status == integration.AlertOpen {
		pg.User = user.Contract()
		hookCtx, cancel := context.WithTimeout(ctx, s.clock.Real(notifyLease))
		err = s.cfg.Notify(hookCtx, pg.Page)
		cancel()
	}
	if err != nil && pg.attempts < notifyAttempts && !refused(err) {
		s.logFailure(ctx, "page not sent, will retry", err)
		return
	}
	if err != nil {
		s.log.Error("a page is given up", "alert", pg.alertID, "user", pg.user, "layer", pg.Layer, "attempts", pg.attempts, "error", err)
		s.tellGivenUp(ctx, pg)
		s.unreached.add(pg.User, err)
	} else if pg.User.ID != "" {
		s.unreached.forget(pg.User.ID)
	}
	if err := s.db.Write(ctx, func(tx sqldb.Tx) error { return s.endPage(ctx, tx, pg.ID) }); err != nil {
		s.logFailure(ctx, "a page that was sent cannot be ended; it is sent again", err)
	}
}

// unreached are the people whose last page was given up.
type unreached struct {
	mu   sync.Mutex
	byID map[string]unreachedUser
}

type unreachedUser struct {
	email string
	why   string
}

func (u *unreached) add(user integration.User, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byID == nil {
		u.byID = map[string]unreachedUser{}
	}
	u.byID[user.ID] = unreachedUser{user.Email, oneline.Clean(err.Error(), 300)}
}

func (u *unreached) forget(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.byID, id)
}

// Findings implements platform.Finder: people whom the last page did not reach. Who has another
// address since, or is gone from the file, is not among them.
func (s *Service) Findings() []string {
	s.unreached.mu.Lock()
	defer s.unreached.mu.Unlock()
	var out []string
	for id, lost := range s.unreached.byID {
		if user := s.file().User(id); user != nil && user.Email == lost.email {
			out = append(out, fmt.Sprintf("%s is not reached by mail (%s): correct the address %s in the switchboard file, or see to the mail server", user.Name, lost.why, lost.email))
		}
	}
	slices.Sort(out)
	return out
}

// refused reports whether a page is refused for good, such as since its address does not exist. Wrong
// credentials are about the host's account: it may be put right.
func refused(err error) bool {
	kind := integration.KindOf(err)
	return kind.Final() && kind != integration.KindUnauthorized
}

// tellGivenUp makes the alert's history say that a person was not reached.
func (s *Service) tellGivenUp(ctx context.Context, pg claimedPage) {
	_, err := s.change(ctx, func(q sqldb.Queryer) (*alert, error) { return alertByID(ctx, q, pg.alertID) }, func(c *change) error {
		c.addLog("", fmt.Sprintf("%s could not be notified", userName(c.file, pg.user)))
		return nil
	})
	if err != nil {
		s.logFailure(ctx, "the history does not say that a page was given up", err)
	}
}
