package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// Snapshots are read concurrently and by several hosts, so they may arrive in the wrong order.
// Their order is that of our commands in them, then that of the changes; clocks say nothing.
func TestAnOlderSnapshotIsIgnored(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.wait(10 * time.Second)
	observe := func(what string, change, behind int64, readAt time.Time, status, want integration.AlertStatus) {
		t.Helper()
		c.facts.Alert = &integration.AlertSnapshot{
			Status: status, Layer: 1, Round: 1, LastCommand: c.state.Alert.Commands - behind, Change: change, ReadAt: readAt,
		}
		c.do(event.Event{Kind: event.Alert})
		if got := c.state.Alert.Status; got != want {
			t.Errorf("%s: status %s, want %s", what, got, want)
		}
	}
	open, acked := integration.AlertOpen, integration.AlertAcknowledged
	observe("the first", 7, 0, c.now, open, open)
	observe("one of an earlier change that was read later", 6, 0, c.now.Add(time.Hour), acked, open)
	observe("one of a later change, read by a host whose clock is behind", 8, 0, c.now.Add(-time.Hour), acked, acked)
	observe("the same change again", 8, 0, c.now, open, open)
	c.state.Alert.Commands++ // a line of the story, which decides nothing
	observe("one with our last command, whatever its number: the platform counts anew", 1, 0, c.now, acked, acked)
	observe("one without it", 9, 1, c.now, open, acked)
}

// A host of an earlier release numbers no snapshots.
func TestAnOlderSnapshotWithoutANumberIsIgnored(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.wait(10 * time.Second)
	c.alert(integration.AlertOpen, 2)
	same(t, c.state.Alert.Layer, 2)
	older := *c.facts.Alert
	older.Layer, older.ReadAt = 1, c.now.Add(-5*time.Second)
	older.Status = integration.AlertDropped
	c.facts.Alert = &older
	c.do(event.Event{Kind: event.Alert})
	same(t, c.state.Alert.Layer, 2)
	same(t, c.state.Alert.Status, integration.AlertOpen)
	c.phase(call.PhaseHolding)
	// Of two that were read in the same moment the later arrival counts.
	older.ReadAt = c.state.Alert.ReadAt
	c.do(event.Event{Kind: event.Alert})
	same(t, c.state.Alert.Status, integration.AlertDropped)
}

// A call that began under a host without numbers goes on under one with them.
func TestAStateWithoutANumberTakesTheFirstNumberedSnapshot(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.alert(integration.AlertOpen, 1)
	c.facts.Alert = &integration.AlertSnapshot{
		Status: integration.AlertOpen, Layer: 2, Round: 1, LastCommand: c.state.Alert.Commands, Change: 1, ReadAt: c.state.Alert.ReadAt.Add(-time.Minute),
	}
	c.do(event.Event{Kind: event.Alert})
	same(t, c.state.Alert.Layer, 2)
}

// A look for a leg whose call is not known goes by the phone, which was called before.
func TestALookForALegLeavesOutCallsOfOtherLegs(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	c := newCall(t, conf)
	c.holding()
	c.alert(integration.AlertOpen, 1)
	c.legStatus("1", event.StatusBusy) // its call is known, and over
	c.wait(retryFloor).timer("ring")
	same(t, dials(c.all), []string{alicePhone, alicePhone})
	c.do(event.Event{Kind: event.Dialed, Leg: "2", Result: event.Unknown})
	looks := of[effect.LookLeg](c.effects)
	if len(looks) != 1 {
		t.Fatalf("%d looks, want 1", len(looks))
	}
	same(t, looks[0].Leg, "2")
	same(t, looks[0].CallSid, "")
	same(t, looks[0].Not, []string{legSid("1")})
	// A leg whose call is known is looked up by that alone; its own call is not left out.
	c.legStatus("2", event.StatusRinging)
	c.wait(conf.RingTimeout + ringExtra).timer("leg-2")
	for _, look := range of[effect.LookLeg](c.effects) {
		for _, sid := range look.Not {
			if sid == look.CallSid {
				t.Errorf("the look for leg %s leaves out its own call", look.Leg)
			}
		}
	}
}

// The request that takes the caller out of the queue may be performed late.
func TestACallerIsTakenOutOfTheQueueOnlyBeforeTheGreeting(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	if Wanted(c.state, "dequeue") {
		t.Error("a caller on hold is taken out")
	}
	c.alert(integration.AlertDropped, 0)
	c.phase(call.PhaseLeavingMessage)
	if !Wanted(c.state, "dequeue") {
		t.Error("a caller who still waits in the queue is not taken out")
	}
	if _, ok := c.do(event.Event{Kind: event.Voicemail}).(reply.Record); !ok {
		t.Fatalf("reply = %T, want reply.Record", c.reply)
	}
	if Wanted(c.state, "dequeue") {
		t.Error("the greeting would be interrupted")
	}
}
