package snapshots

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/backoff"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// singleFlight lets one reader of an alert go on at a time. A hint that comes meanwhile makes it
// read once more: what it has just read may be from before the change.
type singleFlight struct {
	mu      sync.Mutex
	reading map[platform.Hint]bool // true: changed again meanwhile
}

// begin reports whether the caller is to read; false when somebody does, who will then read again.
func (s *singleFlight) begin(h platform.Hint) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading == nil {
		s.reading = map[platform.Hint]bool{}
	}
	_, busy := s.reading[h]
	s.reading[h] = busy
	return !busy
}

// end reports whether the alert changed while it was being read, so that the caller is to read it
// again.
func (s *singleFlight) end(h platform.Hint) (again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reading[h] {
		s.reading[h] = false
		return true
	}
	delete(s.reading, h)
	return false
}

// Watch turns the platform's hints into runs of HandleAlert, and looks at all live calls whenever
// watching begins.
func (s *Snapshots) Watch(ctx context.Context) error {
	for {
		s.refresh(ctx, platform.Hint{})
		err := s.cfg.Platform.Watch(ctx, func(h platform.Hint) {
			s.cfg.Changed(h)
			s.refresh(ctx, h)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.cfg.Log.Warn("alert watch broke, will restart", "error", err)
		if err := clock.Sleep(ctx, s.cfg.Clock, time.Second); err != nil {
			return err
		}
	}
}

// refreshers is how many alerts are read at a time when those of all live calls are.
const refreshers = 8

// refreshLive reads the alerts of all live calls: what changed while nobody watched gave no hint,
// and a hint at every alert names none. Alerts without a live call are not read: there may be any
// number.
func (s *Snapshots) refreshLive(ctx context.Context) {
	sessions, err := s.cfg.Live(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.cfg.Log.Error("cannot list live calls", "error", err)
		}
		return
	}
	var reading errgroup.Group
	reading.SetLimit(refreshers)
	for _, of := range sessions {
		h := platform.Hint{Scope: s.cfg.Scope(of.Integration), AlertKey: of.AlertKey}
		if h.AlertKey != "" && s.reads.begin(h) {
			reading.Go(func() error { s.readUntilCurrent(ctx, h); return nil })
		}
	}
	_ = reading.Wait()
}

// refresh reads the snapshot beside whatever goes on, and runs HandleAlert if it is new. The zero
// hint stands for the alerts of all live calls.
func (s *Snapshots) refresh(ctx context.Context, h platform.Hint) {
	if !s.reads.begin(h) {
		return
	}
	s.background.Add(1)
	go func() {
		defer s.background.Done()
		s.readUntilCurrent(ctx, h)
	}()
}

// readUntilCurrent reads what the hint is about, until it did not change meanwhile.
func (s *Snapshots) readUntilCurrent(ctx context.Context, h platform.Hint) {
	for again := true; again; again = s.reads.end(h) {
		if h == (platform.Hint{}) {
			s.refreshLive(ctx)
		} else {
			s.readAndHandle(ctx, h)
		}
	}
}

// readAndHandle tries to read and handle one change until it works or attempts run out.
func (s *Snapshots) readAndHandle(ctx context.Context, h platform.Hint) {
	for attempt := 1; ; attempt++ {
		err := s.handleAlert(ctx, h)
		if err == nil || ctx.Err() != nil {
			return
		}
		if attempt == attempts {
			s.cfg.Log.Error("alert change not handled; the next request of the call will see it", "integration", h.Scope.Integration, "alert", h.AlertKey, "error", err)
			return
		}
		pause := backoff.After(attempt, 100*time.Millisecond, 10*time.Second)
		if errors.Is(err, errMissing) {
			pause = missingEvery
		}
		if clock.Sleep(ctx, s.cfg.Clock, pause) != nil {
			return
		}
	}
}

// handleAlert reads the alert of a session and, if it differs from the last one that a handler has
// seen, runs HandleAlert. Hints say nothing but that something may have changed; most of them are
// about alerts that are no call's, or come twice. The session is read first: it says what the
// reading is newer than.
func (s *Snapshots) handleAlert(ctx context.Context, h platform.Hint) error {
	sess, err := s.cfg.Store.SessionByAlert(ctx, h.Scope.Integration, h.AlertKey)
	if integration.KindOf(err) == integration.KindNotFound {
		return nil // not an alert of ours
	}
	if err != nil {
		return err
	}
	r, err := s.Read(ctx, h, MemoryOf(&sess))
	if err != nil {
		return err
	}
	return s.handleReading(ctx, h, sess.Key, s.remember(h, r))
}

// handleBeside runs HandleAlert with a reading beside whatever goes on, in the session of key.
// Whoever reads the alert just now reads it once more instead. After an error the alert is read,
// and its session, until that works.
func (s *Snapshots) handleBeside(ctx context.Context, h platform.Hint, key string, read func() (Reading, error)) {
	if !s.reads.begin(h) {
		return
	}
	s.background.Add(1)
	go func() {
		defer s.background.Done()
		r, err := read()
		if err == nil {
			err = s.handleReading(ctx, h, key, r)
		}
		if err != nil {
			s.readAndHandle(ctx, h)
		}
		if s.reads.end(h) {
			s.readUntilCurrent(ctx, h)
		}
	}()
}

// handleReading runs HandleAlert in the session of key if the reading differs from the last one
// that a handler has seen.
func (s *Snapshots) handleReading(ctx context.Context, h platform.Hint, key string, r Reading) error {
	// Compared with what a handler has seen, and not with what was last read: a run that failed
	// left the change unseen.
	if r.Snap == nil {
		return nil
	}
	now := seen(r.Snap)
	if handled, _ := s.handled.Get(h); handled.Value == now {
		return nil
	}
	err := s.cfg.Handle(ctx, h, key, r)
	if err == nil {
		s.handled.Put(h, now, s.cfg.Clock.Now())
	}
	return err
}
