package embedded

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// fixedRules is a rule engine whose verdicts a test sets, by the word that its match holds.
type fixedRules map[string]RuleVerdict

func (r fixedRules) Check(rules []byte) []RuleProblem {
	if i := strings.Index(string(rules), "wrong"); i >= 0 {
		return []RuleProblem{{Pointer: "/0/match", Message: "wrong is no operator"}}
	}
	return nil
}

func (r fixedRules) Evaluate(rules, _ []byte, _ time.Time) (RuleVerdict, error) {
	for word, v := range r {
		if strings.Contains(string(rules), `{"w":"`+word+`"}`) {
			return v, nil
		}
	}
	return RuleVerdict{}, errors.New("rule 1: no such operator")
}

const routerFile = `
users: [{id: a, name: A, phones: ["+12025550143"]}]
teams:
  - {id: one, name: One, schedule: {timezone: UTC, layers: [{users: [a]}]}}
  - {id: two, name: Two, schedule: {timezone: UTC, layers: [{users: [a]}]}}
  - {id: three, name: Three, schedule: {timezone: UTC, layers: [{users: [a]}]}}
routers:
  - {id: off, enabled: false, default_receiver: one, rules: [{match: {w: red}, actions: [{type: assign, receiver: two}]}]}
  - {id: bare, default_receiver: [two, one, two]}
  - {id: red, default_receiver: three, rules: [{match: {w: red}, actions: [{type: assign, receiver: two}]}]}
  - {id: green, default_receiver: one, rules: [{match: {w: green}, actions: [{type: ignore}]}]}
  - {id: blue, default_receiver: one, rules: [{match: {w: blue}, actions: [{type: assign, receiver: [red]}]}]}
  - {id: broken, default_receiver: off, rules: [{match: {w: broken}, actions: [{type: ignore}]}]}
`

func TestRoute(t *testing.T) {
	t.Parallel()
	f := mustParse(t, routerFile)
	rules := fixedRules{
		"red":   {Rule: 1, Receivers: []string{"two", "one", "two", "gone"}, Notes: []string{"action ignore is skipped"}},
		"green": {Rule: 1},
		"blue":  {Rule: 3, Receivers: []string{"red", "three", "blue"}},
	}
	team := func(ids ...string) []integration.Destination {
		var out []integration.Destination
		for _, id := range ids {
			out = append(out, teamDestination(f.Team(id)))
		}
		return out
	}
	for _, c := range []struct {
		id     string
		engine RuleEngine
		want   integration.RouteVerdict
	}{
		{"off", rules, integration.RouteVerdict{Default: team("one"), Trace: []string{"Router off: switched off, the default receiver is used"}}},
		{"bare", rules, integration.RouteVerdict{Default: team("two", "one"), Trace: []string{"Router bare: no rules, the default receiver is used"}}},
		{"red", rules, integration.RouteVerdict{Receivers: team("two", "one"), Default: team("three"),
			Notes: []string{"Router red: action ignore is skipped", `Receiver "gone" is no team or router, it is left out`},
			Trace: []string{"Router red: rule 1 matched"}}},
		{"red", nil, integration.RouteVerdict{Default: team("three"),
			Notes: []string{"Router red: its rules cannot be evaluated on this host, the default receiver is used"},
			Trace: []string{"Router red: its rules cannot be evaluated on this host, the default receiver is used"}}},
		{"green", rules, integration.RouteVerdict{Default: team("one"), Trace: []string{"Router green: rule 1 matched and assigns nothing, the default receiver is used"}}},
		{"blue", rules, integration.RouteVerdict{Receivers: team("two", "one", "three"), Default: team("one"),
			Notes: []string{"Router red: action ignore is skipped", `Receiver "gone" is no team or router, it is left out`, "Router blue is asked only once"},
			Trace: []string{"Router blue: rule 3 matched", "Router red: rule 1 matched"}}},
		{"broken", rules, integration.RouteVerdict{Default: team("one"),
			Notes: []string{"Router broken: its rules failed (rule 1: no such operator), the default receiver is used"},
			Trace: []string{"Router broken: its rules failed (rule 1: no such operator), the default receiver is used", "Router off: switched off, the default receiver is used"}}},
	} {
		got, err := f.Route(c.engine, c.id, []byte(`{}`), time.Unix(0, 0))
		if err != nil {
			t.Errorf("%s: %v", c.id, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.id, diff)
		}
	}
	if _, err := f.Route(rules, "none", nil, time.Unix(0, 0)); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("an unknown router: %v", err)
	}
}

func TestRulesAreCheckedByTheEngine(t *testing.T) {
	t.Parallel()
	file, problems := Parse("r.yaml", []byte(strings.Replace(routerFile, "w: green", "wrong: green", 1)), fixedRules{})
	if file != nil || len(problems) != 1 || problems[0].Line != 11 || problems[0].Path != "routers[3].rules[0].match" {
		t.Errorf("%v", problems)
	}
	if i := slices.IndexFunc(problems, func(p Problem) bool { return p.Column != 56 }); i >= 0 {
		t.Errorf("%v", problems[i])
	}
}
