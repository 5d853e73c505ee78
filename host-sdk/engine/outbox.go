package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/backoff"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

// Times of the outbox: of the engine's clock, unless they say otherwise. Retries double from the
// first to the limit (see backoff).
const (
	// Of the wall clock: one request to a foreign service.
	performTimeout = integration.LongestTakeover - leaseReserve - pollEvery
	// Lease = the longest work + this.
	leaseReserve = 5 * time.Second
	// Leftovers of other processes are looked for at least this often.
	pollEvery = 5 * time.Second
	// A paced task that waits longer is given back.
	paceLimit = 20 * time.Second
	// Work that has begun may take this long after the stop.
	stopGrace    = 5 * time.Second
	firstRetry   = 200 * time.Millisecond // commands and results
	taskRetry    = time.Second            // I/O
	mailRetry    = 10 * time.Second
	maxRetry     = 30 * time.Second
	maxMailRetry = 30 * time.Minute
)

// outbox does the work that commits left behind: claim what is due, do it, hand the result to the
// handler. An item is done at least once. It is done again when this process dies, or when its
// lease ends before its result is stored, so everything here may be repeated.
type outbox struct {
	e       *Engine
	wakeC   chan struct{} // has room for one: any number of wake-ups is one look at the store
	workers *workers
	begun   sync.WaitGroup // items that are being worked
	lease   time.Duration  // in the clock's time

	mu      sync.Mutex
	running context.Context // the term's, while there is one; see atonce.go
}

func newOutbox(e *Engine) *outbox {
	// The lease covers real I/O, so it is as long on the wall clock however fast the engine's clock
	// runs.
	scale := float64(time.Second) / float64(e.clock.Real(time.Second))
	return &outbox{
		e: e, wakeC: make(chan struct{}, 1), workers: newWorkers(e.cfg.Workers, e.metrics),
		lease: time.Duration(float64(performTimeout+leaseReserve) * scale),
	}
}

// Wake makes the engine look for work now, as somebody else has made some of it due.
func (e *Engine) Wake() { e.outbox.wake() }

// wake makes run look at the store now. It does not block: a commit must not wait for a worker.
func (o *outbox) wake() {
	select {
	case o.wakeC <- struct{}{}:
	default:
	}
}

// wakeFor is wake if a commit has left something to do before the store is looked at anyway.
func (o *outbox) wakeFor(c store.Commit) {
	if c.Release != "" || slices.ContainsFunc(c.Items, func(it store.Item) bool { return it.Due.Before(c.Now.Add(pollEvery)) }) {
		o.wake()
	}
}

// run works until ctx ends, in terms: when others may take over what this host has claimed, it
// gives up what is under way, and begins anew as soon as it may.
func (o *outbox) run(ctx context.Context) error {
	for {
		err := o.term(ctx)
		o.begun.Wait()
		if ctx.Err() != nil {
			o.giveBack(ctx)
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		o.e.log.Warn("other hosts may have taken over the work of this one; it begins anew")
	}
}

// term works until ctx or the term ends. What this host has claimed before is due anew.
func (o *outbox) term(ctx context.Context) error {
	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	if o.e.cfg.Claiming != nil {
		term, err := o.e.cfg.Claiming(ctx)
		if err != nil {
			return err
		}
		defer context.AfterFunc(term, func() { end(errTakenOver) })()
	}
	if o.e.cfg.Exclusive || o.e.cfg.Claiming != nil {
		if err := o.e.releaseLeases(working); err != nil {
			return overOr(working, err)
		}
	}
	o.runs(working)
	defer o.rests()
	return overOr(working, o.rounds(working))
}

// errTakenOver is why a term ends whose work others may take over.
var errTakenOver = errors.New("others may have taken over the work of this host")

// takenOver reports whether others may have taken over the work of ctx.
func takenOver(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errTakenOver) }

// overOr is nil when others may have taken over the work of ctx, else err.
func overOr(ctx context.Context, err error) error {
	if takenOver(ctx) {
		return nil
	}
	return err
}

// giveBack gives back what a stop has left undone. What a host has that nobody shares the store
// with, it gives back when it starts again.
func (o *outbox) giveBack(ctx context.Context) {
	if o.e.cfg.Claiming == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	if err := o.e.store.ReleaseLeases(ctx, o.e.owner); err != nil {
		o.e.log.Warn("what this host has left undone is claimed by others after its lease", "error", err)
	}
}

// rounds claims and starts work until ctx ends. It looks at the store when it is woken, when the
// next item comes due, and every few seconds for what other processes have left. Whoever finishes
// an item wakes it, so it never waits for a worker.
func (o *outbox) rounds(ctx context.Context) error {
	for {
		next, err := o.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait, woken := pollEvery, o.wakeC
		if err != nil {
			woken = nil // a store that fails is not asked again at every wake-up
			o.e.log.Error("cannot read outbox, will retry", "error", err)
			wait = time.Second
		} else if !next.IsZero() {
			wait = min(wait, max(0, next.Sub(o.e.clock.Now())))
		}
		t := o.e.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-woken:
		}
		t.Stop()
	}
}

// round claims and starts as much as there are free workers for. Claiming more would let leases run
// out while items wait in memory. Each item has a goroutine of its own, and its worker is taken
// before that, so the next round counts it.
func (o *outbox) round(ctx context.Context) (next time.Time, err error) {
	items, next, err := o.e.store.Claim(ctx, store.Claim{Owner: o.e.owner, Now: o.e.clock.Now(), Lease: o.lease, Wants: o.workers.wants()})
	for _, it := range items {
		o.workers.take(it.Work, it.Integration)
		work := o.process
		if it.Work == store.WorkDial {
			// Queued now and not in the goroutine, so that of several dials the most urgent is
			// first, whichever goroutine begins first.
			work = o.dial(it)
		}
		o.begun.Go(func() {
			work(ctx, it)
			o.workers.free(it.Work, it.Integration)
			o.wake()
		})
	}
	return next, err
}

// working is the context of one item's work. What has begun is finished even when the engine stops
// meanwhile, but not when others may have taken it over.
func working(running context.Context) (context.Context, context.CancelFunc) {
	work, giveUp := context.WithCancelCause(context.WithoutCancel(running))
	work, cancel := context.WithTimeout(work, performTimeout+leaseReserve)
	stop := context.AfterFunc(running, func() {
		if takenOver(running) {
			giveUp(errTakenOver)
			return
		}
		time.AfterFunc(stopGrace, cancel)
	})
	return work, func() { stop(); cancel() }
}

// itemResult is what FinishItem stores, as JSON, between the work and the handler that gets it. A
// failure that is not nil means that the work has failed for good.
type itemResult struct {
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

// process does the work of one item; running is the engine's life.
func (o *outbox) process(running context.Context, it store.Item) {
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
		o.command(ctx, it)
	case store.ItemMail:
		o.mail(ctx, it)
	case store.ItemWebhook:
		o.webhook(ctx, it)
	default:
		o.drop(ctx, it, "unknown kind of work")
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
func (o *outbox) dial(it store.Item) func(running context.Context, it store.Item) {
	e := o.e
	var t integration.Task
	if err := json.Unmarshal(it.Body, &t); err != nil || t.PaceKey == "" {
		return o.process // which says what is wrong, or has no reason to wait
	}
	turn := e.pacer.enter(t.PaceKey, t, it)
	limit := paceLimit
	if !it.NotAfter.IsZero() {
		limit = min(limit, it.NotAfter.Sub(e.clock.Now())+time.Millisecond)
	}
	return func(running context.Context, it store.Item) {
		deadline := e.clock.Now().Add(limit)
		came := turn.wait(running, e.clock, limit) && o.ours(running, t, deadline)
		ctx, done := working(running)
		defer done()
		if o.tooLate(it, e.clock.Now()) {
			o.task(ctx, it) // which says so
			return
		}
		worker, cancel := context.WithTimeout(running, leaseReserve)
		defer cancel()
		if !came || !o.workers.wait(worker, workDialing, it.Integration) {
			o.retry(ctx, it, it.Due)
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
func (o *outbox) ours(ctx context.Context, t integration.Task, deadline time.Time) bool {
	if o.e.cfg.Exclusive {
		return true
	}
	for {
		now := o.e.clock.Now()
		comes, err := o.e.store.TakeTurn(ctx, t.PaceKey, now, t.PaceEvery)
		switch {
		case err != nil:
			o.e.log.Warn("cannot see when other hosts call; the task is tried again", "error", err)
			return false
		case comes.IsZero():
			return true
		case comes.After(deadline) || clock.Sleep(ctx, o.e.clock, comes.Sub(now)) != nil:
			return false
		}
	}
}

// timer hands a timer that is due to its handler; the commit of that run consumes it.
func (o *outbox) timer(ctx context.Context, it store.Item) {
	var t integration.Task
	if err := json.Unmarshal(it.Body, &t); err != nil {
		o.drop(ctx, it, "unreadable timer")
		return
	}
	o.handle(ctx, it, integration.TaskRequest{Event: integration.TimerDue, Task: t})
}

// task begins a task, unless it is too late for it.
func (o *outbox) task(ctx context.Context, it store.Item) {
	e := o.e
	var t integration.Task
	if err := json.Unmarshal(it.Body, &t); err != nil {
		o.drop(ctx, it, "unreadable task")
		return
	}
	if o.tooLate(it, e.clock.Now()) {
		// The call it serves has gone on without it: nobody must be rung an hour late.
		o.fail(ctx, it, integration.Errorf(integration.KindDeadline, "not done in time"))
		return
	}
	attempt := it.Attempt
	if it.Work == store.WorkDial {
		if it.Phase == store.PhaseWaiting {
			attempt = 1 // claims that ended before its turn came were no attempts
		}
		it.Lease = e.clock.Now().Add(o.lease)
		if err := e.store.StartItem(ctx, it); err != nil {
			if !consumed(err) { // else it was cancelled
				o.retry(ctx, it, e.clock.Now().Add(backoff.After(1, firstRetry, maxRetry)))
			}
			return
		}
	}
	o.started(ctx, it, t, attempt)
}

// started performs a task that has begun, stores the result, and hands it on.
func (o *outbox) started(ctx context.Context, it store.Item, t integration.Task, attempt int) {
	e := o.e
	result, err := o.perform(ctx, it, t, attempt)
	if err != nil {
		o.failed(ctx, it, err, taskRetry, maxRetry)
		return
	}
	e.metrics.Item(it.Kind, "done")
	o.finish(ctx, it, result)
}

// perform calls the plugin and stores the media it brought. The media are stored before the result,
// so that a result never names a medium that is not there; a repeated attempt stores the same
// content under the same reference.
func (o *outbox) perform(ctx context.Context, it store.Item, t integration.Task, attempt int) (itemResult, error) {
	e := o.e
	ctx, cancel := context.WithTimeout(ctx, performTimeout)
	defer cancel()
	var r itemResult
	l, err := e.load(ctx, it.Integration, it.Key, loading{task: &t})
	if err != nil {
		return r, err
	}
	got, err := l.plugin.Perform(ctx, integration.PerformRequest{Facts: l.facts, Task: t, Attempt: attempt})
	if err != nil {
		return r, err
	}
	r.Payload = got.Payload
	for _, m := range got.Media {
		stored, err := e.store.PutMedium(ctx, store.Medium{
			MediaRef: integration.MediaRef{Name: m.Name, ContentType: m.ContentType, Duration: m.Duration}, Data: m.Data,
		})
		if err != nil {
			return r, err
		}
		r.Media = append(r.Media, stored.MediaRef)
	}
	return r, nil
}

// webhook runs the handler for a request that was kept for later. Its answer goes nowhere.
func (o *outbox) webhook(ctx context.Context, it store.Item) {
	var req integration.WebhookRequest
	if err := json.Unmarshal(it.Body, &req); err != nil {
		o.drop(ctx, it, "unreadable request")
		return
	}
	req.Deferred = true
	j := webhookJob(it.Integration, it.Key, loading{}, req)
	j.done = &it
	_, err := o.e.run(ctx, j)
	switch {
	case err == nil:
	case integration.KindOf(err) == integration.KindInvalid, o.tooLate(it, o.e.clock.Now()):
		// Refused, as it would have been at once.
		o.drop(ctx, it, err.Error())
	default:
		if !o.handleFailed(ctx, it, err) {
			return
		}
	}
	o.e.deferred.done(sessions.Ref{Integration: it.Integration, Key: it.Key}, len(it.Body))
}

// deliver hands a stored result to HandleTask.
func (o *outbox) deliver(ctx context.Context, it store.Item) {
	var r itemResult
	if err := json.Unmarshal(it.Result, &r); err != nil {
		o.drop(ctx, it, "unreadable result")
		return
	}
	req := integration.TaskRequest{Event: integration.TaskDone, Result: r.Payload, Media: r.Media, Failure: r.Failure.error()}
	if it.Kind == store.ItemCommand {
		req.Event, req.Command = integration.CommandFailed, &integration.AlertCommand{}
		if err := json.Unmarshal(it.Body, req.Command); err != nil {
			o.drop(ctx, it, "unreadable alert command")
			return
		}
	} else if it.Kind == store.ItemMail {
		var m mailItem
		if err := json.Unmarshal(it.Body, &m); err != nil {
			o.drop(ctx, it, "unreadable mail")
			return
		}
		req.Event, req.Task = integration.TaskFailed, integration.Task{Name: integration.TaskMail, Payload: []byte(m.To)}
	} else {
		if r.Failure != nil {
			req.Event = integration.TaskFailed
		}
		if err := json.Unmarshal(it.Body, &req.Task); err != nil {
			o.drop(ctx, it, "unreadable task")
			return
		}
	}
	o.handle(ctx, it, req)
}

// handle runs HandleTask; its commit consumes the item.
func (o *outbox) handle(ctx context.Context, it store.Item, req integration.TaskRequest) {
	j := job{
		integration: it.Integration, key: it.Key, handler: "task", done: &it,
		loading: loading{task: &req.Task}, extra: o.e.nextPeriodic(ctx, it),
		call: func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error) {
			req.Facts = f
			return p.HandleTask(ctx, req)
		},
	}
	if _, err := o.e.run(ctx, j); err != nil {
		o.handleFailed(ctx, it, err)
		return
	}
	if req.Event == integration.TimerDue {
		o.e.metrics.Item(it.Kind, "done")
	}
}

// maxRefusals is how often a handler may refuse one item, over about a minute and a half, until it
// ends.
const maxRefusals = 10

// FindingRefused is the code of the finding that the host raises when a plugin has refused a timer,
// a result or a request for good.
const FindingRefused = "host-refused"

// handleFailed keeps an item whose handler could not be run: a result is not thrown away while the
// plugin is not there. One that the plugin refuses again and again ends, so that what is behind it
// goes on. It reports whether the item has ended.
func (o *outbox) handleFailed(ctx context.Context, it store.Item, err error) (ended bool) {
	if takenOver(ctx) {
		return false
	}
	if integration.KindOf(err) == integration.KindNotFound {
		o.drop(ctx, it, "nothing is left of its integration")
		return true
	}
	if errors.As(err, new(refusal)) && it.Attempt >= maxRefusals {
		o.refused(ctx, it, err)
		return true
	}
	o.e.log.Warn("handler failed, will retry", "integration", it.Integration, "call", it.Key, "kind", it.Kind, "name", it.Name, "attempt", it.Attempt, "error", err)
	o.retry(ctx, it, o.e.clock.Now().Add(backoff.After(it.Attempt, firstRetry, maxRetry)))
	return false
}

// refused ends an item that its handler does not take, with a finding. A periodic timer is followed
// by the next one all the same.
func (o *outbox) refused(ctx context.Context, it store.Item, cause error) {
	e := o.e
	e.metrics.Item(it.Kind, "refused")
	what := "a " + string(it.Kind)
	if it.Name != "" {
		what = fmt.Sprintf("%s (%s)", what, it.Name)
	}
	e.known.Find(ctx, it.Integration, integration.Finding{
		Code: FindingRefused, Severity: integration.FindingWarning, At: e.clock.Now(),
		Message: fmt.Sprintf("The plugin refused %s of call %s %d times, and the host gave it up: %v. Report this with the host's log.",
			what, it.Key, it.Attempt, cause),
	})
	if next := e.nextPeriodic(ctx, it); len(next) > 0 {
		if err := e.commitItems(ctx, it.Integration, it.Key, next, it.ID); err != nil {
			o.retry(ctx, it, e.clock.Now().Add(maxRetry))
		}
		return
	}
	o.drop(ctx, it, cause.Error())
}

// failed retries, or ends the item when repeating cannot help or comes too late.
func (o *outbox) failed(ctx context.Context, it store.Item, err error, first, limit time.Duration) {
	e := o.e
	if takenOver(ctx) {
		return // done again by whoever has it now
	}
	due := e.clock.Now().Add(backoff.After(it.Attempt, first, limit))
	e.log.Warn("outbox item failed", "integration", it.Integration, "call", it.Key, "kind", it.Kind, "name", it.Name, "attempt", it.Attempt, "error", err)
	failure := patient.Error(ctx, err)
	tracing.Current(ctx).Fail(string(failure.Kind))
	switch {
	case failure.Kind.Final():
		o.fail(ctx, it, failure)
	case o.tooLate(it, due):
		o.fail(ctx, it, &integration.Error{Kind: integration.KindDeadline, Message: "not done in time; last: " + failure.Message, Field: failure.Field, Code: failure.Code})
	default:
		e.metrics.Item(it.Kind, "retried")
		o.retry(ctx, it, due)
	}
}

// tooLate reports whether at is beyond the item's NotAfter; an item without one is never too late.
func (o *outbox) tooLate(it store.Item, at time.Time) bool {
	return !it.NotAfter.IsZero() && at.After(it.NotAfter)
}

// fail ends an item with a failure for its handler. A plugin of an earlier minor does not hear of
// mails.
func (o *outbox) fail(ctx context.Context, it store.Item, err *integration.Error) {
	o.e.metrics.Item(it.Kind, "failed")
	if it.Kind == store.ItemMail && !o.e.hearsOfMails(ctx, it.Integration) {
		o.drop(ctx, it, err.Error())
		return
	}
	o.finish(ctx, it, itemResult{Failure: &failure{err.Kind, err.Message, err.Field, err.Code}})
}

// finish stores the result and hands it on at once.
func (o *outbox) finish(ctx context.Context, it store.Item, r itemResult) {
	body, err := json.Marshal(r)
	if err == nil {
		err = o.e.store.FinishItem(ctx, it, body)
	}
	if err != nil {
		// The lease runs out and the work is done again: at least once is what was promised.
		o.cannot(ctx, "store the result of outbox item", it, err)
		return
	}
	o.wake() // the next of its lane may start
	it.Phase, it.Result, it.Attempt = store.PhaseResult, body, 1
	o.deliver(ctx, it)
}

// cannot says that what has become of an item cannot be stored. Once others may have taken over its
// work, that is nothing unusual.
func (o *outbox) cannot(ctx context.Context, what string, it store.Item, err error) {
	level := slog.LevelError
	if takenOver(ctx) {
		level = slog.LevelDebug
	}
	o.e.log.Log(ctx, level, "cannot "+what+"; it is claimed again after its lease at the latest", "integration", it.Integration, "call", it.Key, "name", it.Name, "error", err)
}

// retry gives the item back until due, in the phase it is in.
func (o *outbox) retry(ctx context.Context, it store.Item, due time.Time) {
	if err := o.e.store.RetryItem(ctx, it, due); err != nil {
		o.cannot(ctx, "return outbox item", it, err)
	}
}

// delete ends an item that needs no handler.
func (o *outbox) delete(ctx context.Context, it store.Item) {
	if err := o.e.store.DeleteItem(ctx, it); err != nil {
		o.cannot(ctx, "delete finished outbox item", it, err)
	}
}

// drop ends an item that can neither be done nor handed to a handler. It is the only way in which
// work is lost, so it is an error in the log.
func (o *outbox) drop(ctx context.Context, it store.Item, why string) {
	o.e.log.Error("outbox item dropped", "integration", it.Integration, "call", it.Key, "kind", it.Kind, "name", it.Name, "reason", why)
	o.delete(ctx, it)
}
