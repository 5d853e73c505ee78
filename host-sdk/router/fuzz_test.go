package router

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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
