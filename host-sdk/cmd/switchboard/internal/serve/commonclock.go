package serve

import (
	"context"
	"log/slog"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// commonClock is the clock of a host that may share its database with others: due times and leases that
// one stores are read by the others, so all of them go by the database's clock. A clock that does not run
// as fast as others, as in tests, has nothing to do with that.
func commonClock(s settings.Settings) clock.Clock {
	if !s.Postgres() || s.Clock.Real(time.Second) != time.Second {
		return s.Clock
	}
	return clock.NewShared(s.Clock)
}

const (
	measureEvery  = time.Minute
	offsetNoticed = 2 * time.Second // a difference of the machine's clock that somebody should look at
)

// commonTime keeps the clock with the database's.
type commonTime struct {
	clock *clock.Shared
	ask   func(context.Context) (time.Time, error)
	log   *slog.Logger
}

func (c commonTime) run(ctx context.Context) error {
	for noticed := false; ; {
		if by := c.clock.Offset(); by.Abs() > offsetNoticed != noticed {
			if noticed = !noticed; noticed {
				c.log.Warn("the clock of this machine differs from the database's, by which this host goes: set it by NTP", "ahead_by", (-by).Round(time.Millisecond).String())
			} else {
				c.log.Info("the clock of this machine agrees with the database's again")
			}
		}
		if err := clock.Sleep(ctx, c.clock, measureEvery); err != nil {
			return err
		}
		if err := c.clock.Measure(ctx, c.ask); err != nil && ctx.Err() == nil {
			c.log.Warn("the database's clock cannot be read; the last difference is kept", "error", err)
		}
	}
}
