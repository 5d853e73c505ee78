package engine

import (
	"context"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/known"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Notices carry what has changed to the other hosts that share the store. One may be lost, or come
// twice: pages read again what they show, and everything else looks now and then by itself.
type Notices interface {
	// Send says something to the other hosts. It must not wait.
	Send(notice string)
	// Run calls hear with what other hosts say until ctx ends, and with "" when something may have
	// been lost. It returns ctx's error.
	Run(ctx context.Context, hear func(notice string)) error
}

// publish hands an event to the subscribers of this host, and of the others.
func (e *Engine) publish(ev Event) {
	e.events.publish(ev)
	if e.cfg.Notices != nil {
		e.cfg.Notices.Send(strings.Join([]string{ev.Type, ev.Integration, ev.Key}, " "))
	}
}

// alertChanged says that an alert may have changed.
func (e *Engine) alertChanged(h platform.Hint) {
	e.publish(Event{Type: "alert", Integration: h.Scope.Integration, Key: h.AlertKey})
}

// hears makes an event of another host one of this host.
func (e *Engine) hears(ctx context.Context, notice string) {
	if notice == "" {
		e.outbox.Wake()
		// Whatever was lost, pages read again what they show.
		e.events.publish(Event{Type: "alert"})
		return
	}
	kind, rest, _ := strings.Cut(notice, " ")
	id, key, ok := strings.Cut(rest, " ")
	if !ok || !e.events.wanted() {
		return
	}
	ev := Event{Type: kind, Integration: id, Key: key}
	if kind == "call" {
		ctx, cancel := context.WithTimeout(ctx, known.PlatformTimeout)
		defer cancel()
		sess, err := e.store.Session(ctx, id, key)
		if err != nil || sess.Call == nil {
			if integration.KindOf(err) != integration.KindNotFound {
				e.log.Debug("a call of another host cannot be shown", "integration", id, "call", key, "error", err)
			}
			return
		}
		ev.Call = sess.Call
	}
	e.events.publish(ev)
}
