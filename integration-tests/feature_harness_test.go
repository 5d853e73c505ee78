package integrationtests

import (
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/pace"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testmail"
)

const carolsSecond = "+12025550146" // Carol's second phone

// features returns a change for start: the people of testdata/features.yaml and these destinations.
func features(destinations ...string) func(*demo.Config) {
	return func(c *demo.Config) { c.File, c.Teams = "testdata/features.yaml", destinations }
}

// to returns a change for start: these destinations.
func to(destinations ...string) func(*demo.Config) {
	return func(c *demo.Config) { c.Teams = destinations }
}

// with returns a copy of options with further keys and values in turn.
func with(base options, more ...any) options {
	out := options{}
	for k, v := range base {
		out[k] = v
	}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i].(string)] = more[i+1]
	}
	return out
}

// dialFrom calls the hotline from a number, a SIP address or a word such as "anonymous".
func (h *hotline) dialFrom(from string) *twiliosim.Call {
	h.t.Helper()
	c, err := h.Sim.Call(from, demo.Number)
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// waiting calls a hotline without a menu and hears music.
func (h *hotline) waiting() *twiliosim.Call {
	h.t.Helper()
	c := h.dial()
	c.Hears(h.t, "music-")
	return c
}

// open waits until the alert is routed.
func (h *hotline) open() alert {
	h.t.Helper()
	return h.alert("open", func(a alert) bool { return a.Status == "open" })
}

// beep waits for the recording to begin.
func (h *hotline) beep(c *twiliosim.Call) {
	h.t.Helper()
	c.Saw(h.t, "the beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
}

// leavesMessage waits for the beep, and leaves a message of eight seconds.
func (h *hotline) leavesMessage(c *twiliosim.Call) {
	h.t.Helper()
	h.beep(c)
	c.SpeaksFor("My server is on fire, please call back.", 8*time.Second)
	c.Presses("#")
}

// takes answers a ringing phone and presses 1.
func (h *hotline) takes(number string) *twiliosim.Call {
	h.t.Helper()
	leg := h.Sim.Phone(number).RingsNext(h.t)
	leg.Answers()
	leg.Hears(h.t, "press 1")
	leg.Presses("1")
	return leg
}

// converses has a caller who is connected talk for two minutes: a connection of a few seconds would
// be no conversation.
func (h *hotline) converses(c *twiliosim.Call) {
	h.t.Helper()
	c.SpeaksFor("It began an hour ago, after the last change.", 2*time.Minute)
}

// over waits until a call has ended and Twilio has nothing of it any more; ended is how it should
// have ended.
func (h *hotline) over(c *twiliosim.Call, ended string) call {
	h.t.Helper()
	h.cleanedUp()
	k := h.call(c, "ended", func(k call) bool { return k.State == "ended" })
	if k.Ended != ended {
		h.t.Errorf("ended as %q, want %q", k.Ended, ended)
	}
	return k
}

// disturb adds a fault to the simulated Twilio.
func (h *hotline) disturb(f twiliosim.Fault) int {
	h.t.Helper()
	id, err := h.Sim.AddFault(f)
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

// rang returns how often a phone was called.
func (h *hotline) rang(number string) int { return len(h.Sim.Phone(number).Calls()) }

// logged counts the lines of the alert's log that contain the text, whatever their case.
func (a alert) logged(part string) int {
	n := 0
	for _, l := range a.Log {
		if strings.Contains(strings.ToLower(l.Message), strings.ToLower(part)) {
			n++
		}
	}
	return n
}

// findings returns the severity of each finding of the integration, by its code.
func (h *hotline) findings() map[string]string {
	h.t.Helper()
	var in struct {
		Findings []struct{ Code, Severity string }
	}
	h.get("/api/v1/integrations/"+h.ID, &in)
	out := map[string]string{}
	for _, f := range in.Findings {
		out[f.Code] = f.Severity
	}
	return out
}

// change saves the integration with these top-level fields replaced.
func (h *hotline) change(fields map[string]any) {
	h.t.Helper()
	in := map[string]any{}
	h.get("/api/v1/integrations/"+h.ID, &in)
	for k, v := range fields {
		in[k] = v
	}
	if err := h.API(h.t.Context(), "PUT", "/api/v1/integrations/"+h.ID, in, nil); err != nil {
		h.t.Fatal(err)
	}
}

// clockAt is a clock that shows this time of day now, in a zone, and runs at the tests' pace.
func clockAt(t *testing.T, zone string, hour, minute int) func(*demo.Config) {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *demo.Config) {
		now := time.Now().In(loc)
		c.Clock = clockFrom(time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, loc), pace.Fastest)
	}
}

// unhurried is a change for start: a slower clock, where the call flow itself waits only seconds
// for an answer.
func unhurried(c *demo.Config) { c.Clock = clockFrom(time.Now(), 4) }

// inbox is a mail server that a hotline uses.
type inbox struct{ *testmail.Server }

// openInbox starts one that ends with the test.
func openInbox(t *testing.T, opt testmail.Options) inbox {
	t.Helper()
	server, err := testmail.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return inbox{server}
}

// use is a change for start that makes switchboard send its mails there.
func (b inbox) use(c *demo.Config) { c.Env = append(c.Env, "SWITCHBOARD_SMTP_URL="+b.URL()) }

// about returns the mails whose subject begins with the text, by recipient.
func (b inbox) about(subject string) map[string][]string {
	out := map[string][]string{}
	for _, m := range b.Mails() {
		if strings.Contains(m.Text, "Subject: "+subject) {
			for _, to := range m.To {
				out[to] = append(out[to], m.Text)
			}
		}
	}
	return out
}
