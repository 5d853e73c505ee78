package platforms_test

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// ringsForATest has a person rung by the API, who presses 1.
func (h *hotline) ringsForATest(user, phone string) {
	h.t.Helper()
	var results []struct{ To, Outcome, Text string }
	answered := make(chan error, 1)
	go func() {
		answered <- h.API(h.t.Context(), "POST", "/api/v1/users/"+user+"/test", map[string]string{"way": "ring"}, &results)
	}()
	leg := h.Sim.Phone(phone).RingsNext(h.t)
	leg.Answers()
	leg.Hears(h.t, "This is a test call of")
	leg.Presses("1")
	leg.Ended(h.t)
	if err := <-answered; err != nil || len(results) != 1 || results[0].Outcome != integration.RingConfirmed || results[0].To != phone {
		h.t.Errorf("%v, %+v", err, results)
	}
}

// TestPeopleOfARemotePlatformAreRungForATest: their phones are the platform's, which hears nothing of it.
func TestPeopleOfARemotePlatformAreRungForATest(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	p := newProduct(t, address)
	h := start(t, p.section(), []string{"devops"}, onCall, listenOn(address), p.secrets)
	h.ringsForATest("bob", bob)
	p.stop()
	var results []struct{ Outcome string }
	if err := h.API(t.Context(), "POST", "/api/v1/users/bob/test", map[string]string{"way": "ring"}, &results); err != nil || len(results) != 1 || results[0].Outcome != integration.RingRefused {
		t.Errorf("while the platform is down: %v, %+v", err, results)
	}
	if n := h.rang(bob); n != 1 {
		t.Errorf("Bob's phone rang %d times", n)
	}
}

// TestPeopleOfGoAlertAreRungForATest at their verified telephones.
func TestPeopleOfGoAlertAreRungForATest(t *testing.T) {
	t.Parallel()
	g := newIncidents(t)
	h := start(t, g.section(), []string{g.id}, nil)
	h.ringsForATest(g.bob.ID, bob)
}
