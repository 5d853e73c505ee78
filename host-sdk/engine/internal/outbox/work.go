package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/backoff"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

// Result is what FinishItem stores, as JSON, between the work and the handler that gets it. A
// failure that is not nil means that the work has failed for good.
type Result struct {
	Payload []byte                 `json:"payload,omitempty"`
	Media   []integration.MediaRef `json:"media,omitempty"`
	Failure *failure               `json:"failure,omitempty"`
}

// failure is an [integration.Error] as it is stored; its cause is not, as it may hold what the host
// keeps to itself.
type failure struct {
	Kind    integration.Kind `json:"kind"`
	Message string           `json:"message"`
	Field   string           `json:"field,omitempty"`
	Code    string           `json:"code,omitempty"`
}

func (f *failure) error() *integration.Error {
	if f == nil {
		return nil
	}
	return &integration.Error{Kind: f.Kind, Message: f.Message, Field: f.Field, Code: f.Code}
}

// process does the work of one item; running ends with the term.
func (o *Outbox) process(running context.Context, it store.Item) {
	ctx, done := working(running)
	defer done()
	ctx, span := itemSpan(ctx, it)
	defer span.End()
	if it.Phase == store.PhaseResult {
		o.deliver(ctx, it)
		return
	}
	switch it.Kind {
	case store.ItemTimer:
		o.timer(ctx, it)
	case store.ItemTask:
		o.task(ctx, it)
	case store.ItemCommand:
		o.do.Command(ctx, it)
	case store.ItemMail:
		o.do.Mail(ctx, it)
	case store.ItemWebhook:
		o.webhook(ctx, it)
	default:
		o.Drop(ctx, it, "unknown kind of work")
	}
}

// itemSpan begins the span of work on an item. It is a trace of its own: the request that ordered
// the work may be long over.
func itemSpan(ctx context.Context, it store.Item) (context.Context, tracing.Span) {
	name := "outbox"
	if it.Phase == store.PhaseResult {
		name = "outbox result"
	}
	ctx, span := tracing.Start(ctx, name)
	span.Set(tracing.Integration, it.Integration)
	span.Set(tracing.Call, it.Key)
	span.Set(tracing.Kind, string(it.Kind))
	span.Set(tracing.Name, it.Name)
	span.Count(tracing.Attempt, it.Attempt)
	return ctx, span
}

// dial queues a task that has to wait for its turn, and returns the work that waits. What is not
// worked in time is given back, and keeps its place in the order by the time it was due at. When
// its turn comes, the task is looked at again: by then it may have been cancelled, or be too late.
// Its lease begins anew then, so a host that freezes with it holds it up no longer than any other
// work.
func (o *Outbox) dial(it store.Item) func(running context.Context, it store.Item) {
	var t integration.Task
	if err := json.Unmarshal(it.Body, &t); err != nil || t.PaceKey == "" {
		return o.process // which says what is wrong, or has no reason to wait
	}
	turn := o.pacer.enter(t.PaceKey, t, it)
	limit := paceLimit
	if !it.NotAfter.IsZero() {
		limit = min(limit, it.NotAfter.Sub(o.cfg.Clock.Now())+time.Millisecond)
	}
	return func(running context.Context, it store.Item) {
		deadline := o.cfg.Clock.Now().Add(limit)
		came := turn.wait(running, o.cfg.Clock, limit) && o.ours(running, t, deadline)
		ctx, done := working(running)
		defer done()
		if o.tooLate(it, o.cfg.Clock.Now()) {
			o.task(ctx, it) // which says so
			return
		}
		worker, cancel := context.WithTimeout(running, leaseReserve)
		defer cancel()
		if !came || !o.workers.wait(worker, workDialing, it.Integration) {
			o.Retry(ctx, it, it.Due)
			return
		}
		// The turn was one for the request to the foreign service; how long it takes is the
		// worker's time.
		defer o.workers.free(workDialing, it.Integration)
		o.task(ctx, it)
	}
}

// ours waits until a turn is this host's among those that share the store; false: it did not come
// before deadline, or the store cannot say. The pacer lets one task of a key ask at a time, or few.
func (o *Outbox) ours(ctx context.Context, t integration.Task, deadline time.Time) bool {
	if o.cfg.Exclusive {
		return true
	}
	for {
		now := o.cfg.Clock.Now()
		comes, err := o.cfg.Store.TakeTurn(ctx, t.PaceKey, now, t.PaceEvery)
		switch {
		case err != nil:
			o.cfg.Log.Warn("cannot see when other hosts call; the task is tried again", "error", err)
			return false
		case comes.IsZero():
			return true
		case comes.After(deadline) || clock.Sleep(ctx, o.cfg.Clock, comes.Sub(now)) != nil:
			return false
		}
	}
}

// timer hands a timer that is due to its handler; the commit of that run consumes it.
func (o *Outbox) timer(ctx context.Context, it store.Item) {
	var t integration.Task
	if err := json.Unmarshal(it.Body, &t); err != nil {
		o.Drop(ctx, it, "unreadable timer")
		return
	}
	o.handle(ctx, it, integration.TaskRequest{Event: integration.TimerDue, Task: t})
}

// task begins a task, unless it is too late for it.
func (o *Outbox) task(ctx context.Context, it store.Item) {
	var t integration.Task
	if err := json.Unmarshal(it.Body, &t); err != nil {
		o.Drop(ctx, it, "unreadable task")
		return
	}
	if o.tooLate(it, o.cfg.Clock.Now()) {
		// The call it serves has gone on without it: nobody must be rung an hour late.
		o.Fail(ctx, it, integration.Errorf(integration.KindDeadline, "not done in time"))
		return
	}
	attempt := it.Attempt
	if it.Work == store.WorkDial {
		if it.Phase == store.PhaseWaiting {
			attempt = 1 // claims that ended before its turn came were no attempts
		}
		it.Lease = o.cfg.Clock.Now().Add(o.lease)
		if err := o.cfg.Store.StartItem(ctx, it); err != nil {
			if !Consumed(err) { // else it was cancelled
				o.Retry(ctx, it, o.cfg.Clock.Now().Add(backoff.After(1, FirstRetry, MaxRetry)))
			}
			return
		}
	}
	o.started(ctx, it, t, attempt)
}

// started performs a task that has begun, stores the result, and hands it on.
func (o *Outbox) started(ctx context.Context, it store.Item, t integration.Task, attempt int) {
	result, err := o.do.Perform(ctx, it, t, attempt)
	if err != nil {
		o.Failed(ctx, it, err, taskRetry, MaxRetry)
		return
	}
	o.cfg.Counts.Item(it.Kind, "done")
	o.finish(ctx, it, result)
}

// webhook runs the handler for a request that was kept for later. Its answer goes nowhere.
func (o *Outbox) webhook(ctx context.Context, it store.Item) {
	var req integration.WebhookRequest
	if err := json.Unmarshal(it.Body, &req); err != nil {
		o.Drop(ctx, it, "unreadable request")
		return
	}
	req.Deferred = true
	err := o.do.Webhook(ctx, it, req)
	switch {
	case err == nil:
	case integration.KindOf(err) == integration.KindInvalid, o.tooLate(it, o.cfg.Clock.Now()):
		// Refused, as it would have been at once.
		o.Drop(ctx, it, err.Error())
	default:
		if !o.handleFailed(ctx, it, err) {
			return
		}
	}
	o.do.WebhookEnded(it)
}

// deliver hands a stored result to HandleTask.
func (o *Outbox) deliver(ctx context.Context, it store.Item) {
	var r Result
	if err := json.Unmarshal(it.Result, &r); err != nil && !bytes.Equal(it.Result, nothing) {
		o.Drop(ctx, it, "unreadable result")
		return
	}
	req := integration.TaskRequest{Event: integration.TaskDone, Result: r.Payload, Media: r.Media, Failure: r.Failure.error()}
	if r.Failure != nil {
		req.Event = integration.TaskFailed
	}
	if it.Kind == store.ItemCommand || it.Kind == store.ItemMail {
		if err := o.do.Ended(it, &req); err != nil {
			o.Drop(ctx, it, err.Error())
			return
		}
	} else if err := json.Unmarshal(it.Body, &req.Task); err != nil {
		o.Drop(ctx, it, "unreadable task")
		return
	}
	o.handle(ctx, it, req)
}

// handle runs HandleTask; its commit consumes the item.
func (o *Outbox) handle(ctx context.Context, it store.Item, req integration.TaskRequest) {
	if err := o.do.Handle(ctx, it, req); err != nil {
		o.handleFailed(ctx, it, err)
		return
	}
	if req.Event == integration.TimerDue {
		o.cfg.Counts.Item(it.Kind, "done")
	}
}
