package integrationtests

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// Everybody of a layer is rung. The first to press 1 gets the call; the others hear so, or their
// phones stop ringing.
func TestFeatureRingTheFirstToAcceptWins(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		otherAnswers bool
	}{{"the other had answered", true}, {"the other still rings", false}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, options{"reach": "ring", "ring_timeout": 60}, features("pair"))
			c := h.waiting()
			first := h.Sim.Phone(alice).RingsNext(t)
			if tc.otherAnswers {
				first.Answers()
				first.Hears(t, "call for Pair")
			}
			h.takes(bob)
			c.Hears(t, "now being connected")
			c.ConnectedTo(t, bob)
			if tc.otherAnswers {
				first.Hears(t, "Somebody else has taken the call")
			}
			if status := first.Ended(t); !tc.otherAnswers && status == twiliosim.StatusCompleted {
				t.Errorf("the phone that rang was %s", status)
			}
			a := h.alert("acknowledged in Bob's name", func(a alert) bool { return a.Status == "acknowledged" })
			h.converses(c)
			c.HangsUp()
			c.Ended(t)
			h.over(c, "connected")
			if h.rang(carol) != 0 || h.rang(alice) != 1 || h.rang(bob) != 1 {
				t.Errorf("rang: alice %d, bob %d, carol %d", h.rang(alice), h.rang(bob), h.rang(carol))
			}
			h.inOrder(a, "Bob Example", "takes the call", "acknowledged")
		})
	}
}

// TestFeatureRingGoesOnToTheNextLayer has everybody of a layer decline: the next layer is rung at
// once, not when the time of the first is over.
func TestFeatureRingGoesOnToTheNextLayer(t *testing.T) {
	t.Parallel()
	h := start(t, options{"reach": "ring"}, features("pair"))
	h.Sim.Phone(alice).Busy()
	h.Sim.Phone(bob).AnswersAfter(0, "press 1", "2")
	begun := h.Clock.Now()
	c := h.waiting()
	h.takes(carol)
	c.ConnectedTo(t, carol)
	if took := h.Clock.Now().Sub(begun); took > 4*time.Minute {
		t.Errorf("the second layer was reached after %v: by its time-out", took)
	}
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
	h.inOrder(h.alert("with the length of the conversation", func(a alert) bool { return a.logged("took ") > 0 }), "Alice Example", "was busy", "Carol Example", "takes the call")
}

// The embedded platform does not page by phone: without a choice the layers are rung, and who
// acknowledges as well.
func TestFeatureReachBothRingsLayersAndWhoAcknowledged(t *testing.T) {
	t.Parallel()
	for _, reach := range []string{"auto", "both"} {
		t.Run(reach, func(t *testing.T) {
			t.Parallel()
			h := start(t, options{"reach": reach, "ring_timeout": 60}, to("devops"))
			c := h.waiting()
			first := h.Sim.Phone(alice).RingsNext(t) // nobody acknowledged anything
			h.acknowledge(h.open().ID, "bob")
			h.takes(bob)
			c.ConnectedTo(t, bob)
			first.Ended(t)
			h.converses(c)
			c.HangsUp()
			c.Ended(t)
			h.over(c, "connected")
		})
	}
}

func TestFeaturePhonesOfOnePersonInOrder(t *testing.T) {
	t.Parallel()
	h := start(t, options{"reach": "acknowledge", "ring_timeout": 10}, features("phones"))
	c := h.waiting()
	h.acknowledge(h.open().ID, "carol")
	h.Sim.Phone(carol).RingsNext(t).Ended(t) // nobody picks up
	h.takes(carolsSecond)
	c.ConnectedTo(t, carolsSecond)
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
	a := h.alert("with the length of the conversation", func(a alert) bool { return a.logged("took ") > 0 })
	h.inOrder(a, carol, "did not answer", carolsSecond, "takes the call")
	if a.logged("opened again")+a.logged("reopened") > 0 {
		t.Errorf("taken back although a phone was left:\n%s", a.story())
	}
}

// The line that has just acknowledged is often still busy.
func TestFeatureBusyWithAcknowledgingIsRungOnceMore(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst, to("devops"))
	var calls atomic.Int32
	h.Sim.Phone(alice).Set("busy, then answers", func(_ context.Context, c *twiliosim.Call) {
		if calls.Add(1) == 1 {
			c.Declines()
			return
		}
		c.Answers()
		c.Hears(t, "press 1")
		c.Presses("1")
	})
	c := h.waiting()
	h.acknowledge(h.open().ID, "alice")
	c.ConnectedTo(t, alice)
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
	legs := h.Sim.Phone(alice).Calls()
	if len(legs) != 2 {
		t.Fatalf("Alice was called %d times, want 2", len(legs))
	}
	if a := h.alerts()[0]; a.Layer != 1 || a.Status != "acknowledged" {
		t.Errorf("alert %s at layer %d: taken back", a.Status, a.Layer)
	}
}

func TestFeatureWithoutConfirmationAnsweringConnects(t *testing.T) {
	t.Parallel()
	h := start(t, options{"reach": "acknowledge", "confirm_answer": false}, to("devops"))
	c := h.waiting()
	h.acknowledge(h.open().ID, "alice")
	leg := h.Sim.Phone(alice).RingsNext(t)
	leg.Answers()
	c.Hears(t, "now being connected")
	c.ConnectedTo(t, alice)
	leg.HeardNothingLike(t, "press 1")
	leg.SpeaksFor("Hello, this is Alice, how can I help?", 2*time.Minute)
	leg.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
}

// TestFeatureWhoTalksIsNotRung has a second caller wait for somebody who talks with the first: the
// phone rings when that conversation has ended.
func TestFeatureWhoTalksIsNotRung(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst, to("devops"))
	first := h.waiting()
	h.acknowledge(h.open().ID, "alice")
	h.takes(alice)
	first.ConnectedTo(t, alice)

	second := h.dialFrom("+12025550198")
	second.Hears(t, "music-")
	var other alert
	h.eventually("a second alert, open", func() bool {
		for _, a := range h.alerts() {
			if a.field("Caller Phone") == "+12025550198" && a.Status == "open" {
				other = a
				return true
			}
		}
		return false
	})
	h.acknowledge(other.ID, "alice")
	h.eventually("the alert says that she is on another call", func() bool {
		h.get("/api/v1/alerts/"+other.ID, &other)
		return other.logged("on another call") > 0
	}, func() string { return other.story() })
	second.Hears(t, "music-")
	second.Hears(t, "music-")
	if n := h.rang(alice); n != 1 {
		t.Fatalf("Alice was rung %d times while she talks", n)
	}
	h.converses(first)
	first.HangsUp()
	first.Ended(t)
	h.takes(alice)
	second.ConnectedTo(t, alice)
	h.converses(second)
	second.HangsUp()
	second.Ended(t)
	h.over(second, "connected")
}

// TestFeatureDialingFailsAtTwilio has Twilio's REST API fail: the responder keeps the alert, and
// dialing is tried again. Where Twilio refuses the account, the caller leaves a message at once.
func TestFeatureDialingFailsAtTwilio(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			h := start(t, acknowledgeFirst, to("devops"))
			c := h.waiting()
			id := h.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `^POST .*/Calls\.json`, Do: twiliosim.FaultStatus, Status: status, Count: -1})
			h.acknowledge(h.open().ID, "alice")
			h.eventually("Twilio was asked twice", func() bool {
				for _, f := range h.Sim.Faults() {
					if f.ID == id && f.Hits >= 2 {
						return true
					}
				}
				return false
			})
			if a := h.alerts()[0]; a.Status != "acknowledged" || a.Layer != 1 {
				t.Errorf("alert %s at layer %d: taken back for Twilio's failure", a.Status, a.Layer)
			}
			h.Sim.ClearFault(id)
			h.takes(alice)
			c.ConnectedTo(t, alice)
			h.converses(c)
			c.HangsUp()
			c.Ended(t)
			h.over(c, "connected")
		})
	}
	t.Run("401: the account's failure is not waited for", func(t *testing.T) {
		t.Parallel()
		h := start(t, voicemail, to("devops"))
		c := h.waiting()
		h.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `^POST .*/Calls\.json`, Do: twiliosim.FaultStatus, Status: 401, Count: -1})
		h.acknowledge(h.open().ID, "alice")
		h.leavesMessage(c)
		c.Ended(t)
		h.over(c, "message_left")
		if f := h.findings(); f["dialing-fails"] != "error" {
			t.Errorf("findings %v", f)
		}
		if a := h.alerts()[0]; a.logged("reopened")+a.logged("escalated") > 0 {
			t.Errorf("taken back:\n%s", a.story())
		}
	})
}

// TestFeatureLanguages hears every prompt of a call in the language of the form.
func TestFeatureLanguages(t *testing.T) {
	t.Parallel()
	for language, words := range map[string][]string{
		"de-DE": {"Für Customer Support drücken Sie die 1", "Bitte warten Sie", "drücken Sie", "jetzt verbunden"},
		"fr-FR": {"Customer Support", "patienter", "appuyez", "en relation"},
		"es-ES": {"Customer Support", "espere", "pulse", "ponemos en comunicación"},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			h := start(t, with(acknowledgeFirst, "language", language))
			c := h.dial()
			c.Hears(t, words[0])
			c.Presses("2")
			c.Hears(t, words[1])
			c.Hears(t, "music-")
			h.acknowledge(h.open().ID, "alice")
			leg := h.Sim.Phone(alice).RingsNext(t)
			leg.Answers()
			leg.Hears(t, words[2])
			leg.Presses("1")
			c.Hears(t, words[3])
			c.ConnectedTo(t, alice)
			h.converses(c)
			c.HangsUp()
			c.Ended(t)
			h.over(c, "connected")
			for _, e := range append(c.Transcript(), leg.Transcript()...) {
				if e.Kind == twiliosim.EventSaid && strings.Contains(strings.ToLower(e.Text), "press ") {
					t.Errorf("English in %s: %q", language, e.Text)
				}
			}
		})
	}
}

// TestFeatureRouters finds the team by rules about the time of day, the caller and the called
// number.
func TestFeatureRouters(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, router, from, team string
		clock                    func(*demo.Config)
		menu                     []string
	}{
		{name: "by day", router: "hours", from: caller, team: "day", clock: clockAt(t, "Europe/Berlin", 12, 0)},
		{name: "by night", router: "hours", from: caller, team: "night", clock: clockAt(t, "Europe/Berlin", 3, 0)},
		{name: "by who calls, in assigned order", router: "who", from: caller, team: "day", menu: []string{"Press 1 for Phones", "Press 2 for Day Desk"}},
		{name: "by what was called", router: "who", from: "+12025550170", team: "pair"},
		{name: "PT-19 a router that is switched off", router: "resting", from: caller, team: "night"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			changes := []func(*demo.Config){features("router:" + tc.router)}
			if tc.clock != nil {
				changes = append(changes, tc.clock)
			}
			h := start(t, acknowledgeFirst, changes...)
			c := h.dialFrom(tc.from)
			for _, words := range tc.menu {
				c.Hears(t, words)
			}
			if tc.menu != nil {
				c.Presses("2")
			}
			c.Hears(t, "music-")
			if a := h.open(); strings.Join(a.DestinationTeams, ",") != tc.team {
				t.Errorf("routed to %v, want %s", a.DestinationTeams, tc.team)
			}
			c.HangsUp()
			c.Ended(t)
			h.over(c, "hung_up")
		})
	}
}

// TestFeatureWhoIsEarlyWaitsForTheCaller: without a menu people are called while the caller hears
// the welcome; who takes the call before that is over is connected all the same, at the first try.
func TestFeatureWhoIsEarlyWaitsForTheCaller(t *testing.T) {
	t.Parallel()
	h := start(t, options{"welcome": strings.Repeat("Welcome to the hotline of the Example company. ", 40)}, to("devops"))
	c := h.dial()
	leg := h.takes(alice)
	if other := c.ConnectedTo(t, alice); other != leg {
		t.Error("another call to Alice was connected than the one that she took")
	}
	h.converses(c)
	c.HangsUp()
	h.over(c, "connected")
	if n := h.rang(alice); n != 1 {
		t.Errorf("Alice was called %d times, want once", n)
	}
}
