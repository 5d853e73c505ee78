package database

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// Rekeyed is what a change of the secret key has come to. It is printed as text or as JSON.
type Rekeyed struct {
	Database string `json:"database"`
	OldKey   string `json:"old_key"`  // id
	NewKey   string `json:"new_key"`  // id
	Hosts    int    `json:"hosts"`    // that run
	Resealed int64  `json:"resealed"` // values, by this run
	// Left are the values that do not open with the new key, in words; the old one must be kept for
	// them.
	Left []string `json:"left"`
	// OldKeyFile is where the old key is kept for old backups; "": the settings had it.
	OldKeyFile string `json:"old_key_file"`
	// Made says that a new key was made, and that the running host has to be started again to know
	// it; nothing else was done.
	Made bool `json:"restart_needed"`
}

// Rekey changes the secret key of the database that the settings name, while its hosts go on. Where
// the data directory keeps the key, the next one is made there. look alone changes nothing, and
// says what does not open with the next key. Errors hold no secret. What is interrupted can be run
// again: values that have the new key already are left alone.
func Rekey(ctx context.Context, s settings.Settings, look bool, progress func(sqlstore.KeyChange)) (done Rekeyed, err error) {
	defer func() { err = wording.ForPeople(s, err) }()
	if !datadir.HasDatabase(s) {
		return done, datadir.NoDatabase(s)
	}
	// Asked before KeepSecrets fills it in.
	keptHere := s.SecretKey == ""
	release, running, err := ownDirectory(s)
	if err != nil {
		return done, err
	}
	defer release()
	if err := s.KeepSecrets(); err != nil {
		return done, err
	}
	if s.NextSecretKey == "" {
		switch {
		case look:
			return done, errors.New("there is no key to change to: nothing is being changed")
		case !keptHere:
			return done, errors.New("there is no key to change to: set SWITCHBOARD_NEXT_SECRET_KEY, on every host, to the output of openssl rand -base64 32; start the hosts again, one after the other; then run this again with the same setting")
		}
		if err := s.MakeNextKey(); err != nil {
			return done, err
		}
		// The running host knows only the keys that it was started with: values sealed with the new
		// one would be unreadable to it.
		if running {
			done.Made = true
			return done, nil
		}
	}
	key, also, err := s.Keys()
	if err != nil {
		return done, err
	}
	done.OldKey, done.NewKey = key.ID(), also[0].ID()
	if done.OldKey == done.NewKey {
		return done, errors.New("the key to change to is the secret key itself: set SWITCHBOARD_NEXT_SECRET_KEY to another one, such as the output of openssl rand -base64 32. If the change is done, remove the setting")
	}
	// While anything is left that needs the old key, the keys stay as they are.
	if err := done.database(ctx, s, running, look, progress); err != nil || look || len(done.Left) > 0 {
		return done, err
	}
	// With PostgreSQL each host has a file of its own, and this command reaches the one here alone.
	if keptHere && !s.Postgres() {
		done.OldKeyFile, err = s.TakeNextKey()
	}
	return done, err
}

// ownDirectory locks the data directory, unless a host has it locked: then running is true. Hosts
// on PostgreSQL share no directory, and are known by their rows. release does nothing where there
// is nothing to give back.
func ownDirectory(s settings.Settings) (release func(), running bool, err error) {
	nothing := func() {}
	release, err = datadir.Lock(s.DataDir)
	var used *datadir.InUseError
	switch {
	case errors.As(err, &used):
		return nothing, true, nil
	case s.Postgres():
		if err == nil {
			release()
		}
		return nothing, false, nil
	case err != nil:
		return nothing, false, err
	}
	return release, false, nil
}

// database changes the key of the database once both keys are known. It fills in d. running: a host
// on SQLite runs, and is asked what it knows.
func (d *Rekeyed) database(ctx context.Context, s settings.Settings, running, look bool, progress func(sqlstore.KeyChange)) (err error) {
	key, also, err := s.Keys()
	if err != nil {
		return err
	}
	to := also[0]
	db, err := sqldb.Open(ctx, datadir.DatabaseURL(s), sqldb.Direct(s.DatabaseDirectURL.Reveal()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if s.TestExit.Wanted() {
		db.AtCommit(s.TestExit.Before, s.TestExit.Made)
	}
	// It is asked before and between the changes, as hosts may start meanwhile.
	allow := func(rows []store.Host) error {
		hosts, err := runningHosts(ctx, s, db, rows, running)
		d.Hosts = len(hosts)
		if err == nil {
			err = allKnow(hosts, to.ID())
		}
		return err
	}
	// Before the tables are brought up to date, as older hosts may be at work.
	if s.Postgres() && !look {
		rows, err := sqlstore.HostsIn(ctx, db)
		if err == nil {
			err = allow(rows)
		}
		if err != nil {
			return err
		}
	}
	kept, err := sqlstore.New(ctx, db, key, s.Clock, also...)
	if err != nil {
		return fmt.Errorf("database %s: %w", db.Name(), err)
	}
	d.Database = db.Name()
	if look {
		d.Left, err = kept.NotSealedWith(ctx, to)
		return err
	}
	// progress is told of a table several times, with the sum so far.
	resealed := map[string]int64{}
	d.Left, err = kept.ChangeKey(ctx, to, allow, func(c sqlstore.KeyChange) {
		resealed[c.Table] = c.Resealed
		progress(c)
	})
	for _, n := range resealed {
		d.Resealed += n
	}
	if err == nil && d.Resealed > 0 {
		err = db.Scrub(ctx) // what was sealed with the old key leaves the file
	}
	return err
}

// runningHosts are those of these rows that run. A host on SQLite has no row, and is asked. A host
// that has crashed counts for a minute; see datadir.Runs.
func runningHosts(ctx context.Context, s settings.Settings, db *sqldb.DB, rows []store.Host, running bool) (hosts []store.Host, err error) {
	if !s.Postgres() {
		if running {
			hosts, err = admin.RunningHosts(ctx, s)
		}
		return hosts, err
	}
	now, err := db.Time(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(h store.Host) bool { return !datadir.Runs(h, now) }), nil
}

// allKnow refuses a change to a key that one of the running hosts does not have. A host without the
// key could not read what is sealed with it, and its callers would hear the fallback.
func allKnow(hosts []store.Host, id string) error {
	var without []string
	for _, h := range hosts {
		if !slices.Contains(h.Keys, id) {
			without = append(without, fmt.Sprintf("%s (%s, switchboard %s)", h.Machine, h.Address, h.Version))
		}
	}
	if len(without) == 0 {
		return nil
	}
	return fmt.Errorf("nothing was changed: %s cannot read with the next key (%s): give each host the same SWITCHBOARD_NEXT_SECRET_KEY, or the file %s in its data directory, start it again, and run this again. A host that has crashed counts for a minute",
		strings.Join(without, " and "), id, settings.NextSecretKeyFile)
}
