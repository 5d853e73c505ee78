package callflow

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

func TestTableIsWellFormed(t *testing.T) {
	t.Parallel()
	rows := map[event.Kind]bool{}
	paths := map[string]event.Kind{}
	for _, e := range events {
		if e.kind == "" || rows[e.kind] {
			t.Errorf("kind %q has no name, or two rows", e.kind)
		}
		rows[e.kind] = true
		for _, path := range e.paths {
			if other, taken := paths[path]; taken {
				t.Errorf("%q leads to %s and to %s", path, other, e.kind)
			}
			paths[path] = e.kind
		}
		if len(e.paths) == 0 && (e.ofCaller || e.answer != nil) {
			t.Errorf("%s is no request, but has an answer or a caller", e.kind)
		}
		var seen []call.Phase
		for _, c := range e.in {
			for _, p := range c.at {
				if slices.Contains(seen, p) || !slices.Contains(call.Phases(), p) {
					t.Errorf("%s: two cells for phase %q, or no such phase", e.kind, p)
				}
				seen = append(seen, p)
				// A message may come to light after the end; then it is delivered.
				if p == call.PhaseEnded && !slices.Equal(c.next, []call.Phase{call.PhaseDelivering}) && len(c.next) > 0 {
					t.Errorf("%s leads out of the end", e.kind)
				}
				for _, to := range append(slices.Clone(c.next), always[p]...) {
					if !slices.Contains(call.Phases(), to) || to == p {
						t.Errorf("%s in %s: bad next phase %q", e.kind, p, to)
					}
				}
			}
		}
		// A request of a call that nothing is known of must have an answer of its own: there is no
		// state to answer by.
		if len(e.paths) > 0 && e.cell(call.PhaseArrived).do == nil {
			t.Errorf("%s has no handler for a call that is not known", e.kind)
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
		"    connecting --> talking: announce, looked_at_leg, overdue\n",
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
		if row(kind).cell(call.PhaseTalking).do != nil {
			continue
		}
		c := newCall(t, config.Defaults()).talking()
		before := c.state
		c.do(event.Event{Kind: kind, Leg: "1", CallSid: legSid("1"), Result: event.Done, Digits: "1", RecordingSid: "RE1", RecordingStatus: "completed"})
		if Changed(before, c.state) {
			t.Errorf("%s changes a conversation", kind)
		}
	}
}

// TestEveryPathIsDocumented holds the list of paths in docs/call-flow.md to the table.
func TestEveryPathIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/call-flow.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Below the endpoint\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, kind := range Kinds() {
		for _, path := range Paths(kind) {
			last := path[strings.LastIndex(path, "/")+1:]
			if last == "{leg}" {
				last = "leg/{id}"
			}
			if !strings.Contains(section, "/"+last+"`") {
				t.Errorf("%s: the path %s is not documented", kind, path)
			}
		}
	}
}
