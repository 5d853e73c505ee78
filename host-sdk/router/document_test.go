package router

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
)

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
