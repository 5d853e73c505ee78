package engine

import (
	"context"
	"reflect"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// How the alerts of calls are kept up to date.
const (
	// snapshotMaxAge is when the snapshot of a live call is read again beside the call, should a
	// hint have been lost.
	snapshotMaxAge   = time.Minute
	snapshotsKept    = 4096 // from here on those that were read snapshotsForget ago are dropped
	snapshotsForget  = time.Hour
	snapshotAttempts = 8 // to read and handle one change, with back-off, before the next tick of the call must do
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

// knownSnapshot is the session's alert as last known: from memory, or read now if nothing is known.
func (e *Engine) knownSnapshot(ctx context.Context, integrationID string, sess *store.Session) *integration.AlertSnapshot {
	h := platform.Hint{Scope: e.scope(integrationID), AlertKey: sess.AlertKey}
	if got, ok := e.known.snapshots.get(h); ok {
		// The call gets the copy at once; what is read beside it arrives as an event.
		if sess.Live && e.clock.Now().Sub(got.at) > snapshotMaxAge {
			e.refresh(context.WithoutCancel(ctx), h)
		}
		return got.value
	}
	snap, err := e.readSnapshot(ctx, h)
	if err != nil {
		e.log.Warn("cannot read alert", "integration", integrationID, "call", sess.Key, "error", err)
		return nil
	}
	e.known.snapshots.put(h, snap, e.clock.Now())
	return snap
}

// readSnapshot asks the platform. An alert that was there and is gone counts as deleted.
func (e *Engine) readSnapshot(ctx context.Context, h platform.Hint) (*integration.AlertSnapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, platformTimeout)
	defer cancel()
	snap, err := e.platform.Alert(ctx, h.Scope, h.AlertKey)
	switch {
	case err == nil:
		if snap.ReadAt.IsZero() {
			snap.ReadAt = e.clock.Now()
		}
		return &snap, nil
	case integration.KindOf(err) == integration.KindNotFound:
		// What was never seen may not have been created yet: that is no deletion.
		if got, ok := e.known.snapshots.get(h); ok && got.value != nil {
			gone := *got.value
			gone.Status, gone.Acknowledgements, gone.ReadAt = integration.AlertDeleted, nil, e.clock.Now()
			return &gone, nil
		}
		return nil, nil
	default:
		return nil, err
	}
}

// watch turns the platform's hints into runs of HandleAlert, and looks at all live calls whenever
// watching begins.
func (e *Engine) watch(ctx context.Context) error {
	for {
		e.refresh(ctx, platform.Hint{})
		err := e.platform.Watch(ctx, func(h platform.Hint) {
			e.events.publish(Event{Type: "alert", Integration: h.Scope.Integration, Key: h.AlertKey})
			e.refresh(ctx, h)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.log.Warn("alert watch broke, will restart", "error", err)
		if err := clock.Sleep(ctx, e.clock, time.Second); err != nil {
			return err
		}
	}
}

// refreshers is how many alerts are read at a time when those of all live calls are.
const refreshers = 8

// refreshLive reads the alerts of all live calls: what changed while nobody watched gave no hint, and
// a hint at every alert names none. Alerts without a live call are not read: there may be any number.
func (e *Engine) refreshLive(ctx context.Context) {
	sessions, err := e.live(ctx, "")
	if err != nil {
		if ctx.Err() == nil {
			e.log.Error("cannot list live calls", "error", err)
		}
		return
	}
	var reading errgroup.Group
	reading.SetLimit(refreshers)
	for _, s := range sessions {
		h := platform.Hint{Scope: e.scope(s.Integration), AlertKey: s.AlertKey}
		if h.AlertKey != "" && e.reads.begin(h) {
			reading.Go(func() error { e.readUntilCurrent(ctx, h); return nil })
		}
	}
	_ = reading.Wait()
}

// refresh reads the snapshot beside whatever goes on, and runs HandleAlert if it is new. The zero hint
// stands for the alerts of all live calls.
func (e *Engine) refresh(ctx context.Context, h platform.Hint) {
	if !e.reads.begin(h) {
		return
	}
	e.background.Add(1)
	go func() {
		defer e.background.Done()
		e.readUntilCurrent(ctx, h)
	}()
}

// readUntilCurrent reads what the hint is about, until it did not change meanwhile.
func (e *Engine) readUntilCurrent(ctx context.Context, h platform.Hint) {
	for again := true; again; again = e.reads.end(h) {
		if h == (platform.Hint{}) {
			e.refreshLive(ctx)
		} else {
			e.readAndHandle(ctx, h)
		}
	}
}

// readAndHandle tries to read and handle one change until it works or attempts run out.
func (e *Engine) readAndHandle(ctx context.Context, h platform.Hint) {
	for attempt := 1; ; attempt++ {
		err := e.handleAlert(ctx, h)
		if err == nil || ctx.Err() != nil {
			return
		}
		if attempt == snapshotAttempts {
			e.log.Error("alert change not handled; the next request of the call will see it", "integration", h.Scope.Integration, "alert", h.AlertKey, "error", err)
			return
		}
		if clock.Sleep(ctx, e.clock, backoff(attempt, 100*time.Millisecond, 10*time.Second)) != nil {
			return
		}
	}
}

// handleAlert reads the snapshot and, if it differs from the last one that a handler has seen, runs
// HandleAlert. Hints say nothing but that something may have changed; most of them are about alerts
// that are no call's, or come twice.
func (e *Engine) handleAlert(ctx context.Context, h platform.Hint) error {
	snap, err := e.readSnapshot(ctx, h)
	if err != nil {
		return err
	}
	e.known.snapshots.put(h, snap, e.clock.Now())
	// Compared with what a handler has seen, and not with what was last read: a run that failed
	// left the change unseen.
	if handled, _ := e.known.handled.get(h); snap == nil || sameSnapshot(handled.value, snap) {
		return nil
	}
	sess, err := e.store.SessionByAlert(ctx, h.Scope.Integration, h.AlertKey)
	if integration.KindOf(err) == integration.KindNotFound {
		return nil // not an alert of ours
	}
	if err != nil {
		return err
	}
	_, err = e.run(ctx, job{
		integration: h.Scope.Integration, key: sess.Key, handler: "alert", loading: loading{snapshot: snap},
		call: func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error) {
			return p.HandleAlert(ctx, integration.AlertRequest{Facts: f})
		},
	})
	if err == nil {
		e.known.handled.put(h, snap, e.clock.Now())
	}
	return err
}

// sameSnapshot compares all but the time of reading.
func sameSnapshot(a, b *integration.AlertSnapshot) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	x.ReadAt, y.ReadAt = time.Time{}, time.Time{}
	return reflect.DeepEqual(x, y)
}
