package hosts

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// CommonClock is the clock of a host that may share its database with others: due times and leases
// that one stores are read by the others, so all of them go by the database's clock. A clock that
// does not run as fast as others, as in tests, has nothing to do with that. It must be set before
// anything else has a copy of the settings.
func CommonClock(s settings.Settings) clock.Clock {
	if !s.Postgres() || s.Clock.Real(time.Second) != time.Second {
		return s.Clock
	}
	return clock.NewShared(s.Clock)
}

// measureEvery is how often a host measures how far its clock is from the database's.
const measureEvery = time.Minute

// shownSetting is the setting in which hosts keep what their clock shows.
const shownSetting = "clock"

// shown is what a host's clock showed when the clock on the wall showed a time. It is stored as
// JSON.
type shown struct {
	Now  time.Time `json:"now"`
	Wall time.Time `json:"wall"`
}

const (
	// shownFresh is the age up to which the time since another host kept its clock is added to what
	// it kept.
	shownFresh = 2 * measureEvery
	// shownTooFar is how far ahead a kept clock may be. The only host of a database drops one that
	// is further ahead at its start, when no call is in progress: otherwise the times of calls
	// would be wrong for years after a clock had been wrong by months.
	shownTooFar = 24 * time.Hour
)

// Timekeeper keeps what the clock shows, for the next start: what waits in the database waits by
// it. So nothing waits longer because a clock was set back while no host ran. It keeps it about
// once a minute, and reads it once.
type Timekeeper struct {
	clock  clock.Clock
	store  store.Store
	common func(context.Context) (time.Time, error) // nil: the host has the database for itself
	log    *slog.Logger
}

// NewTimekeeper makes the timekeeper of a host.
func NewTimekeeper(s settings.Settings, kept store.Store, db *sqldb.DB, log *slog.Logger) Timekeeper {
	k := Timekeeper{clock: s.Clock, store: kept, log: log}
	if s.Postgres() {
		k.common = db.Time
	}
	return k
}

// Resume lets the clock go on from what was kept, before anything goes by it. An error is the
// store's or the database clock's: without them no host starts.
func (k Timekeeper) Resume(ctx context.Context) error {
	if shared, ok := k.clock.(*clock.Shared); ok {
		if err := shared.Measure(ctx, k.common); err != nil {
			return err
		}
	}
	text, err := k.store.Setting(ctx, shownSetting)
	if integration.KindOf(err) == integration.KindNotFound {
		return nil
	}
	var last shown
	if err != nil {
		return err
	}
	// A defect of one value must not keep a host from starting.
	if err := json.Unmarshal([]byte(text), &last); err != nil {
		k.log.Warn("what the clock showed before cannot be read", "setting", shownSetting, "error", err)
		return nil
	}
	goesOn := last.Now
	// The time that went by while no host ran counts, if it can be believed.
	if since := clock.Wall(k.clock).Sub(last.Wall); since > 0 && since < shownFresh {
		goesOn = goesOn.Add(since)
	}
	ahead := goesOn.Sub(k.clock.Now())
	if ahead <= 0 {
		return nil
	}
	// Other hosts of the database may have work that goes by it, hence the only host alone.
	if ahead > shownTooFar && k.common == nil {
		calls, err := k.store.ListSessions(ctx, store.SessionFilter{LiveOnly: true, Limit: 1})
		if err != nil {
			return err
		}
		if len(calls) == 0 {
			k.log.Warn("the machine's clock was set back since the last start; no call is in progress, so its time is taken over", "by", ahead.Round(time.Second).String())
			return nil
		}
	}
	k.log.Warn("the machine's clock was set back since the last start; shifts go by it, waits go on as they were", "by", ahead.Round(time.Second).String())
	clock.Resume(k.clock, goesOn)
	return nil
}

// Run keeps what the clock shows, and the clock with the database's. It returns ctx's error.
// Failures are logged, and tried again a minute later.
func (k Timekeeper) Run(ctx context.Context) error {
	shared, _ := k.clock.(*clock.Shared)
	for {
		if err := k.keep(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("what the clock shows cannot be kept for the next start", "error", err)
		}
		if err := clock.Sleep(ctx, k.clock, measureEvery); err != nil {
			return err
		}
		if shared == nil {
			continue
		}
		if err := shared.Measure(ctx, k.common); err != nil && ctx.Err() == nil {
			k.log.Warn("the database's clock cannot be read; the last difference is kept", "error", err)
		}
	}
}

// keep stores what the clock shows.
func (k Timekeeper) keep(ctx context.Context) error {
	text, err := json.Marshal(shown{Now: k.clock.Now(), Wall: clock.Wall(k.clock)})
	if err != nil {
		return err
	}
	return k.store.SetSetting(ctx, shownSetting, string(text))
}
