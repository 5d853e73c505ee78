package router

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t *testing.T, document string) *Router {
	t.Helper()
	r, problems := Parse([]byte(document), nil)
	if r == nil {
		t.Fatalf("refused: %v", problems)
	}
	return r
}

// evaluate asks a router about facts that JSON can hold.
func evaluate(t *testing.T, r *Router, facts map[string]any, now time.Time) Verdict {
	t.Helper()
	text, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	if facts == nil {
		text = nil
	}
	v, err := r.Evaluate(text, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func instant(t *testing.T, text, zone string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02T15:04:05.999999999", text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

func TestFirstMatchWins(t *testing.T) {
	t.Parallel()
	r := mustParse(t, `
rules:
- match: {log.data.To: "+12025550100"}
  actions: [{type: assign, receiver: tem_sales}]
- match: {call.country: US}
  actions:
  - {type: setval, map: {urgency: high}}
  - {type: assign, receiver: [usr_x, tem_us]}
  - {type: stakeholder, ids: [stk_1]}
  - {type: assign, receiver: tem_us}
- match: {always: true}
  actions: [{type: ignore}]
`)
	facts := map[string]any{
		"call": map[string]string{"country": "US"},
		"log":  map[string]any{"data": map[string]any{"To": "+12025550199"}},
	}
	want := Verdict{Rule: 2, Receivers: []string{"usr_x", "tem_us"}, Notes: []string{
		"rule 2: the action setval does nothing for a call", "rule 2: the action stakeholder does nothing for a call"}}
	if diff := cmp.Diff(want, evaluate(t, r, facts, time.Time{})); diff != "" {
		t.Error(diff)
	}
	facts["log"] = map[string]any{"data": map[string]any{"To": "+12025550100"}}
	if got := evaluate(t, r, facts, time.Time{}); got.Rule != 1 || !cmp.Equal(got.Receivers, []string{"tem_sales"}) {
		t.Errorf("got %+v", got)
	}
	if got := evaluate(t, r, nil, time.Time{}); got.Rule != 3 || got.Receivers != nil || len(got.Notes) != 1 {
		t.Errorf("got %+v", got)
	}
	if got := evaluate(t, mustParse(t, ruleFor("{alert.a: 1}")), nil, time.Time{}); got.Rule != 0 || got.Receivers != nil || got.Notes != nil {
		t.Errorf("got %+v", got)
	}
}

func TestAlwaysIsAlwaysTrue(t *testing.T) {
	t.Parallel()
	if got := evaluate(t, mustParse(t, ruleFor("{always: true}")), map[string]any{"always": false}, time.Time{}); got.Rule != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	r := mustParse(t, ruleFor("{alert.n: 5}"))
	for _, bad := range []string{`[]`, `null`, `{`, `{} {}`, `"x"`, strings.Repeat(" ", MaxFactsBytes) + "{}"} {
		if _, err := r.Evaluate([]byte(bad), time.Time{}); err == nil {
			t.Errorf("%.20q: no error", bad)
		}
	}
	if v, err := r.Evaluate(nil, time.Time{}); err != nil || v.Rule != 0 {
		t.Errorf("no facts: %+v %v", v, err)
	}
	deep := `{"alert":{"n":5,"deep":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}}`
	if v, err := r.Evaluate([]byte(deep), time.Time{}); err != nil || v.Rule != 1 {
		t.Errorf("deep facts: %+v %v", v, err)
	}
}
