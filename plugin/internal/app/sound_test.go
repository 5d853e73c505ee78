package app

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/soundcheck"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// plays lists the files of a document, those within a Gather included.
func plays(doc twiml.Document) []string {
	var out []string
	for _, v := range doc.Verbs {
		switch v := v.(type) {
		case twiml.Play:
			out = append(out, v.URL)
		case twiml.Gather:
			out = append(out, plays(twiml.New(v.Nested...))...)
		}
	}
	return out
}

func TestADeadFileIsReplacedInTheDocumentsOfTheCall(t *testing.T) {
	t.Parallel()
	const music, welcome = "https://x.example.com/music.mp3", "https://x.example.com/a%20welcome.mp3"
	h := newHost(t, map[string]any{"wait_music": music, "welcome": welcome, "before_wait": "media:" + strings.Repeat("a", 64)})
	h.inst.MediaURLs = map[string]string{"media:" + strings.Repeat("a", 64): "https://calls.example.com/media/wait.mp3"}
	first := h.post(endpointURL, "CallStatus", "ringing")
	if got := plays(first); len(got) != 1 || got[0] != welcome {
		t.Fatalf("plays %v", got)
	}
	again := h.post(endpointURL+"/resume", "ErrorCode", "11200", "ErrorUrl", "https://x.example.com/a%20welcome.mp3#x")
	if got := plays(again); len(got) != 0 {
		t.Errorf("the dead file is played again: %v", got)
	}
	f := h.finds["sound-welcome"]
	if f.Severity != integration.FindingError || f.Field != "welcome" || !strings.Contains(f.Message, "Welcome Recording ("+welcome+")") || !strings.Contains(f.Message, "11200") {
		t.Errorf("finding %+v", f)
	}
	enter := find[twiml.Enqueue](t, again)
	if got := plays(h.post(enter.WaitURL, "QueueSid", queueSID)); len(got) != 2 || got[1] != music {
		t.Fatalf("plays %v", got)
	}
	back := find[twiml.Enqueue](t, h.post(enter.Action, "QueueResult", "error", "QueueSid", queueSID, "QueueTime", "2"))
	wait := h.post(back.WaitURL, "QueueSid", queueSID)
	if got := plays(wait); len(got) != 1 || !strings.HasPrefix(got[0], endpointURL+"/media/music-0.wav") {
		t.Errorf("plays %v", got)
	}
	says(t, wait, words(reply.PromptPleaseWait, prompts.Args{}))
	if h.finds["sound-wait_music"].Field != "wait_music" || h.finds["sound-before_wait"].Field != "before_wait" {
		t.Errorf("findings %v", h.finds)
	}
	if s := h.state(); s.Hold.Errors != 0 || s.Phase != call.PhaseHolding {
		t.Errorf("%d errors of the queue, %s", s.Hold.Errors, s.Phase)
	}
}

func TestAFailedRequestThatEndedTheRecordingIsNoReasonToRecordAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"voicemail": true, "send_straight_to_voicemail": true})
	rec := find[twiml.Record](t, h.post(endpointURL, "CallStatus", "ringing"))
	doc := h.post(endpointURL+"/resume", "ErrorCode", "11200", "ErrorUrl", rec.Action)
	says(t, doc, words(reply.PromptAfterMessage, prompts.Args{}))
	if h.state().Phase != call.PhaseAwaitingRecording {
		t.Errorf("phase %s", h.state().Phase)
	}
	for _, l := range h.log {
		if strings.Contains(l.Attrs["url"], "t=") && !strings.Contains(l.Attrs["url"], "t=%E2%80%A6") {
			t.Errorf("a token in the log: %v", l.Attrs)
		}
	}
}

func TestWhyTheCarrierDidNotReachAResponderIsInTheStory(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"reach": "ring"})
	h.hold()
	h.pass(2 * time.Second)
	status := endpoint.NewLinks(h.inst, callSID).Leg(event.LegStatus, "1", 0)
	h.post(status, "CallSid", legSID, "CallStatus", "failed", "SipResponseCode", "503", "ErrorCode", "32011")
	found := false
	for _, c := range h.cmds {
		found = found || strings.Contains(c.Text, "could not be reached. The carrier answered with SIP code 503; Twilio's error code is 32011.")
	}
	if !found {
		t.Errorf("story: %s", h.kinds())
	}
}

func TestAFileThatCannotBePlayedIsToldWhenTheFormIsSavedAndChecked(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/music.mp3" {
			w.Header().Set("Content-Type", "audio/mpeg")
			_, _ = w.Write([]byte("sound"))
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	h := newHost(t, map[string]any{"wait_music": srv.URL + "/music.mp3", "voicemail_greeting": srv.URL + "/gone.mp3", "welcome": "Hello."})
	h.app = patient(New(Config{Version: "1.0.0", APIURL: h.twilio.srv.URL, Transport: h.twilio.transport, Sounds: soundcheck.Checker{Roots: roots}}))
	for _, online := range []bool{false, true} {
		val, err := h.app.ValidateOptions(context.Background(), integration.ValidateOptionsRequest{Options: h.inst.Options, Instance: h.inst, Destinations: h.dests, Online: online})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, p := range val.Problems {
			if p.Code == "sound" {
				told = append(told, p.Path+": "+p.Message)
			}
		}
		if want := "Voicemail Greeting Recording: the address answers 404"; online != (len(told) == 1) || online && !strings.Contains(told[0], want) {
			t.Errorf("online %v: problems %v", online, told)
		}
	}
	res := h.act("check")
	if says := lines(res); !strings.Contains(says, "ok: Wait Music Recording: the file can be fetched.") || !strings.Contains(says, "error: Voicemail Greeting Recording: the address answers 404") {
		t.Errorf("check says\n%s", says)
	}
	cleared := slices.ContainsFunc(res.Findings, func(f integration.Finding) bool {
		return f.Code == "sound-wait_music" && f.Severity == integration.FindingClear
	})
	if !cleared {
		t.Errorf("findings %+v", res.Findings)
	}
}
