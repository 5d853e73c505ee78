package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/records"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// sessionLife is how long a session without an ExpiresAt of its own is kept after its last commit.
const sessionLife = 30 * 24 * time.Hour

// Commit implements store.Sessions. One transaction holds the consumed item, the session, what a
// platform writes together with it, the new items, the call's record and the findings, in this
// order: what can end in a conflict comes first, before anything has been written for nothing.
// Conflicts carry store.CodeItemGone, store.CodeSessionMoved or store.CodeApart. It returns the new
// version of the session, or that of the commit where it changes none.
func (s *Store) Commit(ctx context.Context, c store.Commit) (int64, error) {
	if c.Integration == "" || ((c.Session != nil || c.Call != nil) && c.Key == "") || c.Version < 0 {
		return 0, integration.Errorf(integration.KindInvalid, "invalid commit: integration %q, key %q, version %d", c.Integration, c.Key, c.Version)
	}
	var row sessionRow
	if c.Session != nil {
		var err error
		if row, err = newSessionRow(c); err != nil {
			return 0, err
		}
	}
	record, err := records.Statements(c)
	if err != nil {
		return 0, err
	}
	// The session's own lock orders commits of one call; that of the integration, those that occupy
	// somebody. Both are named at once, so that two commits cannot wait for each other.
	locks := []string{stored.SessionLock(c.Integration, c.Key)}
	if len(c.Free) > 0 {
		locks = append(locks, "occupied/"+c.Integration)
	}
	version, dialect := c.Version, s.db.Dialect()
	// Claimed is told after the commit, as a transaction may run twice.
	var claimed []store.Item
	err = s.db.Write(ctx, func(tx sqldb.Tx) error {
		claimed = nil
		if err := tx.Lock(ctx, locks...); err != nil {
			return err
		}
		if err := checkFree(ctx, tx, c); err != nil {
			return err
		}
		// Two hosts may have worked the same item after a lease ran out: the first to commit has
		// consumed it.
		if c.Done != 0 {
			n, err := outbox.Remove(ctx, tx, "id = $1", c.Done)
			if err != nil {
				return err
			}
			if n == 0 {
				return &integration.Error{Kind: integration.KindConflict, Code: store.CodeItemGone, Message: "another commit has consumed the outbox item"}
			}
		}
		var err error
		// Decided on a version, whether or not it writes one.
		if c.Session == nil {
			err = checkVersion(ctx, tx, c)
		} else {
			err = row.write(ctx, tx, dialect, c)
			version = c.Version + 1
		}
		if err != nil {
			return err
		}
		// What was held until now waits for its turn, or goes; both before new items join the lane.
		if c.Release != "" {
			if err := outbox.Release(ctx, tx, outbox.Lane{Integration: c.Integration, Key: c.Key, Name: c.Release}, c.Now); err != nil {
				return err
			}
		}
		if c.Drop != "" {
			if err := outbox.Drop(ctx, tx, outbox.Lane{Integration: c.Integration, Key: c.Key, Name: c.Drop}); err != nil {
				return err
			}
		}
		if c.Together != nil {
			if err := writeTogether(ctx, tx, c); err != nil {
				return err
			}
		}
		for _, it := range c.Items {
			// An item belongs to the session of its commit, whatever it says itself.
			it.ID, it.Integration, it.Key = 0, c.Integration, c.Key
			if c.Claimed == nil {
				it.Owner = ""
			}
			if err := outbox.Put(ctx, tx, &it); err != nil {
				return err
			}
			if it.ID != 0 {
				claimed = append(claimed, it)
			}
		}
		if err := records.Run(ctx, tx, dialect, record); err != nil {
			return err
		}
		return saveFindings(ctx, tx, c.Integration, c.Findings)
	})
	if err != nil {
		return 0, err
	}
	// These were started by the commit itself, and the caller works them.
	for _, it := range claimed {
		c.Claimed(it)
	}
	return version, nil
}

// writeTogether writes what a platform has decided. What waits in the lane was commanded before, so
// nothing may overtake it. A statement that must change a row and does not is errApart, and undoes
// the whole commit.
func writeTogether(ctx context.Context, tx sqldb.Tx, c store.Commit) error {
	before, err := outbox.Waits(ctx, tx, outbox.Lane{Integration: c.Integration, Key: c.Key, Name: c.Together.Lane})
	if err != nil {
		return err
	}
	if before {
		return errApart("alert commands wait in the outbox")
	}
	for _, s := range c.Together.Statements {
		done, err := tx.ExecContext(ctx, s.Text, s.Args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil {
			return err
		} else if n == 0 && s.Must {
			return errApart("the alert has changed since")
		}
	}
	return nil
}

// errApart leaves what was to be written together to the outbox. The engine then commits the same
// outcome with its commands as items.
func errApart(why string) error {
	return &integration.Error{Kind: integration.KindConflict, Code: store.CodeApart, Message: "not written together with the session: " + why}
}

// checkFree sees that nobody else has occupied those whom the commit occupies since they were free.
// One transaction of an integration does so at a time. Conflict: the handler is run again and sees
// who has been faster.
func checkFree(ctx context.Context, tx sqldb.Tx, c store.Commit) error {
	if len(c.Free) == 0 {
		return nil
	}
	by, err := occupied(ctx, tx, c.Integration, c.Key)
	if err != nil {
		return err
	}
	for _, user := range c.Free {
		if by[user] != "" {
			return integration.Errorf(integration.KindConflict, "%s is occupied by another call since", user)
		}
	}
	return nil
}

// errMoved makes the engine run the handler again on the session as it is now.
func errMoved() error {
	return &integration.Error{Kind: integration.KindConflict, Code: store.CodeSessionMoved, Message: "the session has changed since it was read"}
}

// checkVersion compares the version of a commit that leaves the session as it is. A session that
// does not exist has version 0. On PostgreSQL the session's lock, which the caller holds, keeps it
// as it is until the commit.
func checkVersion(ctx context.Context, tx sqldb.Tx, c store.Commit) error {
	var version int64
	err := tx.QueryRowContext(ctx, "select version from sessions where integration = $1 and key = $2", c.Integration, c.Key).Scan(&version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if version != c.Version {
		return errMoved()
	}
	return nil
}

// sessionRow is a session encoded before the transaction: only one transaction writes at a time,
// and must be short. Texts are JSON, or "" where there is nothing.
type sessionRow struct {
	occupies, waitsFor, media, view, caller, told, alert string
	afterCall                                            bool
}

// newSessionRow encodes the session of a commit. What is empty is stored as an empty text, so
// that an index can leave it out.
func newSessionRow(c store.Commit) (r sessionRow, err error) {
	for _, list := range []struct {
		values []string
		column *string
	}{{c.Session.Occupies, &r.occupies}, {c.Session.WaitsFor, &r.waitsFor}, {c.Session.Media, &r.media}} {
		if len(list.values) == 0 {
			continue
		}
		if *list.column, err = stored.Encode(list.values); err != nil {
			return r, err
		}
	}
	if c.Session.Told != nil {
		if r.told, err = stored.Encode(c.Session.Told); err != nil {
			return r, err
		}
	}
	if c.Session.Alert != nil {
		if r.alert, err = stored.Encode(c.Session.Alert); err != nil {
			return r, err
		}
	}
	if c.Session.Call != nil {
		r.caller, r.afterCall = c.Session.Call.From, c.Session.Call.Ended != ""
		r.view, err = stored.Encode(c.Session.Call)
	}
	return r, err
}

// The statements that replace a session of the version that was read. SQLite writes each index of a
// column that is set, whether or not it changes. Of what has an index most commits change the
// expiry alone: they are done with the first one (see [update]).
const (
	updateSessionState = `update sessions set version = version + 1, format = $4, updated_at = $5, expires_at = $6, view = $7, state = $8, told = $9, alert = $10
		where integration = $1 and key = $2 and version = $3
		and live = $11 and alert_key = $12 and occupies = $13 and waits_for = $14 and media = $15 and caller = $16 and after_call = $17`
	updateSession = `update sessions set version = version + 1, format = $4, updated_at = $5, expires_at = $6, view = $7, state = $8, told = $9, alert = $10,
		live = $11, alert_key = $12, occupies = $13, waits_for = $14, media = $15, caller = $16, after_call = $17
		where integration = $1 and key = $2 and version = $3`
)

// write stores the session if its version is still the one that the commit names. A commit whose
// session has no time to expire gets sessionLife from now.
func (r sessionRow) write(ctx context.Context, tx sqldb.Tx, d sqldb.Dialect, c store.Commit) error {
	s, now := c.Session, stored.Ms(c.Now)
	expires := s.ExpiresAt
	if expires.IsZero() {
		expires = c.Now.Add(sessionLife)
	}
	var n int64
	var err error
	// Two processes may have found no session and both insert the first version: one changes no
	// row.
	if c.Version == 0 {
		n, err = stored.Affected(tx.ExecContext(ctx, `insert into sessions (integration, key, version, revision, format, live, created_at, updated_at, expires_at, alert_key, occupies, view, state, waits_for, media, caller, told, alert, after_call)
			values ($1, $2, 1, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) on conflict (integration, key) do nothing`,
			c.Integration, c.Key, s.Revision, s.Format, stored.Bit(s.Live), now, stored.Ms(expires), s.AlertKey, r.occupies, r.view, stored.Some(s.State), r.waitsFor, r.media, r.caller, r.told, r.alert, stored.Bit(r.afterCall)))
	} else {
		n, err = stored.Update(ctx, tx, d, updateSessionState, updateSession, c.Integration, c.Key, c.Version, s.Format, now, stored.Ms(expires), r.view, stored.Some(s.State), r.told, r.alert,
			stored.Bit(s.Live), s.AlertKey, r.occupies, r.waitsFor, r.media, r.caller, stored.Bit(r.afterCall))
	}
	// The version stands in the condition, so comparing and writing cannot be separated.
	if err == nil && n == 0 {
		return errMoved()
	}
	return err
}
