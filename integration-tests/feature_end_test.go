package integrationtests

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testmail"
)

// TestFeatureWaysOutOfTheHold ends the hold in every possible way: each leads to voicemail or to
// the configured last words, and leaves the alert in the right state.
func TestFeatureWaysOutOfTheHold(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		teams []string
		opts  options
		act   func(*hotline, alert)
	}{
		{"max wait", []string{"devops"}, options{"max_wait_time": 90}, func(*hotline, alert) {}},
		{"dropped after the last layer", []string{"support"}, options{}, func(*hotline, alert) {}},
		{"dropped, nobody is on call", []string{"quiet"}, options{}, nil},
		{"PT-67 resolved by a person", []string{"devops"}, options{}, func(h *hotline, a alert) {
			if err := h.act(a.ID, "resolve", "alice"); err != nil {
				h.t.Fatal(err)
			}
		}},
	} {
		for _, recorded := range []bool{true, false} {
			name := tc.name + ", goodbye"
			if recorded {
				name = tc.name + ", voicemail"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := start(t, with(tc.opts, "reach", "acknowledge", "voicemail", recorded, "deliver_messages", "off", "no_answer", "Nobody could be reached, sorry."), to(tc.teams...))
				c := h.dial()
				if tc.act != nil {
					c.Hears(t, "music-")
					tc.act(h, h.open())
				}
				if recorded {
					c.Hears(t, "Please leave a message")
					h.leavesMessage(c)
					c.Hears(t, "Thanks for your message")
					c.Ended(t)
					h.over(c, "message_left")
					// Whatever it was before, the alert is open: somebody is paged about the
					// message.
					h.alert("open, with the message", func(a alert) bool {
						return len(a.Attachments) == 1 && (a.Status == "open" || tc.teams[0] != "devops" && a.logged("opened again") > 0)
					})
					return
				}
				c.Hears(t, "Nobody could be reached, sorry")
				c.Ended(t)
				h.over(c, "told_goodbye")
				h.alert("names whom to call back", func(a alert) bool { return a.logged("Call back "+caller) == 1 })
			})
		}
	}
}

func TestFeatureStraightToVoicemail(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		skip   bool
		leaves bool
		status string
		ended  string
	}{
		{"PT-48 a message is left, and routed", false, true, "open", "message_left"},
		{"PT-49 no message: resolved", false, false, "resolved", "no_message"},
		{"PT-50 no message, kept: routed as a missed call", true, false, "open", "no_message"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, with(voicemail, "send_straight_to_voicemail", true, "skip_resolve_on_hangup", tc.skip), to("devops"))
			c := h.dial()
			c.Hears(t, "Please leave a message")
			c.HeardNothingLike(t, "music-")
			h.beep(c)
			if a := h.alert("made", func(alert) bool { return true }); a.Status != "queued" || h.rang(alice) != 0 {
				t.Errorf("alert %s before the message", a.Status)
			}
			if tc.leaves {
				h.leavesMessage(c)
			} else {
				c.HangsUp()
			}
			c.Ended(t)
			h.over(c, tc.ended)
			h.alert(tc.status, func(a alert) bool { return a.Status == tc.status })
		})
	}
}

func TestFeatureHangUpWithSkipResolve(t *testing.T) {
	t.Parallel()
	h := start(t, with(acknowledgeFirst, "skip_resolve_on_hangup", true), to("devops"))
	c := h.waiting()
	h.open()
	c.HangsUp()
	c.Ended(t)
	h.over(c, "hung_up")
	a := h.alert("kept, with the number", func(a alert) bool { return a.logged("Call back "+caller) > 0 })
	if a.Status != "open" {
		t.Errorf("alert %s, want open", a.Status)
	}
	// PT-75: who acknowledges now learns whom to call back, and is not rung.
	h.acknowledge(a.ID, "alice")
	h.alert("says to Alice that the call is over", func(a alert) bool { return a.logged("after the call was over") == 1 })
	if h.rang(alice) != 0 {
		t.Error("Alice is rung for a caller who is gone")
	}
}

func TestFeatureResolvedWhenTheConversationEnds(t *testing.T) {
	t.Parallel()
	h := start(t, with(acknowledgeFirst, "resolve_on_completed", true), to("devops"))
	c := h.waiting()
	h.acknowledge(h.open().ID, "alice")
	leg := h.takes(alice)
	c.ConnectedTo(t, alice)
	leg.SpeaksFor("That is fixed now, thank you for calling.", 2*time.Minute)
	leg.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
	h.alert("resolved", func(a alert) bool { return a.Status == "resolved" })
}

// TestFeatureNothingTearsAConversation resolves the alert while caller and responder talk: they go
// on talking.
func TestFeatureNothingTearsAConversation(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst, to("devops"))
	c := h.waiting()
	a := h.open()
	h.acknowledge(a.ID, "alice")
	leg := h.takes(alice)
	c.ConnectedTo(t, alice)

	if err := h.act(a.ID, "resolve", "bob"); err != nil {
		t.Fatal(err)
	}
	h.alert("says that the conversation goes on", func(a alert) bool { return a.logged("conversation goes on") == 1 })
	leg.SpeaksFor("Are you still there? I am, tell me more.", 2*time.Minute)
	c.Hears(t, "still there")
	if h.rang(bob) != 0 {
		t.Error("Bob is rung while Alice talks")
	}
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.over(c, "connected")
}

// TestFeatureVoicemailIsMailedOnceToEach names people in several ways: each gets one mail, with a
// link to the alert and its recording, and the alert's story says so.
func TestFeatureVoicemailIsMailedOnceToEach(t *testing.T) {
	t.Parallel()
	box := openInbox(t, testmail.Options{})
	h := start(t, with(voicemail, "max_wait_time", 90, "voicemail_emails",
		[]string{"ops@example.com", "team", "team-admin", "on-call", "ALICE@example.com"}), features("pair"), box.use)
	h.disturb(twiliosim.Fault{On: twiliosim.OnCallback, Match: "/recording", Do: twiliosim.FaultDouble, Count: -1})
	c := h.waiting()
	h.leavesMessage(c)
	c.Ended(t)
	h.over(c, "message_left")
	a := h.alert("with the message", func(a alert) bool { return len(a.Attachments) == 1 })
	want := []string{"ops@example.com", "alice@example.com", "bob@example.com", "carol@example.com", "erin@example.com"}
	h.eventually("a mail to each", func() bool { return len(box.about("Voicemail from "+caller)) >= len(want) })
	for range 3 { // a late second one would come with the next ticks of the outbox
		h.get("/api/v1/alerts", &[]alert{})
	}
	got := box.about("Voicemail from " + caller)
	for _, address := range want {
		found := 0
		for to, mails := range got {
			if strings.EqualFold(to, address) {
				found += len(mails)
				if len(mails) > 0 && !strings.Contains(strings.ReplaceAll(mails[0], "=\r\n", ""), h.URL+"/alerts/"+a.ID) {
					t.Errorf("the mail to %s has no link to the alert:\n%.1500s", to, mails[0])
				}
			}
		}
		if found != 1 {
			t.Errorf("%s has %d mails", address, found)
		}
	}
	if len(got) != len(want) {
		t.Errorf("mails to %d addresses, want %d", len(got), len(want))
	}
	told := h.alert("says who was mailed", func(a alert) bool { return a.logged("The message was mailed to ") >= len(want) })
	for _, address := range want {
		if n := strings.Count(strings.ToLower(told.story()), "the message was mailed to "+address+"."); n != 1 {
			t.Errorf("the story says %d times that %s was mailed:\n%s", n, address, told.story())
		}
	}
}

// TestFeatureAbsentRecordingIsNoMessage leaves a recording that is too short or silent: it is no
// message, and nobody is mailed or woken for it.
func TestFeatureAbsentRecordingIsNoMessage(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*hotline, *twiliosim.Call){
		"too short": func(h *hotline, c *twiliosim.Call) { c.HangsUp() },
		"silent":    func(h *hotline, c *twiliosim.Call) { c.Ended(h.t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := openInbox(t, testmail.Options{})
			h := start(t, with(voicemail, "max_wait_time", 90, "voicemail_emails", []string{"ops@example.com"}), to("devops"), box.use)
			c := h.waiting()
			h.beep(c)
			leave(h, c)
			h.over(c, "no_message")
			a := h.alert("settled", func(a alert) bool { return a.Status == "resolved" })
			if len(a.Attachments) != 0 || len(box.about("Voicemail from "+caller)) != 0 {
				t.Errorf("attachments %v, mails %v", a.Attachments, box.about("Voicemail from "+caller))
			}
		})
	}
}

// TestFeatureRecordingIsFetchedLater has Twilio refuse the recording a few times: the message waits
// for it and is mailed once.
func TestFeatureRecordingIsFetchedLater(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"404": 404, "500": 500, "503": 503} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := openInbox(t, testmail.Options{})
			h := start(t, with(voicemail, "max_wait_time", 90, "voicemail_emails", []string{"ops@example.com"}), to("devops"), box.use)
			c := h.waiting()
			h.beep(c)
			h.disturb(twiliosim.Fault{On: twiliosim.OnREST, Match: `^GET .*/Recordings/RE`, Do: twiliosim.FaultStatus, Status: status, Count: 3})
			h.leavesMessage(c)
			c.Ended(t)
			h.over(c, "message_left")
			a := h.alert("with the message", func(a alert) bool { return len(a.Attachments) == 1 })
			if s, body := h.fetch(a.Attachments[0].URL, true); s != http.StatusOK || len(body) < 1000 {
				t.Errorf("the audio: %d, %d bytes", s, len(body))
			}
			h.eventually("one mail", func() bool { return len(box.about("Voicemail from " + caller)["ops@example.com"]) == 1 })
		})
	}
}
