package engine

import (
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Event says that a page showing this call or alert is out of date.
type Event struct {
	Type        string                // "call" or "alert"
	Integration string                // instance id
	Key         string                // the call's session key, or the alert's key; "": any alert
	Call        *integration.CallView // of type call: the view as committed
}

// hub hands events to subscribers. A slow subscriber loses events, never delays the engine; pages
// reread what they show.
type hub struct {
	mu   sync.Mutex
	subs map[chan Event]struct{}
}

// Subscribe returns events from now on and a function that ends the subscription. At most 256
// events wait; more are lost.
func (e *Engine) Subscribe() (<-chan Event, func()) {
	h := &e.events
	c := make(chan Event, 256)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs == nil {
		h.subs = map[chan Event]struct{}{}
	}
	h.subs[c] = struct{}{}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.subs, c)
	}
}

// publish hands the event to every subscriber that has room for it.
func (h *hub) publish(ev Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs {
		select {
		case c <- ev:
		default:
		}
	}
}

// wanted reports whether anybody subscribes.
func (h *hub) wanted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs) > 0
}
