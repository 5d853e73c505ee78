package callflow

import (
	"slices"
	"strings"
	"testing"
)

func TestTableIsWellFormed(t *testing.T) {
	t.Parallel()
	for _, p := range Phases() {
		var kinds []EventKind
		for _, c := range table[p] {
			for _, k := range c.kinds {
				if slices.Contains(kinds, k) {
					t.Errorf("%s: two cells for %s", p, k)
				}
				if !slices.Contains(Kinds(), k) {
					t.Errorf("%s: unknown event %s", p, k)
				}
				kinds = append(kinds, k)
			}
			for _, to := range append(slices.Clone(c.next), always[p]...) {
				if !slices.Contains(Phases(), to) || to == p {
					t.Errorf("%s, %v: bad next phase %q", p, c.kinds, to)
				}
			}
		}
	}
	if len(table) != len(Phases()) {
		t.Errorf("the table has %d phases, want %d", len(table), len(Phases()))
	}
	for _, c := range table[PhaseEnded] {
		if len(c.next) > 0 {
			t.Errorf("%v leads out of the end", c.kinds)
		}
	}
}

func TestDiagram(t *testing.T) {
	t.Parallel()
	d := Diagram()
	if d != Diagram() {
		t.Fatal("the diagram differs from one call to the next")
	}
	for _, want := range []string{
		"stateDiagram-v2\n    [*] --> arrived\n",
		"    holding --> connecting: leg_answer, leg_key\n",
		"    connecting --> talking: announce, leg_ended, looked_at_leg, overdue\n",
		"    awaiting_recording --> ended: recording, fetched, recordings_list, overdue\n",
		"    ended --> [*]\n",
	} {
		if !strings.Contains(d, want) {
			t.Errorf("no %q in\n%s", want, d)
		}
	}
	for _, bad := range []string{"arrived --> connecting", "choosing --> talking", "ended --> holding", "leaving_message --> holding"} {
		if strings.Contains(d, bad) {
			t.Errorf("%q in\n%s", bad, d)
		}
	}
}

// TestNothingIsChangedByAnEventWithoutCell holds the table to its word.
func TestNothingIsChangedByAnEventWithoutCell(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		if lookup(PhaseTalking, kind).do != nil {
			continue
		}
		c := newCall(t, Defaults()).talking()
		before := c.state
		c.do(Event{Kind: kind, Leg: "1", CallSid: legSid("1"), Result: Done, Digits: "1", RecordingSid: "RE1", RecordingStatus: "completed"})
		if Changed(before, c.state) {
			t.Errorf("%s changes a conversation", kind)
		}
	}
}
