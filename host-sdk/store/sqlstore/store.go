package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/sharedread"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/records"
)

//go:embed migrations
var migrations embed.FS

// Store implements store.Store. Several processes may share its database: it keeps nothing of that
// in memory, and what must not happen twice is decided by the conditions of its statements, or
// under a lock of the transaction.
type Store struct {
	db       *sqldb.DB
	read     *sqldb.Reader
	keys     seal.Ring
	clock    clock.Clock
	probes   *singleflight.Group // of Ping
	lists    *sharedread.Group[[]store.Session]
	alsoFree []string // statements; see AlsoFree

	// Parts of the interface that have packages of their own. Their methods are the store's, the
	// fields are not.
	*peopleOf
	*outboxOf
	*recordsOf
}

type (
	peopleOf  = people.People
	outboxOf  = outbox.Outbox
	recordsOf = records.Records
)

var (
	_ store.Store      = (*Store)(nil)
	_ store.InDatabase = (*Store)(nil)
)

// New brings the store's tables in db up to date and checks that key, or one of those in also, is
// the one the database is written with (first use: remembers key). Another key is invalid and names
// the setting. What any of the keys has sealed can be read, see [Store.ChangeKey]. Hosts and
// commands call it, so tables are brought up to date by whoever is newer.
func New(ctx context.Context, db *sqldb.DB, key seal.Key, clk clock.Clock, also ...seal.Key) (*Store, error) {
	if err := Migrate(ctx, db); err != nil {
		return nil, err
	}
	s := &Store{db: db, read: db.Read(), keys: append(seal.Ring{key}, also...), clock: clk, probes: &singleflight.Group{}}
	s.peopleOf, s.outboxOf, s.recordsOf = people.New(db, s.read), outbox.New(db, s.read), records.New(db, s.read)
	if _, err := s.keyInUse(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Migrate brings the store's tables in db up to date, and writes nothing into them. Commands that
// copy a database call it without a key.
func Migrate(ctx context.Context, db *sqldb.DB) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return integration.Errorf(integration.KindInternal, "open store: %w", err)
	}
	return db.Migrate(ctx, "store", files)
}

// ForPages is the same store for what people look at. It reads through connections of its own, and
// people who ask for the same list at the same time share one reading of it. Calls must find a
// connection however many people look.
func (s *Store) ForPages() *Store {
	// Only reading differs. Writes go to the one writer, wherever they come from.
	pages := *s
	pages.read, pages.lists = s.db.Pages(), &sharedread.Group[[]store.Session]{}
	pages.peopleOf, pages.outboxOf, pages.recordsOf = people.New(s.db, pages.read), outbox.New(s.db, pages.read), records.NewShared(s.db, pages.read)
	return &pages
}

// Database implements store.InDatabase. The platform that keeps its alerts there finds it by this.
func (s *Store) Database() any { return s.db }

// settingPlace is where the value of a setting is sealed.
func settingPlace(name string) seal.Place {
	return seal.Place{Table: "settings", ID: name, Field: "value"}
}

// Setting implements store.Store. not_found: it has no value.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	var sealed []byte
	err := s.read.QueryRowContext(ctx, "select value from settings where name = $1", name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", integration.Errorf(integration.KindNotFound, "setting %q has no value", name)
	}
	if err != nil {
		return "", sqldb.Error("read setting "+name, err)
	}
	plain, err := s.keys.Open(settingPlace(name), sealed)
	return string(plain), err
}

// InitSetting implements store.Store. The insert does nothing if another process was first; reading
// again tells whose value is in force. It returns the value that is in force.
func (s *Store) InitSetting(ctx context.Context, name, value string) (string, error) {
	if have, err := s.Setting(ctx, name); integration.KindOf(err) != integration.KindNotFound {
		return have, err
	}
	err := s.putSetting(ctx, name, value, "insert into settings (name, value) values ($1, $2) on conflict (name) do nothing")
	if err != nil {
		return "", err
	}
	return s.Setting(ctx, name) // another process may have been first
}

// SetSetting implements store.Store. The last one counts.
func (s *Store) SetSetting(ctx context.Context, name, value string) error {
	return s.putSetting(ctx, name, value, "insert into settings (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value")
}

// putSetting seals a value and runs a statement with its name and what it was sealed to. statement
// is one of ours.
func (s *Store) putSetting(ctx context.Context, name, value, statement string) error {
	return s.sealing(ctx, func(key usedKey) error {
		sealed, err := key.Seal(settingPlace(name), []byte(value))
		if err != nil {
			return err
		}
		return s.db.Write(ctx, func(tx sqldb.Tx) error {
			if err := lockKey(ctx, tx, key); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, statement, name, sealed)
			return err
		})
	})
}

// pingTime is how long a probe may take whoever waits for it.
const pingTime = 10 * time.Second

// Ping implements store.Store: it writes a row, and asks the disk for room. Callers that come while
// a probe is running share its result, so that however many ask, the disk is probed once at a time.
// A full disk shows here before a call finds it.
func (s *Store) Ping(ctx context.Context) error {
	probe := s.probes.DoChan("", func() (any, error) {
		// The probe is everybody's, so it must not end with the request that happened to start it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTime)
		defer cancel()
		err := s.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "insert into meta (name, value) values ('ping', '') on conflict (name) do update set value = excluded.value")
			return err
		})
		if err == nil {
			err = s.db.CheckRoom()
		}
		return nil, err
	})
	select {
	case result := <-probe:
		return result.Err
	case <-ctx.Done():
		return sqldb.Error("probe the store", ctx.Err())
	}
}

// Close closes the database too.
func (s *Store) Close() error { return s.db.Close() }
