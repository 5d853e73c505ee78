package engine

import (
	"cmp"
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

// deferredAsk is how often at most the store is asked how many requests it has.
const deferredAsk = 10 * time.Second

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
	of, one := sessions.Ref{Integration: id, Key: key}, request{now.Add(commandNotAfter).UnixMilli(), len(body)}
	if !e.deferred.add(of, one, now) && !(e.freeDeferred(ctx, now) && e.deferred.add(of, one, now)) {
		e.metrics.LimitHit("deferred_webhooks")
		return deferredTooMany
	}
	err = e.store.AddItem(ctx, store.Item{
		Integration: id, Key: key, Kind: store.ItemWebhook, Lane: "webhook", Due: now.Add(time.Second), NotAfter: now.Add(commandNotAfter),
		Phase: store.PhaseWaiting, Body: body,
	})
	if err != nil {
		e.deferred.done(of, one)
		e.log.Error("cannot keep request for later", "integration", id, "call", key, "path", req.Path, "error", err)
		return deferredNotStored
	}
	return deferredKept
}

// freeDeferred makes room that is taken by requests which other hosts have handled, and reports
// whether it has made some. It asks the store, which looks through all work for it: only where
// there is no room, and not each time.
func (e *Engine) freeDeferred(ctx context.Context, now time.Time) bool {
	if e.cfg.Exclusive || !e.deferred.mayAsk(now) {
		return false
	}
	counts, _, err := e.store.OutboxStats(ctx)
	if err != nil {
		return false
	}
	stored := 0
	for _, n := range counts[store.ItemWebhook] {
		stored += n
	}
	return e.deferred.keepNewest(stored)
}

// deferred counts what this process has kept and nobody has handled yet. What an earlier process
// left is not counted, and what another has handled counts until there is no more room.
type deferred struct {
	mu       sync.Mutex
	sessions map[sessions.Ref]*deferredLoad
	// Of all sessions.
	items, bytes int
	asked        time.Time // when the store was last asked how many there are
}

// request is one that is kept. When it is given up and its size tell it from those that another
// process has kept.
type request struct {
	notAfter int64 // in milliseconds, as it is stored
	size     int   // in bytes
}

// deferredLoad is what is kept of a session.
type deferredLoad struct {
	requests []request
	bytes    int
	last     time.Time // when the newest was kept
}

// add counts a request, unless there are too many.
func (d *deferred) add(of sessions.Ref, r request, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.items >= deferredAllItems || d.bytes+r.size > deferredAllBytes {
		d.forget(now)
	}
	if d.items >= deferredAllItems || d.bytes+r.size > deferredAllBytes {
		return false
	}
	load := d.sessions[of]
	if load == nil {
		load = &deferredLoad{}
	}
	if len(load.requests) >= deferredItems || load.bytes+r.size > deferredBytes {
		return false
	}
	if d.sessions == nil {
		d.sessions = map[sessions.Ref]*deferredLoad{}
	}
	d.sessions[of] = load
	load.requests, load.bytes, load.last = append(load.requests, r), load.bytes+r.size, now
	d.items, d.bytes = d.items+1, d.bytes+r.size
	return true
}

// mayAsk reports whether the store may be asked again how many requests it has.
func (d *deferred) mayAsk(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.asked) < deferredAsk {
		return false
	}
	d.asked = now
	return true
}

// keepNewest counts at most so many requests, and reports whether there were more. The oldest have
// been handled, as requests are handled in the order in which they came.
func (d *deferred) keepNewest(most int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	type counted struct {
		of sessions.Ref
		request
	}
	var all []counted
	for of, load := range d.sessions {
		for _, r := range load.requests {
			all = append(all, counted{of, r})
		}
	}
	if len(all) <= most {
		return false
	}
	slices.SortFunc(all, func(a, b counted) int { return cmp.Compare(a.notAfter, b.notAfter) })
	for _, c := range all[:len(all)-most] {
		d.remove(c.of, c.request)
	}
	return true
}

// done takes a request off that was handled or dropped. One that is not counted, as another process
// has kept it, changes nothing.
func (d *deferred) done(of sessions.Ref, r request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.remove(of, r)
}

// remove is done, under the lock.
func (d *deferred) remove(of sessions.Ref, r request) {
	load := d.sessions[of]
	if load == nil {
		return
	}
	i := slices.Index(load.requests, r)
	if i < 0 {
		return
	}
	load.requests, load.bytes = slices.Delete(load.requests, i, i+1), load.bytes-r.size
	d.items, d.bytes = d.items-1, d.bytes-r.size
	if len(load.requests) == 0 {
		delete(d.sessions, of)
	}
}

// forget drops the counts of sessions whose requests are too old to be in the outbox still, such as
// those that went with their session.
func (d *deferred) forget(now time.Time) {
	for of, load := range d.sessions {
		if now.Sub(load.last) > commandNotAfter {
			d.items, d.bytes = d.items-len(load.requests), d.bytes-load.bytes
			delete(d.sessions, of)
		}
	}
}
