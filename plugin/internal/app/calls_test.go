package app

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/transport"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// spoken is everything a document says.
func spoken(doc twiml.Document) string {
	var out []string
	for _, v := range doc.Verbs {
		switch v := v.(type) {
		case twiml.Say:
			out = append(out, v.Text)
		case twiml.Gather:
			out = append(out, spoken(twiml.New(v.Nested...)))
		default:
		}
	}
	return strings.Join(out, " ")
}

func find[V twiml.Verb](t testing.TB, doc twiml.Document) V {
	t.Helper()
	for _, v := range doc.Verbs {
		if x, ok := v.(V); ok {
			return x
		}
	}
	var none V
	t.Fatalf("no %T in\n%s", none, doc.Bytes())
	return none
}

// words returns what a prompt says in the default language. Tests that use it do not fail when a
// prompt gets other words.
func words(key reply.PromptKey, a prompts.Args) string {
	return prompts.Text(prompts.DefaultLanguage, prompts.Key(key), a)
}

func says(t testing.TB, doc twiml.Document, want string) {
	t.Helper()
	if got := spoken(doc); !strings.Contains(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
}

// hold brings a caller of a one-team hotline into the queue, past the first tick; it returns the
// wait document's successor.
func (h *host) hold() (enqueue twiml.Enqueue, next string) {
	h.t.Helper()
	doc := h.post(endpointURL, "CallStatus", "ringing", "CallerZip", "20001")
	enqueue = find[twiml.Enqueue](h.t, doc)
	if len(enqueue.Name) > 64 || !strings.HasSuffix(enqueue.Name, callSID) {
		h.t.Errorf("queue %q", enqueue.Name)
	}
	h.pass(time.Second)
	doc = h.post(enqueue.WaitURL, "QueueSid", queueSID, "QueueTime", "0")
	return enqueue, h.next(doc)
}

// next is where a wait document leads.
func (h *host) next(doc twiml.Document) string {
	h.t.Helper()
	return find[twiml.Redirect](h.t, doc).URL
}

func (h *host) acknowledge(user string) {
	h.changed(func(a *integration.AlertSnapshot) {
		h.seq++
		a.Status = integration.AlertAcknowledged
		a.Acknowledgements = []integration.Acknowledgement{{ID: "ack-" + user + string(rune('0'+h.seq)), User: user, At: h.now}}
	})
}

// legURL is the URL that the last call to a responder was made with, or its status callback.
func (h *host) legURL(field string) string { return h.twilio.form("POST /Calls.json").Get(field) }

func (h *host) leg(address string, pairs ...string) twiml.Document {
	h.t.Helper()
	return h.post(address, append([]string{"CallSid", legSID, "From", calledNum, "To", alicePhon, "Direction", "outbound-api"}, pairs...)...)
}

func TestCallIsConnected(t *testing.T) {
	t.Parallel()
	callIsConnected(t, newHost(t, connectedOptions))
}

// TestARequestThatIsHandledLateCountsFromWhenItCame: a conversation of two seconds is not one of a
// minute because the host could not handle its end before.
func TestARequestThatIsHandledLateCountsFromWhenItCame(t *testing.T) {
	t.Parallel()
	h := newHost(t, connectedOptions)
	enqueue, _ := h.hold()
	h.acknowledge("alice")
	h.pass(2 * time.Second)
	ask := find[twiml.Gather](t, h.leg(h.legURL("Url")))
	dial := find[twiml.Dial](t, h.leg(ask.Action, "Digits", "1"))
	h.post(dial.Queue.URL, "QueueSid", queueSID, "DequeingCallSid", legSID)
	came := h.now.Add(2 * time.Second)
	h.pass(time.Minute)
	req := h.request(dial.Action, url.Values{"CallSid": {legSID}, "AccountSid": {accountSID}, "CallStatus": {"completed"}, "DialBridged": {"true"}})
	req.ReceivedAt = came
	h.send(req)
	if h.view.State != "holding" {
		t.Errorf("the call is %s, want holding: they talked for two seconds", h.view.State)
	}
	if again := find[twiml.Enqueue](t, h.post(enqueue.Action, "QueueResult", "bridged")); again.Name != enqueue.Name {
		t.Errorf("the caller enters the queue %s, want %s", again.Name, enqueue.Name)
	}
}

// TestARequestOfTheCallersLegSaysThatTheCallerIsThere: hosts keep that. What a responder's leg or a
// status callback says of the caller is nothing, and a caller who has hung up is not there.
func TestARequestOfTheCallersLegSaysThatTheCallerIsThere(t *testing.T) {
	t.Parallel()
	h := newHost(t, connectedOptions)
	_, tick := h.hold()
	h.acknowledge("alice")
	h.pass(2 * time.Second)
	leg := []string{"CallSid", legSID, "From", calledNum, "To", alicePhon, "Direction", "outbound-api"}
	for _, x := range []struct {
		what, address string
		pairs         []string
		seen          bool
	}{
		{"a tick", tick, []string{"QueueSid", queueSID}, true},
		{"the answer of a responder", h.legURL("Url"), leg, false},
		{"the status of a responder's call", h.legURL("StatusCallback"), leg, false},
		{"the status of the number", endpointURL + "/status", []string{"CallStatus", "in-progress"}, false},
		{"a tick of a caller who has hung up", tick, []string{"QueueSid", queueSID, "CallStatus", "completed"}, false},
	} {
		form := url.Values{"CallSid": {callSID}, "AccountSid": {accountSID}, "From": {callerNum}, "To": {calledNum}, "CallStatus": {"in-progress"}, "Direction": {"inbound"}}
		for i := 0; i+1 < len(x.pairs); i += 2 {
			form.Set(x.pairs[i], x.pairs[i+1])
		}
		out := h.run(callSID, func(f integration.Facts) (integration.Outcome, error) {
			req := h.request(x.address, form)
			req.Facts = f
			return h.app.HandleWebhook(t.Context(), req)
		})
		if out.Seen != x.seen {
			t.Errorf("%s: seen %v, want %v", x.what, out.Seen, x.seen)
		}
	}
}

// TestCallsOverTheWire runs scripts through the messages that host and plugin exchange.
func TestCallsOverTheWire(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]struct {
		options map[string]any
		run     func(*testing.T, *host)
	}{
		"connected": {connectedOptions, callIsConnected}, "voicemail": {voicemailOptions, voicemailAfterMaxWait},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, script.options)
			conn, closeBoth, err := transport.DialInProcess(h.app)
			if err != nil {
				t.Fatal(err)
			}
			defer closeBoth()
			h.app = conn
			script.run(t, h)
		})
	}
}

var connectedOptions = map[string]any{"welcome": "Welcome to Example."}

func callIsConnected(t *testing.T, h *host) {
	h.dests = append(h.dests, integration.Destination{Kind: integration.DestinationTeam, ID: "support", Name: "Customer Support"})

	doc := h.post(endpointURL, "CallStatus", "ringing")
	gather := find[twiml.Gather](t, doc)
	says(t, doc, "Welcome to Example. Press 1 for Customer Support. Press 2 for DevOps.")
	if gather.NumDigits != 1 || *gather.FinishOnKey != "" || !gather.ActionOnEmptyResult {
		t.Errorf("gather %+v", gather)
	}
	doc = h.post(gather.Action, "Digits", "2")
	enqueue := find[twiml.Enqueue](t, doc)
	h.pass(time.Second)
	doc = h.post(enqueue.WaitURL, "QueueSid", queueSID, "QueueTime", "0")
	says(t, doc, words(reply.PromptPleaseWait, prompts.Args{}))
	if got := h.kinds(); got != "create route" {
		t.Fatalf("alert commands %q", got)
	}
	draft := h.cmds[0].Draft
	if draft.Title != "Incoming call from "+callerNum || draft.SpokenTitle != "Incoming call from plus 1, 2 0 2, 5 5 5, 0 1 4 3" || draft.Urgency != "high" {
		t.Errorf("PT09 draft %+v", draft)
	}
	writes := h.writes
	for range 3 { // quiet ticks go on with the tune and write nothing
		h.pass(16 * time.Second)
		doc = h.post(h.next(doc), "QueueSid", queueSID, "QueueTime", "30")
	}
	if h.writes > writes+2 {
		t.Errorf("%d writes in three quiet ticks", h.writes-writes)
	}

	h.acknowledge("alice")
	h.pass(2 * time.Second)
	form := h.twilio.form("POST /Calls.json")
	if form.Get("To") != alicePhon || form.Get("From") != calledNum || len(form["StatusCallbackEvent"]) != 4 || form.Get("Timeout") != "25" {
		t.Fatalf("call to the responder: %v", form)
	}
	h.leg(h.legURL("StatusCallback"), "CallStatus", "ringing")
	doc = h.leg(h.legURL("Url"))
	ask := find[twiml.Gather](t, doc)
	says(t, doc, words(reply.PromptAsk, prompts.Args{Team: "DevOps", Number: callerNum, Called: calledNum}))
	doc = h.leg(ask.Action, "Digits", "7")
	ask = find[twiml.Gather](t, doc)
	doc = h.leg(ask.Action, "Digits", "1")
	dial := find[twiml.Dial](t, doc)
	if dial.Queue.Name != enqueue.Name || dial.Timeout != 5 {
		t.Errorf("dial %+v", dial)
	}
	says(t, h.post(dial.Queue.URL, "QueueSid", queueSID, "DequeingCallSid", legSID), words(reply.PromptBeforeConnect, prompts.Args{}))
	if got := h.view.State; got != "talking" {
		t.Errorf("state %q", got)
	}
	h.pass(time.Minute)
	h.leg(dial.Action, "DialBridged", "true", "DialCallStatus", "completed", "DialCallDuration", "61")
	h.leg(h.legURL("StatusCallback"), "CallStatus", "completed", "CallDuration", "70")
	h.post(enqueue.Action, "QueueResult", "bridged", "QueueSid", queueSID)
	h.post(endpointURL+"/status", "CallStatus", "completed")
	h.pass(time.Hour)
	if h.view.Ended != "connected" || h.live {
		t.Errorf("ended %q, live %v", h.view.Ended, h.live)
	}
	if h.alert.Status != integration.AlertAcknowledged {
		t.Errorf("alert %s", h.alert.Status)
	}
	if n := h.twilio.count("DELETE /Queues/" + queueSID + ".json"); n != 1 {
		t.Errorf("queue deleted %d times", n)
	}
	if n := h.twilio.count("POST /Calls.json"); n != 1 {
		t.Errorf("%d calls made", n)
	}
	if len(h.finds) != 1 || endpoint.LastSigned(h.facts(callSID), h.account()).IsZero() {
		t.Errorf("findings %+v", h.finds)
	}
}

func TestNoAnswerIsTakenBack(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	_, next := h.hold()
	h.acknowledge("alice")
	h.pass(2 * time.Second)
	h.leg(h.legURL("StatusCallback"), "CallStatus", "ringing")
	h.pass(25 * time.Second)
	h.post(next, "QueueSid", queueSID, "QueueTime", "26")
	h.leg(h.legURL("StatusCallback"), "CallStatus", "no-answer")
	if got := h.kinds(); got != "create route reopen escalate" && got != "create route reopen" {
		t.Errorf("PT54 alert commands %q", got)
	}
	if h.view.State != "holding" || h.view.Legs[1].Reason != "no_answer" || h.view.Legs[1].Name != "Alice Example" {
		t.Errorf("view %+v", h.view)
	}
}

func TestVoicemailAfterMaxWait(t *testing.T) {
	t.Parallel()
	voicemailAfterMaxWait(t, newHost(t, voicemailOptions))
}

var voicemailOptions = map[string]any{
	"voicemail": true, "max_wait_time": 30, "voicemail_emails": []string{"on-call", "ops@example.com"}, "voicemail_greeting": "https://x.example.com/greeting.mp3",
}

func voicemailAfterMaxWait(t *testing.T, h *host) {
	enqueue, next := h.hold()
	// Between ticks there is no way out; the tick is.
	h.twilio.answer["POST /Queues/"+queueSID+"/Members/"+callSID+".json"] = "503"
	h.pass(16 * time.Second)
	doc := h.post(next, "QueueSid", queueSID, "QueueTime", "17")
	h.pass(16 * time.Second)
	doc = h.post(h.next(doc), "QueueSid", queueSID, "QueueTime", "33")
	find[twiml.Leave](t, doc)
	doc = h.post(enqueue.Action, "QueueResult", "leave", "QueueSid", queueSID, "QueueTime", "33")
	record := find[twiml.Record](t, doc)
	if p := find[twiml.Play](t, doc); p.URL != "https://x.example.com/greeting.mp3" {
		t.Errorf("greeting %q", p.URL)
	}
	if record.MaxLength != 60 || record.FinishOnKey != "#" || record.Timeout != 10 || strings.Join(record.StatusEvents, " ") != "completed absent" {
		t.Errorf("PT61 record %+v", record)
	}
	h.pass(20 * time.Second)
	doc = h.post(record.Action, "RecordingSid", recSID, "RecordingUrl", "https://evil.example.com/x", "RecordingDuration", "12", "Digits", "#")
	says(t, doc, words(reply.PromptAfterMessage, prompts.Args{}))
	h.post(endpointURL+"/status", "CallStatus", "completed")

	h.twilio.answer["GET /Recordings/"+recSID+".json"] = `{"sid":"` + recSID + `","call_sid":"` + callSID + `","status":"processing"}`
	h.post(record.StatusCallback, "From", "", "To", "", "RecordingSid", recSID, "RecordingStatus", "completed", "RecordingDuration", "12")
	h.pass(10 * time.Second)
	if len(h.mails) != 0 {
		t.Fatal("mailed before the audio was there")
	}
	h.twilio.answer["GET /Recordings/"+recSID+".json"] = `{"sid":"` + recSID + `","call_sid":"` + callSID + `","status":"completed","duration":"12","start_time":"Sun, 22 Nov 2026 10:00:40 +0000"}`
	h.pass(time.Minute)
	if len(h.mails) != 1 {
		t.Fatalf("%d mails", len(h.mails))
	}
	m := h.mails[0]
	if len(m.To) != 2 || m.To[0].Audience != integration.AudienceOnCall || m.To[0].Teams[0] != "devops" || m.To[1].Address != "ops@example.com" || len(m.Attachments) != 1 ||
		m.Attachments[0].Name != "voicemail-20261122-100040.mp3" || !m.LinkAlert || !strings.Contains(m.HTML, "<p>") || strings.Contains(m.Text, "evil") {
		t.Errorf("PT66 mail %+v", m)
	}
	if h.view.Ended != "message_left" || !strings.Contains(h.kinds(), "attach") {
		t.Errorf("ended %q, commands %q", h.view.Ended, h.kinds())
	}
	h.pass(time.Hour)
	if len(h.mails) != 1 {
		t.Errorf("%d mails", len(h.mails))
	}
}

func TestStarLeavesAMessageBetweenTicks(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"voicemail": true})
	doc := h.post(endpointURL, "CallStatus", "ringing")
	enqueue := find[twiml.Enqueue](t, doc)
	h.pass(time.Second)
	doc = h.post(enqueue.WaitURL, "QueueSid", queueSID)
	gather := find[twiml.Gather](t, doc)
	if gather.NumDigits != 1 || *gather.FinishOnKey != "" {
		t.Errorf("gather %+v", gather)
	}
	find[twiml.Leave](t, h.post(gather.Action, "Digits", "*"))
	find[twiml.Record](t, h.post(enqueue.Action, "QueueResult", "leave"))
}

func TestPT72HangUpInTheQueue(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	enqueue, _ := h.hold()
	h.post(enqueue.Action, "QueueResult", "hangup", "CallStatus", "completed", "QueueSid", queueSID)
	h.pass(time.Hour)
	if h.view.Ended != "hung_up" || h.alert.Status != integration.AlertResolved {
		t.Errorf("ended %q, alert %s", h.view.Ended, h.alert.Status)
	}
}

func TestPT18RouterDecidesTheTeam(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.dests = []integration.Destination{{Kind: integration.DestinationRouter, ID: "r1", Name: "By time"}}
	h.hold()
	if h.view.TeamName != "Customer Support" {
		t.Errorf("team %q", h.view.TeamName)
	}
}

func TestPT02EmptyEntriesBanNobody(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"banned_phones": []string{"", " ", "+12025550177"}})
	find[twiml.Enqueue](t, h.post(endpointURL, "CallStatus", "ringing"))
	withheld := newHost(t, map[string]any{"banned_phones": []string{""}})
	find[twiml.Enqueue](t, withheld.post(endpointURL, "CallStatus", "ringing", "From", "anonymous"))
}

func TestPT01BannedCallerIsRejected(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"banned_phones": []string{"+1 202 555 0143"}})
	find[twiml.Reject](t, h.post(endpointURL, "CallStatus", "ringing"))
	if len(h.cmds) != 0 || len(h.log) == 0 {
		t.Errorf("commands %v, log %v", h.cmds, h.log)
	}
}

func TestHostStatesAreSpoken(t *testing.T) {
	t.Parallel()
	for state, want := range map[integration.HostState]reply.PromptKey{
		integration.HostDisabled: reply.PromptDisabled, integration.HostUnavailable: reply.PromptUnavailable,
		integration.HostRateLimited: reply.PromptRateLimited, integration.HostMaintenance: reply.PromptMaintenance,
	} {
		h := newHost(t, nil)
		h.inst.State = state
		doc := h.post(endpointURL, "CallStatus", "ringing")
		says(t, doc, words(want, prompts.Args{}))
		find[twiml.Hangup](t, doc)
	}
}

func TestWithheldNumber(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	find[twiml.Enqueue](t, h.post(endpointURL, "From", "+266696687", "CallStatus", "ringing"))
	if d := h.cmds[0].Draft; strings.Contains(d.Title, "266696687") || d.SpokenTitle != "" {
		t.Errorf("draft %+v", d)
	}
	h.pass(time.Second)
	h.acknowledge("alice")
	h.pass(2 * time.Second)
	if from := h.twilio.form("POST /Calls.json").Get("From"); from != calledNum {
		t.Errorf("From %q", from)
	}
	says(t, h.leg(h.legURL("Url")), words(reply.PromptAsk, prompts.Args{Team: "DevOps", Called: calledNum}))
}

func TestCallerIDOption(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"caller_id": "+12025550199", "fallback_url": "https://bins.example.com/x"})
	h.hold()
	h.acknowledge("alice")
	h.pass(2 * time.Second)
	form := h.twilio.form("POST /Calls.json")
	if form.Get("From") != "+12025550199" || !strings.Contains(form.Get("FallbackUrl"), "/leg/1") {
		t.Errorf("form %v", form)
	}
}
