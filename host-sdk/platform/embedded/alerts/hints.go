package alerts

import (
	"context"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// hub gives hints to watchers. Sending never blocks and never forgets: a watcher that is slow gets
// each alert once more than it knows of, however often the alert changed meanwhile.
type hub struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

// watcher is one caller of Watch. waiting holds the same hints as order, to find one at once. order
// keeps the first hint of an alert before those that came later.
type watcher struct {
	mu      sync.Mutex
	waiting map[platform.Hint]struct{}
	order   []platform.Hint
	signal  chan struct{}
}

func newHub() *hub { return &hub{watchers: map[*watcher]struct{}{}} }

// send queues a hint for each watcher and returns at once. It takes the locks of hub and watcher in
// this order; nothing takes them the other way round.
func (h *hub) send(hint platform.Hint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		w.mu.Lock()
		if _, there := w.waiting[hint]; !there {
			w.waiting[hint] = struct{}{}
			w.order = append(w.order, hint)
		}
		w.mu.Unlock()
		wake(w.signal)
	}
}

// take empties the queue. The caller gives the hints on without a lock, as it may take its time.
func (w *watcher) take() []platform.Hint {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.order
	w.order = nil
	clear(w.waiting)
	return out
}

// Watch implements platform.Platform. Hints come after the commit of what they hint at. hint runs
// on this goroutine; while it does, further hints wait in the watcher.
func (s *Service) Watch(ctx context.Context, hint func(platform.Hint)) error {
	w := &watcher{waiting: map[platform.Hint]struct{}{}, signal: make(chan struct{}, 1)}
	s.hub.mu.Lock()
	s.hub.watchers[w] = struct{}{}
	s.hub.mu.Unlock()
	defer func() {
		s.hub.mu.Lock()
		delete(s.hub.watchers, w)
		s.hub.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		// One signal may stand for many hints; take returns them all.
		case <-w.signal:
			for _, h := range w.take() {
				hint(h)
			}
		}
	}
}

// versions remembers for which version of an alert a hint was given, so that changes by other
// processes on the same database are noticed and our own are not hinted at twice. It is bounded: a
// forgotten version costs one needless hint.
type versions struct {
	mu   sync.Mutex
	byID map[string]int64
}

// Beyond this the map starts over: a needless hint costs one reading of an alert.
const maxVersions = 10_000

// put notes a version. Hints may come out of order, so that an older version never replaces a newer
// one. An alert is noted before it is hinted at, so that runForeignChanges, which may read it in
// between, passes it over.
func (v *versions) put(id string, version int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.byID) >= maxVersions {
		clear(v.byID)
	}
	v.byID[id] = max(v.byID[id], version)
}

// knows reports whether a hint was given for this version or a newer one. It is asked before an
// alert is read, to spare the reading.
func (v *versions) knows(id string, version int64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.byID[id] >= version
}

// HintAll hints at every alert, by one hint without a key. Call it after a change of the file:
// names, people and teams may be others. Layers may be gone from the file, so the runner looks at
// all alerts that wait.
func (s *Service) HintAll() {
	s.fileChanged.Store(true)
	wake(s.wakeRunner)
	s.hub.send(platform.Hint{})
}
