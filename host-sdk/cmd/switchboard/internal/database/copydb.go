package database

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// migrateAll brings the tables of everything up to date that keeps some in the database of a
// switchboard. The order does not matter: each counts its own migrations.
func migrateAll(ctx context.Context, db *sqldb.DB) error {
	for _, migrate := range []func(context.Context, *sqldb.DB) error{sqlstore.Migrate, alerts.Migrate, shifts.Migrate, goalert.Migrate} {
		if err := migrate(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

// Copy copies the SQLite database of the data directory, which s names, into the PostgreSQL
// database at target, and compares both, see [sqldb.Copy]. It returns the target's name. No host
// may run on the data directory: it is locked meanwhile. The secret key must be the database's;
// where s has none, it is the one that the data directory keeps. Errors hold no secret. done is
// called for each table, once it is compared.
func Copy(ctx context.Context, s settings.Settings, target settings.Secret, done func(sqldb.Copied)) (name string, err error) {
	defer func() {
		if err != nil {
			// The target's password is no setting, and must not be printed either.
			hide := s
			hide.DatabaseURL = target
			err = errors.New(wording.Redactor(hide).Replace(wording.OneLine(wording.Plain(err))))
		}
	}()
	if !datadir.HasDatabase(s) {
		return "", fmt.Errorf("data directory %s: it contains no database %s: name the right directory with --data-dir", s.DataDir, settings.DatabaseFile)
	}
	release, err := datadir.Lock(s.DataDir)
	if err != nil {
		return "", err
	}
	defer release()
	if err := s.KeepSecrets(); err != nil {
		return "", err
	}
	key, also, err := s.Keys()
	if err != nil {
		return "", err
	}
	from, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(s.DataDir, settings.DatabaseFile))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	// A key that does not fit would leave a database that no host can start on.
	if _, err := sqlstore.New(ctx, from, key, s.Clock, also...); err != nil { // checks the key
		return "", fmt.Errorf("database %s: %w", from.Name(), err)
	}
	if err := migrateAll(ctx, from); err != nil {
		return "", fmt.Errorf("database %s: %w", from.Name(), err)
	}
	// The source is brought up to date and checked before the target is opened: what cannot be
	// copied leaves no tables behind in the target.
	to, err := sqldb.Open(ctx, target.Reveal())
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return to.Name(), sqldb.Copy(ctx, from, to, migrateAll, done)
}
