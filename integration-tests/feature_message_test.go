package integrationtests

import (
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// hears lets callers leave a message, which people are called to hear; nobody is called before.
var hears = options{"reach": "acknowledge", "voicemail": true}

// listened is a call with what was recorded of it.
type listened struct {
	State, Ended string
	Unheard      int
	Story        []struct{ Message string }
	Recordings   []struct{ Heard []struct{ User string } }
}

// leftMessage calls, leaves a message instead of waiting, and is gone.
func (h *hotline) leftMessage() *twiliosim.Call {
	h.t.Helper()
	c := h.waiting()
	h.open()
	c.Presses("*")
	h.leavesMessage(c)
	c.Ended(h.t)
	return c
}

// listens answers the phone that rings about a message, and hears it.
func (h *hotline) listens(number string) *twiliosim.Call {
	h.t.Helper()
	leg := h.Sim.Phone(number).RingsNext(h.t)
	leg.Answers()
	leg.Hears(h.t, "seconds were left for DevOps, by plus 1, 2 0 2")
	leg.Hears(h.t, "Press 1 to hear it, 2 to pass")
	leg.Presses("1")
	leg.Hears(h.t, "/call-media/")
	return leg
}

// delivered waits until a call is over, and its message delivered or not.
func (h *hotline) delivered(c *twiliosim.Call) listened {
	h.t.Helper()
	h.over(c, "message_left")
	var got listened
	h.get("/api/v1/calls/"+c.Sid, &got)
	return got
}

// heardBy are the users who have heard the one recording of a call.
func (h *hotline) heardBy(c listened) string {
	h.t.Helper()
	if len(c.Recordings) != 1 {
		h.t.Fatalf("recordings: %+v", c)
	}
	var users []string
	for _, x := range c.Recordings[0].Heard {
		users = append(users, x.User)
	}
	return strings.Join(users, " ")
}

func TestFeatureAMessageIsHeardOnThePhone(t *testing.T) {
	t.Parallel()
	h := start(t, hears, to("devops"))
	c := h.leftMessage()
	leg := h.listens(alice)
	leg.Hears(t, "To call back, dial plus 1, 2 0 2")
	leg.Hears(t, "Press 1 to hear it again, 2 to acknowledge")
	leg.Presses("1")
	leg.Hears(t, "/call-media/")
	leg.Presses("2")
	leg.Hears(t, "Thank you")
	leg.Ended(t)
	h.alert("acknowledged by Alice", func(a alert) bool { return a.Status == "acknowledged" && a.logged("heard the message") == 1 })
	got := h.delivered(c)
	if by := h.heardBy(got); by != "alice" || got.Unheard != 0 {
		t.Errorf("heard by %q, %d unheard; want alice, none", by, got.Unheard)
	}
	if h.rang(alice) != 1 || h.rang(bob) != 0 {
		t.Errorf("Alice's phone rang %d times, Bob's %d", h.rang(alice), h.rang(bob))
	}
	// Whoever knows the address of a recording can listen to it.
	if strings.Contains(h.log.String(), "/call-media/") {
		t.Error("the address of a recording is in the log")
	}
	a := h.alerts()[0]
	if strings.Contains(a.story(), "call-media") {
		t.Error("the address of a recording is in the alert")
	}
}

// TestFeatureAMessageGoesOnToTheNextLayer passes in the first layer, does not answer in the second,
// and is heard in the third, on a second phone.
func TestFeatureAMessageGoesOnToTheNextLayer(t *testing.T) {
	t.Parallel()
	h := start(t, hears, to("devops"))
	h.Sim.Phone(alice).AnswersAfter(time.Second, "2 to pass", "2")
	h.Sim.Phone(carol).Busy()
	c := h.leftMessage()
	// The platform takes three minutes for a layer.
	h.eventually("Bob's phone rings", func() bool { return h.rang(bob) > 0 })
	h.eventually("Carol's first phone is called", func() bool { return h.rang(carol) > 0 })
	leg := h.listens(carolsSecond)
	leg.Presses("2")
	leg.Ended(t)
	got := h.delivered(c)
	if by := h.heardBy(got); by != "carol" {
		t.Errorf("heard by %q, want carol", by)
	}
	h.inOrder(h.alerts()[0], "Alice Example (+12025550143) passed", "Bob Example (+12025550144) did not answer (rang for", "Carol Example (+12025550146) heard the message")
	if h.rang(alice) != 1 || h.rang(bob) != 1 {
		t.Errorf("Alice's phone rang %d times, Bob's %d; each is to ring once", h.rang(alice), h.rang(bob))
	}
}

func TestFeatureAMessageThatNobodyHears(t *testing.T) {
	t.Parallel()
	h := start(t, hears, to("support"))
	c := h.leftMessage()
	got := h.delivered(c)
	if by := h.heardBy(got); by != "" || got.Unheard != 1 {
		t.Errorf("heard by %q, %d unheard; want nobody, one", by, got.Unheard)
	}
	h.alert("nobody has heard the message", func(a alert) bool {
		return a.logged("Nobody has heard the message") == 1 && a.logged("Dave Example (+12025550147) did not answer (rang for") == 1
	})
	if h.findings()["message-unheard"] != "error" || h.rang(dave) != 1 {
		t.Errorf("findings %v; Dave's phone rang %d times", h.findings(), h.rang(dave))
	}
}

// TestFeatureWhoAcknowledgesHearsTheMessage has Bob acknowledge while Alice's phone rings.
func TestFeatureWhoAcknowledgesHearsTheMessage(t *testing.T) {
	t.Parallel()
	h := start(t, hears, to("devops"))
	c := h.leftMessage()
	first := h.Sim.Phone(alice).RingsNext(t)
	h.acknowledge(h.alerts()[0].ID, "bob")
	first.Ended(t)
	leg := h.listens(bob)
	leg.Presses("2")
	leg.Ended(t)
	if by := h.heardBy(h.delivered(c)); by != "bob" {
		t.Errorf("heard by %q, want bob", by)
	}
}

// TestFeatureACallerComesBeforeAMessage has a call come in while Alice's phone rings about a
// message: it stops, rings for the caller, and rings about the message after the conversation.
func TestFeatureACallerComesBeforeAMessage(t *testing.T) {
	t.Parallel()
	h := start(t, with(hears, "reach", "ring"), to("devops"))
	first := h.waiting()
	h.Sim.Phone(alice).RingsNext(t).Declines()
	first.Presses("*")
	h.leavesMessage(first)
	first.Ended(t)
	about := h.Sim.Phone(alice).RingsNext(t)
	about.Answers()
	about.Hears(t, "seconds were left for DevOps")
	second := h.dialFrom("+12025550198")
	second.Hears(t, "music-")
	about.Hears(t, "A caller is waiting for you")
	about.Ended(t)
	leg := h.takes(alice)
	second.ConnectedTo(t, alice)
	h.converses(second)
	second.HangsUp()
	second.Ended(t)
	leg.Ended(t)
	leg = h.listens(alice)
	leg.Presses("2")
	leg.Ended(t)
	if by := h.heardBy(h.delivered(first)); by != "alice" {
		t.Errorf("heard by %q, want alice", by)
	}
}

// TestFeatureAPluginKilledWhileAMessageIsHeard kills it while the phone rings, and while the
// message is played.
func TestFeatureAPluginKilledWhileAMessageIsHeard(t *testing.T) {
	t.Parallel()
	h := start(t, hears, to("devops"))
	c := h.waiting()
	h.open()
	c.Presses("*")
	h.leavesMessage(c)
	h.kill(syscall.SIGKILL)
	c.Ended(t)
	leg := h.Sim.Phone(alice).RingsNext(t)
	h.kill(syscall.SIGKILL)
	leg.Answers()
	leg.Hears(t, "Press 1 to hear it")
	leg.Presses("1")
	leg.Hears(t, "/call-media/")
	h.kill(syscall.SIGKILL)
	leg.Hears(t, "2 to acknowledge")
	leg.Presses("2")
	leg.Hears(t, "Thank you")
	leg.Ended(t)
	if by := h.heardBy(h.delivered(c)); by != "alice" {
		t.Errorf("heard by %q, want alice", by)
	}
}

// TestFeatureARecordingDeletedInTheMiddle has its file be gone when Twilio asks for it: the person
// is told so, with the number to call back.
func TestFeatureARecordingDeletedInTheMiddle(t *testing.T) {
	t.Parallel()
	h := start(t, hears, to("support"))
	h.Sim.Allow(11200)
	h.disturb(twiliosim.Fault{On: twiliosim.OnMedia, Match: "/call-media/", Do: twiliosim.FaultStatus, Status: 404, Count: -1})
	c := h.leftMessage()
	leg := h.Sim.Phone(dave).RingsNext(t)
	leg.Answers()
	leg.Hears(t, "Press 1 to hear it")
	leg.Presses("1")
	leg.Hears(t, "its recording is not there any more")
	leg.Ended(t)
	got := h.delivered(c)
	if by := h.heardBy(got); by != "" || got.Unheard != 1 {
		t.Errorf("heard by %q, %d unheard; want nobody, one", by, got.Unheard)
	}
	if strings.Contains(h.log.String(), "/call-media/") {
		t.Error("the address of a recording is in the log")
	}
}

// TestFeatureOneLegReadsTheMessagesOfTwoCalls leaves two messages in two calls: Alice's phone rings
// once, and reads both.
func TestFeatureOneLegReadsTheMessagesOfTwoCalls(t *testing.T) {
	t.Parallel()
	h := start(t, hears, to("devops"))
	first := h.waiting()
	first.Presses("*")
	second := h.dialFrom("+12025550198")
	second.Hears(t, "music-")
	second.Presses("*")
	// The second caller speaks all the while: a silence of ten seconds would end the recording.
	var speaks sync.WaitGroup
	speaks.Go(func() {
		h.beep(second)
		second.SpeaksFor("Mine is on fire as well, and this takes a little longer to explain.", 20*time.Second)
		second.Presses("#")
	})
	h.leavesMessage(first)
	first.Ended(t)
	leg := h.Sim.Phone(alice).RingsNext(t)
	speaks.Wait()
	second.Ended(t)
	h.call(second, "whose message waits", func(k call) bool { return k.State == "delivering" })
	leg.Answers()
	leg.Hears(t, "seconds were left for DevOps")
	leg.Presses("1")
	leg.Hears(t, "/call-media/")
	// The other call looks who is free, and is told that she is not.
	h.eventually("the second call waits for Alice", func() bool {
		var got listened
		h.get("/api/v1/calls/"+second.Sid, &got)
		for _, l := range got.Story {
			if strings.Contains(l.Message, "is occupied by another call") {
				return true
			}
		}
		return false
	})
	leg.Presses("2")
	leg.Hears(t, "The next message")
	leg.Hears(t, "seconds were left for DevOps, by plus 1, 2 0 2, 5 5 5, 0 1 9 8")
	leg.Presses("1")
	leg.Hears(t, "/call-media/")
	leg.Presses("2")
	leg.Hears(t, "Goodbye")
	leg.Ended(t)
	for _, c := range []*twiliosim.Call{first, second} {
		if by := h.heardBy(h.delivered(c)); by != "alice" {
			t.Errorf("heard by %q, want alice", by)
		}
	}
	if h.rang(alice) != 1 {
		t.Errorf("Alice's phone rang %d times, want once", h.rang(alice))
	}
}
