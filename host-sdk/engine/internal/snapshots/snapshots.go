package snapshots

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/cache"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/packed"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// How the alerts of calls are kept up to date.
const (
	// The age at which the snapshot of a live call is read again beside the call: a hint may have
	// been lost; and where none can be.
	maxAge     = time.Minute
	maxSureAge = 10 * time.Minute
	kept       = 4096 // from here on those that were read keep ago are dropped
	keep       = time.Hour
	// To read and handle one change, with back-off, before the next tick of the call must do.
	attempts = 8
	// One reading, while a caller waits.
	readTimeout = 2 * time.Second
)

// Config says whom to ask, and what a change means.
type Config struct {
	Platform platform.Platform
	Store    store.Sessions
	Clock    clock.Clock
	Log      *slog.Logger
	Owner    string // of this process, among those that share the store
	Sure     bool   // this process alone changes alerts, so that no hint is lost on its way
	Scope    func(integrationID string) platform.Scope
	// Live lists the live sessions.
	Live func(ctx context.Context) ([]store.Session, error)
	// Handle runs the handler of the session of key with a reading of its alert.
	Handle func(ctx context.Context, h platform.Hint, key string, r Reading) error
	// Changed says that an alert may have changed.
	Changed func(h platform.Hint)
}

// Snapshots keeps the last known snapshot of each alert. Use New.
type Snapshots struct {
	cfg    Config
	maxAge time.Duration

	known *cache.Cache[platform.Hint, known]
	// Since when alerts that were there are not found.
	missing *cache.Cache[platform.Hint, struct{}]
	// What a handler has seen last.
	handled *cache.Cache[platform.Hint, packed.Of[integration.AlertSnapshot]]

	reads      singleFlight
	turns      atomic.Int64 // readings begun, and those of Decided
	background sync.WaitGroup
}

// New returns snapshots of nothing yet.
func New(cfg Config) *Snapshots {
	age := maxAge
	if cfg.Sure {
		age = maxSureAge
	}
	return &Snapshots{
		cfg: cfg, maxAge: age,
		// No call is slowed down for its alert's snapshot having been dropped while the call runs.
		known:   cache.New[platform.Hint, known](kept, keep),
		missing: cache.New[platform.Hint, struct{}](kept, keep),
		handled: cache.New[platform.Hint, packed.Of[integration.AlertSnapshot]](kept, keep),
	}
}

// Wait waits for what goes on beside the calls.
func (s *Snapshots) Wait() { s.background.Wait() }

// Of is the session's alert as last known: from memory, or read now if nothing is known or
// nothing says whether another host knows better.
func (s *Snapshots) Of(ctx context.Context, integrationID string, sess *store.Session) Reading {
	h, m := platform.Hint{Scope: s.cfg.Scope(integrationID), AlertKey: sess.AlertKey}, MemoryOf(sess)
	got, ok := s.known.Get(h)
	last := got.Value.reading()
	if ok && !last.Overtaken(m) {
		// The call gets the copy at once; what is read beside it arrives as an event.
		if sess.Live && (last.Outdated(m) || s.cfg.Clock.Now().Sub(got.At) > s.maxAge) {
			s.lookBeside(context.WithoutCancel(ctx), h, sess.Key, m)
		}
		return last
	}
	r, err := s.Read(ctx, h, m)
	if err != nil {
		s.cfg.Log.Warn("cannot read alert", "integration", integrationID, "call", sess.Key, "error", err)
		if errors.Is(err, errMissing) {
			s.lookBeside(context.WithoutCancel(ctx), h, sess.Key, m)
		}
		return last
	}
	return s.remember(h, r)
}

// lookBeside reads the alert beside whatever goes on, and runs HandleAlert in the session of key if
// it is new. m is what that session remembers.
func (s *Snapshots) lookBeside(ctx context.Context, h platform.Hint, key string, m store.AlertMemory) {
	s.handleBeside(ctx, h, key, func() (Reading, error) {
		r, err := s.Read(ctx, h, m)
		if err != nil {
			return r, err
		}
		return s.remember(h, r), nil
	})
}

// remember keeps the newer of a reading and the last one, and returns it.
func (s *Snapshots) remember(h platform.Hint, r Reading) Reading {
	s.known.PutIf(h, keeping(r), s.cfg.Clock.Now(), func(old known) bool {
		last := old.reading()
		if r.replaces(last) {
			return true
		}
		r = last
		return false
	})
	return r
}

// missingFor is how long an alert that was there must be missing until it counts as deleted: a
// platform may lose sight of one for a moment, such as while it fails over to a copy of its
// database.
const (
	missingFor   = 15 * time.Second
	missingEvery = 5 * time.Second // how often it is looked for meanwhile
)

// errMissing is the error of an alert that was there, is not found, and does not count as deleted
// yet.
var errMissing = integration.Errorf(integration.KindUnavailable, "the platform does not find the alert that it had; it is asked again before the alert counts as deleted")

// Read asks the platform. m is what the host remembers of the alert. One that was never seen
// may not have been created yet: that it is not found is no deletion. One that was seen, by this
// process or by whoever served the call before, counts as deleted when it was missed for a while by
// a platform that is well. A platform that knows better answers with the status deleted.
func (s *Snapshots) Read(ctx context.Context, h platform.Hint, m store.AlertMemory) (Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r := Reading{turn: s.turns.Add(1)}
	snap, err := s.cfg.Platform.Alert(ctx, h.Scope, h.AlertKey)
	got, _ := s.known.Get(h)
	last := got.Value.reading()
	switch {
	case err == nil:
		s.missing.Forget(h)
		if snap.ReadAt.IsZero() {
			snap.ReadAt = s.cfg.Clock.Now()
		}
	case integration.KindOf(err) != integration.KindNotFound:
		return r, err
	case last.Snap == nil && m.Change == 0:
		return r, nil
	case !s.gone(ctx, h):
		return r, errMissing
	default:
		snap = integration.AlertSnapshot{Key: h.AlertKey}
		if last.Snap != nil {
			snap = *last.Snap
		}
		// All of our commands are behind us: none will be seen on it.
		snap.LastCommand = max(snap.LastCommand, m.Last, m.Command)
		snap.Status, snap.Acknowledgements, snap.ReadAt = integration.AlertDeleted, nil, s.cfg.Clock.Now()
		snap.Change = max(snap.Change, m.Change)
	}
	if snap.Change == 0 {
		r.name, r.from = fmt.Sprintf("%s/%d", s.cfg.Owner, r.turn), m.Change
		snap.Change = m.Change + 1
	}
	r.Snap = &snap
	return r, nil
}

// gone reports whether an alert that is not found has been missed for long enough, by a platform
// that is well.
func (s *Snapshots) gone(ctx context.Context, h platform.Hint) bool {
	now := s.cfg.Clock.Now()
	first, missed := s.missing.Get(h)
	if !missed {
		s.missing.Put(h, struct{}{}, now)
		return false
	}
	return now.Sub(first.At) >= missingFor && s.cfg.Platform.Health(ctx) == nil
}

// Decided is a reading of what a commit is about to make of an alert.
func (s *Snapshots) Decided(snap *integration.AlertSnapshot) Reading {
	return Reading{Snap: snap, turn: s.turns.Add(1)}
}

// Seen reports whether anything is known of an alert.
func (s *Snapshots) Seen(h platform.Hint) bool {
	_, ok := s.known.Get(h)
	return ok
}

// Committed hands on what a commit of the session of key has changed of its alert. Handlers see it
// as they see what was read after a hint, but nothing is read again. One is to see it if it is
// news, unless one has done so already.
func (s *Snapshots) Committed(ctx context.Context, h platform.Hint, key string, snap integration.AlertSnapshot, news, handled bool) {
	if handled {
		s.handled.Put(h, seen(&snap), s.cfg.Clock.Now())
	}
	r := s.remember(h, s.Decided(&snap))
	s.cfg.Changed(h)
	if news && !handled {
		s.handleBeside(context.WithoutCancel(ctx), h, key, func() (Reading, error) { return r, nil })
	}
}
