package router

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
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

// byTimeOfDay presents different teams in the two halves of a day.
const byTimeOfDay = `---
rules:
  - match:
      $timeBetween:
          timeformat: 'hh:mm a'
          timezone: 'America/New_York'
          starttime: '12:00 pm'
          endtime: '12:00 am'
    actions:
    - type: assign
      receiver: tem_b # spoken first
    - type: assign
      receiver: tem_a
  - match:
      $timeBetween:
          timeformat: 'hh:mm a'
          timezone: 'America/New_York'
          starttime: '12:00 am'
          endtime: '12:00 pm'
    actions:
    - type: assign
      receiver: [tem_c, tem_d, tem_c]
    - type: assign
      receiver: tem_a
`

func TestTimeOfDayRouter(t *testing.T) {
	t.Parallel()
	afternoon, morning := []string{"tem_b", "tem_a"}, []string{"tem_c", "tem_d", "tem_a"}
	r := mustParse(t, byTimeOfDay)
	// Where both rules hold, the first wins.
	for _, tt := range []struct {
		at   string
		want []string
		both bool
	}{
		{"2026-01-05T11:59:59.999", morning, false},
		{"2026-01-05T12:00:00", afternoon, true},
		{"2026-01-05T12:00:00.0009", afternoon, true},
		{"2026-01-05T12:00:00.001", afternoon, false},
		{"2026-01-05T12:00:30", afternoon, false},
		{"2026-01-05T23:59:59.999", afternoon, false},
		{"2026-01-06T00:00:00", afternoon, true},
		{"2026-01-06T00:00:30", morning, false},
		{"2026-07-06T11:59:59.999", morning, false}, // daylight-saving time
		{"2026-07-06T12:00:01", afternoon, false},
	} {
		at := instant(t, tt.at, "America/New_York")
		if got := evaluate(t, r, nil, at); !cmp.Equal(got.Receivers, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.at, got, tt.want)
		}
		holding := 0
		for i := range r.rules {
			if r.rules[i].match(&evaluation{now: at}, nil) {
				holding++
			}
		}
		if (holding == 2) != tt.both {
			t.Errorf("%s: %d rules hold, both: %v expected", tt.at, holding, tt.both)
		}
	}
}

func TestClockFunctions(t *testing.T) {
	t.Parallel()
	between := func(zone, from, to string) string {
		return fmt.Sprintf("{$timeBetween: {timezone: %s, starttime: %q, endtime: %q}}", zone, from, to)
	}
	tests := []struct {
		name, match, at string // at: UTC
		want            bool
	}{
		{"Sunday is 7", "{$day: {$eq: 7}}", "2026-01-04T12:00:00", true},
		{"Monday is 1", "{$day: {$in: [1, 2]}}", "2026-01-05T00:00:00", true},
		{"day in a zone", "{$day: {timezone: America/Los_Angeles, $in: [6, 7]}}", "2026-01-05T07:59:59", true},
		{"day in a zone, an hour on", "{$day: {timezone: America/Los_Angeles, $in: [6, 7]}}", "2026-01-05T08:00:00", false},
		{"day with order", "{$day: {$gte: 1, $lte: 5}}", "2026-01-09T12:00:00", true},
		{"zone in any case", "{$day: {timezone: america/los_angeles, $in: [6, 7]}}", "2026-01-05T07:59:59", true},
		{"zone of odd case", "{$day: {timezone: america/PORT-AU-prince, $eq: 7}}", "2026-01-05T04:59:59", true},
		{"now's default format", "{$now: {$eq: \"2026-01-05\"}}", "2026-01-05T23:59:59", true},
		{"holidays", "{$now: {timezone: America/Chicago, format: MM-DD, $in: [\"01-01\", \"12-25\"]}}", "2026-12-26T05:59:59", true},
		{"holidays, the day after", "{$now: {timezone: America/Chicago, format: MM-DD, $in: [\"01-01\", \"12-25\"]}}", "2026-12-26T06:00:00", false},
		{"now with $regex", "{$now: {format: \"dddd, Do\", $regex: ^mon, $options: i}}", "2026-01-05T12:00:00", true},
		{"office hours", "{$and: [" + between("Europe/London", "08:00 am", "05:00 pm") + ", {$day: {timezone: Europe/London, $in: [1,2,3,4,5]}}]}", "2026-07-06T07:00:00", true},
		{"office hours, too early", "{$and: [" + between("Europe/London", "08:00 am", "05:00 pm") + "]}", "2026-07-06T06:59:59", false},
		{"office hours, last moment", between("Europe/London", "08:00 am", "05:00 pm"), "2026-01-05T17:00:00", true},
		{"office hours, a moment later", between("Europe/London", "08:00 am", "05:00 pm"), "2026-01-05T17:00:00.001", false},
		{"over midnight, before", between("Etc/UTC", "10:00 pm", "06:00 am"), "2026-01-05T23:00:00", true},
		{"over midnight, after", between("Etc/UTC", "10:00 pm", "06:00 am"), "2026-01-05T06:00:00", true},
		{"over midnight, outside", between("Etc/UTC", "10:00 pm", "06:00 am"), "2026-01-05T12:00:00", false},
		{"until 24:00", "{$timeBetween: {timeformat: HH:mm, starttime: '08:00', endtime: '24:00'}}", "2026-01-05T23:59:59", true},
		{"default zone is UTC", "{$timeBetween: {starttime: '08:00 am', endtime: '09:00 am'}}", "2026-01-05T08:30:00", true},
		{"start is end: that moment", between("Etc/UTC", "08:00 am", "08:00 am"), "2026-01-05T08:00:00", true},
		{"start is end: no other", between("Etc/UTC", "08:00 am", "08:00 am"), "2026-01-05T20:00:00", false},
		{"inside $not", "{$not: " + between("Etc/UTC", "08:00 am", "05:00 pm") + "}", "2026-01-05T20:00:00", true},
		// 8 March 2026: New York has no 02:00 to 03:00. 07:00 UTC is 03:00 there.
		{"missing hour: 01:59:59", between("America/New_York", "02:30 am", "03:30 am"), "2026-03-08T06:59:59", false},
		{"missing hour: 03:00", between("America/New_York", "02:30 am", "03:30 am"), "2026-03-08T07:00:00", true},
		{"missing hour: 03:31", between("America/New_York", "02:30 am", "03:30 am"), "2026-03-08T07:31:00", false},
		{"only in the missing hour", between("America/New_York", "02:10 am", "02:50 am"), "2026-03-08T07:10:00", false},
		// 1 November 2026: New York has 01:00 to 02:00 twice.
		{"doubled hour, first time", between("America/New_York", "01:15 am", "01:45 am"), "2026-11-01T05:30:00", true},
		{"doubled hour, between", between("America/New_York", "01:15 am", "01:45 am"), "2026-11-01T06:00:00", false},
		{"doubled hour, second time", between("America/New_York", "01:15 am", "01:45 am"), "2026-11-01T06:30:00", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := mustParse(t, ruleFor(tt.match))
			if got := evaluate(t, r, nil, instant(t, tt.at, "UTC")).Rule == 1; got != tt.want {
				t.Errorf("%s at %s: got %v, want %v", tt.match, tt.at, got, tt.want)
			}
		})
	}
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

// Patterns that make a backtracking engine run for ever take linear time.
func TestPatternsCannotRunWild(t *testing.T) {
	t.Parallel()
	r := mustParse(t, `
rules:
- match: {alert.title: {$regex: "^(a+)+$"}}
  actions: [{type: assign, receiver: tem_slow}]
- match: {alert.long: {$regex: "(x+x+)+y"}}
  actions: [{type: assign, receiver: tem_long}]
- match: {alert.title: {$regex: "!"}}
  actions: [{type: assign, receiver: tem_a}]
`)
	got := evaluate(t, r, map[string]any{"alert": map[string]any{
		"title": strings.Repeat("a", 4000) + "!", "long": strings.Repeat("x", 20000)}}, time.Time{})
	if diff := cmp.Diff(Verdict{Rule: 3, Receivers: []string{"tem_a"}}, got); diff != "" {
		t.Error(diff)
	}
}

// A pattern that Go's engine cannot run is refused, with rule, line and construct.
func TestPatternsThatGoCannotRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ match, want string }{
		{`{alert.a: {$regex: '(?=x)a'}}`, "look-ahead (?=…)"},
		{`{alert.a: {$regex: '(?!x)a'}}`, "look-ahead (?!…)"},
		{`{alert.a: {$regex: '(?<=x)a'}}`, "look-behind (?<=…)"},
		{`{$not: {alert.a: {$regex: '(?<!x)a'}}}`, "look-behind (?<!…)"},
		{`{alert.a: {$not: {$regex: '(a)\1'}}}`, `the back-reference \1`},
		{`{$or: [{always: true}, {alert.a: {$regex: '(?<n>a)\k<n>'}}]}`, `the back-reference \k<n>`},
		{`{alert.a: {$regex: '\d{1001}'}}`, "so much repetition or nesting"},
		{`{alert.a: {$regex: '(\w{100}[^x]{1,100}){9}\w{1000}\d{1000}[a-f]{1000}.{1000}\D{1000}\W{1000}\S{1000}\s{1000}x{1000}'}}`, "so much repetition"},
	} {
		document := "rules:\n- match: {alert.a: b}\n  actions: [{type: assign, receiver: tem_a}]\n" +
			strings.TrimPrefix(ruleFor(tt.match), "rules:\n") + strings.TrimPrefix(ruleFor("{always: true}"), "rules:\n")
		r, problems := Parse([]byte(document), nil)
		if r != nil || len(problems) != 1 {
			t.Errorf("%s: %v", tt.match, problems)
			continue
		}
		if p := problems[0]; p.Warning || p.Rule != 2 || p.Line != 4 || !strings.Contains(p.Message, "$regex: "+tt.want+" is not supported") {
			t.Errorf("%s: %v", tt.match, p)
		}
	}
}

func TestDefectInMatchingIsANote(t *testing.T) {
	t.Parallel()
	broken := func(*evaluation, []candidate) bool { panic("out of order") }
	r := &Router{rules: []rule{{match: broken}, {match: allOf(), receivers: []string{"tem_a"}}}}
	got := evaluate(t, r, nil, time.Time{})
	if got.Rule != 2 || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "rule 1 failed") {
		t.Errorf("got %+v", got)
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	list := make([]any, 3000)
	for i := range list {
		list[i] = map[string]any{"b": []any{1.0, 2.0, 3.0}}
	}
	rules := "rules:\n" + strings.Repeat("- match: {alert.a.b: 9}\n  actions: [{type: assign, receiver: tem_a}]\n", 400)
	got := evaluate(t, mustParse(t, rules), map[string]any{"alert": map[string]any{"a": list}}, time.Time{})
	if got.Rule != 0 || len(got.Notes) == 0 || !strings.Contains(got.Notes[0], "more than 2000000 steps") {
		t.Errorf("got %d notes of rule %d", len(got.Notes), got.Rule)
	}
}

// Many patterns on a long text are too much work together. The work is counted, so that the answer is the same on any
// machine.
func TestBudgetOfPatterns(t *testing.T) {
	t.Parallel()
	rules := "rules:\n" + strings.Repeat("- match: {alert.a: {$regex: '[^x]{500}y'}}\n  actions: [{type: assign, receiver: tem_a}]\n", 20)
	got := evaluate(t, mustParse(t, rules), map[string]any{"alert": map[string]any{"a": strings.Repeat("z", 20_000)}}, time.Time{})
	if got.Rule != 0 || len(got.Notes) == 0 || len(got.Notes) == 20 || !strings.Contains(got.Notes[0], "more than 2000000 steps") {
		t.Errorf("rule %d, notes %q", got.Rule, got.Notes)
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

// Everything that is wrong is reported at once, each thing where it stands.
func TestFiveMistakesAreFiveProblems(t *testing.T) {
	t.Parallel()
	r, problems := Parse([]byte(`rules:
- match:
    alert.title: {$regex: "(unclosed"}
    $day: {timezone: Mars/Olympus, $in: [1]}
  actions:
  - {type: assign, receiver: tem_unknown}
- match: {$timeBetween: {starttime: "25:00 pm", endtime: "05:00 pm"}}
  actions:
  - {type: asign, receiver: tem_a}
`), func(id string) error {
		if id != "tem_a" {
			return errors.New("no such team")
		}
		return nil
	})
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%d:%d rule %d %s: %s", p.Line, p.Column, p.Rule, p.Pointer, p.Message))
	}
	want := []string{
		`3:27 rule 1 /0/match/alert.title/$regex: $regex: the pattern is wrong: missing closing ) in "(unclosed"`,
		`4:22 rule 1 /0/match/$day/timezone: timezone: unknown zone "Mars/Olympus": use a name such as America/New_York or Etc/UTC`,
		`6:30 rule 1 /0/actions/0/receiver: no such team`,
		`7:37 rule 2 /1/match/$timeBetween/starttime: starttime: "25:00 pm" is no time of day in the format "hh:mm a"`,
		`9:12 rule 2 /1/actions/0/type: unknown action "asign": the actions are assign (the only one that counts for a call), aggregate, ignore, incident, setval, stakeholder`,
	}
	if diff := cmp.Diff(want, got); diff != "" || r != nil {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, want string }{
		{"empty", "", "nothing here"},
		{"comment alone", "# nothing\n", "nothing here"},
		{"bad indentation", "rules:\n- match:\n   a: 1\n  actions: []\n x: y\n", "not YAML"},
		{"tab", "rules:\n\t- match: {}\n", "not YAML"},
		{"second document", "rules: []\n---\nrules: []\n", "second document"},
		{"no rules key", "rule: []", "the key rules is missing"},
		{"rules no list", "rules: {match: {}}", "must be a list"},
		{"no rule", "rules: []", "there is no rule"},
		{"rule no mapping", "rules: [5]", "must be a mapping"},
		{"unknown key", "rules: [{match: {}, actions: [{type: ignore}], when: 1}]", `unknown key "when"`},
		{"no match", "rules: [{actions: [{type: ignore}]}]", "match is missing"},
		{"match null", "rules: [{match: , actions: [{type: ignore}]}]", "match must be a mapping"},
		{"match list", "rules: [{match: [], actions: [{type: ignore}]}]", "match must be a mapping"},
		{"no actions", "rules: [{match: {}}]", "actions is missing"},
		{"actions empty", "rules: [{match: {}, actions: []}]", "at least one action"},
		{"action no mapping", "rules: [{match: {}, actions: [assign]}]", "must be a mapping"},
		{"action without type", "rules: [{match: {}, actions: [{receiver: a}]}]", "type is missing"},
		{"assign without receiver", "rules: [{match: {}, actions: [{type: assign}]}]", "no receiver"},
		{"empty receivers", "rules: [{match: {}, actions: [{type: assign, receiver: []}]}]", "empty"},
		{"receiver number", "rules: [{match: {}, actions: [{type: assign, receiver: 5}]}]", "as text, not 5"},
		{"key twice", "rules: []\nrules: []\n", `"rules" is given twice`},
		{"empty path part", ruleFor("{alert..a: 1}"), "empty part"},
		{"zone of another type", ruleFor("{$day: {timezone: 5, $eq: 1}}"), "timezone takes a name"},
		{"zone local", ruleFor("{$day: {timezone: Local, $eq: 1}}"), "name one"},
		{"zone empty", ruleFor("{$day: {timezone: '', $eq: 1}}"), "name one"},
		{"zone outside", ruleFor("{$day: {timezone: ../../etc/passwd, $eq: 1}}"), "unknown zone"},
		{"day without operator", ruleFor("{$day: {timezone: Etc/UTC}}"), "only gives a value"},
		{"day as number", ruleFor("{$day: 1}"), "takes a mapping"},
		{"day under a field", ruleFor("{alert.a: {$day: {$eq: 1}}}"), "write it directly under match"},
		{"day inside $elemMatch", ruleFor("{alert.a: {$elemMatch: {$day: {$eq: 1}}}}"), "write it directly under match"},
		{"day with unknown parameter", ruleFor("{$day: {zone: Etc/UTC, $eq: 1}}"), `no parameter "zone"`},
		{"group inside day", ruleFor("{$day: {$or: [{$eq: 1}]}}"), "one level up"},
		{"time format with a date", ruleFor("{$timeBetween: {timeformat: 'YYYY hh', starttime: '8', endtime: '9'}}"), `"YYYY" is no part`},
		{"time format without hour", ruleFor("{$timeBetween: {timeformat: 'mm', starttime: '8', endtime: '9'}}"), "has no hour"},
		{"start missing", ruleFor("{$timeBetween: {endtime: '09:00 am'}}"), "needs starttime"},
		{"start empty", ruleFor("{$timeBetween: {starttime: '', endtime: '09:00 am'}}"), "no time of day"},
		{"start a list", ruleFor("{$timeBetween: {starttime: [], endtime: '09:00 am'}}"), "takes a text"},
		{"between with operator", ruleFor("{$timeBetween: {starttime: '8 am', endtime: '9 am', $eq: true}}"), `no parameter "$eq"`},
		{"$exists text", ruleFor("{alert.a: {$exists: 'false'}}"), "true or false"},
		{"$mod by 0", ruleFor("{alert.a: {$mod: [0, 1]}}"), "divisor"},
		{"$size negative", ruleFor("{alert.a: {$size: -1}}"), "exact length"},
		{"$gt list", ruleFor("{alert.a: {$gt: [1]}}"), "number or a text"},
		{"$all scalar", ruleFor("{alert.a: {$all: 1}}"), "takes a list"},
		{"$elemMatch scalar", ruleFor("{alert.a: {$elemMatch: 1}}"), "takes a mapping"},
		{"$not list", ruleFor("{alert.a: {$not: [1]}}"), "$nin"},
		{"$not scalar at the top", ruleFor("{$not: 1}"), "takes a mapping here"},
		{"$or scalar", ruleFor("{$or: [1]}"), "list of mappings"},
		{"$regex number", ruleFor("{alert.a: {$regex: 5}}"), "pattern as text"},
		{"$options number", ruleFor("{alert.a: {$regex: a, $options: 5}}"), "flags as text"},
		{"flag v", ruleFor("{alert.a: {$regex: a, $options: v}}"), "not supported"},
		{"flag twice", ruleFor("{alert.a: {$regex: a, $options: ii}}"), "given twice"},
		{"pattern too long", ruleFor("{alert.a: {$regex: '" + strings.Repeat("a", MaxPattern+1) + "'}}"), "more than 1000 characters"},
		{"atomic group", ruleFor("{alert.a: {$regex: '(?>a)'}}"), "not ECMAScript"},
		{"alias undefined", ruleFor("{alert.a: *x}"), "not defined"},
		{"alias inside itself", "rules: &x [*x]", "inside"},
		{"unknown tag", ruleFor("{alert.a: !!binary aGk=}"), "tag"},
		{"infinity", ruleFor("{alert.a: .inf}"), "finite"},
		{"too large", "rules: [" + strings.Repeat(" ", MaxBytes) + "]", "more than 65536"},
		{"too deep", "rules: " + strings.Repeat("[", MaxDepth+5) + strings.Repeat("]", MaxDepth+5), "nested"},
		{"brackets without end", strings.Repeat("[", 60000), "nested more than 100 deep"},
		{"too many rules", "rules: [" + strings.Repeat("5,", MaxRules) + "5]", "more than 500"},
		{"small text, huge value", "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\nrules: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "more than 20000 values"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, problems := Parse([]byte(tt.document), nil)
			if r != nil || !Fatal(problems) {
				t.Fatalf("accepted, with %v", problems)
			}
			for _, p := range problems {
				if !p.Warning && strings.Contains(p.Message, tt.want) {
					return
				}
			}
			t.Errorf("%v: nothing says %q", problems, tt.want)
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, want string }{
		{"start is end", ruleFor("{$timeBetween: {starttime: '08:00 am', endtime: '8:00 am'}}"), "2:25: rule 1: warning: starttime and endtime are the same"},
		{"idle action", "rules: [{match: {}, actions: [{type: aggregate, by: [alert.urgency], timeout: 5m, receiver: tem_a}]}]", "aggregate does nothing"},
		{"delay", "rules: [{match: {}, actions: [{type: assign, receiver: tem_a, delay: 5m}]}]", "delay does nothing"},
		{"unknown fact", ruleFor("{alrt.title: x}"), `no call has a fact "alrt"`},
		{"whole mapping", ruleFor("{alert: {urgency: high}}"), "write alert.urgency"},
		{"phone number without quotes", ruleFor("{call.from: +12025550143}"), `put it in quotes, "+12025550143"`},
		{"digits without quotes", ruleFor("{log.data.To: {$in: [12025550143]}}"), "put it in quotes"},
		{"postal code without quotes", ruleFor("{call.zip: 02134}"), `"02134"`},
		{"day out of the week", ruleFor("{$day: {$in: [0, 6]}}"), "no day of the week is 0"},
		{"day as text", ruleFor("{$day: {$in: ['6']}}"), "never equals the text"},
		{"year as number", ruleFor("{$now: {format: YYYY, $eq: 2026}}"), "put 2026 in quotes"},
		{"empty $all", ruleFor("{alert.a: {$all: []}}"), "matches everything"},
		{"never reached", "rules: [{match: {always: true}, actions: [{type: ignore}]}, {match: {}, actions: [{type: assign, receiver: a}]}]", "rule 2: warning: is never reached: rule 1 always matches"},
		{"unknown root key", "rules: [{match: {}, actions: [{type: assign, receiver: a}]}]\nname: x\n", `"name" means nothing`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, problems := Parse([]byte(tt.document), nil)
			if r == nil {
				t.Fatalf("refused: %v", problems)
			}
			for _, p := range problems {
				if strings.Contains(p.String(), tt.want) {
					return
				}
			}
			t.Errorf("%v: nothing says %q", problems, tt.want)
		})
	}
	if _, problems := Parse([]byte(byTimeOfDay), nil); len(problems) > 0 {
		t.Errorf("the example is doubted: %v", problems)
	}
}

func TestYAMLForms(t *testing.T) {
	t.Parallel()
	r := mustParse(t, `
- match: &high
    alert.urgency: high
    alert.title: |-
      two
      lines
  actions: [{type: assign, receiver: "a"}]
- match:
    <<: *high
    alert.title: !!str 5
  actions: &act
  - {type: assign, receiver: 'b'}
- match: {alert.5: {$exists: true}}
  actions: *act
`)
	for _, tt := range []struct {
		facts string
		rule  int
	}{
		{`{"alert":{"urgency":"high","title":"two\nlines"}}`, 1},
		{`{"alert":{"urgency":"high","title":"5"}}`, 2},
		{`{"alert":{"5":0}}`, 3},
		{`{"alert":{"title":"5"}}`, 0},
	} {
		if v, err := r.Evaluate([]byte(tt.facts), time.Time{}); err != nil || v.Rule != tt.rule {
			t.Errorf("%s: %+v %v, want rule %d", tt.facts, v, err, tt.rule)
		}
	}
}

// Rules inside a larger file keep the lines of that file.
func TestParseNode(t *testing.T) {
	t.Parallel()
	file, unreadable := yamltree.Parse([]byte("teams: []\nrouters:\n- id: x\n  rules:\n  - match: {$whre: 1}\n    actions: [{type: assign, receiver: a}]\n"), 100)
	if file == nil {
		t.Fatal(unreadable)
	}
	r, problems := ParseNode(file.Find("/routers/0/rules"), nil, &Patterns{})
	if r != nil || len(problems) != 1 || problems[0].Line != 5 || problems[0].Column != 13 || problems[0].Pointer != "/0/match/$whre" {
		t.Errorf("got %v %+v", r, problems)
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	r, problems := Parse([]byte(`{"rules":[{"match":{"alert.title":"\ud83d\ude00"},"actions":[{"type":"assign","receiver":"a"}]}]}`), nil)
	if r == nil || r.Rules() != 1 {
		t.Fatal(problems)
	}
	if v := evaluate(t, r, map[string]any{"alert": map[string]any{"title": "😀"}}, time.Time{}); v.Rule != 1 {
		t.Errorf("got %+v", v)
	}
	for _, bad := range []string{"", "{", "[1] 2", `{"rules":[],"rules":[]}`, `[1e999]`, strings.Repeat("[", 100), strings.Repeat(" ", MaxBytes+1)} {
		if r, problems := Parse([]byte(bad), nil); r != nil || !Fatal(problems) {
			t.Errorf("%.20q: accepted", bad)
		}
	}
}

// Every zone of the list can be loaded, whatever the machine has.
func TestZones(t *testing.T) {
	t.Parallel()
	for lower, name := range zonesByLowerName() {
		zone, err := loadZone(lower)
		if err != nil || zone.String() != name {
			t.Errorf("%s: %v %v", lower, zone, err)
		}
	}
	if n := len(zonesByLowerName()); n < 590 {
		t.Errorf("only %d zones", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(byTimeOfDay)
	for _, seed := range []string{ruleFor("{alert.a: {$regex: '(?<n>a)\\k<n>', $options: iu}}"), ruleFor("{$now: {format: '[x] LLLL', $eq: a}}"),
		ruleFor("{alert.a: {$elemMatch: {$not: {b: [1]}}}}"), "- &a\n  <<: *a\n", "rules: [{match: {$or: [{}]}, actions: [{type: assign, receiver: [a]}]}]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		r, problems := Parse([]byte(document), nil)
		if (r == nil) != Fatal(problems) {
			t.Fatalf("router %v with %v", r, problems)
		}
		for _, p := range problems {
			_ = p.String()
		}
		if r != nil {
			evaluateUnbroken(t, r, []byte(`{"alert":{"a":["b",{"b":null}],"title":"x"}}`))
		}
	})
}

func FuzzEvaluate(f *testing.F) {
	f.Add(`{"alert.a":{"$in":[1,null]}}`, `{"alert":{"a":[1]}}`)
	f.Add(`{"$nor":[{"alert.a.0":{"$mod":[2,1]}}],"alert":{"$type":"array"}}`, `{"alert":[[[]]]}`)
	f.Add(`{"alert.a":{"$all":[{"$elemMatch":{"b":{"$exists":false}}}]}}`, `{"alert":{"a":[{"b":1},"\ud800"]}}`)
	f.Add(`{"alert.a":{"$regex":"(a|b)*\\1[^x-z]","$options":"ims"}}`, `{"alert":{"a":"abab"}}`)
	f.Fuzz(func(t *testing.T, match, facts string) {
		r, _ := Parse([]byte(`[{"match":`+match+`,"actions":[{"type":"assign","receiver":"a"}]}]`), nil)
		if r != nil {
			evaluateUnbroken(t, r, []byte(facts))
		}
	})
}

func evaluateUnbroken(t *testing.T, r *Router, facts []byte) {
	t.Helper()
	v, err := r.Evaluate(facts, time.Unix(1767225600, 0))
	again, err2 := r.Evaluate(facts, time.Unix(1767225600, 0))
	if (err == nil) != (err2 == nil) || !cmp.Equal(v, again) {
		t.Fatalf("two answers: %+v %v, %+v %v", v, err, again, err2)
	}
	for _, n := range v.Notes {
		if strings.Contains(n, "matching broke") {
			t.Fatal(n)
		}
	}
}
