package engine

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/known"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Limits of what is kept for later. While the plugin is away nobody checks who sends a request:
// what is kept must not grow with what strangers send. A call has a few dozen such requests, of one
// or two kilobytes each.
const (
	deferredItems    = 100       // of one session
	deferredBytes    = 512 << 10 // of one session, as stored
	deferredAllItems = 10_000    // of all sessions
	deferredAllBytes = 64 << 20  // of all sessions
)

// deferWebhook keeps a request whose answer is ignored for later, for a day. Only sessions that
// exist have requests kept, and not without limit; anything else gets 503, and its sender comes
// again. The time for an answer may have passed, which is no reason to lose the request: hence the
// context without its end.
func (e *Engine) deferWebhook(ctx context.Context, id, key string, req integration.WebhookRequest, cause error) integration.Response {
	result := e.keepWebhook(context.WithoutCancel(ctx), id, key, req)
	e.metrics.Deferred(result)
	log := e.log.With("integration", id, "call", key, "path", req.Path, "error", cause)
	if result != deferredKept {
		log.Warn("request cannot be kept for later", "reason", result)
		return comeAgain()
	}
	log.Warn("request kept for later")
	e.outbox.Wake()
	return integration.Response{Status: 204}
}

// comeAgain asks the sender of a request whose answer is ignored to send it again.
func comeAgain() integration.Response {
	return integration.Response{Status: 503, Header: map[string][]string{"Retry-After": {"5"}, "Cache-Control": {"no-store"}}}
}

// answerIgnored reports whether some plugin says that the answer to a request of this path is
// ignored. It serves where the integration, and with it the plugin, cannot be read.
func (e *Engine) answerIgnored(ctx context.Context, path string) bool {
	return slices.ContainsFunc(e.plugins.PluginIDs(), func(id string) bool {
		desc, err := e.known.Description(ctx, id)
		return err == nil && matchesAny(desc.Webhook.IgnoredAnswerPaths, path)
	})
}

// What becomes of a request that could be kept, as counted.
const (
	deferredKept      = "kept"
	deferredNoSession = "no_session"
	deferredTooMany   = "too_many"
	deferredNotStored = "not_stored"
)

// keepWebhook stores a request for a session, and says what became of it.
func (e *Engine) keepWebhook(ctx context.Context, id, key string, req integration.WebhookRequest) string {
	if key == "" {
		return deferredNoSession
	}
	ctx, cancel := context.WithTimeout(ctx, known.PlatformTimeout)
	defer cancel()
	// A stranger can name any call; only one that exists gets room.
	switch _, err := e.store.Session(ctx, id, key); {
	case integration.KindOf(err) == integration.KindNotFound:
		return deferredNoSession
	case err != nil:
		return deferredNotStored
	}
	body, err := json.Marshal(req)
	if err != nil {
		return deferredNotStored
	}
	now := e.clock.Now()
	if !e.deferred.add(sessions.Ref{Integration: id, Key: key}, len(body), now) {
		e.metrics.LimitHit("deferred_webhooks")
		return deferredTooMany
	}
	err = e.store.AddItem(ctx, store.Item{
		Integration: id, Key: key, Kind: store.ItemWebhook, Lane: "webhook", Due: now.Add(time.Second), NotAfter: now.Add(commandNotAfter),
		Phase: store.PhaseWaiting, Body: body,
	})
	if err != nil {
		e.deferred.done(sessions.Ref{Integration: id, Key: key}, len(body))
		e.log.Error("cannot keep request for later", "integration", id, "call", key, "path", req.Path, "error", err)
		return deferredNotStored
	}
	return deferredKept
}

// deferred counts what this process has kept and not yet handled. What an earlier process left is
// not counted.
type deferred struct {
	mu       sync.Mutex
	sessions map[sessions.Ref]*deferredLoad
	all      deferredLoad
}

// deferredLoad is how much is kept.
type deferredLoad struct {
	items, bytes int
	last         time.Time // when the newest was kept
}

// add counts a request, unless there are too many.
func (d *deferred) add(of sessions.Ref, size int, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all.items >= deferredAllItems || d.all.bytes+size > deferredAllBytes {
		d.forget(now)
	}
	if d.all.items >= deferredAllItems || d.all.bytes+size > deferredAllBytes {
		return false
	}
	load := d.sessions[of]
	if load == nil {
		load = &deferredLoad{}
	}
	if load.items >= deferredItems || load.bytes+size > deferredBytes {
		return false
	}
	if d.sessions == nil {
		d.sessions = map[sessions.Ref]*deferredLoad{}
	}
	d.sessions[of] = load
	load.items, load.bytes, load.last = load.items+1, load.bytes+size, now
	d.all.items, d.all.bytes = d.all.items+1, d.all.bytes+size
	return true
}

// done takes a request off that was handled or dropped. Where nothing of its session is counted, it
// changes nothing.
func (d *deferred) done(of sessions.Ref, size int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	load := d.sessions[of]
	if load == nil {
		return
	}
	size = min(size, load.bytes)
	load.items, load.bytes = load.items-1, load.bytes-size
	d.all.items, d.all.bytes = d.all.items-1, d.all.bytes-size
	if load.items <= 0 {
		d.all.bytes -= load.bytes
		delete(d.sessions, of)
	}
}

// forget drops the counts of sessions whose requests are too old to be in the outbox still, such as
// those that went with their session.
func (d *deferred) forget(now time.Time) {
	for of, load := range d.sessions {
		if now.Sub(load.last) > commandNotAfter {
			d.all.items, d.all.bytes = d.all.items-load.items, d.all.bytes-load.bytes
			delete(d.sessions, of)
		}
	}
}
