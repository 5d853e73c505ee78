package outbox

import (
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// runs begins a term, which works what is claimed until rests.
func (o *Outbox) runs(term context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = term
}

// rests ends the term: nothing begins in it from then on.
func (o *Outbox) rests() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = nil
}

// enter counts work in begun, for which the term of the moment waits; false: there is no term.
func (o *Outbox) enter() (running context.Context, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running == nil || o.running.Err() != nil {
		return nil, false
	}
	o.begun.Add(1)
	return o.running, true
}

// StartWith lets the most urgent paced task of a commit, such as the call to a person, start with
// the commit if its turn is free: the commit claims it, and no round has to. ended is to be called
// when the commit has returned. Only a host alone on its store does this, as it needs to ask nobody
// for the turn.
func (o *Outbox) StartWith(c *store.Commit) (ended func()) {
	first := -1
	var t integration.Task
	for i, it := range c.Items {
		if it.Work != store.WorkDial || it.Cancel || it.Due.After(c.Now) || o.tooLate(it, c.Now) || !o.cfg.Exclusive {
			continue
		}
		var other integration.Task
		if json.Unmarshal(it.Body, &other) == nil && other.PaceKey != "" && (first < 0 || other.Priority < t.Priority) {
			first, t = i, other
		}
	}
	running, back, ok := context.Context(nil), func() {}, false
	if first >= 0 {
		running, back, ok = o.reserve(c.Integration, t)
	}
	if !ok {
		return func() {}
	}
	c.Items = slices.Clone(c.Items)
	c.Items[first].Owner, c.Items[first].Lease = o.cfg.Owner, c.Now.Add(o.lease)
	var over atomic.Bool // whoever is first says what becomes of the turn
	c.Claimed = func(it store.Item) {
		if !over.CompareAndSwap(false, true) {
			// The commit was given up, and has succeeded all the same.
			o.Retry(context.WithoutCancel(running), it, it.Due)
			o.Wake()
			return
		}
		go func() {
			defer o.begun.Done()
			ctx, done := working(running)
			o.started(ctx, it, t, 1)
			done()
			o.workers.free(workDialing, it.Integration)
			o.Wake()
		}()
	}
	return func() {
		if over.CompareAndSwap(false, true) {
			back()
			o.workers.free(workDialing, c.Integration)
			o.begun.Done()
		}
	}
}

// reserve takes a worker and the turn of a task, if both are free and the outbox runs.
func (o *Outbox) reserve(integrationID string, t integration.Task) (running context.Context, back func(), ok bool) {
	running, ok = o.enter()
	if !ok {
		return nil, nil, false
	}
	if o.workers.try(workDialing, integrationID) {
		if back, ok = o.pacer.free(t.PaceKey, t.PaceEvery, integrationID, o.cfg.Clock.Now()); ok {
			return running, back, true
		}
		o.workers.free(workDialing, integrationID)
	}
	o.begun.Done()
	return nil, nil, false
}
