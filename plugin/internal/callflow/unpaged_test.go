package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

const full = `service "Payments" is full: close some alerts`

// unpaged has the platform say that it pages nobody for the alert. Without created it has not
// carried out our last command either.
func (c *testCall) unpaged(reason string, created bool) {
	c.t.Helper()
	c.facts.Alert = &integration.AlertSnapshot{Status: integration.AlertQueued, Round: 1, Unpaged: reason, ReadAt: c.now}
	if created {
		c.facts.Alert.Status, c.facts.Alert.LastCommand = integration.AlertOpen, c.state.Alert.Commands
	}
	c.do(event.Event{Kind: event.Alert})
}

// A platform that pages by itself and cannot create the alert, or does not page for it, is as one
// that never pages: at once, and although the option says that people acknowledge.
func TestWhereThePlatformPagesNobodyPhonesAreRungLayerByLayer(t *testing.T) {
	t.Parallel()
	for _, reach := range []config.Reach{config.ReachAuto, config.ReachAcknowledge, config.ReachBoth, config.ReachRing} {
		for _, created := range []bool{false, true} {
			conf := withVoicemail()
			conf.Reach = reach
			c := newCall(t, conf).holding()
			same(t, len(dials(c.all)), 0)
			c.unpaged(full, created)
			same(t, dials(c.all), []string{alicePhone})
			c.logged("The platform pages nobody for this alert: service \"Payments\" is full: close some alerts. The people on call are rung.")
			p := newPhones(c)
			p.follows = false
			p.run(time.Minute)
			same(t, dials(c.all)[:2], []string{alicePhone, bobPhone})
			same(t, len(commands(c.all, integration.AlertEscalate)), 0)
			c.phase(call.PhaseHolding)
		}
	}
}

// The reason is told once, however often the snapshot comes.
func TestAReasonThatComesAgainIsToldOnce(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	for range 3 {
		c.wait(time.Second)
		c.unpaged(full, false)
	}
	told := 0
	for _, l := range commands(c.all, integration.AlertLog) {
		if contains(l.Text, "pages nobody") {
			told++
		}
	}
	same(t, told, 1)
}

// When there is room the alert is created and the platform pages: nobody is newly rung before they
// acknowledge, and a phone that rings may still take the call.
func TestWhenThePlatformPagesAgainItIsLeftToIt(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.unpaged(full, false)
	c.wait(5*time.Second).alert(integration.AlertOpen, 1)
	c.logged("The platform pages people for this alert now.")
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
	c.wait(25*time.Second).legStatus("1", event.StatusNoAnswer)
	p := newPhones(c)
	p.run(3 * time.Minute)
	same(t, dials(c.all), []string{alicePhone})
	c.ack("a1", "bob")
	same(t, dials(c.all), []string{alicePhone, bobPhone})

	c = newCall(t, withVoicemail()).holding()
	c.unpaged(full, false)
	c.wait(5*time.Second).alert(integration.AlertOpen, 1)
	c.answered("1")
	c.press("1", "1")
	c.phase(call.PhaseConnecting)
}

// Maintenance that begins during the call: the platform pages no further layer, so it is not
// commanded to.
func TestMaintenanceInTheMiddleOfACallRingsTheNextLayerToo(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.Reach = config.ReachBoth
	c := newCall(t, conf).holding()
	p := newPhones(c)
	p.follows = false
	c.alert(integration.AlertOpen, 1)
	p.take()
	c.facts.Alert = &integration.AlertSnapshot{Status: integration.AlertOpen, Layer: 1, Round: 1, Unpaged: "maintenance", LastCommand: c.state.Alert.Commands, ReadAt: c.now}
	c.do(event.Event{Kind: event.Alert})
	p.run(30 * time.Second)
	same(t, dials(c.all), []string{alicePhone, bobPhone})
	same(t, len(commands(c.all, integration.AlertEscalate)), 0)
}

// A mailbox that answers for somebody who did not acknowledge must not take the call, although the
// option asks for no key.
func TestWhoIsRungUnaskedMustPressAKey(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.ConfirmAnswer = false
	c := newCall(t, conf).holding()
	c.unpaged(full, true)
	c.alert(integration.AlertOpen, 1) // paged after all: the phone rings on
	c.answered("1")
	c.leg("1", call.LegAsked, "")
	c.phase(call.PhaseHolding)

	c = newCall(t, conf).holding()
	c.ack("a1", "alice")
	c.answered("1")
	c.phase(call.PhaseConnecting)
}

// Nobody on call is no reason to wait, whether or not the platform would page them.
func TestAnUnpagedCallWithNobodyOnCallGoesToTheMessage(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.onCall = nil
	c.holding()
	c.unpaged(full, false)
	same(t, c.state.Exit, call.ExitNobody)
}

func TestAnUnpagedAlertIsToldAfterTheCallWithoutRingingAnybody(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.do(event.Event{Kind: event.HoldKey, QueueSid: queueSid, Digits: "*"})
	c.do(event.Event{Kind: event.Left, QueueResult: "leave", QueueSid: queueSid, Step: c.state.Step})
	c.phase(call.PhaseLeavingMessage)
	c.unpaged(full, false)
	c.logged("The platform pages nobody for this alert: service \"Payments\" is full: close some alerts.")
	same(t, len(dials(c.all)), 0)
}
