package app

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// eraseRounds is how often the recordings of a call are listed while they are deleted: one list
// names 20, and the last one shows that none is left.
const eraseRounds = 6

// soundName is the name of a recording's file, without its extension. Recordings are found by it
// when they are deleted, so it says the second in which one began.
func soundName(started time.Time) string {
	return "voicemail-" + started.UTC().Format("20060102-150405")
}

// erase deletes what Twilio keeps of a call, see [integration.TaskErase]. What is gone already is
// what was wanted. Transcriptions go first: without their recording nobody would find them. It is
// run again until it returns no error, so each step must do no harm when its work is done already.
func (a *App) erase(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	var wanted integration.Erasure
	if err := json.Unmarshal(req.Task.Payload, &wanted); err != nil {
		return integration.TaskResult{}, integration.Errorf(integration.KindInvalid, "task %s: the payload cannot be read", req.Task.Name)
	}
	client, err := a.client(a.documents.load(req.Facts.Instance).Options)
	if err != nil {
		return integration.TaskResult{}, err
	}
	x := eraser{client: client}
	if err := x.recordings(ctx, wanted); err != nil {
		return integration.TaskResult{}, err
	}
	if wanted.Whole {
		if err := gone(client.DeleteCall(ctx, wanted.Call)); err != nil {
			return integration.TaskResult{}, err
		}
		x.erased.Calls++
	}
	payload, err := json.Marshal(x.erased)
	return integration.TaskResult{Payload: payload}, err
}

// eraser counts what it deletes.
type eraser struct {
	client *twilio.Client
	erased integration.Erased
}

// recordings deletes the recordings that an erasure names, or all of the call.
func (x *eraser) recordings(ctx context.Context, wanted integration.Erasure) error {
	// It lists again after deleting what it found: a recording may have been finished meanwhile.
	for range eraseRounds {
		list, err := x.client.Recordings(ctx, wanted.Call)
		if err != nil {
			return err
		}
		chosen := slices.DeleteFunc(slices.Clone(list), func(r twilio.Recording) bool { return r.Status == "absent" || r.Status == "deleted" })
		if len(wanted.Media) > 0 {
			chosen = slices.DeleteFunc(chosen, func(r twilio.Recording) bool { return !named(wanted.Media, r) })
		}
		if len(chosen) == 0 {
			return nil
		}
		for _, r := range chosen {
			if err := x.recording(ctx, r.SID); err != nil {
				return err
			}
		}
	}
	return integration.Errorf(integration.KindUnavailable, "deleting recordings: Twilio goes on listing recordings of the call")
}

// named reports whether a recording is one of some media. Media are the host's own, so the name
// that we gave them is all that both sides know.
func named(media []integration.MediaRef, r twilio.Recording) bool {
	return slices.ContainsFunc(media, func(m integration.MediaRef) bool {
		return strings.TrimSuffix(m.Name, path.Ext(m.Name)) == soundName(r.StartedAt)
	})
}

// recording deletes one recording with its transcriptions. It counts what was deleted now, for the
// host's account of it.
func (x *eraser) recording(ctx context.Context, sid string) error {
	transcriptions, err := x.client.Transcriptions(ctx, sid)
	if err := gone(err); err != nil {
		return err
	}
	for _, t := range transcriptions {
		if err := gone(x.client.DeleteTranscription(ctx, t)); err != nil {
			return err
		}
		x.erased.Transcriptions++
	}
	if err := gone(x.client.DeleteRecording(ctx, sid)); err != nil {
		return err
	}
	x.erased.Recordings++
	return nil
}

// gone is the error of a deletion, none where there was nothing to delete.
func gone(err error) error {
	if integration.KindOf(err) == integration.KindNotFound {
		return nil
	}
	return err
}
