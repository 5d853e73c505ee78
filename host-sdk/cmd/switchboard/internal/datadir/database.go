package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// ErrNoDatabase is part of the error where no host has run yet.
var ErrNoDatabase = errors.New("it contains no database yet: run switchboard serve first, or name the right directory with --data-dir")

// NoDatabase is [ErrNoDatabase] with the place that was looked at.
func NoDatabase(s settings.Settings) error {
	return fmt.Errorf("data directory %s: %w", s.DataDir, ErrNoDatabase)
}

// HasDatabase is false where no host has run yet.
func HasDatabase(s settings.Settings) bool {
	if s.Postgres() {
		return true
	}
	// A database that is there and cannot be looked at counts: opening it says why.
	_, err := os.Stat(filepath.Join(s.DataDir, settings.DatabaseFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// DatabaseURL is where the store is: the setting, or a file in the data directory.
func DatabaseURL(s settings.Settings) string {
	if s.Postgres() {
		return s.DatabaseURL.Reveal()
	}
	return "sqlite:" + filepath.Join(s.DataDir, settings.DatabaseFile)
}

// WithStore opens the store that the settings name for as long as use runs. Tables are brought up
// to date, so no host of an older release may run; see admin.ask.
func WithStore(ctx context.Context, s settings.Settings, use func(store.Store) error) error {
	return WithDatabase(ctx, s, func(_ string, kept store.Store) error { return use(kept) })
}

// WithDatabase is WithStore that also names the database.
func WithDatabase(ctx context.Context, s settings.Settings, use func(name string, kept store.Store) error) (err error) {
	key, also, err := s.Keys()
	if err != nil {
		return err
	}
	db, err := sqldb.Open(ctx, DatabaseURL(s), sqldb.Direct(s.DatabaseDirectURL.Reveal()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	kept, err := sqlstore.New(ctx, db, key, s.Clock, also...)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return use(db.Name(), kept)
}

// hostGone is how long a host that shares a database may be silent and still counts as running: a
// few times as long as hosts take to say again that they run.
const hostGone = time.Minute

// Runs reports whether a host that shares a database runs, as far as its row says; now is the time
// by the clock of the database.
func Runs(h store.Host, now time.Time) bool { return now.Sub(h.SeenAt) < hostGone }
