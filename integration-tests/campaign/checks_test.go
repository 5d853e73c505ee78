package campaign

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// dialed is when the caller of a goodRecord dials.
var dialed = time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC)

const (
	callerSid = "CA00000000000000000000000000000001"
	legSid    = "CA00000000000000000000000000000002"
)

// goodRecord is a wave of one caller: rung, connected for a minute, all well. A test changes one
// thing.
func goodRecord() *record {
	h := hotlines()[0]
	at := func(s int) time.Time { return dialed.Add(time.Duration(s) * time.Second) }
	number := h.phoneOf(h.user(1))
	c := &callFacts{Plan: callerPlan{Hotline: h, From: h.phone(150)}, Sid: callerSid, Dialed: dialed, Known: true, State: "ended", Ended: endConnected}
	c.digest([]twiliosim.Event{
		{At: at(0), Kind: twiliosim.EventStatus, Text: "ringing"},
		{At: at(1), Kind: twiliosim.EventStatus, Text: "in-progress"},
		{At: at(1), Kind: twiliosim.EventSaid, Text: "Press 1 for Apples."},
		{At: at(4), Kind: twiliosim.EventPressed, Text: "1"},
		{At: at(5), Kind: twiliosim.EventQueued, Text: "lcr-" + callerSid},
		{At: at(6), Kind: twiliosim.EventWebhook, URL: "https://hotline.example.com/hold", Status: 200},
		{At: at(30), Kind: twiliosim.EventBridged, Note: legSid, Peer: number},
		{At: at(90), Kind: twiliosim.EventUnbridged, Note: legSid, Peer: number},
		{At: at(90), Kind: twiliosim.EventDequeued, Note: "bridged"},
		{At: at(91), Kind: twiliosim.EventSaid, Text: "Goodbye."},
		{At: at(92), Kind: twiliosim.EventStatus, Text: "completed"},
		{At: at(93), Kind: twiliosim.EventCallback, URL: "https://hotline.example.com/status", Status: 204},
	})
	leg := digestLeg(legSid, []twiliosim.Event{
		{At: at(10), Leg: number, Kind: twiliosim.EventStatus, Text: "ringing", URL: "https://hotline.example.com/c/" + callerSid + "/leg/1"},
		{At: at(20), Leg: number, Kind: twiliosim.EventStatus, Text: "in-progress"},
		{At: at(90), Leg: number, Kind: twiliosim.EventStatus, Text: "completed"},
	})
	c.Legs = []*legFacts{leg}
	c.Alerts = []alertFacts{{ID: "alert1", Key: callerSid, Status: "acknowledged", DestinationTeams: []string{h.Teams[0].ID}}}
	return &record{Calls: []*callFacts{c}, After: remains{Processes: 2, Descriptors: 50, Goroutines: 60}, Before: remains{Descriptors: 50, Goroutines: 60}}
}

// voicemailRecord is the same with a message instead of a conversation.
func voicemailRecord() *record {
	r := goodRecord()
	c := r.Calls[0]
	h := c.Plan.Hotline
	at := func(s int) time.Time { return dialed.Add(time.Duration(s) * time.Second) }
	kept := *c
	*c = callFacts{Plan: kept.Plan, Sid: kept.Sid, Dialed: dialed, Known: true, State: "ended", Ended: endMessage, Alerts: kept.Alerts}
	c.Alerts[0].Status = "open"
	c.digest([]twiliosim.Event{
		{At: at(0), Kind: twiliosim.EventStatus, Text: "ringing"},
		{At: at(1), Kind: twiliosim.EventStatus, Text: "in-progress"},
		{At: at(4), Kind: twiliosim.EventPressed, Text: "1"},
		{At: at(5), Kind: twiliosim.EventQueued},
		{At: at(160), Kind: twiliosim.EventDequeued, Note: "redirected"},
		{At: at(170), Kind: twiliosim.EventBeep},
		{At: at(180), Kind: twiliosim.EventRecording, Text: "completed", Note: "RE1"},
		{At: at(181), Kind: twiliosim.EventStatus, Text: "completed"},
	})
	c.Alerts[0].Attachments = append(c.Alerts[0].Attachments, attachmentFacts{Label: "Voicemail"})
	r.Mails = []delivery{{MessageID: "<m1@example.com>", To: h.mailAddress(), Alert: "alert1", Sounds: 1}}
	return r
}

// deliveredRecord is the same where somebody is rung after the call, and hears the message.
func deliveredRecord() *record {
	r := voicemailRecord()
	c := r.Calls[0]
	h := *c.Plan.Hotline
	h.Options = maps.Clone(h.Options)
	h.Options["deliver_messages"] = "on"
	c.Plan.Hotline = &h
	c.Alerts[0].Log = []logFacts{{Message: "Person P1.202 heard the message."}}
	c.Legs = []*legFacts{messageLeg(legSid, h.phoneOf(h.user(1)), 190)}
	return r
}

// messageLeg is somebody who is rung for the message of a deliveredRecord, hears it and takes care
// of it.
func messageLeg(sid, number string, from int) *legFacts {
	at := func(s int) time.Time { return dialed.Add(time.Duration(from+s) * time.Second) }
	return digestLeg(sid, []twiliosim.Event{
		{At: at(0), Leg: number, Kind: twiliosim.EventStatus, Text: "ringing", URL: "https://hotline.example.com/c/" + callerSid + "/leg/1"},
		{At: at(5), Leg: number, Kind: twiliosim.EventStatus, Text: "in-progress"},
		{At: at(10), Leg: number, Kind: twiliosim.EventPlayed, URL: "https://hotline.example.com/call-media/1"},
		{At: at(20), Leg: number, Kind: twiliosim.EventPressed, Text: "2"},
		{At: at(25), Leg: number, Kind: twiliosim.EventStatus, Text: "completed"},
	})
}

// untold makes the conversation of a record one of whose end nobody told a host whose clock was
// set, and after which the caller is connected again.
func untold(r *record, c *callFacts) {
	at := func(s int) time.Time { return dialed.Add(time.Duration(s) * time.Second) }
	r.Windows = []window{{clockStepped, clockStepped, at(85), at(89)}}
	c.Injected, c.Legs[0].Injected = 1, 1
	c.Bridges = append(c.Bridges, bridge{Leg: "CA3", Number: c.Plan.Hotline.phone(199), From: at(91), To: at(91)})
}

func TestGoodRecordsAreNotComplainedAbout(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*record{"a conversation": goodRecord(), "a message": voicemailRecord(), "a message that is heard": deliveredRecord()} {
		if found := judge(r); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// TestEveryCheckFinds makes one thing of a good record wrong at a time. Exactly the check that is
// for it complains.
func TestEveryCheckFinds(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return dialed.Add(time.Duration(s) * time.Second) }
	h := hotlines()[0]
	second := func(c *callFacts) *callFacts {
		other := *c
		other.Sid, other.Alerts, other.Legs = "CA00000000000000000000000000000009", []alertFacts{c.Alerts[0]}, nil
		return &other
	}
	for name, tc := range map[string]struct {
		check  string
		from   func() *record
		change func(r *record, c *callFacts)
		says   string
	}{
		"a call that does not end":         {"one acceptable end", goodRecord, func(_ *record, c *callFacts) { c.Over = time.Time{} }, "not over"},
		"a call that runs on for the host": {"one acceptable end", goodRecord, func(_ *record, c *callFacts) { c.State = "talking" }, "talking"},
		"a conversation that is none":      {"one acceptable end", goodRecord, func(_ *record, c *callFacts) { c.Bridges[0].To = at(32) }, "longest conversation"},
		"a conversation that is not known": {"one acceptable end", goodRecord, func(_ *record, c *callFacts) {
			c.Ended, c.HungUp, c.Alerts[0].Status = endHungUp, at(90), "resolved"
		}, "there was a conversation"},
		"a hang-up that was none": {"one acceptable end", voicemailRecord, func(r *record, c *callFacts) {
			c.Ended, c.Sounds, c.Alerts[0].Attachments, c.Alerts[0].Status, r.Mails = endHungUp, nil, nil, "resolved", nil
		}, "did not hang up"},
		"an end that is none": {"one acceptable end", goodRecord, func(_ *record, c *callFacts) {
			c.Ended, c.Bridges = "lost", nil
		}, "no end"},
		"Twilio's apology": {"one acceptable end", goodRecord, func(_ *record, c *callFacts) {
			c.Events = append(c.Events, twiliosim.Event{At: at(91), Kind: twiliosim.EventSaid, Note: "Twilio"})
		}, "apologised"},
		"endless music": {"one acceptable end", voicemailRecord, func(_ *record, c *callFacts) { c.Events[4].At = at(900) }, "on hold for"},
		"a call that the host does not know": {"one acceptable end", goodRecord, func(_ *record, c *callFacts) {
			c.Known, c.Alerts = false, nil
		}, "does not know"},
		"a document that Twilio refuses": {"executed webhooks are answered", goodRecord, func(r *record, c *callFacts) {
			r.Violations = []twiliosim.Violation{{At: at(10), Call: c.Sid, Code: 12100, Text: "no XML", URL: "https://hotline.example.com/c/x/hold"}}
		}, "12100"},
		"a document with another status": {"executed webhooks are answered", goodRecord, func(_ *record, c *callFacts) { c.Events[5].Status = 204 }, "204"},
		"a callback that is refused":     {"other webhooks are acknowledged", goodRecord, func(_ *record, c *callFacts) { c.Events[11].Status = 500 }, "500"},
		"a callback that cannot be stored while nothing is wrong": {"other webhooks are acknowledged", goodRecord,
			func(_ *record, c *callFacts) { c.Events[11].Status = 503 }, "503"},
		"a callback with a document": {"other webhooks are acknowledged", goodRecord, func(r *record, c *callFacts) {
			r.Documents = []string{"https://hotline.example.com/c/" + c.Sid + "/leg/1/status"}
		}, "document to execute"},
		"two alerts":         {"one alert a call", goodRecord, func(_ *record, c *callFacts) { c.Alerts = append(c.Alerts, c.Alerts[0]) }, "2 alerts"},
		"no alert":           {"one alert a call", goodRecord, func(_ *record, c *callFacts) { c.Alerts = nil }, "0 alerts"},
		"an alert of nobody": {"one alert a call", goodRecord, func(r *record, c *callFacts) { r.Strangers = c.Alerts }, "of no call"},
		"an alert of a rejected call": {"one alert a call", goodRecord, func(_ *record, c *callFacts) {
			c.Ended, c.Plan.From, c.Bridges, c.Alerts[0].Status = endRejected, h.banned(), nil, ""
			c.Alerts = append(c.Alerts, c.Alerts[0])
		}, "want 0"},
		"a message without its attachment": {"recordings are delivered once", voicemailRecord, func(_ *record, c *callFacts) { c.Alerts[0].Attachments = nil }, "0 attachments"},
		"a message attached twice": {"recordings are delivered once", voicemailRecord, func(_ *record, c *callFacts) {
			c.Alerts[0].Attachments = append(c.Alerts[0].Attachments, c.Alerts[0].Attachments[0])
		}, "2 attachments"},
		"a message that was not mailed": {"recordings are delivered once", voicemailRecord, func(r *record, _ *callFacts) { r.Mails = nil }, "0 mails"},
		"a message mailed twice": {"recordings are delivered once", voicemailRecord, func(r *record, _ *callFacts) {
			m := r.Mails[0]
			m.MessageID = "<m2@example.com>"
			r.Mails = append(r.Mails, m)
		}, "2 mails"},
		"a mail too many that names no alert": {"recordings are delivered once", voicemailRecord, func(r *record, _ *callFacts) {
			r.Mails = append(r.Mails, delivery{MessageID: "<m2@example.com>", To: h.mailAddress()})
		}, "about no recording"},
		"a second conversation": {"nobody is connected twice", goodRecord, func(_ *record, c *callFacts) {
			c.Bridges = append(c.Bridges, bridge{Leg: "CA3", Number: h.phone(199), From: at(91), To: at(91)})
		}, "connected again"},
		"a second conversation although Twilio told how long the first was": {"nobody is connected twice", goodRecord, func(r *record, c *callFacts) {
			untold(r, c)
			c.Legs[0].Events = append(c.Legs[0].Events, twiliosim.Event{At: at(91), Kind: twiliosim.EventREST, Method: "GET", URL: "/Calls/" + legSid + ".json", Status: 200})
		}, "connected again"},
		"a responder with two callers": {"nobody is connected twice", goodRecord, func(r *record, c *callFacts) { r.Calls = append(r.Calls, second(c)) }, "while talking"},
		"a telephone that rings on": {"no leg rings on", goodRecord, func(_ *record, c *callFacts) {
			c.Legs = append(c.Legs, &legFacts{Sid: "CA3", To: h.phone(112), Rang: at(60), Over: at(120)})
		}, "rang on for 28s"},
		"a live call": {"nothing is left", goodRecord, func(r *record, c *callFacts) { r.After.Live = []string{c.Sid} }, "running"},
		"a live leg":  {"nothing is left", goodRecord, func(r *record, _ *callFacts) { r.After.Lines = []string{legSid} }, "not over"},
		"a queue": {"nothing is left", goodRecord, func(r *record, c *callFacts) {
			c.Events[5].Params = map[string]string{"QueueSid": "QU1"}
			r.After.Queues = []string{"lcr-" + c.Sid}
		}, "queue"},
		"an item":               {"nothing is left", goodRecord, func(r *record, c *callFacts) { r.After.Outbox = []string{c.Sid + " timer"} }, "outbox"},
		"an orphan":             {"nothing is left", goodRecord, func(r *record, _ *callFacts) { r.After.Processes = 3 }, "3 processes"},
		"descriptors":           {"nothing is left", goodRecord, func(r *record, _ *callFacts) { r.After.Descriptors = 500 }, "descriptors"},
		"goroutines":            {"nothing is left", goodRecord, func(r *record, _ *callFacts) { r.After.Goroutines = 500 }, "goroutines"},
		"an alert left open":    {"the alert fits the end", goodRecord, func(_ *record, c *callFacts) { c.Alerts[0].Status = "open" }, "alert is open"},
		"a message that closes": {"the alert fits the end", voicemailRecord, func(_ *record, c *callFacts) { c.Alerts[0].Status = "resolved" }, "alert is resolved"},
		"a caller given up":     {"nobody is given up early", voicemailRecord, func(_ *record, c *callFacts) { c.Events[4].At = at(60) }, "given up after 56s of 2m30s"},
		"a message that nobody hears": {"messages are heard", deliveredRecord, func(_ *record, c *callFacts) {
			c.Alerts[0].Log = nil
		}, "does not say so"},
		"a message that is said to be heard": {"messages are heard", deliveredRecord, func(_ *record, c *callFacts) {
			c.Legs[0].Events = c.Legs[0].Events[:2]
		}, "no phone played one"},
		"a message for which somebody was not rung": {"messages are heard", deliveredRecord, func(_ *record, c *callFacts) {
			c.Alerts[0].Log[0].Message = "Nobody has heard the message: everybody on call was rung once."
		}, "was not rung"},
		"a message for which somebody is rung again": {"nobody is rung again", deliveredRecord, func(_ *record, c *callFacts) {
			c.Legs = append(c.Legs, messageLeg("CA00000000000000000000000000000003", c.Legs[0].To, 230))
		}, "rung again"},
		"a message for which somebody is rung who talks": {"callers come first", deliveredRecord, whoseHearerTalks, "while its person had a call"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tc.from()
			tc.change(r, r.Calls[0])
			found := judge(r)
			if len(found) == 0 {
				t.Fatal("nothing is found")
			}
			for _, f := range found {
				if f.Check != tc.check || !strings.Contains(f.Text, tc.says) {
					t.Errorf("%q complains: %s; want %q: %s", f.Check, f.Text, tc.check, tc.says)
				}
			}
		})
	}
}

// whoseHearerTalks adds a call whose responder is rung for the message of c in the middle of it.
func whoseHearerTalks(r *record, c *callFacts) {
	at := func(s int) time.Time { return dialed.Add(time.Duration(s) * time.Second) }
	other := *goodRecord().Calls[0]
	other.Plan.From = c.Plan.Hotline.phone(151)
	other.Sid, other.Alerts = "CA00000000000000000000000000000009", []alertFacts{c.Alerts[0]}
	other.Alerts[0].Status, other.Alerts[0].Log = "acknowledged", nil
	other.Alerts[0].ID, other.Alerts[0].Attachments = "alert2", nil
	leg := other.Legs[0]
	leg.Sid, leg.To, leg.Rang, leg.Over = "CA00000000000000000000000000000008", c.Legs[0].To, at(180), at(300)
	r.Calls = append(r.Calls, &other)
}

// TestWhatChecksExcuse: what a fault on demand explains is no violation.
func TestWhatChecksExcuse(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return dialed.Add(time.Duration(s) * time.Second) }
	down := func(r *record, group string) { r.Windows = []window{{group, group, at(80), at(95)}} }
	for name, tc := range map[string]struct {
		from   func() *record
		change func(r *record, c *callFacts)
	}{
		"Twilio's apology while the host was down": {goodRecord, func(r *record, c *callFacts) {
			down(r, hostKilled)
			c.Events = append(c.Events, twiliosim.Event{At: at(91), Kind: twiliosim.EventSaid, Note: "Twilio"})
		}},
		"a callback while the disk was full": {goodRecord, func(r *record, c *callFacts) {
			down(r, diskFull)
			c.Events[11].Status = 503
		}},
		"a lost callback":     {goodRecord, func(_ *record, c *callFacts) { c.Events[11].Status, c.Events[11].Note = 0, "lost on demand" }},
		"the same mail twice": {voicemailRecord, func(r *record, _ *callFacts) { r.Mails = append(r.Mails, r.Mails[0]) }},
		"the star": {voicemailRecord, func(_ *record, c *callFacts) {
			c.Events[4].At = at(60)
			c.Events = append(c.Events, twiliosim.Event{At: at(59), Kind: twiliosim.EventPressed, Text: "*"})
		}},
		"a wait that is shorter by a tenth while the host makes up a step of its clock": {voicemailRecord, func(r *record, c *callFacts) {
			down(r, clockSet)
			c.Events[4].At = at(144)
		}},
		"a queue that the host never heard of": {goodRecord, func(r *record, c *callFacts) { r.After.Queues = []string{"lcr-" + c.Sid} }},
		"a queue that was named only while nothing could be stored": {goodRecord, func(r *record, c *callFacts) {
			r.After.Queues = []string{"lcr-" + c.Sid}
			for i := range c.Events {
				if c.Events[i].Kind == twiliosim.EventWebhook {
					c.Events[i].Params = map[string]string{"QueueSid": "QU1"}
				}
			}
			r.Windows = []window{{diskFull, diskFull, at(-60), at(600)}}
		}},
		"a mail that was written before the alert could be created": {voicemailRecord, func(r *record, _ *callFacts) { r.Mails[0].Alert = "" }},
		"a short connection whose end could not be stored": {goodRecord, func(r *record, c *callFacts) {
			c.Bridges[0].To = at(32)
			r.Windows = []window{{diskFull, diskFull, at(31), at(40)}}
		}},
		"a conversation whose end nobody told a host whose clock was set": {goodRecord, func(r *record, c *callFacts) {
			r.Windows = []window{{clockSet, clockSet, at(-60), at(-60)}, {hostKilled, hostKilled, at(89), at(95)}}
			c.Ended, c.HungUp, c.Alerts[0].Status = endHungUp, at(90), "resolved"
		}},
		"a second conversation of a host that cannot know of the first": {goodRecord, untold},
		"a queue of an earlier wave": {goodRecord, func(r *record, _ *callFacts) {
			r.Before.Queues = []string{"lcr-CA00000000000000000000000000000007"}
			r.After.Queues = r.Before.Queues
		}},
		"a phone that rings on for a call that Twilio says it does not know": {deliveredRecord, func(r *record, c *callFacts) {
			whoseHearerTalks(r, c)
			leg := r.Calls[1].Legs[0]
			leg.Events = append(leg.Events, twiliosim.Event{At: c.Legs[0].Rang.Add(-time.Second), Kind: twiliosim.EventREST, Method: "POST", Status: 404})
		}},
		"a phone that rings on for a call that Twilio says is not in progress": {deliveredRecord, func(r *record, c *callFacts) {
			whoseHearerTalks(r, c)
			leg := r.Calls[1].Legs[0]
			leg.Events = append(leg.Events, twiliosim.Event{At: c.Legs[0].Rang.Add(-time.Second), Kind: twiliosim.EventREST, Method: "POST", Status: 400})
		}},
		"everybody has passed": {voicemailRecord, func(_ *record, c *callFacts) {
			c.Events[4].At = at(60)
			for n := range 3 {
				c.Legs = append(c.Legs, &legFacts{Sid: fmt.Sprint(n), To: c.Plan.Hotline.phone(111 + n), Passed: true})
			}
		}},
	} {
		r := tc.from()
		tc.change(r, r.Calls[0])
		if found := judge(r); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}
