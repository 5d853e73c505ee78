package deletion

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/backoff"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// How often the store is asked, besides when something was deleted here.
	eraseEvery = 30 * time.Second
	eraseLease = 5 * time.Minute // for a batch
	eraseBatch = 10              // one after the other: a foreign service has limits
	// One request to a foreign service.
	performTimeout = 30 * time.Second
	// After a failure the pauses grow from the first to the longest: people may have to put
	// something right.
	firstErase, maxErase = time.Minute, 24 * time.Hour
	// ErasePatience is how long a deletion at the foreign service is tried. What could not be
	// deleted is listed until twice that time after it was asked for.
	ErasePatience = 90 * 24 * time.Hour
)

// FindingNotErased is the code of the finding that something could not be deleted at the foreign
// service.
const FindingNotErased = "host-not-erased"

// eraseMinor is the minor of the protocol since which plugins are asked for
// [integration.TaskErase].
const eraseMinor = 1

// DeleteRecording deletes a recording of a call here and on the alert of the platform, and has it
// deleted at the foreign service. The error is KindConflict for a live call, KindNotFound if the
// call has no such recording any more.
func (ds *Deletions) DeleteRecording(ctx context.Context, integrationID, key, ref string, d store.Deletion) error {
	c, err := ds.cfg.Store.Call(ctx, integrationID, key)
	if err != nil {
		return err
	}
	line := store.StoryLine{At: d.At, Text: "A recording was deleted" + deletedBy(d) + "; it is being deleted at the telephone service too."}
	if err := ds.cfg.Store.DeleteRecording(ctx, integrationID, key, ref, d, line); err != nil {
		return err
	}
	ds.erasePlatform(ctx, c, []string{ref}, "A recording was deleted"+deletedBy(d)+".")
	ds.wakeErasing()
	return nil
}

// DeleteCall deletes the record of a call, with its recordings as [Deletions.DeleteRecording] does.
func (ds *Deletions) DeleteCall(ctx context.Context, integrationID, key string, d store.Deletion) error {
	c, err := ds.cfg.Store.Call(ctx, integrationID, key)
	if err != nil {
		return err
	}
	if err := ds.cfg.Store.DeleteCall(ctx, integrationID, key, d); err != nil {
		return err
	}
	ds.erasePlatform(ctx, c, refsOf(c), "The recordings were deleted"+deletedBy(d)+".")
	ds.wakeErasing()
	return nil
}

// DeleteAlert deletes an alert that nobody has to do with any more, with its log. The record of its
// call stays. The error is KindUnsupported if the platform keeps its alerts, KindConflict for an
// alert that is not over or whose call is live, KindNotFound if there is none.
func (ds *Deletions) DeleteAlert(ctx context.Context, integrationID, alertKey string) error {
	eraser, ok := ds.cfg.Platform.(platform.Eraser)
	if !ok {
		return integration.Errorf(integration.KindUnsupported, "this platform does not let its alerts be deleted from here")
	}
	if c, err := ds.cfg.Store.CallByAlert(ctx, integrationID, alertKey); err == nil && c.Live {
		return integration.Errorf(integration.KindConflict, "its call is still in progress, or its message is being delivered: delete the alert when it has ended; resolving the alert ends the delivery")
	}
	return eraser.EraseAlert(ctx, ds.cfg.Known.Scope(integrationID), alertKey)
}

// deletedBy names who deleted something, for the middle of a sentence.
func deletedBy(d store.Deletion) string {
	switch {
	case d.Cause == store.CauseRetention:
		return ", as its retention was over"
	case d.By != "":
		return " by " + d.By
	}
	return ""
}

// erasePlatform takes recordings off the alert of a call where the platform can do that. What fails
// is logged: the sound itself is gone.
func (ds *Deletions) erasePlatform(ctx context.Context, c store.Call, refs []string, line string) {
	eraser, ok := ds.cfg.Platform.(platform.Eraser)
	if !ok || c.Alert.Key == "" || len(refs) == 0 {
		return
	}
	err := eraser.EraseRecordings(ctx, ds.cfg.Known.Scope(c.Integration), c.Alert.Key, refs, line)
	if err != nil && integration.KindOf(err) != integration.KindNotFound {
		ds.cfg.Log.Warn("the alert still names a recording that was deleted", "integration", c.Integration, "call", c.Key, "error", err)
	}
}

// wakeErasing has the foreign services asked at once.
func (ds *Deletions) wakeErasing() {
	select {
	case ds.erasing <- struct{}{}:
	default:
	}
}

// Erase has foreign services delete what was deleted here, until ctx ends.
func (ds *Deletions) Erase(ctx context.Context) error {
	for {
		n := ds.eraseDue(ctx)
		if n == eraseBatch {
			continue
		}
		wait, cancel := context.WithCancel(ctx)
		go func() {
			select {
			case <-ds.erasing:
				cancel()
			case <-wait.Done():
			}
		}()
		_ = clock.Sleep(wait, ds.cfg.Clock, eraseEvery)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// eraseDue works one batch, and says how large it was.
func (ds *Deletions) eraseDue(ctx context.Context) int {
	list, err := ds.patient.ClaimErasures(ctx, ds.cfg.Owner, ds.cfg.Clock.Now(), eraseLease, eraseBatch)
	if err != nil {
		if ctx.Err() == nil {
			ds.cfg.Log.Error("cannot see what is to be deleted at the foreign service", "error", err)
		}
		return 0
	}
	touched := map[string]bool{}
	for _, x := range list {
		if ctx.Err() != nil {
			return 0 // the lease runs out
		}
		touched[x.Integration] = true
		ds.eraseOne(ctx, x)
	}
	for id := range touched {
		ds.findErasures(ctx, id)
	}
	return len(list)
}

// eraseOne asks the plugin to delete, and keeps what came of it.
func (ds *Deletions) eraseOne(ctx context.Context, x store.Erasure) {
	erased, err := ds.performErasure(ctx, x)
	now := ds.cfg.Clock.Now()
	if err == nil {
		line := store.StoryLine{At: now, Text: erasedText(erased)}
		if err := ds.patient.FinishErasure(ctx, x, line); err != nil {
			ds.cfg.Log.Warn("cannot note what was deleted at the foreign service, will be tried again", "call", x.Key, "error", err)
		}
		return
	}
	if ctx.Err() != nil {
		return
	}
	known := patient.Error(ctx, err)
	kind := known.Kind
	givenUp := kind == integration.KindUnsupported || kind == integration.KindNotFound || now.Sub(x.AskedAt) > ErasePatience
	ds.cfg.Log.Warn("not deleted at the foreign service", "integration", x.Integration, "call", x.Key, "attempt", x.Attempt, "given_up", givenUp, "error", err)
	if err := ds.patient.FailErasure(ctx, x, now.Add(backoff.After(x.Attempt, firstErase, maxErase)), known.Message, givenUp); err != nil {
		ds.cfg.Log.Warn("cannot note what was not deleted at the foreign service", "call", x.Key, "error", err)
	}
}

// erasedText says what the foreign service has deleted.
func erasedText(erased integration.Erased) string {
	if erased.Recordings == 0 {
		return "The telephone service has no recording of it any more."
	}
	text := "It was deleted at the telephone service"
	if erased.Recordings > 1 {
		text = fmt.Sprintf("%d recordings were deleted at the telephone service", erased.Recordings)
	}
	if erased.Transcriptions > 0 {
		text += ", with its transcription"
	}
	return text + "."
}

// performErasure runs the task in the plugin of the integration, which may have been removed
// meanwhile. Its errors are those of [integration.TaskErase]; KindNotFound: nothing is left of the
// integration.
func (ds *Deletions) performErasure(ctx context.Context, x store.Erasure) (integration.Erased, error) {
	var erased integration.Erased
	ctx, cancel := context.WithTimeout(ctx, performTimeout)
	defer cancel()
	task, err := integration.Erasure{Call: x.Key, Media: x.Media, Whole: x.Whole}.Task()
	if err != nil {
		return erased, err
	}
	plugin, pluginID, facts, err := ds.cfg.Load(ctx, x.Integration, x.Key)
	if integration.KindOf(err) == integration.KindNotFound {
		return erased, integration.Errorf(integration.KindNotFound, "the integration was removed, and its credentials with it: delete it at the telephone service yourself")
	}
	if err != nil {
		return erased, err
	}
	desc, err := ds.cfg.Known.Description(ctx, pluginID)
	if err != nil {
		return erased, err
	}
	if desc.ProtocolMinor < eraseMinor {
		return erased, integration.Errorf(integration.KindUnsupported, "the plugin %s %s cannot delete it: use a newer one, or delete it at the telephone service yourself", desc.ID, desc.Version)
	}
	got, err := plugin.Perform(ctx, integration.PerformRequest{Facts: facts, Task: task, Attempt: x.Attempt})
	if kind := integration.KindOf(err); kind == integration.KindNotFound {
		// Of a plugin that takes it for one of its own tasks.
		return erased, integration.Errorf(integration.KindUnsupported, "the plugin cannot delete it: %w", err)
	}
	if err != nil {
		return erased, err
	}
	if json.Unmarshal(got.Payload, &erased) != nil {
		return erased, integration.Errorf(integration.KindUnsupported, "the plugin does not say that it has deleted it")
	}
	return erased, nil
}

// maxErasuresCounted bounds what is read for a finding.
const maxErasuresCounted = 1000

// findErasures raises or clears the finding of an integration about what could not be deleted.
func (ds *Deletions) findErasures(ctx context.Context, id string) {
	list, err := ds.patient.ListErasures(ctx, id, maxErasuresCounted)
	if err != nil {
		return
	}
	if in, err := ds.cfg.Known.Integration(ctx, id); err != nil || !in.DeletedAt.IsZero() {
		return // nobody would see it
	}
	f := integration.Finding{Code: FindingNotErased, Severity: integration.FindingClear, At: ds.cfg.Clock.Now()}
	failed := 0
	for _, x := range list {
		if x.Reason != "" {
			failed++
			f.Message = x.Reason
		}
	}
	if failed > 0 {
		f.Severity = integration.FindingWarning
		f.Message = fmt.Sprintf("The recordings of %d deleted calls could not be deleted at the telephone service yet. The last reason: %s. The host tries again; all that is not deleted yet is listed on the page Deletion and by GET /api/v1/erasures.", failed, f.Message)
	}
	ds.cfg.Known.Show(ctx, id, f)
}
