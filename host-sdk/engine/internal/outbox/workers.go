package outbox

import (
	"context"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// workDialing is what a dial becomes when its turn has come; before it, it waits in the pacer
	// and needs no worker.
	workDialing store.Work = "dialing"
	// waitingDials is how many dials may wait for their turn for each worker that dials.
	waitingDials = 16
)

// workers says how much of the outbox may be worked at a time. Each kind of work has workers of its
// own, and one integration has half of them at most, but always one: whatever hangs, for whatever
// integration, timers, results and dials of the others go on.
type workers struct {
	each    int // of one kind
	metrics *counting.Counts

	mu    sync.Mutex
	busy  map[store.Work]map[string]int // items by integration
	freed chan struct{}                 // closed and replaced when a worker becomes free
}

// newWorkers returns workers that are all free.
func newWorkers(each int, metrics *counting.Counts) *workers {
	return &workers{each: each, metrics: metrics, busy: map[store.Work]map[string]int{}, freed: make(chan struct{})}
}

// limits are the numbers of items of a kind: of all integrations, and of one.
func (w *workers) limits(work store.Work) (all, one int) {
	all = w.each
	if work == store.WorkDial {
		all *= waitingDials
	}
	return all, max(1, all/2)
}

// count is how many items of a kind are being worked. w.mu is held.
func (w *workers) count(work store.Work) (n int) {
	for _, of := range w.busy[work] {
		n += of
	}
	return n
}

// wants is what the free workers can take up. It is never nil.
func (w *workers) wants() []store.Want {
	w.mu.Lock()
	defer w.mu.Unlock()
	wants := []store.Want{}
	for _, work := range store.AllWork() {
		all, one := w.limits(work)
		if room := all - w.count(work); room > 0 {
			busy := make(map[string]int, len(w.busy[work]))
			for id, n := range w.busy[work] {
				busy[id] = n
			}
			wants = append(wants, store.Want{Work: work, Limit: room, PerIntegration: one, Busy: busy})
		}
	}
	return wants
}

// take makes a worker busy.
func (w *workers) take(work store.Work, integration string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(work, integration, 1)
	// Not an error: work waits. A rising count says that the host needs more workers.
	if all, one := w.limits(work); w.busy[work][integration] >= one || w.count(work) >= all {
		w.metrics.LimitHit("workers_" + string(work))
	}
}

// add changes the number of busy workers. w.mu is held.
func (w *workers) add(work store.Work, integration string, n int) {
	if w.busy[work] == nil {
		w.busy[work] = map[string]int{}
	}
	w.busy[work][integration] += n
	if w.busy[work][integration] == 0 {
		delete(w.busy[work], integration)
	}
	w.metrics.Busy(work, w.count(work))
}

// free makes a worker free again.
func (w *workers) free(work store.Work, integration string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(work, integration, -1)
	close(w.freed)
	w.freed = make(chan struct{})
}

// wait takes a worker as soon as there is one; false when ctx ended before.
func (w *workers) wait(ctx context.Context, work store.Work, integration string) bool {
	for {
		w.mu.Lock()
		if w.tryLocked(work, integration) {
			w.mu.Unlock()
			return true
		}
		// Taken under the lock, so a worker that becomes free from now on closes this very channel.
		freed := w.freed
		w.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return false
		}
	}
}

// try takes a worker if there is one.
func (w *workers) try(work store.Work, integration string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tryLocked(work, integration)
}

// tryLocked is try. w.mu is held.
func (w *workers) tryLocked(work store.Work, integration string) bool {
	all, one := w.limits(work)
	if w.count(work) >= all || w.busy[work][integration] >= one {
		return false
	}
	w.add(work, integration, 1)
	return true
}
