package engine

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	snapshotMaxAge   = time.Minute // a live call's snapshot older than this is read again beside the call, should a hint have been lost
	snapshotsKept    = 4096
	snapshotsForget  = time.Hour
	snapshotAttempts = 8
)

// snapshotCache holds the last snapshot of each alert, so that a tick asks the platform nothing.
type snapshotCache struct {
	mu      sync.Mutex
	m       map[platform.Hint]*cachedSnapshot
	pending map[platform.Hint]bool // being read; true: changed again meanwhile
}

type cachedSnapshot struct {
	snap    *integration.AlertSnapshot // nil: there is no such alert
	readAt  time.Time
	handled *integration.AlertSnapshot // last one that HandleAlert has seen
}

func (c *snapshotCache) get(h platform.Hint) (cachedSnapshot, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.m[h]
	if !ok {
		return cachedSnapshot{}, false
	}
	return *got, true
}

func (c *snapshotCache) put(h platform.Hint, snap *integration.AlertSnapshot, now time.Time) cachedSnapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[platform.Hint]*cachedSnapshot{}
	}
	if len(c.m) > snapshotsKept {
		for k, v := range c.m {
			if now.Sub(v.readAt) > snapshotsForget {
				delete(c.m, k)
			}
		}
	}
	got := c.m[h]
	if got == nil {
		got = &cachedSnapshot{}
		c.m[h] = got
	}
	got.snap, got.readAt = snap, now
	return *got
}

func (c *snapshotCache) setHandled(h platform.Hint, snap *integration.AlertSnapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := c.m[h]; got != nil {
		got.handled = snap
	}
}

// begin reports whether the caller is to read the snapshot; false when somebody does, who will then read it again.
func (c *snapshotCache) begin(h platform.Hint) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending == nil {
		c.pending = map[platform.Hint]bool{}
	}
	if _, busy := c.pending[h]; busy {
		c.pending[h] = true
		return false
	}
	c.pending[h] = false
	return true
}

// end reports whether the alert changed while it was being read.
func (c *snapshotCache) end(h platform.Hint) (again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending[h] {
		c.pending[h] = false
		return true
	}
	delete(c.pending, h)
	return false
}

// knownSnapshot is the session's alert as last known: from memory, or read now if nothing is known.
func (e *Engine) knownSnapshot(ctx context.Context, integrationID string, sess *store.Session) *integration.AlertSnapshot {
	h := platform.Hint{Scope: e.scope(integrationID), AlertKey: sess.AlertKey}
	if got, ok := e.snapshots.get(h); ok {
		if sess.Live && e.clock.Now().Sub(got.readAt) > snapshotMaxAge {
			e.refresh(context.WithoutCancel(ctx), h)
		}
		return got.snap
	}
	snap, err := e.readSnapshot(ctx, h)
	if err != nil {
		e.log.Warn("alert could not be read", "integration", integrationID, "call", sess.Key, "error", err)
		return nil
	}
	return e.snapshots.put(h, snap, e.clock.Now()).snap
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
		if got, ok := e.snapshots.get(h); ok && got.snap != nil {
			gone := *got.snap
			gone.Status, gone.Acknowledgements, gone.ReadAt = integration.AlertDeleted, nil, e.clock.Now()
			return &gone, nil
		}
		return nil, nil
	default:
		return nil, err
	}
}

// watch turns the platform's hints into runs of HandleAlert, and looks at all live calls whenever watching begins.
func (e *Engine) watch(ctx context.Context) error {
	for {
		e.refreshLive(ctx)
		err := e.platform.Watch(ctx, func(h platform.Hint) {
			e.events.publish(Event{Type: "alert", Integration: h.Scope.Integration, Key: h.AlertKey})
			e.refresh(ctx, h)
		})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.log.Warn("watching the platform's alerts broke; beginning again", "error", err)
		if err := clock.Sleep(ctx, e.clock, time.Second); err != nil {
			return err
		}
	}
}

func (e *Engine) refreshLive(ctx context.Context) {
	sessions, err := e.store.ListSessions(ctx, store.SessionFilter{LiveOnly: true, Limit: 10000})
	if err != nil {
		if ctx.Err() == nil {
			e.log.Error("live calls could not be listed", "error", err)
		}
		return
	}
	for _, s := range sessions {
		if s.AlertKey != "" {
			e.refresh(ctx, platform.Hint{Scope: e.scope(s.Integration), AlertKey: s.AlertKey})
		}
	}
}

// refresh reads the snapshot beside whatever goes on, and runs HandleAlert if it is new.
func (e *Engine) refresh(ctx context.Context, h platform.Hint) {
	if !e.snapshots.begin(h) {
		return
	}
	e.background.Add(1)
	go func() {
		defer e.background.Done()
		for {
			e.readAndHandle(ctx, h)
			if !e.snapshots.end(h) {
				return
			}
		}
	}()
}

func (e *Engine) readAndHandle(ctx context.Context, h platform.Hint) {
	for attempt := 1; ; attempt++ {
		err := e.handleAlert(ctx, h)
		if err == nil || ctx.Err() != nil {
			return
		}
		if attempt == snapshotAttempts {
			e.log.Error("alert change not handled; the call's next tick will see it", "integration", h.Scope.Integration, "alert", h.AlertKey, "error", err)
			return
		}
		if clock.Sleep(ctx, e.clock, backoff(attempt, 100*time.Millisecond, 10*time.Second)) != nil {
			return
		}
	}
}

func (e *Engine) handleAlert(ctx context.Context, h platform.Hint) error {
	snap, err := e.readSnapshot(ctx, h)
	if err != nil {
		return err
	}
	got := e.snapshots.put(h, snap, e.clock.Now())
	if snap == nil || sameSnapshot(got.handled, snap) {
		return nil
	}
	sess, err := e.store.SessionByAlert(ctx, h.Scope.Integration, h.AlertKey)
	if integration.KindOf(err) == integration.KindNotFound {
		return nil // not an alert of ours
	}
	if err != nil {
		return err
	}
	// The handler gets what is known when its turn comes: another run may have read a newer one meanwhile.
	_, err = e.run(ctx, job{
		integration: h.Scope.Integration, key: sess.Key, handler: "alert", snapshot: snap,
		call: func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error) {
			return p.HandleAlert(ctx, integration.AlertRequest{Facts: f})
		},
	})
	if err == nil {
		e.snapshots.setHandled(h, snap)
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
