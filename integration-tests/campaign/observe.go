package campaign

import (
	"context"
	"strings"
	"sync"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// observer follows the simulator's events and sorts them by call, so that a thousand callers need
// no reader each.
type observer struct {
	sim *twiliosim.Sim

	mu     sync.Mutex
	events map[string][]twiliosim.Event // by CallSid
	rest   []twiliosim.Event            // REST requests of no call
	added  map[string]chan struct{}     // closed when the call has another event
}

func newObserver(sim *twiliosim.Sim) *observer {
	return &observer{sim: sim, events: map[string][]twiliosim.Event{}, added: map[string]chan struct{}{}}
}

// run follows the events until ctx is done.
func (o *observer) run(ctx context.Context) {
	var after int64
	for ctx.Err() == nil {
		for _, e := range o.sim.WaitEvents(ctx, after) {
			after = e.Seq
			o.add(e)
		}
	}
}

func (o *observer) add(e twiliosim.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e.Call == "" {
		if e.Kind == twiliosim.EventREST {
			o.rest = append(o.rest, e)
		}
		return
	}
	o.events[e.Call] = append(o.events[e.Call], e)
	if c := o.added[e.Call]; c != nil {
		close(c)
		delete(o.added, e.Call)
	}
}

// next returns the call's event of a place, from 0. It waits for it until ctx is done; then it
// reports false.
func (o *observer) next(ctx context.Context, sid string, place int) (twiliosim.Event, bool) {
	for {
		o.mu.Lock()
		if list := o.events[sid]; place < len(list) {
			o.mu.Unlock()
			return list[place], true
		}
		c := o.added[sid]
		if c == nil {
			c = make(chan struct{})
			o.added[sid] = c
		}
		o.mu.Unlock()
		select {
		case <-c:
		case <-ctx.Done():
			return twiliosim.Event{}, false
		}
	}
}

// take returns all events by call and forgets them: the next wave begins.
func (o *observer) take() (byCall map[string][]twiliosim.Event, rest []twiliosim.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	byCall, rest = o.events, o.rest
	o.events, o.rest = map[string][]twiliosim.Event{}, nil
	return byCall, rest
}

// isFinal reports whether a call with this status is over.
func isFinal(status string) bool {
	switch status {
	case twiliosim.StatusCompleted, twiliosim.StatusBusy, twiliosim.StatusFailed, twiliosim.StatusNoAnswer, twiliosim.StatusCanceled:
		return true
	}
	return false
}

// says reports whether somebody hears words in an event, in any case.
func says(e twiliosim.Event, words string) bool {
	return e.Kind == twiliosim.EventSaid && strings.Contains(strings.ToLower(e.Text), words)
}
