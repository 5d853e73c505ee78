package deletion

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	forgetPage = 25     // calls that one transaction removes
	forgetMost = 10_000 // calls of one number: more are forgotten by asking again
	// forgetWait is how long the foreign services are waited for; what they have not deleted by
	// then follows.
	forgetWait = 15 * time.Second
	// ownLookedAt is how many calls, the newest first, tell which numbers are dialed.
	ownLookedAt = 1000
	// forgottenText stands where the number was.
	forgottenText = "(forgotten number)"
)

// Forgotten says what was removed about a caller, and what is left to do.
type Forgotten struct {
	store.Forgotten
	Alerts  int             // alerts of the platform that were deleted
	Pending []store.Erasure // what is still to be deleted at the foreign service; it is tried again
	// AlertsKept says that the platform keeps alerts that the host cannot delete.
	AlertsKept bool
	More       bool // there are more calls than are removed at once: forget again
}

// Forget removes what is known of a caller: the calls from a number with their states, work,
// recordings and alerts, and the number wherever else it was written, and has the foreign service
// delete its records of them. The error is KindInvalid for what is not an international number or
// is one that callers dial, and KindConflict if a call of it is in progress or its alert is queued,
// open or acknowledged: then nothing is removed. A number of which nothing is known is no error.
func (ds *Deletions) Forget(ctx context.Context, number string, d store.Deletion) (Forgotten, error) {
	var out Forgotten
	s := ds.cfg.Store
	number, calls, err := ds.callsFrom(ctx, number)
	if err != nil {
		return out, err
	}
	out.More = len(calls) == forgetMost
	if err := ds.mayForget(ctx, calls); err != nil {
		return out, err
	}
	if out.Alerts, out.AlertsKept, err = ds.forgetAlerts(ctx, calls); err != nil {
		return out, err
	}
	for rest := calls; len(rest) > 0; {
		page := rest[:min(len(rest), forgetPage)]
		rest = rest[len(page):]
		f, err := s.ForgetCalls(ctx, refsOfCalls(page), d)
		if err != nil {
			return out, err
		}
		out.Calls, out.Sessions, out.Recordings, out.Work = out.Calls+f.Calls, out.Sessions+f.Sessions, out.Recordings+f.Recordings, out.Work+f.Work
	}
	if err := ds.forgetTexts(ctx, number, &out); err != nil {
		return out, err
	}
	if err := s.Scrub(ctx); err != nil {
		ds.cfg.Log.Warn("the database could not be scrubbed after a caller was forgotten; what is left in unused parts is overwritten later", "error", err)
	}
	out.Pending, err = ds.eraseNow(ctx, calls)
	return out, err
}

// callsFrom reads an international number, and the calls from it.
func (ds *Deletions) callsFrom(ctx context.Context, number string) (string, []store.Call, error) {
	number, err := phone.ReadCalled(number)
	if err != nil {
		return "", nil, integration.Errorf(integration.KindInvalid, "%w", err)
	}
	if err := ds.mustBeCaller(ctx, number); err != nil {
		return "", nil, err
	}
	calls, err := ds.cfg.Store.CallerCalls(ctx, number, forgetMost)
	return number, calls, err
}

// mustBeCaller refuses a number that people dial. It stands in every call to it, also one that goes
// on, and no caller would be forgotten by taking it out of all of them.
func (ds *Deletions) mustBeCaller(ctx context.Context, number string) error {
	recent, _, err := ds.cfg.Store.ListCalls(ctx, store.CallFilter{Limit: ownLookedAt})
	if slices.ContainsFunc(recent, func(c store.Call) bool { return c.View.To == number }) {
		return integration.Errorf(integration.KindInvalid, "%s is a number that callers dial: nothing was forgotten; name the number from which the caller called", number)
	}
	return err
}

// Outside says what forgetting a caller does not change, and what is left for people to do, a
// sentence each.
func (f Forgotten) Outside() []string {
	out := []string{
		"Backups, logs and mails that were sent still have what they have.",
		"The numbers of people stand where their platform keeps them: forgetting a caller does not change them.",
	}
	if f.More {
		out = append(out, fmt.Sprintf("There may be more calls than the %d that were removed: forget the number again.", f.Calls))
	}
	if f.AlertsKept {
		out = append(out, "The platform keeps its alerts, with what they say of the caller: delete them there.")
	}
	return out
}

// Forgettable says what Forget would remove.
type Forgettable struct {
	Number string       // in E.164
	Calls  []store.Call // without their parts, the newest first
	More   bool         // there are more calls than are removed at once
	// Refused is why nothing can be removed now, for people; "": it can.
	Refused string
}

// Forgettable reads what Forget would remove of a caller, and changes nothing. The error is
// KindInvalid as that of Forget is.
func (ds *Deletions) Forgettable(ctx context.Context, number string) (Forgettable, error) {
	number, calls, err := ds.callsFrom(ctx, number)
	if err != nil {
		return Forgettable{}, err
	}
	out := Forgettable{Number: number, Calls: calls, More: len(calls) == forgetMost}
	err = ds.mayForget(ctx, calls)
	if integration.KindOf(err) == integration.KindConflict {
		out.Refused, err = patient.Error(ctx, err).Message, nil
	}
	return out, err
}

// refsOfCalls names records.
func refsOfCalls(calls []store.Call) []store.CallRef {
	refs := make([]store.CallRef, 0, len(calls))
	for _, c := range calls {
		refs = append(refs, store.CallRef{Integration: c.Integration, Key: c.Key})
	}
	return refs
}

// mayForget refuses calls that somebody still has to do with.
func (ds *Deletions) mayForget(ctx context.Context, calls []store.Call) error {
	for _, c := range calls {
		if c.Live {
			return integration.Errorf(integration.KindConflict, "a call from this number is in progress, or its message is being delivered: nothing was forgotten; try again when it has ended (resolving its alert ends the delivery)")
		}
		if c.Alert.Key == "" {
			continue
		}
		snap, err := ds.cfg.Alerts.Alert(ctx, ds.cfg.Known.Scope(c.Integration), c.Alert.Key)
		if integration.KindOf(err) == integration.KindNotFound {
			continue
		}
		if err != nil {
			return err
		}
		switch snap.Status {
		case integration.AlertQueued, integration.AlertOpen, integration.AlertAcknowledged:
			return integration.Errorf(integration.KindConflict, "the alert of call %s is %s: nothing was forgotten; resolve it first", c.Key, snap.Status)
		case integration.AlertResolved, integration.AlertDropped, integration.AlertDeleted:
		}
	}
	return nil
}

// forgetAlerts deletes the alerts of some calls, where the platform can; kept: it cannot, and has
// some.
func (ds *Deletions) forgetAlerts(ctx context.Context, calls []store.Call) (deleted int, kept bool, err error) {
	eraser, ok := ds.cfg.Platform.(platform.Eraser)
	for _, c := range calls {
		if c.Alert.Key == "" {
			continue
		}
		if !ok {
			return 0, true, nil
		}
		switch err := eraser.EraseAlert(ctx, ds.cfg.Known.Scope(c.Integration), c.Alert.Key); integration.KindOf(err) {
		case "":
			deleted++
		case integration.KindNotFound:
		case integration.KindUnsupported:
			kept = true
		default:
			return deleted, kept, err
		}
	}
	return deleted, kept, nil
}

// forgetTexts replaces the number where it is written about other calls.
func (ds *Deletions) forgetTexts(ctx context.Context, number string, out *Forgotten) (err error) {
	if out.Texts, err = ds.cfg.Store.ForgetText(ctx, number, forgottenText); err != nil {
		return err
	}
	eraser, ok := ds.cfg.Platform.(platform.Eraser)
	if !ok {
		return nil
	}
	n, err := eraser.ForgetText(ctx, number, forgottenText)
	out.Texts += n
	return err
}

// eraseNow has the foreign services delete what they keep of some calls, as far as they answer in
// time, and returns what is left.
func (ds *Deletions) eraseNow(ctx context.Context, calls []store.Call) ([]store.Erasure, error) {
	wait, cancel := context.WithTimeout(ctx, forgetWait)
	defer cancel()
	for wait.Err() == nil && ds.eraseDue(wait) > 0 {
	}
	ds.wakeErasing()
	mine := map[store.CallRef]bool{}
	for _, c := range refsOfCalls(calls) {
		mine[c] = true
	}
	all, err := ds.cfg.Store.ListErasures(ctx, "", maxErasuresCounted)
	var left []store.Erasure
	for _, x := range all {
		if mine[store.CallRef{Integration: x.Integration, Key: x.Key}] {
			left = append(left, x)
		}
	}
	return left, err
}
