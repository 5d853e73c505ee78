package goalert_test

import (
	"net/http"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
)

// TestOneOfSeveralHostsPollsAServiceAndTheOthersHearOfIt has a call on two hosts, of which the
// first polls, and then no longer takes its turns.
func TestOneOfSeveralHostsPollsAServiceAndTheOthersHearOfIt(t *testing.T) {
	t.Parallel()
	w, one, s, alice, _ := ordinary(t)
	who := platformtest.NewTurns("one")
	two := &host{wire: &wire{count: map[string]int{}, keys: map[string]map[string]bool{}}, w: w, scope: one.scope, cfg: one.cfg}
	two.cfg.HTTP = &http.Client{Transport: two.wire}
	two.cfg.Turns = who.Of("two")
	two.start(t)
	one.cfg.Turns = who.Of("one")
	other := two.Platform // the first one is started anew, and must tell the second
	one.cfg.Tell = func(notice string) { other.Heard(notice) }
	one.start(t)
	hints := two.hints(t)
	c := one.open(t, s.ID)
	id := c.alert()
	d := *c
	d.host = two
	d.snapshot()
	w.Await("polls", func() bool { return one.sent("Poll") > 2 })
	must[bool](w)(alice.Session().Acknowledge(t.Context(), id))
	d.hinted(t, hints, "the acknowledgement, of which the other host has told", acknowledged)
	if n := two.sent("Poll"); n != 0 {
		t.Errorf("the host whose turn it was not has polled %d times", n)
	}
	who.Give("two")
	w.Await("polls of the other host", func() bool { return two.sent("Poll") > 0 })
}

// TestAHostThatWasFrozenInACommandUndoesNothingOfAnother has one host stand still before it sends a
// command, whose lease ends: another one does that command and those behind it.
func TestAHostThatWasFrozenInACommandUndoesNothingOfAnother(t *testing.T) {
	t.Parallel()
	_, one, s, alice, _ := ordinary(t)
	two := &host{wire: &wire{count: map[string]int{}, keys: map[string]map[string]bool{}}, w: one.w, scope: one.scope, cfg: one.cfg}
	two.cfg.HTTP = &http.Client{Transport: two.wire}
	two.start(t)
	c := one.open(t, s.ID)
	stands, goesOn := make(chan struct{}), make(chan struct{})
	one.failing(func(operation string) error {
		if operation == "Acknowledge" {
			stands <- struct{}{}
			<-goesOn
		}
		return nil
	})
	acknowledge := c.number(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: alice.ID})
	ended := make(chan error, 1)
	go func() { ended <- one.Apply(t.Context(), one.scope, acknowledge) }()
	<-stands
	for _, cmd := range []integration.AlertCommand{acknowledge, c.number(integration.AlertCommand{Kind: integration.AlertResolve})} {
		if err := two.Apply(t.Context(), two.scope, cmd); err != nil {
			t.Fatalf("%s at the other host: %v", cmd.Kind, err)
		}
	}
	close(goesOn)
	if err := <-ended; err == nil {
		t.Error("the host that was frozen says that it has done the command")
	}
	if snap := c.snapshot(); snap.LastCommand != c.last || snap.Status != integration.AlertResolved {
		t.Errorf("the alert is %s after command %d, want %s after %d", snap.Status, snap.LastCommand, integration.AlertResolved, c.last)
	}
	one.failing(nil)
	if err := one.Apply(t.Context(), one.scope, acknowledge); err != nil {
		t.Errorf("the command once more: %v", err)
	}
}
