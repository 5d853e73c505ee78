package alerts

import (
	"context"
	"encoding/json"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Page is a notification of the people on call for a layer that an alert has reached.
type Page struct {
	ID    string               // the same when a page is tried again: the key of a mail
	Alert platform.AlertRecord // as it is now
	Users []integration.User   // all people of the layer who are still in the file
	Layer int
	Round int
	At    time.Time // when the layer was reached
}

// Limits of notification: an attempt has notifyLease before another process may try; a page is
// timeout up after notifyAttempts.
const (
	notifyLease    = time.Minute
	notifyAttempts = 5
)

// insertPages keeps pages in the transaction that decided them, so that a crash loses none.
func insertPages(ctx context.Context, tx sqldb.Tx, c *change) error {
	for _, pg := range c.pages {
		id, err := newID(c.now)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "insert into embedded_pages (id, alert_id, layer, round, users, at, due, attempts) values ($1, $2, $3, $4, $5, $6, $7, 0)",
			id, c.id, pg.layer, pg.round, toJSON(pg.users), c.now.UnixMilli(), c.now.UnixMilli()); err != nil {
			return sqldb.Error("keep page of alert "+c.id, err)
		}
	}
	return nil
}

// runNotify sends pages as they become due: at once when this process made them, otherwise within
// the poll interval.
func (s *Service) runNotify(ctx context.Context) {
	for ctx.Err() == nil {
		ids, err := s.dueIDs(ctx, "select id from embedded_pages where due <= $1 order by due limit $2", s.clock.Now())
		if err != nil {
			s.logFailure(ctx, "pages cannot be read", err)
		}
		for _, id := range ids {
			if err := s.notify(ctx, id); err != nil {
				s.logFailure(ctx, "page not sent, will retry", err)
			}
		}
		if len(ids) == 0 || err != nil {
			s.waitUntil(ctx, s.clock.Now().Add(pollDue), s.wakeNotify)
		}
	}
}

// notify claims a page for notifyLease and hands it to the hook. The claim is committed before the
// hook runs, because a hook may take as long as a mail server does and must not hold a transaction
// open. A process that dies in between leaves the page to the next one, so that a page may be sent
// twice but is never lost.
func (s *Service) notify(ctx context.Context, id string) error {
	pg := Page{ID: id}
	var alertID string
	var claimed bool
	var attempts int
	var users []string
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		now := s.clock.Now()
		done, err := tx.ExecContext(ctx, "update embedded_pages set due = $2, attempts = attempts + 1 where id = $1 and due <= $3",
			id, now.Add(notifyLease).UnixMilli(), now.UnixMilli())
		if err != nil {
			return sqldb.Error("claim page", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return sqldb.Error("claim page", err)
		}
		claimed = true
		var text string
		var at int64
		if err := tx.QueryRowContext(ctx, "select alert_id, layer, round, users, at, attempts from embedded_pages where id = $1", id).
			Scan(&alertID, &pg.Layer, &pg.Round, &text, &at, &attempts); err != nil {
			return sqldb.Error("read page", err)
		}
		pg.At = fromMS(at)
		return sqldb.Error("read page", json.Unmarshal([]byte(text), &users))
	})
	if err != nil || !claimed {
		return err
	}
	if pg.Alert, err = s.GetAlert(ctx, alertID); err != nil {
		return err
	}
	pg.Users = s.file().People(users)
	if pg.Alert.Status == integration.AlertOpen && len(pg.Users) > 0 { // otherwise somebody has it, or nobody can have it
		hookCtx, cancel := context.WithTimeout(ctx, s.clock.Real(notifyLease))
		err := s.cfg.Notify(hookCtx, pg)
		cancel()
		if err != nil && attempts < notifyAttempts {
			return err // tried again when the lease is over
		} else if err != nil {
			s.log.Error("a page is timeout up", "alert", alertID, "layer", pg.Layer, "attempts", attempts, "error", err)
		}
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from embedded_pages where id = $1", id)
		return sqldb.Error("end page", err)
	})
}
