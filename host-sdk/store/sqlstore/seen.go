package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

const (
	// storeSeen takes a list of [integration, key, milliseconds] in JSON. The order is that in
	// which rows are locked.
	storeSeen = `insert into session_seen (integration, key, seen_at)
		select integration, key, seen_at from (select value ->> 0 as integration, value ->> 1 as key, cast(value ->> 2 as bigint) as seen_at from json_each($1)) n
		where exists (select 1 from sessions s where s.integration = n.integration and s.key = n.key and s.live = 1) order by integration, key
		on conflict (integration, key) do update set seen_at = excluded.seen_at where session_seen.seen_at < excluded.seen_at`
	deleteSeen = `delete from session_seen where seen_at <= $1
		and not exists (select 1 from sessions s where s.integration = session_seen.integration and s.key = session_seen.key and s.live = 1)`
	selectSilent = `select n.integration, n.key, n.seen_at from session_seen n
		where n.seen_at >= $1 and n.seen_at < $2 and exists (select 1 from sessions s where s.integration = n.integration and s.key = n.key and s.live = 1)
		order by n.seen_at, n.integration, n.key limit $3`
	selectUnchanged = `select coalesce((select n.seen_at from session_seen n where n.integration = s.integration and n.key = s.key), 0)
		from sessions s where s.integration = $1 and s.key = $2 and s.version = $3`
)

// StoreSeen implements store.Sessions. All callers of the last half minute are one statement. A
// time that is older than the stored one, from another host, changes nothing.
func (s *Store) StoreSeen(ctx context.Context, list []store.Seen) error {
	rows := make([][3]any, len(list))
	for i, n := range list {
		rows[i] = [3]any{n.Integration, n.Key, stored.Ms(n.At)}
	}
	text, err := stored.Encode(rows)
	if err != nil || len(list) == 0 {
		return err
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, storeSeen, text)
		return err
	})
}

// seenGrace is how long what was heard of a caller stays after the call at least.
const seenGrace = time.Hour

// deleteSeen removes what was heard of callers whose session lives no more. So there are few rows,
// and they need no index by time.
func (s *Store) deleteSeen(ctx context.Context, now time.Time) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, deleteSeen, stored.Ms(now.Add(-seenGrace)))
		return err
	})
}

// SilentSessions implements store.Sessions. Those heard of at or after from and before to; the
// longest silent first.
func (s *Store) SilentSessions(ctx context.Context, from, to time.Time, limit int) ([]store.Seen, error) {
	rows, err := s.read.QueryContext(ctx, selectSilent, stored.Ms(from), stored.Ms(to), limit)
	if err != nil {
		return nil, sqldb.Error("list silent calls", err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.Seen
	for rows.Next() {
		var n store.Seen
		var seen int64
		if err := rows.Scan(&n.Integration, &n.Key, &seen); err != nil {
			return nil, sqldb.Error("list silent calls", err)
		}
		n.At = stored.At(seen)
		list = append(list, n)
	}
	return list, sqldb.Error("list silent calls", rows.Err())
}

// SessionUnchanged implements store.Sessions. It asks with one small read whether a session that is
// kept in memory is still the one of the store; the time is when its caller was last heard of.
func (s *Store) SessionUnchanged(ctx context.Context, integrationID, key string, version int64) (time.Time, bool, error) {
	var seen int64
	err := s.read.QueryRowContext(ctx, selectUnchanged, integrationID, key, version).Scan(&seen)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, sqldb.Error("read session", err)
	}
	return stored.At(seen), true, nil
}
