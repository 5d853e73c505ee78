package app

import (
	"context"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/actions"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// atTwilio runs an action as if the simulator were Twilio itself.
func atTwilio(t *testing.T, h *host, name, number string) integration.ActionResult {
	t.Helper()
	app, ok := h.app.(*App)
	if !ok {
		t.Fatalf("app is a %T", h.app)
	}
	s := app.documents.load(h.inst)
	f := h.facts(integration.IntegrationSessionKey)
	f.Answers = append(f.Answers, h.answer(effect.AskOnCall("devops", 0)))
	f.Answers[0].ID = effect.AskOnCall("devops", 0).ID
	res, err := actions.Run(context.Background(), actions.Request{
		ActionRequest: integration.ActionRequest{Facts: f, Name: name, Values: map[string]string{"number": number}}, Options: s.Options,
		Client: func() (*twilio.Client, error) { return app.client(s.Options) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestANumberIsNotConnectedToAnAddressThatTwilioCannotCall(t *testing.T) {
	t.Parallel()
	for address, say := range map[string]string{
		"http://127.0.0.1:8080/integrations/int_1":      "this machine alone",
		"https://192.168.1.9/integrations/int_1":        "private network",
		"http://calls.example.com/integrations/int_1":   "not an https address",
		"https://calls.example.com/integrations/int_1":  "",
		"https://switchboard.local/integrations/int_1":  "private network",
		"http://localhost:8080/integrations/int_1":      "this machine alone",
		"https://calls.example.com:99/integrations/int": "",
	} {
		h := newHost(t, nil)
		h.inst.EndpointURL = address
		h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(`,"voice_url":"https://other.example.com/x"`)
		res := atTwilio(t, h, actions.Connect, "+1 (202) 555-0100")
		posted := h.twilio.form("POST /IncomingPhoneNumbers/"+numberSID+".json") != nil
		if text := lines(res); posted != (say == "") || !strings.Contains(text, say) || say != "" && (res.OK || !strings.Contains(text, "public_url")) {
			t.Errorf("%s: posted %v, ok %v\n%s", address, posted, res.OK, text)
		}
		if check := atTwilio(t, h, actions.Check, ""); say != "" && !strings.Contains(lines(check), say) {
			t.Errorf("the check does not say that %s is unreachable:\n%s", address, lines(check))
		}
	}
}

func TestCheckSaysWhoWouldHearOfAMessage(t *testing.T) {
	t.Parallel()
	onCall := map[string]any{"voicemail": true, "voicemail_emails": []string{"on-call"}}
	for name, tt := range map[string]struct {
		options map[string]any
		change  func(*host)
		say     string // "" = Messages are mailed.
	}{
		"somebody on call has an address": {onCall, func(h *host) {
			u := h.users["alice"]
			u.Email = "alice@example.com"
			h.users["alice"] = u
		}, ""},
		"nobody on call has one":          {onCall, func(*host) {}, "nobody who is on call now has an e-mail address"},
		"no mail server":                  {onCall, func(h *host) { h.inst.ProtocolMinor = 1 }, "this host has no mail server"},
		"a host that does not say":        {map[string]any{"voicemail": true, "voicemail_emails": []string{"ops@example.com"}}, func(*host) {}, ""},
		"no recipients":                   {map[string]any{"voicemail": true}, func(*host) {}, "nobody is named in Voicemail Emails"},
		"words that nobody can resolve":   {onCall, func(h *host) { h.inst.Capabilities.Audiences = false }, "cannot resolve the words"},
		"words beside an address":         {map[string]any{"voicemail": true, "voicemail_emails": []string{"on-call", "ops@example.com"}}, func(*host) {}, ""},
		"a server and an unknown address": {map[string]any{"voicemail": true, "voicemail_emails": []string{"ops@example.com"}}, func(h *host) { h.inst.ProtocolMinor, h.inst.Capabilities.Mail = 1, true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, tt.options)
			tt.change(h)
			h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
			res := h.act(actions.Check)
			var found *integration.Finding
			for i := range res.Findings {
				if res.Findings[i].Code == effect.FindingUnmailed {
					found = &res.Findings[i]
				}
			}
			text := lines(res)
			switch {
			case found == nil:
				t.Fatalf("no finding is set or cleared; lines\n%s", text)
			case tt.say == "" && (found.Severity != integration.FindingClear || !strings.Contains(text, "ok: Messages are mailed.")):
				t.Errorf("finding %+v, lines\n%s", found, text)
			case tt.say != "" && (found.Severity != integration.FindingError || found.Field != "voicemail_emails" || !strings.Contains(found.Message, tt.say) || !strings.Contains(text, tt.say)):
				t.Errorf("finding %+v, lines\n%s", found, text)
			}
		})
	}
}

// A message reaches somebody by mail or by phone: what is an error is that it does by neither.
func TestCheckSaysWhetherPeopleAreCalledToHearAMessage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options      map[string]any
		pages, plays bool
		say          string
		error        bool
	}{
		"called, not mailed":       {map[string]any{"voicemail": true}, false, true, "ok: People are called to hear a message.", false},
		"called by option":         {map[string]any{"voicemail": true, "deliver_messages": "on"}, true, true, "ok: People are called to hear a message.", false},
		"neither, by option":       {map[string]any{"voicemail": true, "deliver_messages": "off"}, false, true, "nobody called to hear it, because Deliver Messages by Phone is off", true},
		"neither, on a platform":   {map[string]any{"voicemail": true}, true, true, "nobody called to hear it, because the platform pages people by phone itself", true},
		"neither, on a host":       {map[string]any{"voicemail": true}, false, false, "nobody called to hear it, because this host gives no addresses", true},
		"mailed, on in vain":       {map[string]any{"voicemail": true, "deliver_messages": "on", "voicemail_emails": []string{"ops@example.com"}}, false, false, "error: Nobody would be called to hear a message, because this host gives no addresses", false},
		"no voicemail, no message": {map[string]any{"deliver_messages": "on"}, false, true, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, tt.options)
			h.inst.Capabilities.PagesByItself, h.inst.Capabilities.CallMedia = tt.pages, tt.plays
			h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
			res := h.act(actions.Check)
			unmailed := false
			for _, f := range res.Findings {
				unmailed = unmailed || f.Code == effect.FindingUnmailed && f.Severity == integration.FindingError
			}
			if text := lines(res); unmailed != tt.error || !strings.Contains(text, tt.say) || tt.say == "" && strings.Contains(text, "hear a message") {
				t.Errorf("finding %v, lines\n%s", unmailed, text)
			}
		})
	}
}

// Where people are rung once they have acknowledged an alert, somebody must tell them of it.
func TestCheckSaysThatNobodyIsToldOfAnAlert(t *testing.T) {
	t.Parallel()
	for _, notifies := range []bool{false, true} {
		h := newHost(t, map[string]any{"reach": "acknowledge"})
		h.inst.ProtocolMinor, h.inst.Capabilities.PagesByItself, h.inst.Capabilities.Notifies = 1, false, notifies
		h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
		text := lines(h.act(actions.Check))
		if said := strings.Contains(text, "error: No phone rings, because only people who acknowledge"); said == notifies {
			t.Errorf("notifies %v: lines\n%s", notifies, text)
		}
	}
}

func TestAHotlinesOwnNumberAsAPhoneIsTold(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	u := h.users["alice"]
	u.Phones = []string{calledNum, alicePhon}
	h.users["alice"] = u
	h.onCall = map[int][]string{1: {"alice"}}
	h.twilio.answer["GET /IncomingPhoneNumbers.json"] = numbers(mine)
	res := h.act(actions.Check)
	const say = "Alice Example's phone +1 202-555-0100 is a number of this hotline"
	if res.OK || !strings.Contains(lines(res), say) {
		t.Errorf("check: ok %v\n%s", res.OK, lines(res))
	}
	// The check remembered which numbers are connected: who would answer knows without asking
	// Twilio.
	if who := h.act(integration.ActionWhoWouldAnswer); !strings.Contains(lines(who), "is a number of this hotline") {
		t.Errorf("who would answer:\n%s", lines(who))
	}
	u.Phones = []string{alicePhon}
	h.users["alice"] = u
	cleared := false
	for _, f := range h.act(actions.Check).Findings {
		cleared = cleared || f.Code == effect.FindingLoop && f.Severity == integration.FindingClear
	}
	if !cleared {
		t.Error("the finding stays after the phone was corrected")
	}
}

func TestWhoWouldAnswerSaysWhatACallDoes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		options map[string]any
		values  []string
		want    []string
		not     string
		how     string // what the other call does with Alice
	}{
		"rung for another": {map[string]any{"reach": "ring"}, nil, []string{"Alice Example, +1 202-555-0151: is being called for another caller now and is called when that is over."}, "on another call", integration.OccupiedRinging},
		"awaited":          {map[string]any{"reach": "ring"}, nil, []string{"Alice Example, +1 202-555-0151: is awaited by a caller who called earlier and is called afterwards."}, "on another call", integration.OccupiedWaiting},
		"early widening": {map[string]any{"reach": "ring"}, nil, []string{
			"Layer 1: Alice Example, +1 202-555-0151: is on another call now and is called when it ends.",
			"Layer 2: Carol Example, +1 202-555-0152, then +1 202-555-0153.",
			"Layer 2 is called after about 25s, even if the escalation policy gives the layers before it longer",
			"When everybody was tried, each phone is called again every minute.",
			"If nobody takes the call within 10m, or the alert is dropped before: goodbye.",
		}, "", integration.OccupiedTalking},
		"one round": {map[string]any{"reach": "ring", "give_up": "one_round", "ring_timeout": 40}, nil, []string{
			"Layer 2 is called after about 40s", "When everybody was tried once, the caller is given up.", "If nobody takes the call within 10m",
		}, "again every minute", integration.OccupiedTalking},
		"another moment":     {map[string]any{"reach": "ring"}, []string{"at", "2026-12-24T18:00:00Z"}, []string{"Layer 1: Alice Example, +1 202-555-0151.\n"}, "another call", integration.OccupiedTalking},
		"first layer":        {map[string]any{"reach": "ring"}, []string{"at", "2026-12-24T18:00:00Z"}, []string{"Layer 2 is called after about"}, "Layer 1 is called after", integration.OccupiedTalking},
		"by acknowledgement": {map[string]any{"reach": "acknowledge"}, nil, []string{"Whoever acknowledges the alert is called."}, "is called after about", integration.OccupiedTalking},
		"its own number":     {map[string]any{"reach": "ring"}, []string{"from", calledNum, "to", "(202) 555-0100"}, []string{"no country code"}, "", integration.OccupiedTalking},
		"the hotline itself": {map[string]any{"country": "US"}, []string{"from", calledNum, "to", "(202) 555-0100"}, []string{"busy tone"}, "", integration.OccupiedTalking},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, tt.options)
			alice := h.users["alice"]
			alice.OccupiedBy, alice.OccupiedHow = "CA"+strings.Repeat("9", 32), tt.how
			h.users["alice"] = alice
			h.users["carol"] = integration.User{ID: "carol", Name: "Carol Example", Phones: []string{"+12025550152", "+12025550153"}}
			h.onCall = map[int][]string{1: {"alice"}, 2: {"carol"}}
			got := lines(h.act(integration.ActionWhoWouldAnswer, tt.values...))
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing:\n%s", want, got)
				}
			}
			if tt.not != "" && strings.Contains(got, tt.not) {
				t.Errorf("%q is said:\n%s", tt.not, got)
			}
		})
	}
}

func TestAMessageThatCannotBeMailedIsNotSaidToBe(t *testing.T) {
	t.Parallel()
	h := newHost(t, voicemailOptions)
	h.inst.ProtocolMinor = 1
	if who := lines(h.act(integration.ActionWhoWouldAnswer)); strings.Contains(who, "which is mailed") || !strings.Contains(who, "this host has no mail server") {
		t.Errorf("who would answer:\n%s", who)
	}
	h.inst.Capabilities.Mail = true
	if who := lines(h.act(integration.ActionWhoWouldAnswer)); !strings.Contains(who, "which is mailed") {
		t.Errorf("who would answer, with a mail server:\n%s", who)
	}
}

func TestARefusedMailComesBackAsALineAndAFinding(t *testing.T) {
	t.Parallel()
	h := newHost(t, voicemailOptions)
	voicemailAfterMaxWait(t, h)
	h.run(callSID, func(f integration.Facts) (integration.Outcome, error) {
		return h.app.HandleTask(context.Background(), integration.TaskRequest{
			Facts: f, Event: integration.TaskFailed, Task: integration.Task{Name: integration.TaskMail, Payload: []byte("ops@example.com")},
			Failure: &integration.Error{Kind: integration.KindInvalid, Message: "the mail server said:\r\n550 no such user"},
		})
	})
	if f := h.finds[effect.FindingMailRefused]; f.Field != "voicemail_emails" || !strings.Contains(f.Message, "ops@example.com: the mail server said: 550 no such user") {
		t.Errorf("finding %+v", f)
	}
	last := h.cmds[len(h.cmds)-1]
	if last.Kind != integration.AlertLog || !strings.Contains(last.Text, "550 no such user") {
		t.Errorf("last command %+v", last)
	}
}

// TestASentMailComesBackAsALine, and as nothing once the call is forgotten.
func TestASentMailComesBackAsALine(t *testing.T) {
	t.Parallel()
	h := newHost(t, voicemailOptions)
	voicemailAfterMaxWait(t, h)
	sent := func(f integration.Facts) (integration.Outcome, error) {
		return h.app.HandleTask(context.Background(), integration.TaskRequest{
			Facts: f, Event: integration.TaskDone, Task: integration.Task{Name: integration.TaskMailSent, Payload: []byte("ops@example.com")},
		})
	}
	h.run(callSID, sent)
	if last := h.cmds[len(h.cmds)-1]; last.Kind != integration.AlertLog || last.Text != "The message was mailed to ops@example.com." {
		t.Errorf("last command %+v", last)
	}
	f := h.facts(callSID)
	f.Session = nil
	if o, err := sent(f); err != nil || o.Session != nil || len(o.Alert) != 0 {
		t.Errorf("a call that was forgotten: %+v, error %v", o, err)
	}
}

func TestAMailThatWouldReachNobodyIsNotSent(t *testing.T) {
	t.Parallel()
	for unmailed, want := range map[string]int{"": 1, "this host has no mail server": 0} {
		c := collector{out: &integration.Outcome{}, options: options.Options{MailTo: []options.Recipient{{Address: "ops@example.com"}}}}
		c.options.Flow.Unmailed = unmailed
		c.mail(effect.Mail{Key: "voicemail"})
		if got := len(c.out.Mail); got != want {
			t.Errorf("unmailed %q: %d mails, want %d", unmailed, got, want)
		}
	}
}
