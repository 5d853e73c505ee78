package record

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// What a snapshot says becomes lines of the story once: it is remembered, and the next snapshot
// adds only what is new.
func TestTheStorySaysWhatIsNewInASnapshot(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	alert := func(status integration.AlertStatus, layer, round int, acks ...integration.Acknowledgement) integration.AlertSnapshot {
		return integration.AlertSnapshot{ID: "7", URL: "https://hotline.example.com/alerts/7", Status: status, Layer: layer, Round: round, Acknowledgements: acks}
	}
	by := integration.Acknowledgement{ID: "a", User: "alice", At: now.Add(-time.Minute)}
	unknown := integration.Acknowledgement{ID: "b", User: "bob"} // without a time
	var told *store.Told
	for i, c := range []struct {
		snap integration.AlertSnapshot
		want []string
	}{
		{alert(integration.AlertQueued, 0, 0), nil},
		{alert(integration.AlertOpen, 1, 1), []string{"The alert waits for layer 1."}},
		{alert(integration.AlertOpen, 1, 1), nil},
		{alert(integration.AlertOpen, 1, 2), []string{"The alert waits for layer 1, in round 2."}},
		{alert(integration.AlertOpen, 2, 2), []string{"The alert waits for layer 2, in round 2."}},
		{alert(integration.AlertAcknowledged, 2, 2, by), []string{"-1m0s alice The alert was acknowledged."}},
		{alert(integration.AlertAcknowledged, 3, 2, by, unknown), []string{"bob The alert was acknowledged."}},
		{alert(integration.AlertOpen, 3, 2, by, unknown), []string{"The alert is open again."}},
		{alert(integration.AlertResolved, 3, 2), []string{"The alert was resolved."}},
		{alert(integration.AlertQueued, 0, 0), []string{"The alert is open again."}},
		{alert(integration.AlertOpen, 0, 0), nil},
	} {
		var u store.CallUpdate
		before := told
		kept := store.Told{}
		if before != nil {
			kept = *before
		}
		told = TellSnapshot(&u, before, c.snap, now)
		var got []string
		for _, l := range u.Story {
			text := l.Text
			if l.Actor != "" {
				text = l.Actor + " " + text
			}
			if d := l.At.Sub(now); d != 0 {
				text = d.String() + " " + text
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("snapshot %d (-want +got):\n%s", i, diff)
		}
		if known := u.Alert.ID == "" && u.Alert.URL == ""; known != (i > 0) {
			t.Errorf("snapshot %d: the record gets the alert's address %+v", i, u.Alert)
		}
		if before != nil && cmp.Diff(kept, *before) != "" {
			t.Errorf("snapshot %d changed what was told before", i)
		}
	}
}

// Only so many acknowledgements are remembered, the newest.
func TestARememberedStoryIsBounded(t *testing.T) {
	t.Parallel()
	var snap integration.AlertSnapshot
	for i := range toldAcks + 3 {
		snap.Acknowledgements = append(snap.Acknowledgements, integration.Acknowledgement{ID: fmt.Sprint(i)})
	}
	var u store.CallUpdate
	told := TellSnapshot(&u, nil, snap, time.Unix(1_800_000_000, 0))
	if len(told.Acks) != toldAcks || told.Acks[0] != "3" || len(u.Story) != toldAcks+3 {
		t.Errorf("%d are remembered, from %q on, and %d told", len(told.Acks), told.Acks[0], len(u.Story))
	}
}

// Two snapshots may be told from the same state of a session, as when a commit is repeated: one
// leaves the other as it is.
func TestWhatWasToldBeforeIsNotShared(t *testing.T) {
	t.Parallel()
	before := &store.Told{Acks: append(make([]string, 0, 4), "a")}
	tell := func(id string) *store.Told {
		var u store.CallUpdate
		return TellSnapshot(&u, before, integration.AlertSnapshot{Acknowledgements: []integration.Acknowledgement{{ID: id}}}, time.Unix(1_800_000_000, 0))
	}
	first := tell("b")
	if second := tell("c"); first.Acks[1] != "b" || second.Acks[1] != "c" {
		t.Errorf("the first is told %q, the second %q", first.Acks, second.Acks)
	}
}
