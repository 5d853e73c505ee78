package embedded_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	for i, step := range []time.Duration{5 * time.Minute, 10 * time.Minute, 5 * time.Minute, 10 * time.Minute} {
		w.clock.Advance(step - time.Millisecond)
		if got := w.record(); got.Status != integration.AlertOpen || len(got.Log) != 2+i {
			t.Fatalf("a millisecond before its time-out: %s", w.story())
		}
		w.clock.Advance(time.Millisecond)
		w.lines(3 + i)
	}
	w.wantStory(
		"0s Created",
		"0s Routed to DevOps; waiting for layer 1: Alice Example (gets no mail or notification)",
		"5m0s Nobody in layer 1 acknowledged it within 5 minutes; waiting for layer 2: Bob Example (gets no mail or notification) and Carol Example (gets no mail or notification)",
		"15m0s Nobody in layer 2 acknowledged it within 10 minutes; round 2, waiting for layer 1: Alice Example (gets no mail or notification)",
		"20m0s Nobody in layer 1 acknowledged it within 5 minutes; waiting for layer 2: Bob Example (gets no mail or notification) and Carol Example (gets no mail or notification)",
		"30m0s Nobody in layer 2 acknowledged it within 10 minutes; no further layer is left: dropped",
	)
	if a := w.alert(); a.Status != integration.AlertDropped || a.Layer != 0 || !strings.HasPrefix(a.URL, "https://host.example.com/alerts/") {
		t.Errorf("%+v", a)
	}
	if err := w.act(platform.ActAcknowledge, "carol"); err != nil {
		t.Errorf("a dropped alert cannot be acknowledged: %v", err)
	}
}

func TestNobodyOnCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("idle")
	w.wantStory("0s Created", "0s Routed to Nobody; nobody is on call in any layer: dropped")
	if a := w.alert(); a.Status != integration.AlertDropped {
		t.Errorf("%+v", a)
	}
}

func TestLayersWithNobodyArePassedOver(t *testing.T) {
	t.Parallel()
	june := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, june, storyFile)
	w.open("support")
	r := w.record()
	if got := r.Log[1].Message; got != "Routed to Customer Support; nobody is on call in layers 1 and 2; waiting for layer 3: Carol Example (gets no mail or notification)" {
		t.Error(got)
	}
	if r.Layer != 3 || !slices.Equal(r.Paged, []string{"carol"}) {
		t.Errorf("layer %d, paged %v", r.Layer, r.Paged)
	}
	w.clock.Advance(3 * time.Minute) // the time-out of layer 3
	w.lines(3)
	if got := w.record(); got.Status != integration.AlertDropped || got.Log[2].Message != "Nobody in layer 3 acknowledged it within 3 minutes; no further layer is left: dropped" {
		t.Error(got.Log)
	}
}

func TestSeveralTeamsGoTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops", "support")
	if r := w.record(); !slices.Equal(r.Paged, []string{"alice", "dave"}) {
		t.Errorf("paged %v", r.Paged)
	}
	w.clock.Advance(5 * time.Minute)
	w.lines(3)
	if r := w.record(); r.Layer != 2 || !slices.Equal(r.Paged, []string{"bob", "carol"}) {
		t.Errorf("layer %d, paged %v: Bob is on call in both", r.Layer, r.Paged)
	}
}

func TestReopenedLayerHasItsTimeOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "alice"})
	w.clock.Advance(time.Hour)
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: w.alert().Acknowledgements[0].ID})
	w.clock.Advance(5 * time.Minute)
	w.lines(5)
	if a := w.alert(); a.Status != integration.AlertOpen || a.Layer != 2 {
		t.Errorf("%+v", a)
	}
}

func TestReopenAfterDropBeginsAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	for w.alert().Status == integration.AlertOpen { // only a person, or time, drops an alert
		if err := w.act(platform.ActEscalate, "carol"); err != nil {
			t.Fatal(err)
		}
	}
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "carol"})
	a := w.alert()
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: a.Acknowledgements[0].ID})
	// Of layer 0: nothing.
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: a.Layer, Round: a.Round})
	if a := w.alert(); a.Status != integration.AlertOpen || a.Layer != 1 || a.Round != 1 {
		t.Errorf("%+v", a)
	}
}

func TestRejects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	if err := w.act(platform.ActReject, "bob"); integration.KindOf(err) != integration.KindConflict || !strings.Contains(err.Error(), "Bob Example is not being paged") {
		t.Errorf("somebody who is not paged: %v", err)
	}
	for _, user := range []string{"alice", "bob", "carol"} {
		if err := w.act(platform.ActReject, user); err != nil {
			t.Fatal(err)
		}
		if user == "bob" {
			if err := w.act(platform.ActReject, user); err != nil {
				t.Fatalf("again: %v", err)
			}
			if got := w.record().Paged; !slices.Equal(got, []string{"carol"}) {
				t.Errorf("paged %v", got)
			}
		}
	}
	w.wantStory(
		"0s Created",
		"0s Routed to DevOps; waiting for layer 1: Alice Example (gets no mail or notification)",
		"0s <alice> Alice Example cannot take it now",
		"0s Nobody is left in layer 1; waiting for layer 2: Bob Example (gets no mail or notification) and Carol Example (gets no mail or notification)",
		"0s <bob> Bob Example cannot take it now",
		"0s <carol> Carol Example cannot take it now",
		"0s Nobody is left in layer 2; round 2, waiting for layer 1: Alice Example (gets no mail or notification)",
	)
}

func TestACommandNeitherDropsAnAlertNorEndsItsRound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops") // two rounds
	for range 3 {
		a := w.alert()
		w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: a.Layer, Round: a.Round})
	}
	if a := w.alert(); a.Status != integration.AlertOpen || a.Layer != 2 || a.Round != 1 {
		t.Errorf("%+v, want it open in the last layer of round 1", a)
	}
	w.clock.Advance(10 * time.Minute) // the layer's own time-out goes on
	w.until("round 2", func() bool { return w.alert().Round == 2 })
}
