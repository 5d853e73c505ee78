package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	// snapshotMaxAge is the age at which the snapshot of a live call is read again beside the call,
	// in case a hint was lost.
	snapshotMaxAge  = time.Minute
	snapshotsKept   = 4096 // from here on those that were read snapshotsForget ago are dropped
	snapshotsForget = time.Hour
	// To read and handle one change, with back-off, before the next tick of the call must do.
	snapshotAttempts = 8
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

// reading is an alert as it was read. No clock says which of two readings is the newer:
// hosts have one each, and clocks are set. Platforms number the changes of an alert; where one does
// not, the session counts the readings that its handlers have seen, and only one that began after
// the last of them is newer for certain.
type reading struct {
	snap *integration.AlertSnapshot // nil: there is no such alert
	name string                     // of this reading, if the platform gave no change number
	from int64                      // then: the count of the session before the reading began
	turn int64                      // readings of this process in the order in which they began
}

// newer compares snapshots by what they include of our commands, then by the number of the change;
// more than 0: snap is newer than one with these numbers.
func newer(snap *integration.AlertSnapshot, command, change int64) int {
	return cmp.Or(cmp.Compare(snap.LastCommand, command), cmp.Compare(snap.Change, change))
}

// outdated reports whether the session's handlers have seen a newer snapshot.
func (r reading) outdated(m store.AlertMemory) bool {
	return r.snap != nil && newer(r.snap, m.Command, m.Change) < 0 || r.overtaken(m)
}

// overtaken reports whether another reading, of another host perhaps, was seen since this one
// began, so that nobody can say which is the newer.
func (r reading) overtaken(m store.AlertMemory) bool {
	return r.name != "" && r.name != m.Read && r.from < m.Change
}

// replaces reports whether the reading is to be remembered in place of another one.
func (r reading) replaces(old reading) bool {
	if r.snap != nil && old.snap != nil {
		if n := newer(r.snap, old.snap.LastCommand, old.snap.Change); n != 0 {
			return n > 0
		}
	}
	return r.turn > old.turn
}

// seen notes that a handler has seen the reading, unless it has seen a newer one.
func (r reading) seen(m *store.AlertMemory) {
	if r.snap != nil && !r.outdated(*m) {
		m.Command, m.Change, m.Read = r.snap.LastCommand, r.snap.Change, r.name
	}
}

// alertOf is the session's alert as last known: from memory, or read now if nothing is known or
// nothing says whether another host knows better.
func (e *Engine) alertOf(ctx context.Context, integrationID string, sess *store.Session) reading {
	h, m := platform.Hint{Scope: e.scope(integrationID), AlertKey: sess.AlertKey}, memoryOf(sess)
	got, ok := e.known.snapshots.get(h)
	if ok && !got.value.overtaken(m) {
		// The call gets the copy at once; what is read beside it arrives as an event.
		if sess.Live && (got.value.outdated(m) || e.clock.Now().Sub(got.at) > snapshotMaxAge) {
			e.refresh(context.WithoutCancel(ctx), h)
		}
		return got.value
	}
	r, err := e.readAlert(ctx, h, m)
	if err != nil {
		e.log.Warn("cannot read alert", "integration", integrationID, "call", sess.Key, "error", err)
		if errors.Is(err, errMissing) {
			e.refresh(context.WithoutCancel(ctx), h)
		}
		return got.value
	}
	return e.rememberReading(h, r)
}

// rememberReading keeps the newer of a reading and the last one, and returns it.
func (e *Engine) rememberReading(h platform.Hint, r reading) reading {
	return e.known.snapshots.putIf(h, r, e.clock.Now(), r.replaces)
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

// readAlert asks the platform. m is what the host remembers of the alert. One that was never seen
// may not have been created yet: that it is not found is no deletion. One that was seen, by this
// process or by whoever served the call before, counts as deleted when it was missed for a while by
// a platform that is well. A platform that knows better answers with the status deleted.
func (e *Engine) readAlert(ctx context.Context, h platform.Hint, m store.AlertMemory) (reading, error) {
	ctx, cancel := context.WithTimeout(ctx, platformTimeout)
	defer cancel()
	r := reading{turn: e.turns.Add(1)}
	snap, err := e.platform.Alert(ctx, h.Scope, h.AlertKey)
	last, _ := e.known.snapshots.get(h)
	switch {
	case err == nil:
		e.known.missing.forget(h)
		if snap.ReadAt.IsZero() {
			snap.ReadAt = e.clock.Now()
		}
	case integration.KindOf(err) != integration.KindNotFound:
		return r, err
	case last.value.snap == nil && m.Change == 0:
		return r, nil
	case !e.gone(ctx, h):
		return r, errMissing
	default:
		snap = integration.AlertSnapshot{Key: h.AlertKey}
		if last.value.snap != nil {
			snap = *last.value.snap
		}
		// All of our commands are behind us: none will be seen on it.
		snap.LastCommand = max(snap.LastCommand, m.Last, m.Command)
		snap.Status, snap.Acknowledgements, snap.ReadAt = integration.AlertDeleted, nil, e.clock.Now()
		snap.Change = max(snap.Change, m.Change)
	}
	if snap.Change == 0 {
		r.name, r.from = fmt.Sprintf("%s/%d", e.owner, r.turn), m.Change
		snap.Change = m.Change + 1
	}
	r.snap = &snap
	return r, nil
}

// gone reports whether an alert that is not found has been missed for long enough, by a platform
// that is well.
func (e *Engine) gone(ctx context.Context, h platform.Hint) bool {
	now := e.clock.Now()
	first, missed := e.known.missing.get(h)
	if !missed {
		e.known.missing.put(h, struct{}{}, now)
		return false
	}
	return now.Sub(first.at) >= missingFor && e.platform.Health(ctx) == nil
}

// watch turns the platform's hints into runs of HandleAlert, and looks at all live calls whenever
// watching begins.
func (e *Engine) watch(ctx context.Context) error {
	for {
		e.refresh(ctx, platform.Hint{})
		err := e.platform.Watch(ctx, func(h platform.Hint) {
			e.publish(Event{Type: "alert", Integration: h.Scope.Integration, Key: h.AlertKey})
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

// refreshLive reads the alerts of all live calls: what changed while nobody watched gave no hint,
// and a hint at every alert names none. Alerts without a live call are not read: there may be any
// number.
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

// refresh reads the snapshot beside whatever goes on, and runs HandleAlert if it is new. The zero
// hint stands for the alerts of all live calls.
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
		pause := backoff(attempt, 100*time.Millisecond, 10*time.Second)
		if errors.Is(err, errMissing) {
			pause = missingEvery
		}
		if clock.Sleep(ctx, e.clock, pause) != nil {
			return
		}
	}
}

// handleAlert reads the alert of a session and, if it differs from the last one that a handler has
// seen, runs HandleAlert. Hints say nothing but that something may have changed; most of them are
// about alerts that are no call's, or come twice. The session is read first: it says what the
// reading is newer than.
func (e *Engine) handleAlert(ctx context.Context, h platform.Hint) error {
	sess, err := e.store.SessionByAlert(ctx, h.Scope.Integration, h.AlertKey)
	if integration.KindOf(err) == integration.KindNotFound {
		return nil // not an alert of ours
	}
	if err != nil {
		return err
	}
	r, err := e.readAlert(ctx, h, memoryOf(&sess))
	if err != nil {
		return err
	}
	return e.handleReading(ctx, h, sess.Key, e.rememberReading(h, r))
}

// handleBeside runs HandleAlert with a reading beside whatever goes on. Whoever reads the alert
// just now reads it once more instead.
func (e *Engine) handleBeside(ctx context.Context, h platform.Hint, key string, r reading) {
	if !e.reads.begin(h) {
		return
	}
	e.background.Add(1)
	go func() {
		defer e.background.Done()
		if e.handleReading(ctx, h, key, r) != nil {
			e.readAndHandle(ctx, h)
		}
		if e.reads.end(h) {
			e.readUntilCurrent(ctx, h)
		}
	}()
}

// handleReading runs HandleAlert in the session of key if the reading differs from the last one
// that a handler has seen.
func (e *Engine) handleReading(ctx context.Context, h platform.Hint, key string, r reading) error {
	// Compared with what a handler has seen, and not with what was last read: a run that failed
	// left the change unseen.
	if handled, _ := e.known.handled.get(h); r.snap == nil || sameSnapshot(handled.value, r.snap) {
		return nil
	}
	_, err := e.run(ctx, job{
		integration: h.Scope.Integration, key: key, handler: "alert", loading: loading{alert: &r},
		call: func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error) {
			return p.HandleAlert(ctx, integration.AlertRequest{Facts: f})
		},
	})
	if err == nil {
		e.known.handled.put(h, r.snap, e.clock.Now())
	}
	return err
}

// sameSnapshot compares all but the time and the number of the reading.
func sameSnapshot(a, b *integration.AlertSnapshot) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	x.ReadAt, y.ReadAt, x.Change, y.Change = time.Time{}, time.Time{}, 0, 0
	return reflect.DeepEqual(x, y)
}
