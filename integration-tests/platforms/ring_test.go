package platforms_test

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/internal/freeport"
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

// TestPeopleOfARemotePlatformAreRungForATest: their phones are the platform's, which hears nothing
// of it.
func TestPeopleOfARemotePlatformAreRungForATest(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
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

// TestSomebodyRingsThemselvesFromTheProductsOwnPages: the product asks switchboard with a token of
// its own role, and hears what the phone did.
func TestSomebodyRingsThemselvesFromTheProductsOwnPages(t *testing.T) {
	t.Parallel()
	for program := range examples {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			ringsThemselves(t, program)
		})
	}
}

func ringsThemselves(t *testing.T, program string) {
	address := freeport.Address(t)
	p := newProductIn(t, program, address)
	h := start(t, p.section(), []string{"devops"}, onCall, listenOn(address), p.secrets)
	if err := p.ask("POST", "/users/bob/ring", nil, nil); err == nil || !strings.Contains(err.Error(), "501") {
		t.Errorf("without a switchboard: %v", err)
	}
	var made struct{ Secret string }
	if err := h.API(t.Context(), "POST", "/api/v1/tokens", map[string]string{"name": "product", "role": "product"}, &made); err != nil {
		t.Fatal(err)
	}
	p.stop()
	p.env = []string{"SWITCHBOARD_URL=" + h.URL, "SWITCHBOARD_TOKEN=" + made.Secret}
	p.start()
	var got struct {
		Rings []struct{ Phone, Outcome string }
	}
	pressed := make(chan error, 1)
	go func() { pressed <- p.ask("POST", "/users/bob/ring", nil, &got) }()
	h.eventually("Bob's phone rings", func() bool { return h.rang(bob) == 1 || len(pressed) == 1 })
	if len(pressed) == 1 {
		t.Fatalf("nothing rings: %v", <-pressed)
	}
	leg := h.Sim.Phone(bob).RingsNext(t)
	leg.Answers()
	leg.Hears(t, "This is a test call of")
	leg.Presses("1")
	leg.Ended(t)
	if err := <-pressed; err != nil || len(got.Rings) != 1 || got.Rings[0].Phone != bob || got.Rings[0].Outcome != integration.RingConfirmed {
		t.Errorf("pressed 1: %v, %+v", err, got)
	}
	if err := p.ask("POST", "/users/nobody/ring", nil, &got); err != nil || len(got.Rings) != 1 || got.Rings[0].Outcome != integration.RingRefused {
		t.Errorf("somebody whom the platform does not know: %v, %+v", err, got)
	}
}
