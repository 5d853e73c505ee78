package alerts

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// change is one alert while it is being changed. Its methods (life.go) decide on values alone and
// leave the writing to Platform.change.
type change struct {
	*alert
	file  *switchboardfile.File
	now   time.Time // for time-outs
	at    time.Time // for the story: when it was decided
	actor string    // who decides, for the story: a user id or ""

	dirty bool
	lines []platform.LogEntry
	pages []page
}

// say adds a line to the alert's story.
func (c *change) say(actor, message string) {
	c.dirty = true
	c.lines = append(c.lines, platform.LogEntry{At: c.at, Actor: actor, Message: message})
}

// idSource makes ids that sort by time, those of one millisecond in the order in which they were
// made.
var idSource = &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}

// newID makes an id that is never used twice.
func newID(now time.Time) (string, error) {
	id, err := ulid.New(uint64(max(now.UnixMilli(), 0)), idSource) //nolint:gosec // not negative
	if err != nil {
		return "", integration.Errorf(integration.KindInternal, "make an id: %w", err)
	}
	return id.String(), nil
}

// maxMoves bounds how often a change is begun anew because another process was faster.
const maxMoves = 10

// change loads an alert, lets f change it, and commits alert, story and pages together. Then
// watchers are told. A change that leaves everything as it was writes nothing.
func (s *Service) change(ctx context.Context, load func(tx sqldb.Tx) (*alert, error), f func(c *change) error) (*alert, error) {
	for move := 0; ; move++ {
		a, err := s.changeOnce(ctx, load, f)
		if errors.Is(err, errMoved) && move < maxMoves {
			continue
		}
		return a, err
	}
}

func (s *Service) changeOnce(ctx context.Context, load func(tx sqldb.Tx) (*alert, error), f func(c *change) error) (*alert, error) {
	var c *change
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		a, err := load(tx)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		c = &change{alert: a, file: s.file(), now: now, at: now}
		if err := f(c); err != nil {
			return err
		}
		if !c.dirty {
			return nil
		}
		a.updatedAt = now
		if err := insertLog(ctx, tx, a, c.lines); err != nil {
			return err
		}
		if err := updateAlert(ctx, tx, a); err != nil {
			return err
		}
		if s.cfg.Notify == nil {
			return nil
		}
		return insertPages(ctx, tx, c)
	})
	if err != nil {
		return nil, err
	}
	if c.dirty {
		s.changed(c.alert)
		if len(c.pages) > 0 {
			wake(s.wakeNotify)
		}
	}
	return c.alert, nil
}

// changed runs after a commit.
func (s *Service) changed(a *alert) {
	s.seen.put(a.id, a.version)
	s.hub.send(platform.Hint{Scope: a.scope, AlertKey: a.key})
	if !a.deadline.IsZero() {
		wake(s.wakeRunner)
	}
}

// wake never blocks: one waiting signal says as much as two.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
