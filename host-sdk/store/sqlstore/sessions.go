package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// selectSession reads the columns of scanSession; a condition follows. The order is that of
// scanSession.
const selectSession = `select integration, key, version, revision, format, live, created_at, updated_at, expires_at, alert_key, occupies, waits_for, media, view, told, alert, state,
	coalesce((select n.seen_at from session_seen n where n.integration = sessions.integration and n.key = sessions.key), 0)
	from sessions where `

// scanSession reads a row of selectSession. JSON that cannot be read is damage of the database, and
// names the session.
func scanSession(scan func(...any) error) (store.Session, error) {
	var s store.Session
	var created, updated, expires, seen int64
	var occupies, waitsFor, media, view, told, alert []byte
	err := scan(&s.Integration, &s.Key, &s.Version, &s.Revision, &s.Format, &s.Live, &created, &updated, &expires, &s.AlertKey, &occupies, &waitsFor, &media, &view, &told, &alert, &s.State, &seen)
	if err != nil {
		return s, err
	}
	s.CreatedAt, s.UpdatedAt, s.ExpiresAt, s.SeenAt = stored.At(created), stored.At(updated), stored.At(expires), stored.At(seen)
	for _, list := range []struct {
		text []byte
		into *[]string
	}{{occupies, &s.Occupies}, {waitsFor, &s.WaitsFor}, {media, &s.Media}} {
		if len(list.text) == 0 {
			continue
		}
		if err := stored.Decode(list.text, list.into, "session "+s.Key); err != nil {
			return s, err
		}
	}
	// The integration's own session is no call, and has no view.
	if len(view) > 0 {
		s.Call = &integration.CallView{}
		if err := stored.Decode(view, s.Call, "session "+s.Key); err != nil {
			return s, err
		}
	}
	if len(told) > 0 {
		s.Told = &store.Told{}
		if err := stored.Decode(told, s.Told, "session "+s.Key); err != nil {
			return s, err
		}
	}
	if len(alert) > 0 {
		s.Alert = &store.AlertMemory{}
		if err := stored.Decode(alert, s.Alert, "session "+s.Key); err != nil {
			return s, err
		}
	}
	return s, nil
}

// oneSession reads the first session that the query selects; KindNotFound if there is none.
func (s *Store) oneSession(ctx context.Context, query string, args ...any) (store.Session, error) {
	sess, err := scanSession(s.read.QueryRowContext(ctx, query, args...).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return store.Session{}, integration.Errorf(integration.KindNotFound, "there is no such session")
	case err != nil:
		return store.Session{}, sqldb.Error("read session", err)
	}
	return sess, nil
}

// manySessions reads all sessions that the query selects. nil: there are none.
func (s *Store) manySessions(ctx context.Context, query string, args ...any) ([]store.Session, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, sqldb.Error("list sessions", err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.Session
	for rows.Next() {
		sess, err := scanSession(rows.Scan)
		if err != nil {
			return nil, sqldb.Error("list sessions", err)
		}
		list = append(list, sess)
	}
	return list, sqldb.Error("list sessions", rows.Err())
}

const (
	whereSession = "integration = $1 and key = $2"
	// An alert has one session, rarely two: "+ 0" keeps the planner from walking all sessions in
	// the order asked for.
	whereAlert = "integration = $1 and alert_key = $2 and alert_key <> '' order by created_at + 0 desc, key desc limit 1"
	whereKey   = "key = $1 order by created_at desc, integration"
	// selectOccupied reads who occupies people, and which sessions before the asking one ($2) wait
	// for people: those of callers come before those whose call has ended, then the older. One
	// statement, so that a session which goes from waiting to ringing is seen in one of the two.
	// Naming the columns as the indexes do lets these be used, and a condition on created_at makes
	// the planner prefer them.
	selectOccupied = `select key, 0 as waits, after_call, created_at, occupies as users from sessions where integration = $1 and created_at >= 0 and key <> $2 and live = 1 and occupies <> ''
		union all select s.key, 1, s.after_call, s.created_at, s.waits_for from sessions s where s.integration = $1 and s.created_at >= 0 and s.key <> $2 and s.live = 1 and s.waits_for <> ''
			and not exists (select 1 from sessions a where a.integration = $1 and a.key = $2 and (a.after_call, a.created_at, a.key) < (s.after_call, s.created_at, s.key))
		order by waits, after_call, created_at, key`
	selectWaiting = `select key, after_call, waits_for from sessions where integration = $1 and live = 1 and waits_for <> '' order by created_at, key`
)

// Session implements store.Sessions. By the primary key.
func (s *Store) Session(ctx context.Context, integrationID, key string) (store.Session, error) {
	return s.oneSession(ctx, selectSession+whereSession, integrationID, key)
}

// SessionByAlert implements store.Sessions. Of several sessions of one alert, the newest. By the
// index sessions_alert.
func (s *Store) SessionByAlert(ctx context.Context, integrationID, alertKey string) (store.Session, error) {
	return s.oneSession(ctx, selectSession+whereAlert, integrationID, alertKey)
}

// SessionsByKey implements store.Sessions. A key is unique within an integration only.
func (s *Store) SessionsByKey(ctx context.Context, key string) ([]store.Session, error) {
	return s.manySessions(ctx, selectSession+whereKey, key)
}

// ListSessions implements store.Sessions. The newest first. The view of pages shares one reading
// among those who ask for the same.
func (s *Store) ListSessions(ctx context.Context, f store.SessionFilter) ([]store.Session, error) {
	where, args := []string{"1 = 1"}, []any{f.Limit}
	if f.Limit <= 0 {
		args[0] = stored.DefaultList
	}
	switch {
	case f.Integration != "" && f.LiveOnly:
		// Few sessions are live, in all integrations together: hiding the column keeps the planner
		// from walking all sessions that the integration has had.
		args = append(args, f.Integration)
		where = append(where, "integration || '' = $2")
	case f.Integration != "":
		args = append(args, f.Integration)
		where = append(where, "integration = $2")
	}
	if f.LiveOnly {
		where = append(where, "live = 1")
	}
	if f.CallsOnly {
		// The session that each integration has for itself has no view.
		where = append(where, "view <> ''")
	}
	if f.From != "" {
		args = append(args, f.From)
		// The index leaves sessions without a caller out, and is used only by a query that does so,
		// too.
		where = append(where, "caller <> ''", fmt.Sprintf("caller = $%d", len(args)))
	}
	if !f.Since.IsZero() {
		args = append(args, stored.Ms(f.Since))
		where = append(where, fmt.Sprintf("created_at >= $%d", len(args)))
	}
	query := selectSession + strings.Join(where, " and ") + " order by created_at desc, key desc limit $1"
	// Calls read for themselves: what they decide on must not be somebody else's earlier reading.
	if s.lists == nil {
		return s.manySessions(ctx, query, args...)
	}
	return s.lists.Do(ctx, query+fmt.Sprint(args), func(ctx context.Context) ([]store.Session, error) { return s.manySessions(ctx, query, args...) })
}

// Occupied implements store.Sessions. Of several sessions that occupy one user, or wait for one,
// the first in the order of selectOccupied. The map is by user, with the session's key.
func (s *Store) Occupied(ctx context.Context, integrationID, exceptKey string) (map[string]string, error) {
	return occupied(ctx, s.read, integrationID, exceptKey)
}

// occupied is Occupied for a commit, too, which asks within its transaction.
func occupied(ctx context.Context, q sqldb.Queryer, integrationID, exceptKey string) (map[string]string, error) {
	rows, err := q.QueryContext(ctx, selectOccupied, integrationID, exceptKey)
	if err != nil {
		return nil, sqldb.Error("read occupied users", err)
	}
	defer func() { _ = rows.Close() }()
	by := map[string]string{}
	for rows.Next() {
		var key string
		var waits, afterCall, created int64
		var text []byte
		var users []string
		if err := rows.Scan(&key, &waits, &afterCall, &created, &text); err != nil {
			return nil, sqldb.Error("read occupied users", err)
		}
		if err := stored.Decode(text, &users, "session "+key); err != nil {
			return nil, err
		}
		// Rows come with those who occupy first, then by age: the first entry for a user is the
		// right one.
		for _, u := range users {
			if _, ok := by[u]; !ok {
				by[u] = key
			}
		}
	}
	return by, sqldb.Error("read occupied users", rows.Err())
}

// WaitingFor implements store.Sessions: the live sessions that wait for one of the users, those of
// callers first, the oldest of them first. Lists of users are JSON, so they are searched here; few
// calls wait at a time. By the index sessions_waiting.
func (s *Store) WaitingFor(ctx context.Context, integrationID string, users []string) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, selectWaiting, integrationID)
	if err != nil {
		return nil, sqldb.Error("read waiting calls", err)
	}
	defer func() { _ = rows.Close() }()
	var keys, afterCall []string
	for rows.Next() {
		var key string
		var told int64
		var text []byte
		var waitsFor []string
		if err := rows.Scan(&key, &told, &text); err != nil {
			return nil, sqldb.Error("read waiting calls", err)
		}
		if err := stored.Decode(text, &waitsFor, "session "+key); err != nil {
			return nil, err
		}
		switch {
		case !slices.ContainsFunc(waitsFor, func(u string) bool { return slices.Contains(users, u) }):
		case told == 1:
			afterCall = append(afterCall, key)
		default:
			keys = append(keys, key)
		}
	}
	return append(keys, afterCall...), sqldb.Error("read waiting calls", rows.Err())
}

const (
	// optionsGrace is how long superseded options are kept at least: a handler that has read them
	// may commit the session that pins them a little later.
	optionsGrace = 24 * time.Hour
	// deletedGrace is the same for a deleted integration. It is shorter, as what is deleted holds
	// secrets that somebody wants to be gone.
	deletedGrace = time.Hour
)

// DeleteExpired implements store.Sessions. It also removes logins whose time is over, what was
// heard of callers whose session lives no more, options that no session pins any more, a day after
// they were superseded, and deleted integrations of which nothing is left. It works in short
// batches, between which calls commit. It returns how many sessions went, after an error too; who
// calls it comes again in an hour.
func (s *Store) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	total := 0
	for {
		n, err := s.deleteExpired(ctx, stored.Ms(now))
		total += n
		if err != nil {
			return total, err
		}
		if n < stored.ExpireBatch {
			break
		}
	}
	if err := people.DeleteEnded(ctx, s.db, now); err != nil {
		return total, err
	}
	if err := s.deleteSeen(ctx, now); err != nil {
		return total, err
	}
	return total, s.deleteOptions(ctx, now)
}

// deleteExpired removes one batch of sessions with their outbox items, and returns how many. The
// expiry is in the condition again: on a server a commit may have given a session more time since
// it was read.
func (s *Store) deleteExpired(ctx context.Context, now int64) (n int, err error) {
	type id struct{ integration, key string }
	err = s.db.Write(ctx, func(tx sqldb.Tx) error {
		rows, err := tx.QueryContext(ctx, "select integration, key from sessions where expires_at <= $1 order by expires_at limit $2", now, stored.ExpireBatch)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // for errors; the last row closes them too
		var gone []id
		var locks []string
		for rows.Next() {
			var g id
			if err := rows.Scan(&g.integration, &g.key); err != nil {
				return err
			}
			gone, locks = append(gone, g), append(locks, stored.SessionLock(g.integration, g.key))
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if err := tx.Lock(ctx, locks...); err != nil {
			return err
		}
		for _, g := range gone {
			result, err := tx.ExecContext(ctx, "delete from sessions where integration = $1 and key = $2 and expires_at <= $3", g.integration, g.key, now)
			if err != nil {
				return err
			}
			if deleted, err := result.RowsAffected(); err != nil {
				return err
			} else if deleted == 0 {
				continue // it has got more time, or is gone already
			}
			// Whole lanes are deleted, so nothing has to move up.
			if _, err := tx.ExecContext(ctx, "delete from outbox where integration = $1 and key = $2", g.integration, g.key); err != nil {
				return err
			}
			// Without a session nothing will end the call; its record must not stay in progress for
			// ever.
			if _, err := tx.ExecContext(ctx, "update calls set live = 0, ended_at = $3 where integration = $1 and key = $2 and live = 1", g.integration, g.key, now); err != nil {
				return err
			}
		}
		// Those that got more time are counted, too: fewer than a batch means that nothing is left.
		n = len(gone)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// deleteOptions removes the integrations that were deleted and have neither a live session nor an
// outbox item left, with all their options and the findings of their last calls, and the options
// that a newer revision has replaced and no session needs. Secrets are in the options, so these
// must not outlive their use.
func (s *Store) deleteOptions(ctx context.Context, now time.Time) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		// The order matters: options are orphaned by the statement that removes their integration.
		for _, statement := range []struct {
			text   string
			before time.Time
		}{
			{`delete from findings where
				exists (select 1 from integrations i where i.id = findings.integration and i.deleted_at > 0 and i.deleted_at <= $1)`, now},
			{`delete from integrations where deleted_at > 0 and deleted_at <= $1
				and not exists (select 1 from sessions s where s.integration = integrations.id and s.live = 1)
				and not exists (select 1 from outbox o where o.integration = integrations.id)`, now.Add(-deletedGrace)},
			{`delete from integration_options where created_at <= $1
				and not exists (select 1 from integrations i where i.id = integration_options.integration)`, now},
			{`delete from integration_options where
				exists (select 1 from integration_options n where n.integration = integration_options.integration
					and n.revision > integration_options.revision and n.created_at <= $1)
				and not exists (select 1 from sessions s where s.integration = integration_options.integration and s.revision = integration_options.revision)`,
				now.Add(-optionsGrace)},
		} {
			if _, err := tx.ExecContext(ctx, statement.text, stored.Ms(statement.before)); err != nil {
				return err
			}
		}
		return nil
	})
}
