package app

import (
	"bytes"
	"testing"

	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// TestRotatedAuthTokenCountsAtOnce changes the auth token during a call. The call's options stay
// those of the revision that it began with, and the host puts the newest secrets into them.
func TestRotatedAuthTokenCountsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"voicemail": true})
	_, next := h.hold()
	const rotated = "authtoken2"
	h.inst.Options = bytes.Replace(h.inst.Options, []byte(authToken), []byte(rotated), 1)
	h.isRefused("signed with the former token", h.request(endpointURL, form()))
	h.token = rotated
	find[twiml.Gather](t, h.post(next, "QueueSid", queueSID))

	// And back: what was decoded before the rotation is not mixed up with what came after it.
	h.inst.Options = bytes.Replace(h.inst.Options, []byte(rotated), []byte(authToken), 1)
	h.isRefused("signed with the token taken back", h.request(endpointURL, form()))
}

// TestDocumentsAreDecodedOnce loads one document for many requests, and never one for another.
func TestDocumentsAreDecodedOnce(t *testing.T) {
	t.Parallel()
	d := newDocuments()
	h := newHost(t, map[string]any{"max_wait_time": 120})
	first := d.load(h.inst)
	for range 3 {
		h.inst.Revision++ // a revision number alone is no reason to decode again
		if again := d.load(h.inst); again.Flow.MaxWait != first.Flow.MaxWait {
			t.Errorf("the longest wait is %s after %s", again.Flow.MaxWait, first.Flow.MaxWait)
		}
	}
	if n := d.decoded.Len(); n != 1 {
		t.Errorf("%d documents were decoded", n)
	}
	h.inst.Options = bytes.Replace(h.inst.Options, []byte("120"), []byte("240"), 1)
	if changed := d.load(h.inst); changed.Flow.MaxWait != 2*first.Flow.MaxWait {
		t.Errorf("the changed document has a longest wait of %s", changed.Flow.MaxWait)
	}
	h.inst.OptionsFormat = options.Format + 1
	if newer := d.load(h.inst); len(newer.problems) == 0 {
		t.Error("a document of a newer format has no problem")
	}
}
