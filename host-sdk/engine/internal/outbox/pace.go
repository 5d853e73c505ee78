package outbox

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// pacer spaces the starts of tasks with the same key, whatever their integrations: the limit behind
// it is of a foreign account. Integrations take turns, so that one with much to do holds up no
// other; of one integration the most urgent goes first, and of one priority those that were due,
// and committed, first.
type pacer struct {
	mu sync.Mutex
	// Keys are never removed: there are few, one or two for each account.
	keys map[string]*pace
}

// pace is the queue of one key.
type pace struct {
	next    time.Time        // no start before it
	waiting []*turn          // of one integration in the order in which they will start
	starts  int64            // so far
	last    map[string]int64 // the number of each integration's last start
	changed chan struct{}    // closed and replaced whenever the order may have changed
}

// first is whose turn is next: the most urgent of the integration whose last start is longest ago.
func (k *pace) first() *turn {
	first := k.waiting[0]
	for _, t := range k.waiting[1:] {
		if k.last[t.integration] < k.last[first.integration] {
			first = t
		}
	}
	return first
}

// turn is a task's place in the queue of its key.
type turn struct {
	pacer       *pacer
	pace        *pace
	integration string
	every       time.Duration
	priority    int // lower ones go first
	due         time.Time
	id          int64 // of its outbox item
}

// compare orders turns of one integration.
func (t *turn) compare(o *turn) int {
	return cmp.Or(cmp.Compare(t.priority, o.priority), t.due.Compare(o.due), cmp.Compare(t.id, o.id))
}

// enter queues a task. It does not wait, so that tasks which are claimed together are in the queue
// before the first of them starts.
func (p *pacer) enter(key string, t integration.Task, it store.Item) *turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.of(key)
	me := &turn{pacer: p, pace: k, integration: it.Integration, every: t.PaceEvery, priority: t.Priority, due: it.Due, id: it.ID}
	at, _ := slices.BinarySearchFunc(k.waiting, me, (*turn).compare)
	k.waiting = slices.Insert(k.waiting, at, me)
	return me
}

// free takes the turn of a key now, if nobody waits for it and its pace allows a start. back gives
// it back if nothing was started: nobody has to wait because of it, unless others have started
// since.
func (p *pacer) free(key string, every time.Duration, integration string, now time.Time) (back func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.of(key)
	if len(k.waiting) > 0 || now.Before(k.next) {
		return nil, false
	}
	before, last := k.next, k.last[integration]
	k.start(now, every, integration)
	mine := k.starts
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if k.starts == mine {
			k.next, k.last[integration] = before, last
			k.change()
		}
	}, true
}

// of is the queue of a key. p.mu is held.
func (p *pacer) of(key string) *pace {
	if p.keys == nil {
		p.keys = map[string]*pace{}
	}
	k := p.keys[key]
	if k == nil {
		k = &pace{last: map[string]int64{}, changed: make(chan struct{})}
		p.keys[key] = k
	}
	return k
}

// start reserves the next turn: nobody starts for as long as this task's pace says. The pacer's mu
// is held.
func (k *pace) start(now time.Time, every time.Duration, integration string) {
	k.next = now.Add(every)
	k.starts++
	k.last[integration] = k.starts
}

// change says that the order may have changed. The pacer's mu is held.
func (k *pace) change() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// leave takes the task out of the queue, its turn having come or not. p.mu is held.
func (t *turn) leave() {
	k := t.pace
	if i := slices.Index(k.waiting, t); i >= 0 {
		k.waiting = slices.Delete(k.waiting, i, i+1)
	}
	k.change()
}

// wait returns true when it is the task's turn, false when ctx ended or the turn did not come
// within limit. Either way the task leaves the queue.
func (t *turn) wait(ctx context.Context, clk clock.Clock, limit time.Duration) bool {
	p, k := t.pacer, t.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	defer t.leave()
	deadline := clk.Now().Add(limit)
	for {
		now := clk.Now()
		first := k.first() == t
		if first && !now.Before(k.next) {
			k.start(now, t.every, t.integration)
			return true
		}
		if ctx.Err() != nil || !now.Before(deadline) {
			return false
		}
		until := deadline
		if first && k.next.Before(until) {
			until = k.next
		}
		changed := k.changed
		p.mu.Unlock()
		timer := clk.NewTimer(until.Sub(now))
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		p.mu.Lock()
	}
}
