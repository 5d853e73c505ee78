package callflow

import (
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// times counts the log lines with a text.
func (c *testCall) times(text string) int { return strings.Count(c.story(), text) }

func TestEverythingKnownOfTheCallerIsOnTheAlert(t *testing.T) {
	t.Parallel()
	d := draft.New(call.Caller{
		Number: callerNum, Called: calledNum, Name: "Carol Example", Address: "sip:carol@example.com",
		City: "Springfield", State: "NY", Zip: "10001", Country: "US", Forward: "+12025550199",
	})
	got := map[string]string{}
	for _, f := range d.Fields {
		got[f.Label] = f.Value
	}
	same(t, got, map[string]string{
		"Caller Phone": callerNum, "Caller Address": "sip:carol@example.com", "Called Number": calledNum,
		"Caller Name": "Carol Example", "Caller City": "Springfield", "Caller State": "NY",
		"Caller Zipcode": "10001", "Caller Country": "US", "Forwarded From": "+12025550199",
	})
}

func TestABannedNumberIsInTheLog(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.do(event.Event{Kind: event.Arrival, Caller: &call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum, Banned: true}})
	lines := of[integration.LogLine](c.effects)
	if len(lines) != 1 || !strings.Contains(lines[0].Message, callerNum) || lines[0].Attrs["call"] != callerSid {
		t.Errorf("log lines %v: want one with the number and the call", lines)
	}
}

func TestMoreTeamsThanTheMenuCanNameAreNoted(t *testing.T) {
	t.Parallel()
	c := menuCall(t, config.Defaults(), maxTeams)
	same(t, c.times("the first 99 are offered"), 0)
	c = menuCall(t, config.Defaults(), maxTeams+1)
	same(t, c.times("the first 99 are offered"), 1)
	same(t, len(c.state.Teams), maxTeams)
}

// With two digits the caller may want to press a second one, so the wait for it is part of every
// choice.
func TestTheMenuWaitsLessLongForASecondDigit(t *testing.T) {
	t.Parallel()
	for teams, want := range map[int]time.Duration{9: 10 * time.Second, 10: 5 * time.Second} {
		c := menuCall(t, config.Defaults(), teams)
		same(t, c.reply.(reply.Menu).Timeout, want)
	}
}

// A snapshot arrives with every event, so the same acknowledgement is seen many times.
func TestAnAcknowledgementIsNotedOnce(t *testing.T) {
	t.Parallel()
	ack := integration.Acknowledgement{ID: "late", User: "bob", At: start}
	for name, c := range map[string]struct {
		prepare func() *testCall
		text    string
	}{
		"during a conversation": {func() *testCall { return newCall(t, config.Defaults()).talking() }, "during the conversation"},
		"during a message": {func() *testCall {
			c := newCall(t, withVoicemail()).holding()
			c.do(event.Event{Kind: event.HoldKey, Digits: "*"})
			c.phase(call.PhaseLeavingMessage)
			return c
		}, "leaves a message"},
		"after the end": {func() *testCall {
			conf := config.Defaults()
			conf.SkipResolveOnHangup = true
			c := newCall(t, conf).holding()
			c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
			c.ended(call.EndHungUp)
			return c
		}, "after the call was over"},
	} {
		call := c.prepare()
		before := len(dials(call.all))
		call.alert(integration.AlertAcknowledged, 1, ack)
		call.wait(time.Second).alert(integration.AlertAcknowledged, 2, ack)
		if n := call.times(c.text); n != 1 {
			t.Errorf("%s: noted %d times, want once:\n%s", name, n, call.story())
		}
		if n := len(dials(call.all)); n != before {
			t.Errorf("%s: %d phones were rung", name, n-before)
		}
	}
}

// Bob acknowledged while Alice and the caller talked; when that falls apart he is rung.
func TestAnAcknowledgementDuringAConversationThatFailsIsAnswered(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).talking()
	c.alert(integration.AlertAcknowledged, 1,
		integration.Acknowledgement{ID: "ack-1", User: "alice", At: c.now}, integration.Acknowledgement{ID: "late", User: "bob", At: c.now})
	c.wait(shortBridge - time.Second).do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 4})
	c.phase(call.PhaseHolding)
	same(t, dials(c.effects), []string{bobPhone})
	same(t, len(commands(c.all, integration.AlertReopen)), 0)
}

// Whoever reads that two talked must not read next that they were never connected.
func TestTheHistorySaysThatAConnectionWasShortNotThatThereWasNone(t *testing.T) {
	t.Parallel()
	short := event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 4}
	c := newCall(t, config.Defaults()).talking()
	c.wait(4 * time.Second).do(short)
	c.phase(call.PhaseHolding)
	c.logged("took the call and was connected for less than 5 s; the caller goes on waiting")
	c = newCall(t, config.Defaults()).talking()
	c.wait(4 * time.Second).do(event.Event{Kind: event.Left, QueueResult: "bridged", CallStatus: event.StatusCompleted, Step: c.state.Hold.Step})
	c.do(short)
	c.ended(call.EndHungUp)
	c.logged("The caller hung up within 5 s of being connected with Alice Example")
	// Twilio's word that there was none.
	short.Bridged, short.Seconds = event.BridgeNo, 0
	c = newCall(t, config.Defaults()).talking()
	c.wait(4 * time.Second).do(short)
	c.logged("took the call but was not connected after all; the caller goes on waiting")
}

func TestTheHistorySaysWhyAnAcknowledgementRingsNobody(t *testing.T) {
	t.Parallel()
	// The caller is about to leave: Alice is being asked, and the longest wait is over.
	conf := config.Defaults()
	conf.MaxWait = 30 * time.Second
	c := newCall(t, conf).holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.wait(conf.MaxWait).timer("max-wait")
	c.phase(call.PhaseHolding)
	c.alert(integration.AlertAcknowledged, 1,
		integration.Acknowledgement{ID: "ack-1", User: "alice", At: c.now}, integration.Acknowledgement{ID: "ack-2", User: "bob", At: c.now})
	same(t, dials(c.effects), []string(nil))
	c.logged("about to leave the hold")
	// A platform that never says who.
	c = newCall(t, config.Defaults())
	c.facts.Instance.Capabilities.AcknowledgedByUser = false
	c.holding()
	c.ack("ack-1", "")
	same(t, dials(c.effects), []string{alicePhone})
	same(t, c.times("Acknowledged;"), 1)
}

func TestAMessageThatCouldNotBeFoundOutIsInTheHistory(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.do(event.Event{Kind: event.HoldKey, Digits: "*"})
	c.do(event.Event{Kind: event.Voicemail})
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	c.phase(call.PhaseAwaitingRecording)
	c.wait(fetchPatience).timer("recording")
	c.ended(call.EndNoMessage)
	c.logged("could not be found out. Call back " + callerNum)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
}

func TestTheViewSaysSinceWhenTheCallerIsGone(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	c := newCall(t, conf)
	c.arrive()
	c.wait(20 * time.Second)
	gone := c.now
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	c.phase(call.PhaseAwaitingRecording)
	// Reported twice.
	c.wait(5 * time.Second).do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	c.wait(time.Minute).do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "absent"})
	c.ended(call.EndNoMessage)
	same(t, call.View(c.state).Legs[0].EndedAt, gone)
}

func TestAHandoffNamesTheTeam(t *testing.T) {
	t.Parallel()
	for name, destinations := range map[string][]integration.Destination{
		"among the call's teams":     nil, // they are not destinations any more
		"among today's destinations": {devops, support},
	} {
		c := newCall(t, config.Defaults())
		c.facts.Destinations = []integration.Destination{devops, support}
		c.arrive()
		c.keys("2")
		c.hold()
		c.facts.Destinations = destinations
		c.facts.Alert = &integration.AlertSnapshot{
			Status: integration.AlertOpen, Layer: 1, Round: 1, Teams: []string{"devops"},
			LastCommand: c.state.Alert.Commands, ReadAt: c.now,
		}
		if c.state.Team.ID == "devops" {
			c.facts.Alert.Teams = []string{"support"}
		}
		c.do(event.Event{Kind: event.Alert})
		if c.state.Team.Name == c.state.Team.ID || c.state.Team.ID != c.facts.Alert.Teams[0] {
			t.Errorf("%s: the team is %+v", name, *c.state.Team)
		}
	}
}

func TestAPersonWithoutANameIsCalledByTheirID(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.users["alice"] = integration.User{ID: "alice", Phones: []string{alicePhone}}
	c.holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.logged("alice (" + alicePhone + ") takes the call.")
}
