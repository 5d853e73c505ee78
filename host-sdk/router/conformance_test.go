package router

import (
	"testing"
	"time"
)

// ruleFor wraps a match in a document with one rule.
func ruleFor(match string) string {
	return "rules:\n- match: " + match + "\n  actions:\n  - {type: assign, receiver: tem_a}\n"
}

// TestOperators is the table of what each query shape means. Facts are the value of alert; "error"
// means refused when read.
func TestOperators(t *testing.T) {
	t.Parallel()
	const yes, no, refused = "true", "false", "error"
	tests := []struct {
		name, match, alert, want string
	}{
		{"empty match", `{}`, `{}`, yes},
		{"several keys are and", `{alert.a: 1, alert.b: 2}`, `{"a":1,"b":2}`, yes},
		{"several keys are and: one fails", `{alert.a: 1, alert.b: 2}`, `{"a":1,"b":3}`, no},
		{"always", `{always: true}`, `{}`, yes},
		{"always as text", `{always: "true"}`, `{}`, no},
		{"text is not number", `{alert.a: "5"}`, `{"a":5}`, no},
		{"number is not text", `{alert.a: 5}`, `{"a":"5"}`, no},
		{"$in is strict: text", `{alert.a: {$in: ["5"]}}`, `{"a":5}`, no},
		{"$in is strict: same type", `{alert.a: {$in: [5]}}`, `{"a":5}`, yes},
		{"dotted path", `{alert.a.b: 1}`, `{"a":{"b":1}}`, yes},
		{"dotted path is no literal key", `{alert.a.b: 1}`, `{"a.b":1}`, no},
		{"numeric segment", `{alert.a.1: y}`, `{"a":["x","y"]}`, yes},
		{"path into a list of maps: any", `{alert.d.value: X}`, `{"d":[{"value":"Y"},{"value":"X"}]}`, yes},
		{"path into a list of maps: none", `{alert.d.value: X}`, `{"d":[{"value":"Y"}]}`, no},
		{"two keys may match on different elements", `{alert.d.label: L, alert.d.value: X}`, `{"d":[{"label":"L","value":"Y"},{"label":"M","value":"X"}]}`, yes},
		{"$elemMatch needs the same element", `{alert.d: {$elemMatch: {label: L, value: X}}}`, `{"d":[{"label":"L","value":"Y"},{"label":"M","value":"X"}]}`, no},
		{"$elemMatch on the same element", `{alert.d: {$elemMatch: {label: L, value: X}}}`, `{"d":[{"label":"L","value":"X"}]}`, yes},
		{"$elemMatch on a non-list", `{alert.d: {$elemMatch: {label: L}}}`, `{"d":{"label":"L"}}`, no},
		{"$elemMatch with $regex", `{alert.d: {$elemMatch: {label: Caller Phone, value: {$regex: '^\+1202'}}}}`, `{"d":[{"label":"Caller Phone","value":"+12025550143"}]}`, yes},
		{"list field, scalar", `{alert.tags: b}`, `{"tags":["a","b"]}`, yes},
		{"list field, list in order", `{alert.tags: [a, b]}`, `{"tags":["a","b"]}`, yes},
		{"list field, list out of order", `{alert.tags: [b, a]}`, `{"tags":["a","b"]}`, no},
		{"list field, shorter list", `{alert.tags: [a]}`, `{"tags":["a","b"]}`, no},
		{"map as value is whole equality", `{alert: {urgency: high}}`, `{"urgency":"high","title":"x"}`, no},
		{"map as value, equal", `{alert: {title: x, urgency: high}}`, `{"urgency":"high","title":"x"}`, yes},
		{"$ne on missing", `{alert.a: {$ne: 1}}`, `{}`, yes},
		{"$nin on missing", `{alert.a: {$nin: [1]}}`, `{}`, yes},
		{"$nor on missing", `{$nor: [{alert.a: 1}]}`, `{}`, yes},
		{"$not on missing", `{alert.a: {$not: {$gt: 1}}}`, `{}`, yes},
		{"$ne on a list with a hit", `{alert.a: {$ne: 1}}`, `{"a":[1,2]}`, no},
		{"$ne on a list without", `{alert.a: {$ne: 3}}`, `{"a":[1,2]}`, yes},
		{"$nin on a list with a hit", `{alert.a: {$nin: [2, 9]}}`, `{"a":[1,2]}`, no},
		{"null on null", `{alert.a: null}`, `{"a":null}`, yes},
		{"null on missing", `{alert.a: null}`, `{}`, yes},
		{"null on a value", `{alert.a: null}`, `{"a":0}`, no},
		{"$in null on null", `{alert.a: {$in: [null]}}`, `{"a":null}`, yes},
		{"$in null on missing", `{alert.a: {$in: [null]}}`, `{}`, yes},
		{"$exists on a present null", `{alert.a: {$exists: true}}`, `{"a":null}`, yes},
		{"$exists on absent", `{alert.a: {$exists: true}}`, `{}`, no},
		{"$exists false on a present null", `{alert.a: {$exists: false}}`, `{"a":null}`, no},
		{"$exists false on absent", `{alert.a: {$exists: false}}`, `{}`, yes},
		{"$exists false, deep absent", `{alert.a.b.c: {$exists: false}}`, `{"a":null}`, yes},
		{"$gt same type", `{alert.a: {$gt: 4}}`, `{"a":5}`, yes},
		{"$gt another type", `{alert.a: {$gt: 4}}`, `{"a":"5"}`, no},
		{"$gte equal", `{alert.a: {$gte: 5}}`, `{"a":5}`, yes},
		{"$lt texts", `{alert.a: {$lt: b}}`, `{"a":"a"}`, yes},
		{"$gt texts are lexicographic", `{alert.a: {$gt: "10"}}`, `{"a":"9"}`, yes},
		{"$lte null on missing", `{alert.a: {$lte: null}}`, `{}`, yes},
		{"$lt null on missing", `{alert.a: {$lt: null}}`, `{}`, no},
		{"$lte number on missing", `{alert.a: {$lte: 5}}`, `{}`, no},
		{"$gt on null", `{alert.a: {$gt: -1}}`, `{"a":null}`, no},
		{"$in with a scalar", `{alert.a: {$in: 5}}`, `{"a":5}`, yes},
		{"$nin with a scalar", `{alert.a: {$nin: 5}}`, `{"a":5}`, no},
		{"$regex on text", `{alert.a: {$regex: "^ab"}}`, `{"a":"abc"}`, yes},
		{"$regex on number", `{alert.a: {$regex: "5"}}`, `{"a":5}`, no},
		{"$regex on missing", `{alert.a: {$regex: ".*"}}`, `{}`, no},
		{"$regex on a list of texts", `{alert.a: {$regex: "^b"}}`, `{"a":["a","b"]}`, yes},
		{"$regex inline flag", `{alert.a: {$regex: "(?i)ab"}}`, `{}`, refused},
		{"$options i", `{alert.a: {$regex: ab, $options: i}}`, `{"a":"xAB"}`, yes},
		{"without $options", `{alert.a: {$regex: ab}}`, `{"a":"xAB"}`, no},
		{"$options m", `{alert.a: {$regex: ^b, $options: m}}`, `{"a":"a\nb"}`, yes},
		{"$options s", `{alert.a: {$regex: a.b, $options: s}}`, `{"a":"a\nb"}`, yes},
		{"unknown flag", `{alert.a: {$regex: ab, $options: x}}`, `{}`, refused},
		{"$options alone", `{alert.a: {$options: i}}`, `{}`, refused},
		{"$mod", `{alert.a: {$mod: [2, 1]}}`, `{"a":5}`, yes},
		{"$mod, other remainder", `{alert.a: {$mod: [2, 0]}}`, `{"a":5}`, no},
		{"$type number", `{alert.a: {$type: number}}`, `{"a":5}`, yes},
		{"$type string", `{alert.a: {$type: string}}`, `{"a":"5"}`, yes},
		{"$type bool", `{alert.a: {$type: bool}}`, `{"a":false}`, yes},
		{"$type array", `{alert.a: {$type: array}}`, `{"a":[]}`, yes},
		{"$type null", `{alert.a: {$type: "null"}}`, `{"a":null}`, yes},
		{"$type null on missing", `{alert.a: {$type: "null"}}`, `{}`, no},
		{"$type timestamp", `{alert.a: {$type: timestamp}}`, `{"a":5}`, no},
		{"$type of another name", `{alert.a: {$type: int}}`, `{}`, refused},
		{"$size exact", `{alert.a: {$size: 2}}`, `{"a":[1,2]}`, yes},
		{"$size other", `{alert.a: {$size: 1}}`, `{"a":[1,2]}`, no},
		{"$all", `{alert.a: {$all: [b, a]}}`, `{"a":["a","b","c"]}`, yes},
		{"$all, one missing", `{alert.a: {$all: [b, d]}}`, `{"a":["a","b","c"]}`, no},
		{"$eq", `{alert.a: {$eq: 5}}`, `{"a":5}`, yes},
		{"$and", `{$and: [{alert.a: 1}, {alert.b: 2}]}`, `{"a":1,"b":2}`, yes},
		{"$or", `{$or: [{alert.a: 1}, {alert.b: 2}]}`, `{"b":2}`, yes},
		{"$or, none", `{$or: [{alert.a: 1}, {alert.b: 2}]}`, `{}`, no},
		{"$nor", `{$nor: [{alert.a: 1}, {alert.b: 2}]}`, `{"b":2}`, no},
		{"$and under a field", `{alert.a: {$and: [{$gt: 1}]}}`, `{}`, refused},
		{"$or under a field", `{alert.a: {$or: [{$gt: 1}]}}`, `{}`, refused},
		{"$nor under a field", `{alert.a: {$nor: [{$gt: 1}]}}`, `{}`, refused},
		{"$and with an empty list", `{$and: []}`, `{}`, refused},
		{"$or with an empty list", `{$or: []}`, `{}`, refused},
		{"$nor with an empty list", `{$nor: []}`, `{}`, refused},
		{"$not at the top", `{$not: {alert.a: 1}}`, `{"a":2}`, yes},
		{"$not under a field", `{alert.a: {$not: {$in: [1, 2]}}}`, `{"a":2}`, no},
		{"$not of a value", `{alert.a: {$not: 1}}`, `{"a":2}`, yes},
		{"unknown operator under a field", `{alert.a: {$near: 1}}`, `{}`, refused},
		{"unknown operator at the top", `{$near: 1}`, `{}`, refused},
		{"operator beside plain keys", `{alert.a: {$gt: 1, b: 2}}`, `{}`, refused},
		{"operator inside $in", `{alert.a: {$in: [{$gt: 1}]}}`, `{}`, refused},
		{"operator inside a list value", `{alert.a: [{$gt: 1}]}`, `{}`, refused},
		{"operator without a field", `{$regex: a}`, `{}`, refused},
		{"$where", `{$where: "1 === 1"}`, `{}`, refused},
		{"$dayOfWeek", `{$dayOfWeek: {$in: [1]}}`, `{}`, refused},
		{"no coercion of always", `{always: 1}`, `{}`, no},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := "error"
			router, problems := Parse([]byte(ruleFor(tt.match)), nil)
			if router != nil {
				v, err := router.Evaluate([]byte(`{"alert":`+tt.alert+`}`), time.Unix(0, 0))
				if err != nil || len(v.Notes) > 0 {
					t.Fatalf("error %v, notes %v", err, v.Notes)
				}
				got = no
				if v.Rule == 1 {
					got = yes
				}
			} else if problems[0].Line != 2 || problems[0].Rule != 1 {
				t.Errorf("problem without its place: %v", problems[0])
			}
			if got != tt.want {
				t.Errorf("match %s on %s: got %s, want %s (%v)", tt.match, tt.alert, got, tt.want, problems)
			}
		})
	}
}
