package integrationtests

import (
	"context"
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// tested is what a test ring came to, as the API tells it.
type tested struct {
	Way, To, Text, Outcome, Via string
	OK                          bool
}

// ring has a person rung by the command with further flags, and returns what it says of their first
// phone.
func (h *hotline) ring(who string, more ...string) tested {
	h.t.Helper()
	out, err := h.switchboard(append([]string{"user", "test", who, "--ring", "--json"}, more...)...)
	var results []tested
	if jsonErr := json.NewDecoder(strings.NewReader(out)).Decode(&results); jsonErr != nil || len(results) == 0 {
		h.t.Fatalf("user test --ring: %v: %s", err, out)
	}
	if r := results[0]; r.OK != (err == nil) || r.Way != "ring" || r.Via == "" {
		h.t.Errorf("user test --ring: %v: %+v", err, r)
	}
	return results[0]
}

// TestFeatureTestRingTellsWhatHappened rings phones for a test: what is said is what the phone did,
// and nothing of it is a call or an alert.
func TestFeatureTestRingTellsWhatHappened(t *testing.T) {
	t.Parallel()
	h := start(t, voicemail, to("devops"))
	var heard *twiliosim.Call
	h.Sim.Phone(alice).Set("answers and presses 1", func(_ context.Context, c *twiliosim.Call) {
		heard = c
		c.Answers()
		c.Hears(t, "This is a test call of")
		c.Presses("1")
	})
	if r := h.ring("alice"); r.Outcome != integration.RingConfirmed || r.To != alice {
		t.Errorf("pressed 1: %+v", r)
	}
	heard.Hears(t, "Calls reach you at this number")

	h.Sim.Phone(bob).Busy()
	if r := h.ring("bob"); r.Outcome != integration.RingBusy || r.To != bob {
		t.Errorf("busy: %+v", r)
	}
	h.Sim.Phone(carol).Rings()
	if r := h.ring("carol"); r.Outcome != integration.RingNoAnswer {
		t.Errorf("nobody answers: %+v", r)
	}
	h.Sim.Phone(dave).Mailbox(0, "You have reached Dave. Leave a message.")
	if r := h.ring("dave"); r.Outcome != integration.RingUnconfirmed {
		t.Errorf("a mailbox answers: %+v", r)
	}
	h.Sim.Phone(dave).Unreachable()
	if r := h.ring("dave"); r.Outcome != integration.RingRefused || r.Text == "" {
		t.Errorf("not in service: %+v", r)
	}

	var calls []json.RawMessage
	h.get("/api/v1/calls", &calls)
	if len(calls) != 0 {
		t.Errorf("test rings are calls: %s", calls)
	}
}

// TestFeatureTestRingNeverDisturbsACall begins a call while a person is rung for a test, and asks
// for a test while a call rings them: the test gives way, and the caller is connected.
func TestFeatureTestRingNeverDisturbsACall(t *testing.T) {
	t.Parallel()
	h := start(t, options{"reach": "ring", "ring_timeout": 60}, to("devops"))
	under := make(chan tested, 1)
	go func() { under <- h.ring("alice") }()
	test := h.Sim.Phone(alice).RingsNext(t)
	test.Answers()
	test.Hears(t, "This is a test call of")
	c := h.waiting()
	if r := <-under; r.Outcome != integration.RingStopped {
		t.Errorf("a caller came: %+v", r)
	}
	test.Ended(t)
	leg := h.Sim.Phone(alice).RingsNext(t)
	if r := h.ring("alice"); r.Outcome != integration.RingOccupied {
		t.Errorf("a call rings: %+v", r)
	}
	leg.Answers()
	leg.Hears(t, "press 1")
	leg.Presses("1")
	h.converses(c)
	c.HangsUp()
	h.over(c, "connected")
}

// TestFeatureACallerOfAnotherIntegrationEndsATestRing: callers come first, whichever number they
// dial.
func TestFeatureACallerOfAnotherIntegrationEndsATestRing(t *testing.T) {
	t.Parallel()
	h := start(t, options{"reach": "ring", "ring_timeout": 60}, to("devops"))
	second, _, err := h.AddHotline(t.Context(), "+12025550101", []string{"devops"}, options{"reach": "ring"})
	if err != nil {
		t.Fatal(err)
	}
	under := make(chan tested, 1)
	go func() { under <- h.ring("alice", "--by", second) }()
	test := h.Sim.Phone(alice).RingsNext(t)
	test.Answers()
	test.Hears(t, "This is a test call of")
	c := h.waiting()
	if r := <-under; r.Outcome != integration.RingStopped {
		t.Errorf("a caller of the first number came: %+v", r)
	}
	test.Ended(t)
	leg := h.Sim.Phone(alice).RingsNext(t)
	if r := h.ring("alice", "--by", second); r.Outcome != integration.RingOccupied {
		t.Errorf("a call of the first number rings: %+v", r)
	}
	leg.Answers()
	leg.Hears(t, "press 1")
	leg.Presses("1")
	h.converses(c)
	c.HangsUp()
	h.over(c, "connected")
}

// TestFeatureATestRingSurvivesAKilledPlugin: the phone that rings goes on to ring, and what is
// pressed on it counts.
func TestFeatureATestRingSurvivesAKilledPlugin(t *testing.T) {
	t.Parallel()
	h := start(t, options{"ring_timeout": 60}, to("devops"))
	under := make(chan tested, 1)
	go func() { under <- h.ring("alice") }()
	test := h.Sim.Phone(alice).RingsNext(t)
	h.kill(syscall.SIGKILL)
	test.Answers()
	test.Hears(t, "This is a test call of")
	h.kill(syscall.SIGKILL)
	test.Presses("1")
	test.Hears(t, "Calls reach you at this number")
	if r := <-under; r.Outcome != integration.RingConfirmed {
		t.Errorf("the plugin was killed twice: %+v", r)
	}
	if n := h.rang(alice); n != 1 {
		t.Errorf("her phone rang %d times", n)
	}
}
