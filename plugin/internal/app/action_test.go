package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/actions"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
)

// act runs an action as a host does: it answers its questions, and keeps its state and findings.
func (h *host) act(name string, pairs ...string) integration.ActionResult {
	h.t.Helper()
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	f := h.facts(integration.IntegrationSessionKey)
	f.Session = h.own
	for range integration.MaxActionRounds + 1 {
		res, err := h.app.RunAction(context.Background(), integration.ActionRequest{Facts: f, Name: name, Values: values})
		if err != nil {
			h.t.Fatalf("%s: %v", name, err)
		}
		if len(res.Need) == 0 {
			if res.State != nil {
				h.own = &integration.Session{Key: integration.IntegrationSessionKey, State: res.State, Format: res.Format}
			}
			return res
		}
		if len(res.Lines) > 0 || res.State != nil {
			h.t.Fatalf("a result with questions holds something else: %+v", res)
		}
		for _, q := range res.Need {
			f.Answers = append(f.Answers, h.answer(q))
		}
	}
	h.t.Fatal("too many rounds of questions")
	return integration.ActionResult{}
}

// lines are an action's lines as text.
func lines(res integration.ActionResult) string {
	var b strings.Builder
	for _, l := range res.Lines {
		b.WriteString(l.Level + ": " + l.Text + "\n")
	}
	return b.String()
}

var numberSID = "PN" + strings.Repeat("12", 16)

func numbers(more string) string {
	return `{"incoming_phone_numbers":[{"sid":"` + numberSID + `","phone_number":"` + calledNum + `"` + more + `}]}`
}

const mine = `,"voice_url":"` + endpointURL + `#rc=3","voice_fallback_url":"` + endpointURL + `/resume","status_callback":"` + endpointURL + `/status"`

func TestActions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		action, number, answer, level, says string
		ok, posted                          bool
	}{
		"check, connected":     {actions.Check, "", numbers(mine), "ok", "is connected", true, false},
		"check, no callback":   {actions.Check, "", numbers(`,"voice_url":"` + endpointURL + `"`), "warning", "status callback", true, false},
		"check, no fallback":   {actions.Check, "", numbers(`,"voice_url":"` + endpointURL + `"`), "warning", "no fallback address", true, false},
		"check, trunk":         {actions.Check, "", numbers(mine + `,"trunk_sid":"TK1"`), "error", "SIP trunk", false, false},
		"check, app":           {actions.Check, "", numbers(mine + `,"voice_application_sid":"AP1"`), "error", "TwiML app", false, false},
		"check, none":          {actions.Check, "", numbers(``), "warning", "No number", true, false},
		"check, region":        {actions.Check, "", numbers(mine), "ok", "accepts the API key in region US1 (Ashburn)", true, false},
		"check, refused":       {actions.Check, "", "401", "error", "refuses the API key", false, false},
		"check, down":          {actions.Check, "", "503", "error", "503", false, false},
		"connect":              {actions.Connect, calledNum, numbers(`,"voice_url":"https://u:pw@other.example.com/x?token=1"`), "ok", "is connected", true, true},
		"connect, trunk":       {actions.Connect, calledNum, numbers(`,"trunk_sid":"TK1"`), "error", "SIP trunk", false, false},
		"connect, app":         {actions.Connect, calledNum, numbers(`,"voice_application_sid":"AP1"`), "error", "TwiML app", false, false},
		"connect, not ours":    {actions.Connect, "+12025550177", numbers(``), "error", "no number", false, false},
		"connect, no number":   {actions.Connect, "hello", numbers(``), "error", "is not a telephone number", false, false},
		"connect, list":        {actions.Connect, "", numbers(`,"voice_url":"https://u:pw@other.example.com/x?token=1"`), "info", "+1 202-555-0100 is answered by https://other.example.com/x.", true, false},
		"connect, list, trunk": {actions.Connect, "", numbers(`,"trunk_sid":"TK1"`), "info", "+1 202-555-0100 belongs to a SIP trunk.", true, false},
		"connect, list, none":  {actions.Connect, "", `{"incoming_phone_numbers":[]}`, "warning", "has no numbers in region US1", true, false},
		"disconnect":           {actions.Disconnect, calledNum, numbers(mine), "ok", "no longer", true, true},
		"disconnect, not ours": {actions.Disconnect, calledNum, numbers(`,"voice_url":"https://other.example.com"`), "info", "nothing was changed", true, false},
		"disconnect, list":     {actions.Disconnect, "", numbers(mine), "info", "+1 202-555-0100 is connected here.", true, false},
		"disconnect, none":     {actions.Disconnect, "", numbers(``), "info", "No number is connected here.", true, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			h.onCall = map[int][]string{1: {"alice"}}
			h.twilio.answer["GET /IncomingPhoneNumbers.json"] = tt.answer
			res := h.act(tt.action, "number", tt.number)
			found := false
			for _, l := range res.Lines {
				found = found || l.Level == tt.level && strings.Contains(l.Text, tt.says)
			}
			if all := lines(res); !found || res.OK != tt.ok || strings.Contains(all, "pw@") || strings.Contains(all, "token=") {
				t.Errorf("ok %v, lines\n%s", res.OK, all)
			}
			post := h.twilio.form("POST /IncomingPhoneNumbers/" + numberSID + ".json")
			if (post != nil) != tt.posted {
				t.Errorf("posted %v", post)
			}
			if tt.posted && tt.action == actions.Connect && (post.Get("VoiceUrl") != endpointURL+"#rc=3&rp=ct,5xx" || post.Get("StatusCallback") != endpointURL+"/status#rc=3&rp=ct,5xx" || post.Get("VoiceFallbackUrl") != endpointURL+"/resume#rc=3&rp=ct,5xx") {
				t.Errorf("posted %v", post)
			}
		})
	}
	h := newHost(t, nil)
	if _, err := h.app.RunAction(context.Background(), integration.ActionRequest{Name: "explode"}); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("unknown action: %v", err)
	}
}

// TestNumberIsGivenBack: what answered a number before it was connected answers it again.
func TestNumberIsGivenBack(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	const old = `,"voice_url":"https://u:pw@other.example.com/x?token=1","voice_method":"GET","voice_fallback_url":"https://other.example.com/f",` +
		`"voice_fallback_method":"GET","status_callback":"https://other.example.com/s","status_callback_method":"POST"`
	post := "POST /IncomingPhoneNumbers/" + numberSID + ".json"
	list := func(more string) { h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(more) }
	list(old)
	if res := h.act(actions.Connect, "number", calledNum); !res.OK || !strings.Contains(lines(res), "comes back when you disconnect it") {
		t.Fatal(lines(res))
	}
	if h.own == nil || h.own.Format != 1 || strings.Contains(string(h.own.State), "other.example.com") {
		t.Fatalf("what is remembered lies open: %+v", h.own)
	}
	list(mine)
	// Again: our own address is nothing to go back to.
	if res := h.act(actions.Connect, "number", calledNum); !res.OK || res.State != nil {
		t.Fatal(lines(res))
	}
	if res := h.act(actions.Disconnect, "number", calledNum); !res.OK || !strings.Contains(lines(res), "is answered by https://other.example.com/x again") {
		t.Fatal(lines(res))
	}
	got := map[string]string{}
	for k, v := range h.twilio.form(post) {
		got[k] = v[0]
	}
	want := map[string]string{
		"VoiceUrl": "https://u:pw@other.example.com/x?token=1", "VoiceMethod": "GET", "VoiceFallbackUrl": "https://other.example.com/f", "VoiceFallbackMethod": "GET",
		"StatusCallback": "https://other.example.com/s", "StatusCallbackMethod": "POST",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Given back once: a second time there is nothing to give back.
	if res := h.act(actions.Disconnect, "number", calledNum); !strings.Contains(lines(res), "no longer") || h.twilio.form(post).Get("VoiceUrl") != "" {
		t.Error(lines(res))
	}
	// What cannot be opened, after the token key was changed for instance, is forgotten.
	list(old)
	h.act(actions.Connect, "number", calledNum)
	h.inst.TokenKey = []byte(strings.Repeat("x", 32))
	list(mine)
	if res := h.act(actions.Disconnect, "number", calledNum); !res.OK || !strings.Contains(lines(res), "no longer") {
		t.Error(lines(res))
	}
}

func TestCheckLooksAtTheAccount(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		account, token, region string
		says                   []string
		ok                     bool
	}{
		"active":             {`{"status":"active","type":"Full"}`, authToken, `{"voice_region":"us1"}`, []string{"ok: The Auth Token is the account's.", "ok: The account is active, and no trial account.", "ok: +1 202-555-0100 is connected."}, true},
		"trial":              {`{"status":"active","type":"Trial"}`, authToken, "{}", []string{"error: This is a trial account"}, false},
		"suspended":          {`{"status":"suspended","type":"Full"}`, authToken, "{}", []string{"error: The account is suspended"}, false},
		"wrong token":        {"401", authToken, "{}", []string{"error: Twilio refuses the Auth Token"}, false},
		"Standard key":       {"401", "", "{}", []string{"info: It is not known whether this is a trial account", "warning: Without an Auth Token"}, true},
		"Main key":           {`{"status":"active","type":"Trial"}`, "", "{}", []string{"error: This is a trial account"}, false},
		"another region":     {"{}", authToken, `{"voice_region":"ie1"}`, []string{"error: Twilio processes the calls of +1 202-555-0100 in region IE1, but the API region here is US1 (Ashburn)"}, false},
		"region not told":    {"{}", authToken, "401", []string{"info: It is not known in which region Twilio processes the calls; it must be US1 (Ashburn)."}, true},
		"signature not seen": {"{}", authToken, "{}", []string{"info: No signed request has come since the options were saved", endpointURL + " to the letter"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]any{"auth_token": tt.token})
			h.onCall = map[int][]string{1: {"alice"}}
			h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
			h.twilio.answer["GET .json"] = tt.account
			h.twilio.answer["GET /v2/PhoneNumbers/"+calledNum] = tt.region
			res := h.act(actions.Check)
			for _, want := range tt.says {
				if !strings.Contains(lines(res), want) {
					t.Errorf("%q is not said:\n%s", want, lines(res))
				}
			}
			if res.OK != tt.ok {
				t.Errorf("ok %v:\n%s", res.OK, lines(res))
			}
		})
	}
}

func TestCheckComparesTheClockWithTwilios(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]string{
		0: "", 5 * time.Second: "", 61 * time.Minute: "warning: The clock of this machine is 1h", -time.Hour: "ahead of Twilio's: run chrony",
	} {
		h := newHost(t, nil)
		h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
		h.twilio.ahead = ahead
		if said := lines(h.act(actions.Check)); !strings.Contains(said, want) || want == "" && strings.Contains(said, "The clock of this machine") {
			t.Errorf("a clock that is %v ahead:\n%s", ahead, said)
		}
	}
}

func TestCheckTellsOfSignatures(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.onCall = map[int][]string{1: {"alice"}}
	h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
	h.token = "wrongtoken"
	h.post(endpointURL, "CallStatus", "ringing")
	h.pass(time.Second) // Twilio confirms the call
	if got := lines(h.act(actions.Check)); !strings.Contains(got, "error: A signature did not match the Auth Token at 2026-11-22 10:00 UTC.") {
		t.Error(got)
	}
	h.token, h.session, h.alert, h.cmds, h.seen = authToken, nil, nil, nil, map[string]int64{}
	h.now = start.Add(10 * time.Minute)
	h.post(endpointURL, "CallStatus", "ringing")
	if got := lines(h.act(actions.Check)); !strings.Contains(got, "last seen valid at 2026-11-22 10:10 UTC.") || strings.Contains(got, "did not match") {
		t.Error(got)
	}
	// The time is brought up to date by a later call, not by every request.
	for _, later := range []struct {
		after time.Duration
		want  string
	}{{20 * time.Minute, "10:10 UTC"}, {2 * time.Hour, "12:00 UTC"}} {
		h.session, h.alert, h.cmds, h.seen = nil, nil, nil, map[string]int64{}
		h.now = start.Add(later.after)
		h.post(endpointURL, "CallStatus", "ringing")
		if got := lines(h.act(actions.Check)); !strings.Contains(got, later.want) {
			t.Errorf("%v: %s", later.after, got)
		}
	}
}

func TestCheckLooksForPhones(t *testing.T) {
	t.Parallel()
	team := func(id, name string) integration.Destination {
		return integration.Destination{Kind: integration.DestinationTeam, ID: id, Name: name}
	}
	router := integration.Destination{Kind: integration.DestinationRouter, ID: "r", Name: "By day"}
	for name, tt := range map[string]struct {
		dests  []integration.Destination
		onCall map[int][]string
		says   string
		ok     bool
	}{
		"all":               {[]integration.Destination{team("devops", "DevOps")}, map[int][]string{1: {"alice"}}, "ok: DevOps: everybody who is on call now has a phone.", true},
		"one without":       {[]integration.Destination{team("devops", "DevOps")}, map[int][]string{1: {"alice"}, 2: {"bob"}}, "warning: DevOps: Bob Example is on call and has no phone on file.", true},
		"nobody with":       {[]integration.Destination{team("devops", "DevOps")}, map[int][]string{1: {"bob"}}, "error: DevOps: nobody who is on call now can be called.", false},
		"nobody on call":    {[]integration.Destination{team("devops", "DevOps")}, nil, "warning: DevOps: nobody is on call now.", true},
		"by the router":     {[]integration.Destination{router}, map[int][]string{1: {"alice"}}, "ok: Customer Support: everybody", true},
		"router not asked":  {[]integration.Destination{{Kind: integration.DestinationRouter, ID: "broken", Name: "Broken"}}, nil, "error: The router Broken could not be asked.", false},
		"missing":           {[]integration.Destination{{Kind: integration.DestinationTeam, ID: "gone", Name: "Gone", Missing: true}}, nil, "error: There is no team that a call could go to.", false},
		"missing, and more": {[]integration.Destination{{Kind: integration.DestinationTeam, ID: "gone", Name: "Gone", Missing: true}, team("devops", "DevOps")}, map[int][]string{1: {"alice"}}, "error: The destination Gone does not exist any more", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			h.dests, h.onCall = tt.dests, tt.onCall
			h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
			res := h.act(actions.Check)
			if !strings.Contains(lines(res), tt.says) || res.OK != tt.ok {
				t.Errorf("ok %v:\n%s", res.OK, lines(res))
			}
		})
	}
}

func TestWhoWouldAnswer(t *testing.T) {
	t.Parallel()
	two := []integration.Destination{{Kind: integration.DestinationTeam, ID: "devops", Name: "DevOps"}, {Kind: integration.DestinationTeam, ID: "support", Name: "Customer Support"}}
	for name, tt := range map[string]struct {
		options map[string]any
		dests   []integration.Destination
		values  []string
		want    string
		ok      bool
	}{
		"straight, no voicemail": {nil, nil, nil, `info: No menu: the call goes straight to DevOps.
info: Whoever acknowledges the alert is called. It is sent to:
ok:   Layer 1: Alice Example, +1 202-555-0151.
warning:   Layer 2: Bob Example has no phone on file.
info: If nobody takes the call within 10m, or the alert is dropped before: goodbye. Heard: “` + words(reply.PromptNoAnswer, prompts.Args{}) + `”
`, true},
		"menu": {nil, two, nil, `info: The caller is asked for a key:
info:   1  Customer Support
info:   2  DevOps
info: Nobody is called before a key is pressed. After three rounds without one the caller is told goodbye.
`, true},
		"PT35 wrong key": {map[string]any{"menu_fallback": "first_team"}, two, []string{"digits", "0"}, `info: The caller is asked for a key:
info:   1  Customer Support
info:   2  DevOps
error: "0" chooses nothing: the menu is read again; after three rounds Customer Support is called.
`, false},
		"key, ring, voicemail": {map[string]any{"reach": "ring", "voicemail": true, "voicemail_emails": []string{"team"}, "voicemail_greeting": "Speak after the tone.", "max_wait_time": 90}, two, []string{"digits", "2"}, `info: The caller is asked for a key:
info:   1  Customer Support
info:   2  DevOps
info: Key 2: DevOps.
info: Rung when it is their layer's turn:
ok:   Layer 1: Alice Example, +1 202-555-0151.
warning:   Layer 2: Bob Example has no phone on file.
info: When everybody was tried, each phone is called again every minute.
info: If nobody takes the call within 1m30s, or the alert is dropped before: the caller leaves a message, which is mailed. Heard: “Speak after the tone.”
`, true},
		"straight to voicemail": {map[string]any{"voicemail": true, "send_straight_to_voicemail": true, "voicemail_greeting": "Speak."}, nil, nil, `info: No menu: the call goes straight to DevOps.
info: The caller leaves a message. Heard: “Speak.”
warning: Nobody is mailed about the message, because nobody is named in Voicemail Emails, and nobody is called to hear it, because this host gives no addresses at which messages can be played: it is only kept with the alert.
info: Nobody is called; the team's alert is sent when the message has been left.
`, true},
		"straight to voicemail, heard by phone": {map[string]any{"voicemail": true, "send_straight_to_voicemail": true, "voicemail_greeting": "Speak.", "deliver_messages": "on"}, nil, nil, `info: No menu: the call goes straight to DevOps.
info: The caller leaves a message. Heard: “Speak.”
info: Nobody is mailed about the message, because nobody is named in Voicemail Emails.
info: Then whoever acknowledged the alert is called to hear the message; if nobody did, each once when the platform reaches their layer:
ok:   Layer 1: Alice Example, +1 202-555-0151.
info: Nobody is called; the team's alert is sent when the message has been left.
`, true},
		"banned":     {map[string]any{"banned_phones": []string{"+1202*"}}, nil, []string{"from", callerNum}, "warning: The call is rejected: the caller is banned.\n", true},
		"bad time":   {nil, nil, []string{"at", "tomorrow"}, "error: \"tomorrow\" is not a time: write it as 2026-12-24T18:00:00Z.\n", false},
		"bad caller": {nil, nil, []string{"from", "555"}, "error: The number \"555\" has no country code: write it as +12025550143, with + and the country code.\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, tt.options)
			h.inst.Capabilities.CallMedia = tt.options["deliver_messages"] == "on"
			if tt.dests != nil {
				h.dests = tt.dests
			}
			res := h.act(integration.ActionWhoWouldAnswer, tt.values...)
			if diff := cmp.Diff(tt.want, lines(res)); diff != "" || res.OK != tt.ok {
				t.Errorf("ok %v\n%s", res.OK, diff)
			}
			if len(h.twilio.asked) > 0 {
				t.Errorf("Twilio was asked: %v", h.twilio.asked)
			}
		})
	}
}

// TestWhoWouldAnswerAsksForThatMoment: every question is about the moment in question, and rules
// see the caller.
func TestWhoWouldAnswerAsksForThatMoment(t *testing.T) {
	t.Parallel()
	h := routed(t, `[{match: {$day: {timezone: UTC, $in: [4]}, call.from: "`+callerNum+`", log.data.To: "`+calledNum+`"}, actions: [{type: assign, receiver: night}]}]`)
	at := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC) // a Thursday
	asked := 0
	h.ask = func(q integration.Question) {
		asked++
		if !q.At.Equal(at) {
			t.Errorf("%s asked for %v", q.Kind, q.At)
		}
	}
	res := h.act(integration.ActionWhoWouldAnswer, "at", at.Format(time.RFC3339), "from", callerNum, "to", calledNum)
	if !res.OK || asked != 2 || !strings.Contains(lines(res), "straight to Night Shift") {
		t.Errorf("%d questions\n%s", asked, lines(res))
	}
}

// After a downgrade, what the newer release remembers must still be there when it is back.
func TestWhatANewerReleaseRemembersIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{actions.Connect: "newer release", actions.Disconnect: "newer release", actions.Check: "is connected"} {
		h := newHost(t, nil)
		h.onCall = map[int][]string{1: {"alice"}}
		h.own = &integration.Session{Key: integration.IntegrationSessionKey, State: []byte("of another layout"), Format: 2}
		h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
		res := h.act(name, "number", calledNum)
		if res.State != nil || !strings.Contains(lines(res), says) {
			t.Errorf("%s: state %q, lines\n%s", name, res.State, lines(res))
		}
		if post := h.twilio.form("POST /IncomingPhoneNumbers/" + numberSID + ".json"); post != nil {
			t.Errorf("%s: posted %v", name, post)
		}
	}
}
