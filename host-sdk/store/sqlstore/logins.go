package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// maxLoginID bounds an id in bytes. Hosts use hashes, far shorter; the limit keeps a defect from
// filling the index.
const maxLoginID = 200

// BeginLogin implements store.Logins.
func (s *Store) BeginLogin(ctx context.Context, id string, ends time.Time) error {
	if id == "" || len(id) > maxLoginID {
		return integration.Errorf(integration.KindInvalid, "invalid login: the id has %d bytes, want 1 to %d", len(id), maxLoginID)
	}
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, "insert into logins (id, ends) values ($1, $2) on conflict (id) do nothing", id, ms(ends))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return integration.Errorf(integration.KindConflict, "there is a login of this id")
	})
}

// Login implements store.Logins. A login whose time is over may still be found until DeleteExpired
// removes it: the caller compares.
func (s *Store) Login(ctx context.Context, id string) (time.Time, error) {
	var ends int64
	err := s.read.QueryRowContext(ctx, "select ends from logins where id = $1", id).Scan(&ends)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, integration.Errorf(integration.KindNotFound, "there is no such login")
	}
	return at(ends), sqldb.Error("read login", err)
}

// EndLogin implements store.Logins.
func (s *Store) EndLogin(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from logins where id = $1", id)
		return err
	})
}

// deleteLogins removes logins that have ended.
func (s *Store) deleteLogins(ctx context.Context, now int64) error {
	return s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from logins where ends <= $1", now)
		return err
	})
}
