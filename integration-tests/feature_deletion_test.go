package integrationtests

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// storedCall is what the API says of a call's recordings and story.
type storedCall struct {
	Live       bool
	Story      []struct{ Message string }
	Recordings []struct {
		Ref, URL  string
		DeletedBy string `json:"deleted_by"`
		DeletedAt string `json:"deleted_at"`
	}
}

// stored waits until good accepts the record of a call.
func (h *hotline) stored(c *twiliosim.Call, what string, good func(storedCall) bool) storedCall {
	h.t.Helper()
	var got storedCall
	h.eventually("the record: "+what, func() bool {
		got = storedCall{}
		_ = h.API(context.Background(), "GET", "/api/v1/calls/"+c.Sid, nil, &got)
		return good(got)
	})
	return got
}

// tells reports whether the story of a call has a line with this text.
func (c storedCall) tells(text string) bool {
	for _, l := range c.Story {
		if strings.Contains(l.Message, text) {
			return true
		}
	}
	return false
}

// deletedAtTwilio counts the requests that deleted something at Twilio and succeeded.
func (h *hotline) deletedAtTwilio(path string) int {
	n := 0
	for _, e := range h.Sim.Events(0) {
		if e.Kind == twiliosim.EventREST && e.Method == http.MethodDelete && strings.Contains(e.URL, path) && e.Status == http.StatusNoContent {
			n++
		}
	}
	return n
}

// TestFeatureRecordingIsDeletedAtTwilioToo deletes a message by the API while Twilio is out of
// order: the sound is gone here at once, the host says that it is not gone there, and deletes it
// there with its transcription as soon as Twilio answers.
func TestFeatureRecordingIsDeletedAtTwilioToo(t *testing.T) {
	t.Parallel()
	h := start(t, with(voicemail, "max_wait_time", 90, "transcribe", true), to("devops"))
	c := h.waiting()
	h.leavesMessage(c)
	c.Ended(t)
	h.over(c, "message_left")
	a := h.alert("with what was said", func(a alert) bool { return len(a.Attachments) == 1 && a.field("Voicemail Transcription") != "" })
	if err := h.act(a.ID, "resolve", "alice"); err != nil {
		t.Fatal(err)
	}
	record := h.stored(c, "it has ended", func(c storedCall) bool { return !c.Live && len(c.Recordings) == 1 })
	down := h.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `/Recordings`, Do: twiliosim.FaultStatus, Status: 503, Count: -1})
	if err := h.API(t.Context(), "DELETE", "/api/v1/recordings/"+record.Recordings[0].Ref, nil, nil); err != nil {
		t.Fatal(err)
	}
	if s, body := h.fetch(record.Recordings[0].URL, true); s != http.StatusGone || !strings.Contains(string(body), "was deleted on") {
		t.Errorf("the sound afterwards: %d %s", s, body)
	}
	var waits []struct {
		Call, Reason string
		Attempts     int
	}
	h.eventually("the host says that it is not deleted at Twilio", func() bool {
		h.get("/api/v1/erasures", &waits)
		return len(waits) == 1 && waits[0].Call == c.Sid && strings.Contains(waits[0].Reason, "503")
	})
	h.Sim.ClearFault(down)
	h.stored(c, "deleted at Twilio", func(c storedCall) bool {
		return c.tells("It was deleted at the telephone service, with its transcription.") && c.Recordings[0].DeletedAt != ""
	})
	if n, m := h.deletedAtTwilio("/Recordings/RE"), h.deletedAtTwilio("/Transcriptions/TR"); n != 1 || m != 1 {
		t.Errorf("%d recordings and %d transcriptions were deleted at Twilio, want 1 and 1", n, m)
	}
	if h.get("/api/v1/erasures", &waits); len(waits) != 0 {
		t.Errorf("still to be deleted: %+v", waits)
	}
	if a := h.alert("without what was said", func(a alert) bool { return a.field("Voicemail Transcription") == "" }); a.Status != "resolved" {
		t.Errorf("the alert is %s", a.Status)
	}
}
