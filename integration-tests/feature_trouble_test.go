package integrationtests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testmail"
)

// TestFeatureDoubledAndReorderedRequests sends every request of a call twice, and status callbacks
// in any order: there is one alert, one leg and one conversation.
func TestFeatureDoubledAndReorderedRequests(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst, func(c *demo.Config) { c.Sim.Behaviour.ShuffleStatusCallbacks = true })
	h.disturb(twiliosim.Fault{On: twiliosim.OnWebhook, Do: twiliosim.FaultDouble, Count: -1})
	h.disturb(twiliosim.Fault{On: twiliosim.OnCallback, Do: twiliosim.FaultDouble, Count: -1})
	c := h.onHold()
	h.acknowledge(h.open().ID, "alice")
	leg := h.takes(alice)
	c.ConnectedTo(t, alice)
	leg.SpeaksFor("Good evening, tell me what is wrong.", 2*time.Minute)
	c.Hears(t, "tell me what is wrong")
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
	a := h.alert("with the length of the conversation", func(a alert) bool { return a.logged("took ") > 0 })
	for _, line := range []string{"chose DevOps", "takes the call", "is being connected with the caller", "took "} {
		if n := a.logged(line); n != 1 {
			t.Errorf("the log says %q %d times:\n%s", line, n, a.story())
		}
	}
	if n := h.rang(alice); n != 1 {
		t.Errorf("Alice was rung %d times", n)
	}
}

// TestFeatureLostRequestsAreBridged loses requests or answers: Twilio asks again or turns to the
// fallback URL, and the call goes on.
func TestFeatureLostRequestsAreBridged(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]twiliosim.Fault{
		"the menu's key":     {On: twiliosim.OnWebhook, Match: "/menu", Do: twiliosim.FaultLoseAnswer, Count: 4},
		"the arrival":        {On: twiliosim.OnWebhook, Match: "POST http://[^/]+/integrations/[^/?#]+$", Do: twiliosim.FaultLose, Count: 4},
		"the answered phone": {On: twiliosim.OnWebhook, Match: "/leg/[0-9]+[?#]", Do: twiliosim.FaultLose},
		"leg's callbacks":    {On: twiliosim.OnCallback, Match: "/leg/", Do: twiliosim.FaultLose, Count: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, acknowledgeFirst)
			h.Sim.Allow(11200, 11205) // the requests that were lost
			h.connectFallback()
			h.disturb(f)
			c := h.dial()
			c.Hears(t, "Press 2 for DevOps")
			c.Presses("2")
			h.eventually("on hold", func() bool {
				for _, e := range c.Transcript() {
					if e.Kind == twiliosim.EventPlayed && strings.Contains(e.URL, "music-") {
						return true
					}
				}
				return c.Status() != twiliosim.StatusInProgress && c.Status() != twiliosim.StatusRinging
			})
			h.acknowledge(h.open().ID, "alice")
			leg := h.Sim.Phone(alice).RingsNext(t)
			leg.Answers()
			leg.Hears(t, "press 1")
			leg.Presses("1")
			c.ConnectedTo(t, alice)
			h.converses(c)
			c.HangsUp()
			c.Ended(t)
			h.over(c, "connected")
		})
	}
}

// connectFallback connects the number by the plugin's action, which sets the fallback URL, too.
func (h *hotline) connectFallback() {
	h.t.Helper()
	var result struct{ OK bool }
	if err := h.API(h.t.Context(), "POST", "/api/v1/integrations/"+h.ID+"/actions/connect-number", map[string]any{"values": map[string]string{"number": demo.Number}}, &result); err != nil {
		h.t.Fatal(err)
	}
	if !result.OK {
		h.t.Fatal("the number could not be connected")
	}
}

// withoutToken are options for requests without a signature, as from an account whose Auth Token we
// do not have.
func withoutToken(base options, more ...any) options {
	return with(base, append([]any{"auth_token", ""}, more...)...)
}

func TestFeatureWithoutAuthTokenTheCallIsLookedUp(t *testing.T) {
	t.Parallel()
	t.Run("found: served as ever", func(t *testing.T) {
		t.Parallel()
		h := start(t, withoutToken(acknowledgeFirst), to("devops"))
		c := h.waiting()
		h.acknowledge(h.open().ID, "alice")
		h.takes(alice)
		c.ConnectedTo(t, alice)
		h.converses(c)
		c.HangsUp()
		c.Ended(t)
		h.over(c, "connected")
	})
	for name, tc := range map[string]struct {
		opts  options
		ended string
	}{
		"404: voicemail": {voicemail, "message_left"},
		"404: goodbye":   {acknowledgeFirst, "told_goodbye"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, withoutToken(tc.opts), to("devops"), unhurried)
			h.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `^GET .*/Calls/CA`, Do: twiliosim.FaultStatus, Status: http.StatusNotFound, Count: -1})
			c := h.waiting()
			if tc.ended == "message_left" {
				c.Hears(t, "Please leave a message")
				if alerts := h.alerts(); len(alerts) != 0 || h.rang(alice) != 0 {
					t.Errorf("alerts %v: somebody is woken by a call that Twilio does not know", alerts)
				}
				h.leavesMessage(c)
			}
			c.Ended(t)
			// Its queue is left alone: nothing is asked of Twilio for a call that Twilio does not
			// know.
			if k := h.call(c, "ended", func(k call) bool { return k.State == "ended" }); k.Ended != tc.ended {
				t.Errorf("ended as %q, want %q", k.Ended, tc.ended)
			}
			if f := h.findings(); f["calls-not-found"] != "error" {
				t.Errorf("findings %v", f)
			}
		})
	}
	t.Run("no verdict: served unverified, with a warning", func(t *testing.T) {
		t.Parallel()
		h := start(t, withoutToken(acknowledgeFirst), to("devops"))
		h.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `^GET .*/Calls/CA`, Do: twiliosim.FaultStatus, Status: 503, Count: -1})
		c := h.waiting()
		a := h.open()
		if a.logged("unverified") != 1 {
			t.Errorf("the alert does not say so:\n%s", a.story())
		}
		if f := h.findings(); f["calls-unverified"] != "warning" {
			t.Errorf("findings %v", f)
		}
		h.Sim.ClearFaults()
		c.HangsUp()
		c.Ended(t)
		h.over(c, "hung_up")
	})
}

// TestFeatureWrongAuthToken mistypes the Auth Token: no call is lost, and a finding beside the form
// says so. Once the token is right, an unsigned call that Twilio does not know makes no alert.
func TestFeatureWrongAuthToken(t *testing.T) {
	t.Parallel()
	h := start(t, with(acknowledgeFirst, "auth_token", "mistypedtoken0000000000000000001"), to("devops"))
	c := h.waiting()
	h.open()
	if f := h.findings(); f["signature-mismatch"] != "error" {
		t.Errorf("findings %v", f)
	}
	c.HangsUp()
	c.Ended(t)
	h.over(c, "hung_up")

	var in struct{ Options map[string]any }
	h.get("/api/v1/integrations/"+h.ID, &in)
	in.Options["auth_token"] = twiliosim.DefaultAuthToken
	h.change(map[string]any{"options": in.Options})
	c = h.waiting()
	h.eventually("the finding is gone", func() bool { _, there := h.findings()["signature-mismatch"]; return !there })
	c.HangsUp()
	c.Ended(t)
	h.over(c, "hung_up")
	before := len(h.alerts())
	const strange = "CA000000000000000000000000000000ff"
	h.send("POST", h.Endpoint, formType, voiceForm(strange), false)
	h.eventually("Twilio was asked for the unsigned call", func() bool {
		return slices.ContainsFunc(h.Sim.Events(0), func(e twiliosim.Event) bool {
			return e.Kind == twiliosim.EventREST && strings.Contains(e.URL, strange)
		})
	})
	if after := len(h.alerts()); after != before {
		t.Errorf("PT04: %d alerts became %d", before, after)
	}
}

// TestFeatureNoRESTAtAll switches Twilio's REST API off: when the caller's hold document is fetched
// again, it leads to voicemail.
func TestFeatureNoRESTAtAll(t *testing.T) {
	t.Parallel()
	h := start(t, with(voicemail, "max_wait_time", 90), to("devops"))
	h.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `/(Calls|Queues)`, Do: twiliosim.FaultStatus, Status: 500, Count: -1})
	c := h.waiting()
	h.acknowledge(h.open().ID, "alice")
	h.leavesMessage(c)
	c.Ended(t)
	h.Sim.ClearFaults()
	h.over(c, "message_left")
}

// TestFeatureCallerLeftWhileSomebodyWasAsked hangs up while a responder is being asked: the
// responder hears so.
func TestFeatureCallerLeftWhileSomebodyWasAsked(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst, to("devops"))
	c := h.waiting()
	h.acknowledge(h.open().ID, "alice")
	leg := h.Sim.Phone(alice).RingsNext(t)
	leg.Answers()
	leg.Hears(t, "call for DevOps")
	c.HangsUp()
	c.Ended(t)
	leg.Hears(t, "The caller has hung up")
	leg.Ended(t)
	h.over(c, "hung_up")
}

// TestFeatureRejectedIsEscalated rejects an alert that was announced by mail: the next layer of the
// team is paged.
func TestFeatureRejectedIsEscalated(t *testing.T) {
	t.Parallel()
	box := openInbox(t, testmail.Options{})
	h := start(t, acknowledgeFirst, to("devops"), box.use)
	c := h.waiting()
	a := h.open()
	h.eventually("Alice has mail", func() bool { return len(box.about("Incoming call from " + caller)["alice@example.com"]) == 1 })
	if err := h.act(a.ID, "reject", "alice"); err != nil {
		t.Fatal(err)
	}
	h.alert("the second layer is paged", func(a alert) bool { return a.Layer == 2 && strings.Join(a.Paged, ",") == "bob" })
	c.Hears(t, "still trying")
	h.acknowledge(a.ID, "bob")
	h.takes(bob)
	c.ConnectedTo(t, bob)
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
}

// TestFeatureManyTicksOneAlert holds for two minutes: the hold document is fetched many times, and
// there is still one alert.
func TestFeatureManyTicksOneAlert(t *testing.T) {
	t.Parallel()
	h := start(t, with(acknowledgeFirst, "max_wait_time", 120), to("devops"))
	ticks := 0
	c := h.waiting()
	c.Hears(t, "No one is available")
	c.Ended(t)
	for _, e := range c.Transcript() {
		if e.Kind == twiliosim.EventWebhook && strings.Contains(e.URL, "/hold?") {
			ticks++
		}
	}
	if ticks < 5 {
		t.Errorf("%d ticks in two minutes", ticks)
	}
	if n := len(h.alerts()); n != 1 {
		t.Errorf("%d alerts", n)
	}
	h.over(c, "told_goodbye")
}

// TestFeatureHangingMailServerDelaysNoCall has a mail server take mails and never answer: while the
// mails about one caller's message hang, the next caller's phone rings and is connected.
func TestFeatureHangingMailServerDelaysNoCall(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	box := openInbox(t, testmail.Options{Hold: hold})
	t.Cleanup(func() { close(hold) })
	var people []string
	for i := range 20 {
		people = append(people, fmt.Sprintf("p%d@example.com", i))
	}
	h := start(t, with(voicemail, "max_wait_time", 90, "voicemail_emails", people), features("pair"), box.use)
	first := h.waiting()
	h.leavesMessage(first)
	first.Ended(t)
	h.over(first, "message_left")
	a := h.alert("with the message", func(a alert) bool { return len(a.Attachments) == 1 })
	hanging := func() int { return len(box.about("Voicemail from " + caller)) }
	h.eventually("hanging mails", func() bool { return hanging() >= 8 })
	full := time.Now()
	second := h.waiting()
	var open string
	h.eventually("the second caller's alert", func() bool {
		for _, other := range h.alerts() {
			if other.ID != a.ID && other.Status == "open" {
				open = other.ID
			}
		}
		return open != ""
	})
	h.acknowledge(open, "alice")
	h.takes(alice)
	second.ConnectedTo(t, alice)
	// After half a minute the host gives the first mails up, and others begin to hang.
	if n := hanging(); n > 8 && time.Since(full) < 25*time.Second {
		t.Errorf("%d mails hang: the call came after the first of them had been given up", n)
	}
	second.HangsUp()
	second.Ended(t)
}
