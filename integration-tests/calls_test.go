package integrationtests

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// acknowledgeFirst makes the plugin wait until somebody acknowledges the alert before it dials: for
// platforms that page people themselves.
var acknowledgeFirst = options{"reach": "acknowledge"}

func TestCallerReachesWhoAcknowledged(t *testing.T) {
	t.Parallel()
	h := start(t, options{"reach": "acknowledge", "welcome": "Welcome to the Example hotline."})
	c := h.dial()
	c.Hears(t, "Welcome to the Example hotline")
	c.Hears(t, "Press 1 for Customer Support")
	c.Hears(t, "Press 2 for DevOps")
	c.Presses("2")
	c.Hears(t, "wait")
	c.Hears(t, "music-")
	a := h.alert("open, routed to DevOps, its first layer paged", func(a alert) bool {
		return a.Status == "open" && strings.Join(a.DestinationTeams, ",") == "devops" && strings.Join(a.Paged, ",") == "alice"
	})
	place := h.Sim.CallBySid(c.Sid)
	if a.field("Caller Phone") != caller || a.field("Called Number") != demo.Number {
		t.Errorf("fields %+v of call %s", a.Fields, place.Sid)
	}
	for _, label := range []string{"Caller City", "Caller State", "Caller Zipcode", "Caller Country"} {
		if a.field(label) == "" {
			t.Errorf("the alert has no %s: %+v", label, a.Fields)
		}
	}
	h.acknowledge(a.ID, "alice")
	leg := h.Sim.Phone(alice).RingsNext(t)
	leg.Answers()
	leg.Hears(t, "DevOps")
	leg.Hears(t, "press 1")
	leg.Presses("1")
	c.Hears(t, "now being connected")
	if other := c.ConnectedTo(t, alice); other != leg {
		t.Errorf("connected to another leg")
	}
	leg.Says("This is Alice.")
	c.Hears(t, "this is alice")
	c.Says("The database is down.")
	leg.Hears(t, "database is down")
	h.call(c, "talking", func(k call) bool { return k.State == "talking" })
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.cleanedUp()
	k := h.call(c, "ended", func(k call) bool { return k.State == "ended" })
	if k.Ended != "connected" {
		t.Errorf("ended as %q, want connected", k.Ended)
	}
	a = h.alert("still acknowledged, with its duration", func(a alert) bool { return strings.Contains(a.story(), "took") })
	if a.Status != "acknowledged" {
		t.Errorf("alert %s, want acknowledged", a.Status)
	}
	h.inOrder(a, "chose DevOps", "waiting for layer 1: Alice Example", "Alice Example acknowledged", "takes the call", "is being connected with the caller", "took")
}

func TestNextPersonIsReachedWhenTheFirstFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		fail func(h *hotline)
	}{
		{"does not pick up", func(h *hotline) { h.Sim.Phone(alice).Rings() }},
		{"presses 2", func(h *hotline) { h.Sim.Phone(alice).AnswersAfter(0, "press 1", "2") }},
		{"a mailbox answers", func(h *hotline) { h.Sim.Phone(alice).Mailbox(0, "You have reached Alice. Leave a message.") }},
		{"is busy", func(h *hotline) { h.Sim.Phone(alice).Busy() }},
		{"cannot be reached", func(h *hotline) { h.Sim.Phone(alice).Unreachable() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, acknowledgeFirst)
			tc.fail(h)
			h.Sim.Phone(bob).AnswersAfter(0, "press 1", "1")
			c := h.onHold()
			a := h.alert("open", func(a alert) bool { return a.Status == "open" })
			h.acknowledge(a.ID, "alice")
			h.alert("open again, the second layer paged", func(a alert) bool {
				return a.Status == "open" && a.Layer == 2 && strings.Join(a.Paged, ",") == "bob"
			})
			if c.Status() != twiliosim.StatusInProgress {
				t.Fatalf("the caller is %s", c.Status())
			}
			c.Hears(t, "music-")
			h.acknowledge(a.ID, "bob")
			c.Hears(t, "now being connected")
			c.ConnectedTo(t, bob)
			h.converses(c)
			c.HangsUp()
			c.Ended(t)
			h.cleanedUp()
			a = h.alert("with its story", func(a alert) bool { return strings.Contains(a.story(), "Bob Example") })
			h.inOrder(a, "Alice Example", "Bob Example")
		})
	}
}

// voicemail lets callers leave a message, which nobody is called to hear: feature_message_test.go
// is about that.
var voicemail = options{"reach": "acknowledge", "voicemail": true, "deliver_messages": "off"}

func TestMessageIsLeftWhenNobodyAcknowledges(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		opts options
		keys string
	}{
		{"after the last layer", voicemail, "1"},
		{"after max wait", with(voicemail, "max_wait_time", 60), "2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, tc.opts)
			c := h.dial()
			c.Hears(t, "Press 2 for DevOps")
			c.Presses(tc.keys)
			c.Hears(t, "music-")
			c.Hears(t, "leave")
			c.Saw(t, "the beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
			c.SpeaksFor("My server is on fire, please call back.", 8e9)
			c.Presses("#")
			c.Hears(t, "thank")
			c.Ended(t)
			a := h.alert("with the message", func(a alert) bool { return len(a.Attachments) == 1 })
			m := a.Attachments[0]
			if !strings.HasPrefix(m.ContentType, "audio/") || m.Duration < 6 || m.Duration > 10 {
				t.Errorf("attachment %+v", m)
			}
			if status, _ := h.fetch(m.URL, false); status != http.StatusUnauthorized && status != http.StatusSeeOther {
				t.Errorf("the message can be had without login: %d", status)
			}
			if status, body := h.fetch(m.URL, true); status != 200 || len(body) < 1000 {
				t.Errorf("the message with login: %d, %d bytes", status, len(body))
			}
			h.cleanedUp()
			if k := h.call(c, "ended", func(k call) bool { return k.State == "ended" }); k.Ended != "message_left" {
				t.Errorf("ended as %q", k.Ended)
			}
		})
	}
}

// fetch downloads a file from switchboard.
func (h *hotline) fetch(path string, withToken bool) (int, []byte) {
	h.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = h.URL + path
	}
	req, _ := http.NewRequest("GET", path, nil)
	if withToken {
		req.Header.Set("Authorization", "Bearer "+h.Token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, b
}

func TestWithoutVoicemailTheCallerIsToldGoodbye(t *testing.T) {
	t.Parallel()
	h := start(t, options{"reach": "acknowledge"}, func(c *demo.Config) { c.Teams = []string{"quiet"} })
	c := h.dial()
	c.Hears(t, "goodbye") // nobody is on call: dropped at once
	c.Ended(t)
	h.alert("dropped", func(a alert) bool { return a.Status == "dropped" || a.Status == "resolved" })
	h.cleanedUp()
	if k := h.call(c, "ended", func(k call) bool { return k.State == "ended" }); k.Ended != "told_goodbye" {
		t.Errorf("ended as %q", k.Ended)
	}
}

func TestHangUpIsCleanedUpWhateverSignalArrives(t *testing.T) {
	t.Parallel()
	where := map[string]func(h *hotline) *twiliosim.Call{
		"menu": func(h *hotline) *twiliosim.Call {
			c := h.dial()
			c.Hears(h.t, "Press 1")
			return c
		},
		"hold": func(h *hotline) *twiliosim.Call {
			c := h.onHold()
			a := h.alert("open", func(a alert) bool { return a.Status == "open" })
			h.acknowledge(a.ID, "alice")
			h.Sim.Phone(alice).RingsNext(h.t) // rings while the caller hangs up
			return c
		},
		"voicemail": func(h *hotline) *twiliosim.Call {
			c := h.onHold()
			c.Presses("*")
			c.Saw(h.t, "the beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
			return c
		},
	}
	signals := map[string]func(h *hotline){
		"all signals":          func(*hotline) {},
		"status callback lost": func(h *hotline) { h.fault(twiliosim.OnCallback, "/status$") },
		"action lost":          func(h *hotline) { h.fault(twiliosim.OnWebhook, "/left|/recorded") },
		"no signal at all": func(h *hotline) {
			h.fault(twiliosim.OnCallback, "/status")
			h.fault(twiliosim.OnWebhook, "/left|/recorded")
			h.fault(twiliosim.OnCallback, "/recording")
		},
	}
	for place, get := range where {
		for signal, lose := range signals {
			t.Run(place+"/"+signal, func(t *testing.T) {
				t.Parallel()
				h := start(t, voicemail)
				h.Sim.Allow(11200, 11205) // the lost answers
				c := get(h)
				lose(h)
				c.HangsUp()
				h.cleanedUp()
				h.call(c, "ended", func(k call) bool { return k.State == "ended" })
				h.alert("resolved", func(a alert) bool { return a.Status == "resolved" || place == "voicemail" && a.Status != "queued" })
			})
		}
	}
}

// fault makes the simulated Twilio lose all requests that match.
func (h *hotline) fault(on, match string) {
	h.t.Helper()
	if _, err := h.Sim.AddFault(twiliosim.Fault{On: on, Match: match, Do: twiliosim.FaultLose, Count: -1}); err != nil {
		h.t.Fatal(err)
	}
}
