package integrationtests

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

func TestFeatureForcedMenuWithOneTeam(t *testing.T) {
	t.Parallel()
	h := start(t, with(acknowledgeFirst, "force_input", true), to("devops"))
	c := h.dial()
	c.Hears(t, "Press 1 for DevOps")
	c.Presses("1")
	c.Hears(t, "music-")
	if a := h.open(); strings.Join(a.DestinationTeams, ",") != "devops" {
		t.Errorf("routed to %v", a.DestinationTeams)
	}
	c.HangsUp()
	c.Ended(t)
	h.over(c, "hung_up")
}

func TestFeatureOneTeamHasNoMenu(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst, to("devops"))
	c := h.waiting()
	c.HeardNothingLike(t, "press 1 for")
	h.open()
	c.HangsUp()
	c.Ended(t)
	h.over(c, "hung_up")
}

// TestFeatureKeyDuringTheWelcome presses a key while the welcome still plays: it counts.
func TestFeatureKeyDuringTheWelcome(t *testing.T) {
	t.Parallel()
	h := start(t, with(acknowledgeFirst, "welcome", strings.Repeat("Welcome to the Example hotline. ", 20)))
	c := h.dial()
	c.Saw(t, "the answer", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventStatus && e.Text == "in-progress" })
	h.eventually("a menu that listens", func() bool {
		c.Presses("2")
		for _, e := range c.Transcript() {
			if e.Kind == twiliosim.EventWebhook && strings.Contains(e.URL, "/menu") {
				return true
			}
		}
		return false
	})
	c.Hears(t, "music-")
	c.HeardNothingLike(t, "press 1 for")
	if a := h.open(); strings.Join(a.DestinationTeams, ",") != "devops" {
		t.Errorf("routed to %v", a.DestinationTeams)
	}
	c.HangsUp()
	c.Ended(t)
	h.over(c, "hung_up")
}

// TestFeatureThreeRoundsWithoutAChoice presses wrong keys or none in three rounds of the menu: the
// call goes on as configured, never in silence and never to the last team.
func TestFeatureThreeRoundsWithoutAChoice(t *testing.T) {
	t.Parallel()
	wrong := func(keys ...string) func(*hotline, *twiliosim.Call) {
		return func(h *hotline, c *twiliosim.Call) {
			for _, k := range keys {
				c.Hears(h.t, "Press 2 for DevOps")
				c.Presses(k)
			}
		}
	}
	silent := func(*hotline, *twiliosim.Call) {}
	for _, tc := range []struct {
		name  string
		opts  options
		press func(*hotline, *twiliosim.Call)
		after func(*hotline, *twiliosim.Call)
	}{
		{"PT-35 zero, star and a number too large, to voicemail", voicemail, wrong("0", "*", "7"), func(h *hotline, c *twiliosim.Call) {
			c.Hears(h.t, "No choice was made")
			h.leavesMessage(c)
			c.Ended(h.t)
			h.over(c, "message_left")
			h.alert("open for both teams", func(a alert) bool { return len(a.DestinationTeams) == 2 && a.Status == "open" })
		}},
		{"PT-36 silence, to voicemail", voicemail, silent, func(h *hotline, c *twiliosim.Call) {
			c.Hears(h.t, "No choice was made")
			h.leavesMessage(c)
			c.Ended(h.t)
			h.over(c, "message_left")
		}},
		{"PT-37 to goodbye", acknowledgeFirst, wrong("9", "8", "#"), func(h *hotline, c *twiliosim.Call) {
			c.Hears(h.t, "No choice was made")
			c.Hears(h.t, "Goodbye")
			c.Ended(h.t)
			h.over(c, "told_goodbye")
			h.alert("resolved", func(a alert) bool { return a.Status == "resolved" })
		}},
		{"silence, to the first team", with(acknowledgeFirst, "menu_fallback", "first_team"), silent, func(h *hotline, c *twiliosim.Call) {
			c.Hears(h.t, "music-")
			if a := h.open(); strings.Join(a.DestinationTeams, ",") != "support" {
				t.Errorf("routed to %v", a.DestinationTeams)
			}
			c.HangsUp()
			c.Ended(h.t)
			h.over(c, "hung_up")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, tc.opts)
			c := h.dial()
			tc.press(h, c)
			tc.after(h, c)
			menus := 0
			for _, e := range c.Transcript() {
				if e.Kind == twiliosim.EventSaid && strings.Contains(e.Text, "Press 1 for Customer Support") {
					menus++
				}
			}
			if menus != 3 {
				t.Errorf("the menu was read %d times, want 3", menus)
			}
		})
	}
}

func TestFeatureBannedCallersAreRejected(t *testing.T) {
	t.Parallel()
	h := start(t, with(voicemail, "banned_phones", []string{"+12025550199", "+1900*", "anonymous", " "}))
	for _, from := range []string{caller, "+19005550123", "anonymous", "+266696687"} {
		c := h.dialFrom(from)
		if status := c.Ended(t); status != twiliosim.StatusBusy && status != twiliosim.StatusFailed && status != twiliosim.StatusNoAnswer {
			t.Errorf("%s: %s", from, status)
		}
		h.over(c, "rejected")
		for _, e := range c.Transcript() {
			if e.Kind == twiliosim.EventStatus && e.Text == twiliosim.StatusInProgress {
				t.Errorf("%s was answered", from)
			}
		}
	}
	if list := h.alerts(); len(list) != 0 {
		t.Errorf("%d alerts of banned callers", len(list))
	}
	// PT-01: one digit more, and it is another number.
	c := h.dialFrom("+120255501990")
	c.Hears(t, "Press 1")
	c.HangsUp()
	c.Ended(t)
	h.over(c, "hung_up")
}

// TestFeatureWithheldAndSIPCallers calls without a telephone number: the caller is served, and
// never shown as a number to responders. An address is shown on the alert as it came; only a number
// that was withheld is called so.
func TestFeatureWithheldAndSIPCallers(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"anonymous", "+266696687", "sip:alice@pbx.example.com", "client:browser"} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			h := start(t, acknowledgeFirst, to("devops"))
			c := h.dialFrom(from)
			c.Hears(t, "music-")
			a := h.open()
			title := "Incoming call from a withheld number"
			if strings.Contains(from, ":") {
				title = "Incoming call from " + from
			}
			if a.Title != title || a.field("Caller Phone") != "" {
				t.Errorf("title %q, want %q; fields %+v", a.Title, title, a.Fields)
			}
			if address := a.field("Caller Address"); strings.Contains(from, ":") != (address == from) {
				t.Errorf("the alert gives %q as the address of %s", address, from)
			}
			h.acknowledge(a.ID, "alice")
			leg := h.Sim.Phone(alice).RingsNext(t)
			if leg.From != "+12025550100" {
				t.Errorf("it shows %s", leg.From)
			}
			leg.Answers()
			leg.Hears(t, "from a withheld number")
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

// TestFeatureStarAtAnyTime presses star at different times of the hold: it always leads to
// voicemail, and a responder who is being asked hears so.
func TestFeatureStarAtAnyTime(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]func(*hotline, *twiliosim.Call) *twiliosim.Call{
		"at once": func(h *hotline, c *twiliosim.Call) *twiliosim.Call {
			c.Hears(h.t, "Please wait")
			return nil
		},
		"during the music": func(h *hotline, c *twiliosim.Call) *twiliosim.Call {
			c.Hears(h.t, "music-")
			c.Hears(h.t, "music-")
			return nil
		},
		"while somebody is asked": func(h *hotline, c *twiliosim.Call) *twiliosim.Call {
			c.Hears(h.t, "music-")
			h.acknowledge(h.open().ID, "alice")
			leg := h.Sim.Phone(alice).RingsNext(h.t)
			leg.Answers()
			leg.Hears(h.t, "call for DevOps")
			return leg
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, voicemail, to("devops"))
			c := h.dial()
			leg := when(h, c)
			h.eventually("the star is taken", func() bool {
				c.Presses("*")
				for _, e := range c.Transcript() {
					if e.Kind == twiliosim.EventWebhook && strings.Contains(e.URL, "/hold/key") {
						return true
					}
				}
				return false
			})
			h.leavesMessage(c)
			if leg != nil {
				leg.Hears(t, "is leaving a message")
				leg.Ended(t)
			}
			c.Hears(t, "Thanks for your message")
			c.Ended(t)
			h.over(c, "message_left")
			a := h.alert("with the message", func(a alert) bool { return len(a.Attachments) == 1 })
			if a.Status == "resolved" || a.Status == "dropped" {
				t.Errorf("alert %s with a message nobody has heard", a.Status)
			}
		})
	}
}

func TestFeatureHostStatesAreSpoken(t *testing.T) {
	t.Parallel()
	h := start(t, voicemail, to("devops"))
	h.change(map[string]any{"enabled": false})
	c := h.dial()
	c.Hears(t, "not in service at the moment")
	c.Ended(t)
	h.over(c, "told_goodbye")
	if n := len(h.alerts()); n != 0 {
		t.Errorf("PT05: %d alerts of an integration that is switched off", n)
	}
	h.change(map[string]any{"enabled": true, "maintenance": true})
	c = h.dial()
	c.Hears(t, "maintenance")
	h.leavesMessage(c)
	c.Ended(t)
	h.over(c, "message_left")
	if h.rang(alice) != 0 {
		t.Error("somebody is rung during maintenance")
	}
	h.change(map[string]any{"maintenance": false})
	c = h.waiting() // the very next call is served again
	c.HangsUp()
	c.Ended(t)
	h.over(c, "hung_up")
}

func TestFeatureMaintenanceWithoutVoicemail(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst, to("devops"))
	h.change(map[string]any{"maintenance": true})
	c := h.dial()
	c.Hears(t, "maintenance")
	c.Ended(t)
	h.over(c, "told_goodbye")
}
