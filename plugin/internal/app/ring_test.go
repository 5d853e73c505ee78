package app

import (
	"context"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
)

const ringKey = integration.RingSessionPrefix + "ABCDEFGHIJKLMNOPQR"

// ring is one look at a test ring of Alice, or its beginning where sid is "".
func (h *host) ring(sid string) integration.ActionResult {
	h.t.Helper()
	f := h.facts(ringKey)
	values := map[string]string{integration.ValueUser: "alice", integration.ValueRing: sid}
	for range integration.MaxActionRounds + 1 {
		res, err := h.app.RunAction(context.Background(), integration.ActionRequest{Facts: f, Name: integration.ActionTestRing, Values: values})
		if err != nil {
			h.t.Fatal(err)
		}
		if len(res.Need) == 0 {
			return res
		}
		for _, q := range res.Need {
			f.Answers = append(f.Answers, h.answer(q))
		}
	}
	h.t.Fatal("too many rounds of questions")
	return integration.ActionResult{}
}

// outcome is how a ring ended, and "" while it goes on.
func outcome(res integration.ActionResult) (word, text string) {
	for _, l := range res.Lines {
		if l.Field == integration.RingOutcome {
			return l.Choice, l.Text
		}
	}
	return "", ""
}

// TestARingThatTwilioRefusesSaysWhy: a ring that was refused did not ring, and of one without an
// answer nobody says so.
func TestARingThatTwilioRefusesSaysWhy(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string][2]string{
		"!21211": {integration.RingRefused, "21211"}, "!21219": {integration.RingRefused, "21219"}, "!21215": {integration.RingRefused, "21215"},
		"401": {integration.RingRefused, "20401"}, "!20429": {integration.RingRefused, "20429"},
		"503": {integration.RingUnknown, "did not say whether it rings"},
	} {
		h := newHost(t, map[string]any{"caller_id": calledNum})
		h.twilio.answer["POST /Calls.json"] = answer
		res := h.ring("")
		if word, text := outcome(res); word != want[0] || !strings.Contains(text, want[1]) || strings.Contains(lines(res), "secret1") {
			t.Errorf("%s: %s: %s", answer, word, lines(res))
		}
		if n := h.twilio.count("POST /Calls.json"); n != 1 {
			t.Errorf("%s: Twilio was asked %d times for a call", answer, n)
		}
	}
	h := newHost(t, nil)
	if word, text := outcome(h.ring("")); word != integration.RingRefused || !strings.Contains(text, "no number to show") {
		t.Errorf("without a number: %s: %s", word, text)
	}
	h.twilio.answer["GET /IncomingPhoneNumbers.json"] = strings.ReplaceAll(numbers(mine), calledNum, alicePhon)
	if word, text := outcome(h.ring("")); word != integration.RingRefused || !strings.Contains(text, "would call itself") {
		t.Errorf("a person whose phone is the hotline: %s: %s", word, text)
	}
	if n := h.twilio.count("POST /Calls.json"); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// TestARingFollowsTwilio: each state of the call is one of the outcomes, and while Twilio does not
// answer the ring goes on.
func TestARingFollowsTwilio(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"status":"queued"}`: "", `{"status":"ringing"}`: "", `{"status":"in-progress"}`: "", "503": "", "401": "",
		`{"status":"completed"}`: integration.RingUnconfirmed, `{"status":"busy"}`: integration.RingBusy, `{"status":"no-answer"}`: integration.RingNoAnswer,
		`{"status":"canceled"}`: integration.RingStopped, `{"status":"failed"}`: integration.RingRefused, "404": integration.RingUnknown,
	} {
		h := newHost(t, map[string]any{"caller_id": calledNum})
		h.twilio.answer["GET /Calls/"+legSID+".json"] = answer
		res := h.ring(legSID)
		if word, _ := outcome(res); word != want {
			t.Errorf("%s: %s", answer, lines(res))
		}
	}
}

// TestARingEndsForACaller: it is not begun while a call has the person, and hung up when one wants
// them.
func TestARingEndsForACaller(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]any{"caller_id": calledNum})
	free := h.users["alice"]
	taken := free
	taken.OccupiedBy = "CAother"
	h.users["alice"] = taken
	if word, _ := outcome(h.ring("")); word != integration.RingOccupied || h.twilio.count("POST /Calls.json") != 0 {
		t.Errorf("a call has her: %s, and %d calls", word, h.twilio.count("POST /Calls.json"))
	}
	h.twilio.answer["GET /Calls/"+legSID+".json"] = `{"status":"ringing"}`
	end := "POST /Calls/" + legSID + ".json"
	h.twilio.answer[end] = "503"
	if word, _ := outcome(h.ring(legSID)); word != "" {
		t.Errorf("Twilio could not end it: %s", word)
	}
	h.twilio.answer[end] = `{"status":"completed"}`
	if word, _ := outcome(h.ring(legSID)); word != integration.RingStopped || h.twilio.form(end).Get("Status") != "completed" {
		t.Errorf("a call wants her: %s", word)
	}
}

// TestForgedRequestsOfARingChangeNothing: only an address that was made for this ring and account
// is answered, and only the key 1 is remembered.
func TestForgedRequestsOfARingChangeNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	address := endpoint.NewLinks(h.inst, ringKey).Ring(0)
	other := endpoint.NewLinks(h.inst, integration.RingSessionPrefix+"SOMETHINGELSE00").Ring(0)
	h.isRefused("another ring's token", h.request(strings.Replace(address, address[strings.Index(address, "?"):], other[strings.Index(other, "?"):], 1), form("Digits", "1")))
	h.isRefused("no token", h.request(address[:strings.Index(address, "?")], form("Digits", "1")))
	h.isRefused("another account", h.request(address, form("Digits", "1", "AccountSid", "AC"+strings.Repeat("9", 32))))
	h.isRefused("a call's address", h.request(strings.Replace(address, ringKey, callSID, 1), form("Digits", "1")))
	for _, digits := range []string{"", "2", "11", "#"} {
		if h.post(address, "Digits", digits); h.session != nil {
			t.Errorf("%q confirms a ring: %s", digits, h.session.State)
		}
	}
	if h.post(address, "Digits", "1"); h.session == nil {
		t.Fatal("1 does not confirm the ring")
	}
	if word, _ := outcome(h.ring(legSID)); word != integration.RingConfirmed {
		t.Errorf("after 1 the ring is %q", word)
	}
	h.session.Format = 99
	h.twilio.answer["GET /Calls/"+legSID+".json"] = `{"status":"completed"}`
	if word, _ := outcome(h.ring(legSID)); word != integration.RingUnconfirmed {
		t.Errorf("a state of another format confirms it: %q", word)
	}
}

// TestARingAsksThreeTimesAndHangsUp, whoever has died meanwhile: the document needs nothing but its
// address.
func TestARingAsksThreeTimesAndHangsUp(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	address, asked := endpoint.NewLinks(h.inst, ringKey).Ring(0), 0
	for address != "" && asked < 10 {
		doc := h.post(address)
		links := links1(doc)
		if address = ""; len(links) > 0 {
			address, asked = links[0], asked+1
		}
	}
	if asked != 3 || h.writes != 0 {
		t.Errorf("the person was asked %d times, want 3; %d writes", asked, h.writes)
	}
}
