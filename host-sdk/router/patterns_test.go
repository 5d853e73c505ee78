package router

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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

// Many patterns on a long text are too much work together. The work is counted, so that the answer
// is the same on any machine.
func TestBudgetOfPatterns(t *testing.T) {
	t.Parallel()
	rules := "rules:\n" + strings.Repeat("- match: {alert.a: {$regex: '[^x]{500}y'}}\n  actions: [{type: assign, receiver: tem_a}]\n", 20)
	got := evaluate(t, mustParse(t, rules), map[string]any{"alert": map[string]any{"a": strings.Repeat("z", 20_000)}}, time.Time{})
	if got.Rule != 0 || len(got.Notes) == 0 || len(got.Notes) == 20 || !strings.Contains(got.Notes[0], "more than 2000000 steps") {
		t.Errorf("rule %d, notes %q", got.Rule, got.Notes)
	}
}
