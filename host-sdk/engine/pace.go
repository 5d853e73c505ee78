package engine

import (
	"context"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// pacer spaces the starts of tasks with the same key; among those waiting the most urgent goes
// first.
type pacer struct {
	mu   sync.Mutex
	keys map[string]*pace
}

// pace is the queue of one key.
type pace struct {
	next    time.Time     // no start before it
	waiting []*pacedTask  // the most urgent first, those of one priority in the order they came
	changed chan struct{} // closed and replaced whenever the order may have changed
}

// pacedTask is a task that waits for its turn; lower priorities go first.
type pacedTask struct{ priority int }

// wait returns true when it is the caller's turn, false when ctx ended or the turn did not come
// within limit.
func (p *pacer) wait(ctx context.Context, clk clock.Clock, key string, every time.Duration, priority int, limit time.Duration) bool {
	p.mu.Lock()
	if p.keys == nil {
		p.keys = map[string]*pace{}
	}
	k := p.keys[key]
	if k == nil {
		k = &pace{changed: make(chan struct{})}
		p.keys[key] = k
	}
	me := &pacedTask{priority}
	at := len(k.waiting)
	for at > 0 && k.waiting[at-1].priority > priority {
		at--
	}
	k.waiting = append(k.waiting[:at], append([]*pacedTask{me}, k.waiting[at:]...)...)
	deadline := clk.Now().Add(limit)
	leave := func(turn bool) bool { // with p.mu held
		for i, w := range k.waiting {
			if w == me {
				k.waiting = append(k.waiting[:i:i], k.waiting[i+1:]...)
			}
		}
		close(k.changed)
		k.changed = make(chan struct{})
		p.mu.Unlock()
		return turn
	}
	for {
		now := clk.Now()
		first := k.waiting[0] == me
		if first && !now.Before(k.next) {
			k.next = now.Add(every)
			return leave(true)
		}
		if ctx.Err() != nil || !now.Before(deadline) {
			return leave(false)
		}
		until := deadline
		if first && k.next.Before(until) {
			until = k.next
		}
		changed := k.changed
		p.mu.Unlock()
		t := clk.NewTimer(until.Sub(now))
		select {
		case <-t.C:
		case <-changed:
		case <-ctx.Done():
		}
		t.Stop()
		p.mu.Lock()
	}
}
