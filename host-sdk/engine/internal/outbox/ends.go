package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/backoff"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

// Refusal is the error of a handler that answered, but with an error or with what cannot be
// committed: a defect, or data that the plugin does not take. Asked again it may well answer the
// same.
type Refusal struct{ Err error }

// Error implements error.
func (r Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the handler's error.
func (r Refusal) Unwrap() error { return r.Err }

// Consumed reports whether a commit failed because its outbox item is gone.
func Consumed(err error) bool {
	if err == nil {
		return false
	}
	var e *integration.Error
	return errors.As(err, &e) && e.Code == store.CodeItemGone
}

// maxRefusals is how often a handler may refuse one item, over about a minute and a half, until it
// ends.
const maxRefusals = 10

// handleFailed keeps an item whose handler could not be run: a result is not thrown away while the
// plugin is not there. One that the plugin refuses again and again ends, so that what is behind it
// goes on. It reports whether the item has ended.
func (o *Outbox) handleFailed(ctx context.Context, it store.Item, err error) (ended bool) {
	if takenOver(ctx) {
		return false
	}
	if integration.KindOf(err) == integration.KindNotFound {
		o.Drop(ctx, it, "nothing is left of its integration")
		return true
	}
	if errors.As(err, new(Refusal)) && it.Attempt >= maxRefusals {
		o.refused(ctx, it, err)
		return true
	}
	o.cfg.Log.Warn("handler failed, will retry", "integration", it.Integration, "call", it.Key, "kind", it.Kind, "name", it.Name, "attempt", it.Attempt, "error", err)
	o.Retry(ctx, it, o.cfg.Clock.Now().Add(backoff.After(it.Attempt, FirstRetry, MaxRetry)))
	return false
}

// refused ends an item that its handler does not take.
func (o *Outbox) refused(ctx context.Context, it store.Item, cause error) {
	o.cfg.Counts.Item(it.Kind, "refused")
	switch ended, err := o.do.GiveUp(ctx, it, cause); {
	case err != nil:
		o.Retry(ctx, it, o.cfg.Clock.Now().Add(MaxRetry))
	case !ended:
		o.Drop(ctx, it, cause.Error())
	}
}

// Failed retries, or ends the item when repeating cannot help or comes too late.
func (o *Outbox) Failed(ctx context.Context, it store.Item, err error, first, limit time.Duration) {
	if takenOver(ctx) {
		return // done again by whoever has it now
	}
	due := o.cfg.Clock.Now().Add(backoff.After(it.Attempt, first, limit))
	o.cfg.Log.Warn("outbox item failed", "integration", it.Integration, "call", it.Key, "kind", it.Kind, "name", it.Name, "attempt", it.Attempt, "error", err)
	failure := patient.Error(ctx, err)
	tracing.Current(ctx).Fail(string(failure.Kind))
	switch {
	case failure.Kind.Final():
		o.Fail(ctx, it, failure)
	case o.tooLate(it, due):
		o.Fail(ctx, it, &integration.Error{Kind: integration.KindDeadline, Message: "not done in time; last: " + failure.Message, Field: failure.Field, Code: failure.Code})
	default:
		o.cfg.Counts.Item(it.Kind, "retried")
		o.Retry(ctx, it, due)
	}
}

// tooLate reports whether at is beyond the item's NotAfter; an item without one is never too late.
func (o *Outbox) tooLate(it store.Item, at time.Time) bool {
	return !it.NotAfter.IsZero() && at.After(it.NotAfter)
}

// Done ends an item that is done, which its handler hears of if it is to. That is stored first: a
// plugin that is not there hears of it later, and the work is not done again for it.
func (o *Outbox) Done(ctx context.Context, it store.Item) {
	if !o.do.HearsOf(ctx, it) {
		o.Delete(ctx, it)
		return
	}
	o.finish(ctx, it, nothing)
}

// nothing is the result, as it is stored, of an item that is done and has none: a sent mail. A host
// of the release before would take an empty [Result] of a mail for a failure, and tell people so.
// This one it cannot read, and drops.
var nothing = json.RawMessage(`"done"`)

// Fail ends an item with a failure for its handler. A plugin of an earlier minor does not hear of
// mails.
func (o *Outbox) Fail(ctx context.Context, it store.Item, err *integration.Error) {
	o.cfg.Counts.Item(it.Kind, "failed")
	if !o.do.HearsOf(ctx, it) {
		o.Drop(ctx, it, err.Error())
		return
	}
	o.finish(ctx, it, Result{Failure: &failure{err.Kind, err.Message, err.Field, err.Code}})
}

// finish stores the result, a Result or nothing, and hands it on at once.
func (o *Outbox) finish(ctx context.Context, it store.Item, r any) {
	body, err := json.Marshal(r)
	if err == nil {
		err = o.cfg.Store.FinishItem(ctx, it, body)
	}
	if err != nil {
		// The lease runs out and the work is done again: at least once is what was promised.
		o.cannot(ctx, "store the result of outbox item", it, err)
		return
	}
	o.Wake() // the next of its lane may start
	it.Phase, it.Result, it.Attempt = store.PhaseResult, body, 1
	o.deliver(ctx, it)
}

// cannot says that what has become of an item cannot be stored. Once others may have taken over its
// work, that is nothing unusual.
func (o *Outbox) cannot(ctx context.Context, what string, it store.Item, err error) {
	level := slog.LevelError
	if takenOver(ctx) {
		level = slog.LevelDebug
	}
	o.cfg.Log.Log(ctx, level, "cannot "+what+"; it is claimed again after its lease at the latest", "integration", it.Integration, "call", it.Key, "name", it.Name, "error", err)
}

// Retry gives the item back until due, in the phase it is in.
func (o *Outbox) Retry(ctx context.Context, it store.Item, due time.Time) {
	if err := o.cfg.Store.RetryItem(ctx, it, due); err != nil {
		o.cannot(ctx, "return outbox item", it, err)
	}
}

// Delete ends an item that needs no handler.
func (o *Outbox) Delete(ctx context.Context, it store.Item) {
	if err := o.cfg.Store.DeleteItem(ctx, it); err != nil {
		o.cannot(ctx, "delete finished outbox item", it, err)
	}
}

// Drop ends an item that can neither be done nor handed to a handler. It is the only way in which
// work is lost, so it is an error in the log.
func (o *Outbox) Drop(ctx context.Context, it store.Item, why string) {
	o.cfg.Log.Error("outbox item dropped", "integration", it.Integration, "call", it.Key, "kind", it.Kind, "name", it.Name, "reason", why)
	o.Delete(ctx, it)
}
