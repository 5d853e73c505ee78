package integrationtests

import (
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// deadFile is the address of a field's file that cannot be fetched.
func deadFile(field string) string { return "https://files.example.com/" + field + ".mp3" }

// deadFiles are options whose fields hold files that cannot be fetched.
func deadFiles(base options, fields ...string) options {
	out := with(base)
	for _, f := range fields {
		out[f] = deadFile(f)
	}
	return out
}

// startWithDeadFiles starts a hotline with a fallback address, on a Twilio that gets no sound files
// from elsewhere.
func startWithDeadFiles(t *testing.T, opts options, change ...func(*demo.Config)) *hotline {
	t.Helper()
	h := start(t, opts, append(change, to("devops"), unhurried)...)
	h.Sim.Allow(11200, 11205)
	h.connectFallback()
	h.disturb(twiliosim.Fault{On: twiliosim.OnMedia, Match: "files.example.com", Do: twiliosim.FaultLose, Count: -1})
	return h
}

// replaced checks that findings and the alert's story name the fields whose files are dead.
func (h *hotline) replaced(severity string, fields ...string) {
	h.t.Helper()
	found := h.findings()
	for _, f := range fields {
		if found["sound-"+f] != severity {
			h.t.Errorf("finding of %s: %q, want %q; findings %v", f, found["sound-"+f], severity, found)
		}
	}
	h.alert("tells of the files", func(a alert) bool {
		for _, f := range fields {
			if a.logged(deadFile(f)+") was replaced by our own sound") != 1 {
				return false
			}
		}
		return true
	})
}

// TestFeatureDeadFilesCostNoConversation has every file of the way to a responder dead.
func TestFeatureDeadFilesCostNoConversation(t *testing.T) {
	t.Parallel()
	for name, behaviour := range map[string]twiliosim.Behaviour{
		"Twilio names the file":              {},
		"Twilio names the document":          {PlayFailureNamesDocument: true},
		"the announcement ends the queueing": {AnnouncementFailureEnds: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startWithDeadFiles(t, deadFiles(acknowledgeFirst, "welcome", "before_wait", "wait_music", "before_connect"),
				func(c *demo.Config) { c.Sim.Behaviour = behaviour })
			c := h.dial()
			c.Hears(t, "wait")   // our own words
			c.Hears(t, "music-") // and music
			h.acknowledge(h.open().ID, "alice")
			h.takes(alice)
			c.ConnectedTo(t, alice)
			began := h.Clock.Now()
			h.eventually("a conversation", func() bool { return h.Clock.Now().Sub(began) > 10*time.Second })
			c.HangsUp()
			c.Ended(t)
			h.over(c, "connected")
			if n := h.rang(alice); n != 1 {
				t.Errorf("the responder was called %d times", n)
			}
			severity := "error"
			if behaviour.PlayFailureNamesDocument {
				severity = "warning"
			}
			h.replaced(severity, "welcome")
			h.replaced("error", "wait_music")
		})
	}
}

// TestFeatureDeadFilesCostNoMessage has every file of the way to a message dead.
func TestFeatureDeadFilesCostNoMessage(t *testing.T) {
	t.Parallel()
	h := startWithDeadFiles(t, deadFiles(voicemail, "wait_music", "voicemail_greeting", "after_voicemail"))
	c := h.waiting()
	h.open()
	c.Presses("*")
	c.Hears(t, "Please leave a message")
	h.leavesMessage(c)
	c.Hears(t, "Thanks for your message")
	c.Ended(t)
	h.over(c, "message_left")
	h.replaced("error", "wait_music", "voicemail_greeting", "after_voicemail")
	h.alert("has the message once", func(a alert) bool { return len(a.Attachments) == 1 })
}

// TestFeatureDeadGoodbye tells the caller goodbye in our own words.
func TestFeatureDeadGoodbye(t *testing.T) {
	t.Parallel()
	h := startWithDeadFiles(t, with(deadFiles(acknowledgeFirst, "no_answer"), "max_wait_time", 90))
	c := h.waiting()
	c.Hears(t, "No one is available")
	c.Ended(t)
	h.over(c, "told_goodbye")
	h.replaced("error", "no_answer")
}

// TestFeatureEveryRecordingCounts loses each request about the first recording: the caller speaks
// again, and both messages are kept.
func TestFeatureEveryRecordingCounts(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]twiliosim.Fault{
		"the request that ends it": {{On: twiliosim.OnWebhook, Match: "/recorded", Do: twiliosim.FaultLose, Count: 4}},
		"its callback":             {{On: twiliosim.OnCallback, Match: "/recording", Do: twiliosim.FaultLose, Count: -1}},
		"both": {
			{On: twiliosim.OnWebhook, Match: "/recorded", Do: twiliosim.FaultLose, Count: 4},
			{On: twiliosim.OnCallback, Match: "/recording", Do: twiliosim.FaultLose, Count: -1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, voicemail, to("devops"), unhurried)
			h.Sim.Allow(11200, 11205)
			h.connectFallback()
			for _, f := range faults {
				h.disturb(f)
			}
			c := h.waiting()
			h.open()
			c.Presses("*")
			h.leavesMessage(c)
			c.Hears(t, "Thanks for your message")
			c.Ended(t)
			h.over(c, "message_left")
			greetings := 0
			for _, e := range c.Transcript() {
				if e.Kind == twiliosim.EventSaid && strings.Contains(e.Text, "leave a message") {
					greetings++
				}
			}
			if greetings != 1 {
				t.Errorf("the caller was asked %d times for a message", greetings)
			}
			h.alert("has the message once", func(a alert) bool { return len(a.Attachments) == 1 })
		})
	}
}
