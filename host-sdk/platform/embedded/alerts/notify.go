package alerts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
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
// given up after notifyAttempts.
const (
	notifyLease    = time.Minute
	notifyAttempts = 5
)

// runNotify sends pages as they become due: at once when this process made them, otherwise within
// the poll interval. A round in which something failed is followed by a pause.
func (s *Service) runNotify(ctx context.Context) {
	var failures retries
	for ctx.Err() == nil {
		ids, err := s.dueIDs(ctx, "select id from embedded_pages where due <= $1 order by due limit $2", s.clock.Now())
		for _, id := range ids {
			if failed := s.notify(ctx, id); failed != nil {
				err = failed
			}
		}
		switch pause := failures.after(err); {
		case err != nil:
			s.logFailure(ctx, "pages not sent, will retry", err)
			_ = clock.Sleep(ctx, s.clock, pause)
		case len(ids) == 0:
			s.waitUntil(ctx, s.clock.Now().Add(pollDue), s.wakeNotify)
		}
	}
}

// claimPage takes a page that is due until its lease ends.
const claimPage = `update embedded_pages set due = $2, attempts = attempts + 1 where id = $1 and due <= $3
	returning alert_id, layer, round, users, at, attempts`

// notify claims a page for notifyLease and hands it to the hook. The claim is committed before the
// hook runs, because a hook may take as long as a mail server does and must not hold a transaction
// open. A process that dies in between leaves the page to the next one, so that a page may be sent
// twice but is never lost.
func (s *Service) notify(ctx context.Context, id string) error {
	pg := Page{ID: id}
	var alertID, text string
	var at int64
	var attempts int
	var users []string
	now := s.clock.Now()
	until := now.Add(notifyLease)
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		return tx.QueryRowContext(ctx, claimPage, id, until.UnixMilli(), now.UnixMilli()).Scan(&alertID, &pg.Layer, &pg.Round, &text, &at, &attempts)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil // another process has it
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &users)
	}
	if err != nil {
		return sqldb.Error("claim page", err)
	}
	pg.At = fromMS(at)
	if pg.Alert, err = s.oneRecord(ctx, s.db.Read(), alertID); err != nil {
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
			s.log.Error("a page is given up", "alert", alertID, "layer", pg.Layer, "attempts", attempts, "error", err)
		}
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from embedded_pages where id = $1", id)
		return sqldb.Error("end page", err)
	})
}
