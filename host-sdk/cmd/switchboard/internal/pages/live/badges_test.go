package live

import (
	"bytes"
	"html/template"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// The line of a call names each person whom the caller has spoken with, once, and nobody else.
func TestTheLineOfACallNamesWhoTalked(t *testing.T) {
	t.Parallel()
	line := template.Must(template.New("").Funcs(words).Parse(`{{range $i, $name := talkedTo .}}{{if $i}}, {{end}}{{$name}}{{end}}`))
	leg := func(name, reason string) integration.LegView {
		return integration.LegView{Role: integration.RoleResponder, Name: name, Reason: reason}
	}
	for want, legs := range map[string][]integration.LegView{
		"":                           {{Role: integration.RoleCaller}, leg("Alice Example", "no_answer"), leg("", integration.LegTalked)},
		"Alice Example":              {leg("Bob Example", "passed"), leg("Alice Example", integration.LegTalked), leg("Alice Example", integration.LegTalked)},
		"Alice Example, Bob Example": {leg("Alice Example", integration.LegTalked), leg("Carol Example", "taken"), leg("Bob Example", integration.LegTalked)},
	} {
		var b bytes.Buffer
		if err := line.Execute(&b, integration.CallView{Legs: legs}); err != nil || strings.TrimSpace(b.String()) != want {
			t.Errorf("%+v: %q, %v; want %q", legs, b.String(), err, want)
		}
	}
}

// A list can be narrowed to each end that has a name on pages, and to no other without a call.
func TestEndsAreThoseOfLists(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(lists.Ends, slices.Sorted(maps.Keys(endBadges))); diff != "" {
		t.Errorf("the ends of lists and of pages (-lists +pages):\n%s", diff)
	}
}

// A phone stops ringing as well when the caller presses star to leave a message, and a connection
// that broke at once was one: what a leg says fits all that its reason stands for.
func TestALegSaysNothingThatOnlySomeOfItsCallersDid(t *testing.T) {
	t.Parallel()
	for reason, wrong := range map[string]string{"caller": "hung up", "lost": "lost before it was connected."} {
		got := legBadge(integration.LegView{Role: integration.RoleResponder, State: "unreached", Reason: reason}).Text
		if got == "Not reached" || strings.Contains(got+".", wrong) {
			t.Errorf("%s: %q", reason, got)
		}
	}
}
