package engine

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/deletion"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Forgotten says what was removed about a caller, and what is left to do.
type Forgotten = deletion.Forgotten

// Forgettable says what Forget would remove.
type Forgettable = deletion.Forgettable

// Codes of findings about what is to be deleted.
const (
	// FindingUnheard: recordings come to the end of their retention unheard.
	FindingUnheard = deletion.FindingUnheard
	// FindingLongOpen: somebody still has to do with alerts that are old.
	FindingLongOpen = deletion.FindingLongOpen
	// FindingNotErased: something could not be deleted at the foreign service.
	FindingNotErased = deletion.FindingNotErased
)

// LongOpen is the age at which an alert that is neither resolved nor dropped becomes a finding.
const LongOpen = deletion.LongOpen

// ErasePatience is how long a deletion at the foreign service is tried. What could not be deleted
// is listed until twice that time after it was asked for.
const ErasePatience = deletion.ErasePatience

// DeleteRecording deletes a recording of a call here and on the alert of the platform, and has it
// deleted at the foreign service. The error is KindConflict for a live call, KindNotFound if the
// call has no such recording any more.
func (e *Engine) DeleteRecording(ctx context.Context, integrationID, key, ref string, d store.Deletion) error {
	return e.deletion.DeleteRecording(ctx, integrationID, key, ref, d)
}

// DeleteCall deletes the record of a call, with its recordings as [Engine.DeleteRecording] does.
func (e *Engine) DeleteCall(ctx context.Context, integrationID, key string, d store.Deletion) error {
	return e.deletion.DeleteCall(ctx, integrationID, key, d)
}

// DeleteAlert deletes an alert that nobody has to do with any more, with its log. The record of its
// call stays. The error is KindUnsupported if the platform keeps its alerts, KindConflict for an
// alert that is not over or whose call is live, KindNotFound if there is none.
func (e *Engine) DeleteAlert(ctx context.Context, integrationID, alertKey string) error {
	return e.deletion.DeleteAlert(ctx, integrationID, alertKey)
}

// Forget removes what is known of a caller: the calls from a number with their states, work,
// recordings and alerts, and the number wherever else it was written, and has the foreign service
// delete its records of them. The error is KindInvalid for what is not an international number, and
// KindConflict if a call of it is in progress or its alert is queued, open or acknowledged: then
// nothing is removed. A number of which nothing is known is no error.
func (e *Engine) Forget(ctx context.Context, number string, d store.Deletion) (Forgotten, error) {
	return e.deletion.Forget(ctx, number, d)
}

// Forgettable reads what Forget would remove of a caller, and changes nothing. The error is
// KindInvalid for what is not an international number.
func (e *Engine) Forgettable(ctx context.Context, number string) (Forgettable, error) {
	return e.deletion.Forgettable(ctx, number)
}

// loadNow is load for what is done with today's options, whatever the session began with.
func (e *Engine) loadNow(ctx context.Context, id, key string) (plugin integration.Integration, pluginID string, facts integration.Facts, err error) {
	l, err := e.load(ctx, id, key, loading{current: true})
	return l.plugin, l.integration.Plugin, l.facts, err
}
