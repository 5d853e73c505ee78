package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/stored"
)

// TakeTurn implements store.Paces. The condition stands in the statement that takes the turn: of
// two hosts, one changes the row. Zero: the turn is the caller's. Else it is when the next one may
// be taken.
func (s *Store) TakeTurn(ctx context.Context, key string, now time.Time, every time.Duration) (time.Time, error) {
	var next sql.NullInt64
	after := stored.Ms(now.Add(every))
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		next = sql.NullInt64{}
		done, err := tx.ExecContext(ctx, "insert into paces (key, next) values ($1, $2) on conflict (key) do update set next = excluded.next where paces.next <= $3", key, after, stored.Ms(now))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return tx.QueryRowContext(ctx, "select next from paces where key = $1", key).Scan(&next)
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && !next.Valid {
		return time.Time{}, nil
	}
	return stored.At(next.Int64), err
}
