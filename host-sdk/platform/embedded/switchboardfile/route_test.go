package switchboardfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const routerFile = `
users: [{id: a, name: A, phones: ["+12025550143"]}]
teams:
  - {id: one, name: One, schedule: {timezone: UTC, layers: [{users: [a]}]}}
  - {id: two, name: Two, schedule: {timezone: UTC, layers: [{users: [a]}]}}
  - {id: three, name: Three, schedule: {timezone: UTC, layers: [{users: [a]}]}}
  - {id: gone, name: Gone, schedule: {timezone: UTC, layers: [{users: [a]}]}}
routers:
  - {id: off, enabled: false, default_receiver: one, rules: [{match: {always: true}, actions: [{type: assign, receiver: two}]}]}
  - {id: bare, default_receiver: [two, one, two]}
  - {id: red, default_receiver: three, rules: [{match: {always: true}, actions: [{type: assign, receiver: [two, one]}, {type: ignore}, {type: assign, receiver: [two, gone]}]}]}
  - {id: green, default_receiver: one, rules: [{match: {call.country: US}, actions: [{type: ignore}]}]}
  - id: blue
    default_receiver: one
    rules:
      - {match: {call.country: CA}, actions: [{type: assign, receiver: one}]}
      - {match: {call.country: {$regex: "^UK$"}}, actions: [{type: assign, receiver: one}]}
      - {match: {call.country: US}, actions: [{type: assign, receiver: [red, three, blue]}]}
  - {id: fails, default_receiver: off, rules: [{match: {call.country: FR}, actions: [{type: ignore}]}]}
`

// parseRouters reads routerFile and then takes the team "gone" away, which no checked file can name
// in vain.
func parseRouters(t *testing.T) *File {
	t.Helper()
	f := mustParse(t, routerFile)
	delete(f.teams, "gone")
	return f
}

func TestRoute(t *testing.T) {
	t.Parallel()
	f := parseRouters(t)
	teams := func(ids ...string) []integration.Destination {
		var out []integration.Destination
		for _, id := range ids {
			out = append(out, f.Team(id).Destination())
		}
		return out
	}
	const american, gone = `{"call":{"country":"US"}}`, `Receiver "gone" is no team or router, it is left out`
	idle := "Router red: rule 1: the action ignore does nothing for a call"
	for _, c := range []struct {
		id, facts string
		want      integration.RouteVerdict
	}{
		{"off", american, integration.RouteVerdict{Default: teams("one"), Trace: []string{"Router off: switched off, the default receiver is used"}}},
		{"bare", american, integration.RouteVerdict{Default: teams("two", "one"), Trace: []string{"Router bare: no rules, the default receiver is used"}}},
		{"red", american, integration.RouteVerdict{Receivers: teams("two", "one"), Default: teams("three"), Notes: []string{idle, gone},
			Trace: []string{"Router red: rule 1 matched"}}},
		{"green", american, integration.RouteVerdict{Default: teams("one"), Notes: []string{"Router green: rule 1: the action ignore does nothing for a call"},
			Trace: []string{"Router green: rule 1 matched and assigns nothing, the default receiver is used"}}},
		{"green", `{}`, integration.RouteVerdict{Default: teams("one"), Trace: []string{"Router green: no rule matched, the default receiver is used"}}},
		{"blue", american, integration.RouteVerdict{Receivers: teams("two", "one", "three"), Default: teams("one"),
			Notes: []string{idle, gone, "Router blue leads back to itself, it is asked only once"},
			Trace: []string{"Router blue: rule 3 matched", "Router red: rule 1 matched"}}},
		{"fails", `[]`, integration.RouteVerdict{Default: teams("one"),
			Notes: []string{"Router fails: its rules failed (facts are not a JSON object: json: cannot unmarshal array into Go value of type map[string]interface {}), the default receiver is used"},
			Trace: []string{"Router fails: its rules failed (facts are not a JSON object: json: cannot unmarshal array into Go value of type map[string]interface {}), the default receiver is used",
				"Router off: switched off, the default receiver is used"}}},
	} {
		got, err := f.Route(c.id, []byte(c.facts), time.Unix(0, 0))
		if err != nil {
			t.Errorf("%s: %v", c.id, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.id, diff)
		}
	}
	if _, err := f.Route("none", nil, time.Unix(0, 0)); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("an unknown router: %v", err)
	}
}

// routersOf is a file with routers and one team for each word of teams.
func routersOf(teams, routers string) string {
	var b strings.Builder
	b.WriteString("users: [{id: a, name: A, phones: [\"+12025550143\"]}]\nteams:\n")
	for team := range strings.FieldsSeq(teams) {
		fmt.Fprintf(&b, "  - {id: %s, name: %s, schedule: {timezone: UTC, layers: [{users: [a]}]}}\n", team, team)
	}
	return b.String() + "routers:\n" + routers
}

// always is a router that assigns every call to receivers.
func always(id, defaults, receivers string) string {
	return fmt.Sprintf("  - {id: %s, default_receiver: %s, rules: [{match: {always: true}, actions: [{type: assign, receiver: %s}]}]}\n", id, defaults, receivers)
}

// TestEachWayThroughRoutersIsFollowedByItself holds that a router leads to the same teams whichever
// way a call comes to it, and that a default receiver counts only where it is needed.
func TestEachWayThroughRoutersIsFollowedByItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, routers, want string
		trace               int
	}{
		{"the default of the first is the receiver of the second", always("start", "c", "b") + always("b", "other", "c") + always("c", "other", "support"), "support", 3},
		{"two ways to one router", always("start", "other", "[b, d]") + always("b", "other", "c") + always("d", "other", "c") + always("c", "other", "[support, sales]"), "support sales", 4},
		{"the second way has a team of its own", always("start", "other", "[b, d]") + always("b", "other", "c") + always("d", "sales", "[c, sales]") + always("c", "other", "support"), "support sales", 4},
		{"a circle of rules ends at the default", always("start", "other", "b") + always("b", "sales", "start"), "sales", 2},
		{"a circle by a default", always("start", "other", "b") + "  - {id: b, default_receiver: start}\n", "", 2},
		{"each of a circle knows a team", always("start", "other", "[b, c]") + always("b", "other", "[c, support]") + always("c", "other", "[b, sales]"), "sales support", 3},
	} {
		f := mustParse(t, routersOf("other support sales", c.routers))
		got, err := f.Route("start", []byte("{}"), time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, d := range got.Receivers {
			ids = append(ids, d.ID)
		}
		if strings.Join(ids, " ") != c.want || len(got.Trace) != c.trace {
			t.Errorf("%s: %v %v, want %s", c.name, ids, got.Trace, c.want)
		}
	}
}

// TestRoutersThatNameOneAnotherAreBounded holds for check and call alike: the ways through routers
// that each name all others are too many to follow.
func TestRoutersThatNameOneAnotherAreBounded(t *testing.T) {
	t.Parallel()
	var chain, later, all strings.Builder
	var ids []string
	const number = 200
	for i := range number {
		ids = append(ids, fmt.Sprint("r", i))
	}
	for i, id := range ids {
		fmt.Fprintf(&later, "  - {id: %s, default_receiver: [one, %s]}\n", id, strings.Join(ids[i+1:], ", "))
		all.WriteString(always(id, "one", "["+strings.Join(ids, ", ")+"]"))
	}
	for i := range 20_000 {
		fmt.Fprintf(&chain, "  - {id: r%d, default_receiver: [one, r%d]}\n", i, i+1)
	}
	chain.WriteString("  - {id: r20000, default_receiver: r0}\n")
	for name, routers := range map[string]string{"each all later ones": strings.ReplaceAll(later.String(), ", ]", "]"), "each all": all.String()} {
		f := mustParse(t, routersOf("one", routers))
		got, err := f.Route("r0", []byte("{}"), time.Unix(0, 0))
		if err != nil || len(got.Default) != 1 || len(got.Notes) > 2*number {
			t.Errorf("%s: %v, %d notes, %v", name, got.Default, len(got.Notes), err)
		}
		// Few routers may need many steps, so it is steps that the note speaks of.
		if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, "100 steps from router to router") {
			t.Errorf("%s: the notes do not say what was left out: %.300s", name, notes)
		}
	}
	_, problems := Parse("r.yaml", []byte(routersOf("one", chain.String())))
	if len(problems) != 1 || !strings.HasSuffix(problems[0].Message, "leads in a circle: r0 → r1 → r2 → r3 → r4 → r5 → … → r20000 → r0") {
		t.Errorf("a circle of 20,001 routers: %v", problems)
	}
}

// TestRouteByTime follows a rule over the border between two halves of a day.
func TestRouteByTime(t *testing.T) {
	t.Parallel()
	f := mustParse(t, strings.Replace(routerFile, "{call.country: FR}, actions: [{type: ignore}]",
		`{$timeBetween: {timezone: America/New_York, starttime: "12:00 am", endtime: "12:00 pm"}}, actions: [{type: assign, receiver: three}]`, 1))
	for at, want := range map[string]string{"2026-01-05T14:00:00Z": "three", "2026-01-05T20:00:00Z": ""} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Route("fails", nil, now)
		if err != nil || (len(got.Receivers) == 1) != (want != "") || want != "" && got.Receivers[0].ID != want {
			t.Errorf("%s: %+v %v", at, got, err)
		}
	}
}

// TestProblemsOfRulesHaveTheirPlace holds that what the rule language refuses is reported where it
// stands in the file.
func TestProblemsOfRulesHaveTheirPlace(t *testing.T) {
	t.Parallel()
	file := strings.NewReplacer("{call.country: CA}", "{call.country: {$wrong: CA}}", "^UK$", "(?=U)US").Replace(routerFile)
	f, problems := Parse("r.yaml", []byte(file))
	problems = slices.DeleteFunc(problems, func(p Problem) bool { return strings.Contains(p.Message, "action ignore") })
	if f != nil || len(problems) != 2 {
		t.Fatalf("%v", problems)
	}
	for i, want := range []string{
		`r.yaml:16:33: routers[4].rules[0].match.call.country.$wrong: unknown operator "$wrong"`,
		"r.yaml:17:41: routers[4].rules[1].match.call.country.$regex: $regex: look-ahead (?=…) is not supported here: write the pattern without it",
	} {
		if got := problems[i].String(); !strings.HasPrefix(got, want) {
			t.Errorf("got  %s\nwant %s…", got, want)
		}
	}
}
