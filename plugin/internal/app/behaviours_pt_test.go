package app

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// Each of these tests shows one of the behaviours that docs/behaviours.md lists; PT ("parity test")
// and a number name the behaviour, here and in all other tests.

var supportTeam = integration.Destination{Kind: integration.DestinationTeam, ID: "support", Name: "Customer Support"}

// TestHostStatesByNumber: whatever keeps the host from serving is spoken, with status 200, and
// leaves no alert behind.
func TestHostStatesByNumber(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		state integration.HostState
		says  reply.PromptKey
	}{
		{"PT-05 disabled", integration.HostDisabled, reply.PromptDisabled},
		{"PT-06 not on this plan", integration.HostUnavailable, reply.PromptUnavailable},
		{"PT-08 rate limited", integration.HostRateLimited, reply.PromptRateLimited},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]any{"voicemail": true})
			h.inst.State = tc.state
			doc := h.post(endpointURL, "CallStatus", "ringing") // post insists on 200 and TwiML
			says(t, doc, words(tc.says, prompts.Args{}))
			find[twiml.Hangup](t, doc)
			for _, word := range []string{"plan", "upgrade", "subscription", "billing", "429", "402"} {
				if strings.Contains(strings.ToLower(spoken(doc)), word) {
					t.Errorf("a caller is told of %q: %s", word, spoken(doc))
				}
			}
			if len(h.cmds) != 0 {
				t.Errorf("commands %v", h.cmds)
			}
		})
	}
}

func TestPT10_TheZipCodeIsTheOneTwilioSends(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.post(endpointURL, "CallStatus", "ringing", "CallerZip", "20001", "CallerZipcode", "99999", "CallerCity", "", "CallerCountry", "US")
	got := map[string]string{}
	for _, f := range h.cmds[0].Draft.Fields {
		got[f.Label] = f.Value
	}
	if _, empty := got["Caller City"]; empty || got["Caller Zipcode"] != "20001" || got["Caller Country"] != "US" {
		t.Errorf("fields %v", got)
	}
}

func TestPT12_OneAlertUnderTheCallsKey(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.dests = append(h.dests, supportTeam)
	h.post(endpointURL, "CallStatus", "ringing")
	if c := h.cmds[0]; c.Kind != integration.AlertCreate || c.AlertKey != callSID || c.Draft.Urgency != "high" {
		t.Errorf("command %+v", c)
	}
	if h.kinds() != "create" {
		t.Errorf("commands %q before a team is chosen", h.kinds())
	}
}

// TestPT16_TwilioCannotBeReached: nothing on the caller's way needs Twilio's REST API, and every
// answer is TwiML.
func TestPT16_TwilioCannotBeReached(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"voicemail": true, "max_wait_time": 30})
	h.twilio.srv.Close()
	enqueue, next := h.hold()
	h.acknowledge("alice")
	h.pass(15 * time.Second)
	doc := h.post(next, "QueueSid", queueSID, "QueueTime", "16")
	h.pass(time.Minute)
	find[twiml.Leave](t, h.post(h.next(doc), "QueueSid", queueSID, "QueueTime", "76"))
	find[twiml.Record](t, h.post(enqueue.Action, "QueueResult", "leave"))
	if h.kinds() != "create route" {
		t.Errorf("commands %q: the responder has not failed, Twilio has", h.kinds())
	}
}

// TestPT24_WhatRulesSee: rules on the request's parameters, such as the called number, and on the
// call in plain words.
func TestPT24_WhatRulesSee(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.dests = []integration.Destination{{Kind: integration.DestinationRouter, ID: "r1"}}
	req := h.request(endpointURL, url.Values{"CallSid": {callSID}, "AccountSid": {accountSID}, "From": {callerNum}, "To": {calledNum}, "CallStatus": {"ringing"},
		"Direction": {"inbound"}, "FromZip": {"20001"}, "FromCountry": {"US"}})
	req.Facts = h.facts(callSID)
	out, err := h.app.HandleWebhook(context.Background(), req)
	if err != nil || len(out.Need) != 1 {
		t.Fatalf("%+v %v", out, err)
	}
	var facts struct {
		Always bool
		Log    struct{ Data map[string]string }
		Call   map[string]any
		Alert  struct {
			Title          string
			AdditionalData []struct{ Label, Value, Format string } `json:"additional_data"`
		}
	}
	if err := json.Unmarshal(out.Need[0].Facts, &facts); err != nil {
		t.Fatal(err)
	}
	if !facts.Always || facts.Log.Data["To"] != calledNum || facts.Log.Data["From"] != callerNum || facts.Call["to"] != calledNum || facts.Call["from"] != callerNum || facts.Call["zip"] != "20001" ||
		facts.Alert.AdditionalData[0].Value != callerNum || facts.Alert.AdditionalData[0].Label != "Caller Phone" {
		t.Errorf("facts %s", out.Need[0].Facts)
	}
}

// TestPT28_AKeyCountsDuringTheWelcome: all that is said is said inside of the gathering.
func TestPT28_AKeyCountsDuringTheWelcome(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"welcome": "https://x.example.com/welcome.mp3"})
	h.dests = append(h.dests, supportTeam)
	doc := h.post(endpointURL, "CallStatus", "ringing")
	gather, first := doc.Verbs[0].(twiml.Gather)
	if !first {
		t.Fatalf("something stands before the gathering:\n%s", doc.Bytes())
	}
	if p, ok := gather.Nested[0].(twiml.Play); !ok || p.URL != "https://x.example.com/welcome.mp3" {
		t.Errorf("the welcome is not first:\n%s", doc.Bytes())
	}
}

// TestPT36_SilenceIsToldToUs: Twilio requests the action also where nothing was pressed, and a
// Redirect follows.
func TestPT36_SilenceIsToldToUs(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.dests = append(h.dests, supportTeam)
	doc := h.post(endpointURL, "CallStatus", "ringing")
	for range 2 {
		gather := find[twiml.Gather](t, doc)
		if !gather.ActionOnEmptyResult || find[twiml.Redirect](t, doc).URL != gather.Action {
			t.Errorf("silence ends the call:\n%s", doc.Bytes())
		}
		doc = h.post(gather.Action) // no Digits at all
	}
	doc = h.post(find[twiml.Gather](t, doc).Action, "Digits", "")
	says(t, doc, words(reply.PromptTooManyTries, prompts.Args{}))
	find[twiml.Hangup](t, doc)
}

func TestPT39_NamesOfTeamsAreEscaped(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.dests = []integration.Destination{supportTeam, {Kind: integration.DestinationTeam, ID: "rd", Name: `R&D </Say><Hangup/> "Ops"`}}
	doc := h.post(endpointURL, "CallStatus", "ringing") // post decodes the answer strictly
	says(t, doc, `R&D </Say><Hangup/> "Ops"`)
	for _, v := range doc.Verbs {
		if _, ok := v.(twiml.Hangup); ok {
			t.Error("a team's name became a verb")
		}
	}
}

// TestPT41_PagedBeforeAnythingIsAskedOfTwilio: the commit that answers the choice holds the
// routing, too.
func TestPT41_PagedBeforeAnythingIsAskedOfTwilio(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	for _, path := range []string{"POST /Queues.json", "POST /Calls/" + callSID + ".json", "GET /Calls/" + callSID + ".json"} {
		h.twilio.answer[path] = "500"
	}
	find[twiml.Enqueue](t, h.post(endpointURL, "CallStatus", "ringing"))
	if h.kinds() != "create route" || len(h.twilio.asked) != 0 {
		t.Errorf("commands %q, asked %v", h.kinds(), h.twilio.asked)
	}
}

// TestPT43_MusicOfOurOwn: over the endpointURL's own scheme, a piece at a time, without an end.
func TestPT43_MusicOfOurOwn(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	_, next := h.hold()
	seen := map[string]int{}
	for range 9 {
		doc := h.post(next, "QueueSid", queueSID)
		url := ""
		for _, v := range doc.Verbs {
			switch v := v.(type) {
			case twiml.Play:
				url = v.URL
			case twiml.Gather:
				for _, n := range v.Nested {
					if p, ok := n.(twiml.Play); ok {
						url = p.URL
					}
				}
			default:
			}
		}
		if !strings.HasPrefix(url, endpointURL+"/media/music-") {
			t.Fatalf("music %q:\n%s", url, doc.Bytes())
		}
		seen[url]++
		next = h.next(doc)
		h.pass(15 * time.Second)
	}
	if len(seen) < 2 || len(seen) > 4 {
		t.Errorf("pieces %v: the tune does not go on", seen)
	}
}

// TestPT44_TheQueueSaysNoMore: an answer that is TwiML for every result, and the caller is never
// dropped for an error.
func TestPT44_TheQueueSaysNoMore(t *testing.T) {
	t.Parallel()
	for _, result := range []string{"queue-full", "error", "system-error"} {
		h := newHost(t, map[string]any{"voicemail": true})
		enqueue, _ := h.hold()
		for range 5 {
			enqueue = find[twiml.Enqueue](t, h.post(enqueue.Action, "QueueResult", result))
		}
		find[twiml.Record](t, h.post(enqueue.Action, "QueueResult", result))
	}
	for _, result := range []string{"redirected", "bridging-in-process"} {
		h := newHost(t, map[string]any{"voicemail": true})
		enqueue, _ := h.hold()
		if doc := h.post(enqueue.Action, "QueueResult", result); len(doc.Verbs) != 0 {
			t.Errorf("%s: %s", result, doc.Bytes())
		}
	}
}

// TestPT52_WhoAcknowledgedIsRung: from the number that was called, after the pause, while the
// caller hears music.
func TestPT52_WhoAcknowledgedIsRung(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"dial_pause": 15})
	_, next := h.hold()
	h.acknowledge("alice")
	h.pass(14 * time.Second)
	if n := h.twilio.count("POST /Calls.json"); n != 0 {
		t.Fatalf("PT53: dialed before the pause was over")
	}
	h.pass(2 * time.Second)
	if form := h.twilio.form("POST /Calls.json"); form.Get("To") != alicePhon || form.Get("From") != calledNum {
		t.Errorf("call %v", form)
	}
	h.next(h.post(next, "QueueSid", queueSID)) // the caller still waits
}

// TestPT58_WhoAcknowledgedTooLateIsToldTheNumber.
func TestPT58_WhoAcknowledgedTooLateIsToldTheNumber(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	enqueue, _ := h.hold()
	h.acknowledge("alice")
	h.pass(2 * time.Second)
	h.leg(h.legURL("StatusCallback"), "CallStatus", "ringing")
	ask := find[twiml.Gather](t, h.leg(h.legURL("Url")))
	h.post(enqueue.Action, "QueueResult", "hangup", "CallStatus", "completed")
	doc := h.leg(ask.Action, "Digits", "1")
	says(t, doc, words(reply.PromptCallerLeft, prompts.Args{Number: callerNum}))
	find[twiml.Hangup](t, doc)
}

// TestPT60_TakenOutOfTheQueueAtOnce: not at the next tick alone.
func TestPT60_TakenOutOfTheQueueAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"voicemail": true})
	h.hold()
	h.changed(func(a *integration.AlertSnapshot) { a.Status = integration.AlertDropped })
	h.pass(time.Second)
	form := h.twilio.form("POST /Queues/" + queueSID + "/Members/" + callSID + ".json")
	if !strings.HasPrefix(form.Get("Url"), endpointURL+"/c/"+callSID+"/voicemail?") {
		t.Fatalf("asked %v with %v", h.twilio.asked, form)
	}
	find[twiml.Record](t, h.post(form.Get("Url")))
	if n := h.twilio.count("POST /Calls/" + callSID + ".json"); n != 0 {
		t.Error("the caller's leg is redirected: that could tear a conversation")
	}
}

// TestPT66_WhomTheMailGoesTo: every entry of the list, for the team that was chosen.
func TestPT66_WhomTheMailGoesTo(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"voicemail": true, "send_straight_to_voicemail": true, "voicemail_emails": []string{"ops@example.com", "team", "Team-Admin", " on-call ", ""}})
	h.twilio.answer["GET /Recordings/"+recSID+".json"] = `{"sid":"` + recSID + `","call_sid":"` + callSID + `","status":"completed","duration":"12"}`
	record := find[twiml.Record](t, h.post(endpointURL, "CallStatus", "ringing"))
	h.post(record.Action, "RecordingSid", recSID, "RecordingDuration", "12", "Digits", "#")
	h.post(record.StatusCallback, "RecordingSid", recSID, "RecordingStatus", "completed", "RecordingDuration", "12")
	h.pass(time.Minute)
	if len(h.mails) != 1 {
		t.Fatalf("%d mails", len(h.mails))
	}
	var got []string
	for _, r := range h.mails[0].To {
		got = append(got, r.Address+string(r.Audience)+strings.Join(r.Teams, ","))
	}
	if strings.Join(got, " ") != "ops@example.com teamdevops team-admindevops on-calldevops" {
		t.Errorf("to %q", got)
	}
	if m := h.mails[0]; !strings.Contains(m.Subject, callerNum) || !m.LinkAlert {
		t.Errorf("mail %+v", m)
	}
}

// TestPT31_PressNForTeam: the documented sentence; the pound key is spoken of where two digits are
// taken.
func TestPT31_PressNForTeam(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.dests = append(h.dests, supportTeam)
	doc := h.post(endpointURL, "CallStatus", "ringing")
	if got := spoken(doc); got != "Press 1 for Customer Support. Press 2 for DevOps." {
		t.Errorf("it says %q", got)
	}
	h = newHost(t, nil)
	for i := range 9 {
		h.dests = append(h.dests, integration.Destination{Kind: integration.DestinationTeam, ID: "t" + string(rune('0'+i)), Name: "Team " + string(rune('0'+i))})
	}
	doc = h.post(endpointURL, "CallStatus", "ringing")
	says(t, doc, "Press 10 for Team 8. Then press the pound key.")
	if gather := find[twiml.Gather](t, doc); gather.NumDigits != 2 || *gather.FinishOnKey != "#" {
		t.Errorf("gather %+v", gather)
	}
}
