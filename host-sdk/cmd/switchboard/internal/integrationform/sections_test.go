package integrationform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Problems come in the order of the form, whatever order the plugin found them in, and each section
// says how many it has.
func TestProblemsComeInTheOrderOfTheForm(t *testing.T) {
	t.Parallel()
	parsed, err := form.Parse([]byte(`{"x-groups": [{"id": "account", "title": "Account"}, {"id": "menu", "title": "Menu"}], "properties": {
		"loose": {"type": "string"}, "key": {"type": "string", "x-group": "menu"}, "sid": {"type": "string", "x-group": "account"}, "token": {"type": "string", "x-group": "account"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var problems []integration.Problem
	for _, path := range []string{"loose", "key", "token/2", "destinations", "sid", "name", "unknown"} {
		problems = append(problems, integration.Problem{Path: path})
	}
	var got []string
	for _, p := range inOrder(parsed, problems) {
		got = append(got, p.Path)
	}
	if diff := cmp.Diff([]string{"unknown", "name", "destinations", "sid", "token/2", "key", "loose"}, got); diff != "" {
		t.Errorf("the order (-want +got):\n%s", diff)
	}
	want := []Section{{"group-host", "This integration", 2}, {"group-account", "Account", 2}, {"group-menu", "Menu", 2}}
	if diff := cmp.Diff(want, sections(parsed, problems)); diff != "" {
		t.Errorf("the sections (-want +got):\n%s", diff)
	}
}

// Values that an action lists can be picked, and a text that is none of them is kept.
func TestListedValuesCanBePicked(t *testing.T) {
	t.Parallel()
	parsed, err := form.Parse([]byte(`{"properties": {}}`))
	if err != nil {
		t.Fatal(err)
	}
	about := []integration.ActionDescription{
		{Name: "connect", Group: "Numbers", Fields: []integration.ActionField{{Name: "number", Label: "Number"}}},
		{Name: "try", Group: "Try it", Fields: []integration.ActionField{{Name: "at", Label: "When", Format: "date-time"}}},
		{Name: "disconnect", Group: "Numbers"},
	}
	listed := &integration.ActionResult{OK: true, Lines: []integration.ActionLine{
		{Level: "info", Field: "number", Choice: "+12025550100", Text: "+1 202-555-0100 is answered by nobody."}, {Level: "info", Field: "number", Text: "Choose one."},
	}}
	html := func(done Done) string {
		t.Helper()
		list, err := actions(about, parsed, done)
		if err != nil {
			t.Fatal(err)
		}
		return string(list[0].HTML + list[1].HTML)
	}
	for name, c := range map[string]struct {
		done Done
		want []string
	}{
		"before": {Done{}, []string{`<input type="text" id="value-connect-number"`, `<input type="datetime-local" id="value-try-at"`, `name="format.at" value="date-time"`}},
		"listed": {Done{Name: "connect", Result: listed}, []string{`<select id="value-connect-number"`, `<option value="+12025550100">&#43;1 202-555-0100 is answered by nobody.`}},
		"picked": {Done{Name: "connect", Result: listed, Values: map[string]string{"number": "+12025550100"}}, []string{`<option value="+12025550100" selected>`}},
		"typed":  {Done{Name: "connect", Result: listed, Values: map[string]string{"number": "0202 555"}}, []string{`<input type="text"`, `value="0202 555" list="value-connect-number-list"`, `<option value="+12025550100">`}},
		"failed": {Done{Name: "connect", Result: &integration.ActionResult{}, Values: map[string]string{"number": "x"}}, []string{`<input type="text" id="value-connect-number" name="value.number" value="x"`}},
		"date":   {Done{Name: "try", Values: map[string]string{"at": "2026-12-24T18:00:00Z"}}, []string{`value="2026-12-24T18:00"`}},
	} {
		got := strings.ReplaceAll(html(c.done), `"&#43;`, `"+`)
		for _, text := range c.want {
			if !strings.Contains(got, text) {
				t.Errorf("%s: no %s in\n%s", name, text, got)
			}
		}
	}
	many := &integration.ActionResult{OK: true, Lines: []integration.ActionLine{{Level: "warning", Text: "Choose one."}}}
	for i := range 300 {
		many.Lines = append(many.Lines, integration.ActionLine{Level: "info", Field: "number", Choice: fmt.Sprint(i), Text: fmt.Sprintf("%d is answered by nobody.", i)})
	}
	page := html(Done{Name: "connect", Result: many})
	if choices, lines := strings.Count(page, "<option"), strings.Count(page, "<li"); choices != 301 || lines != 22 || !strings.Contains(page, "280 more can be chosen above.") || !strings.Contains(page, `class="result warn"`) {
		t.Errorf("of 300 numbers %d can be chosen and %d lines are shown:\n%s", choices-1, lines, page)
	}
	list, err := actions(about, parsed, Done{})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, g := range (View{Actions: list}).ActionGroups() {
		for _, a := range g.Actions {
			titles = append(titles, g.Title+": "+a.Name)
		}
	}
	if diff := cmp.Diff([]string{"Numbers: connect", "Numbers: disconnect", "Try it: try"}, titles); diff != "" {
		t.Errorf("the groups (-want +got):\n%s", diff)
	}
}
