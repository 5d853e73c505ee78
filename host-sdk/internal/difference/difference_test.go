package difference

import (
	"encoding/json"
	"testing"
	"time"
)

type leaf struct {
	Text string
	At   time.Time
}

type tree struct {
	Name   string
	Leaves []leaf
	By     map[string]int
	First  *leaf
	Raw    json.RawMessage
}

func TestOfNamesThePlacesThatDiffer(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	whole := func() tree {
		return tree{Name: "a", Leaves: []leaf{{"x", noon}, {"y", noon}}, By: map[string]int{"m": 1}, First: &leaf{"z", noon}, Raw: json.RawMessage(`{}`)}
	}
	for _, tt := range []struct {
		name   string
		change func(*tree)
		want   string
	}{
		{"nothing", func(*tree) {}, ""},
		{"field", func(v *tree) { v.Name = "b" }, `Name: "a", "b"`},
		{"two", func(v *tree) { v.Name, v.By["m"] = "b", 2 }, "Name: \"a\", \"b\"\nBy[m]: 1, 2"},
		{"element", func(v *tree) { v.Leaves[1].Text = "" }, `Leaves[1].Text: "y", ""`},
		{"length", func(v *tree) { v.Leaves = v.Leaves[:1] }, "Leaves: [{Text:x At:2026-06-01 12:00:00 +0000 UTC} {Text:y At:2026-06-01 12:00:00 +0000 UTC}], [{Text:x At:2026-06-01 12:00:00 +0000 UTC}]"},
		{"key", func(v *tree) { v.By = map[string]int{"n": 1} }, "By: map[m:1], map[n:1]"},
		{"time", func(v *tree) { v.First.At = noon.Add(time.Second) }, "First.At: 2026-06-01 12:00:00 +0000 UTC, 2026-06-01 12:00:01 +0000 UTC"},
		{"zone", func(v *tree) { v.First.At = noon.In(time.FixedZone("", 0)) }, "First.At: 2026-06-01 12:00:00 +0000 UTC, 2026-06-01 12:00:00 +0000 +0000"},
		{"bytes", func(v *tree) { v.Raw = json.RawMessage(`[]`) }, `Raw: "{}", "[]"`},
		{"none for empty", func(v *tree) { v.Raw = nil }, `Raw: "{}", nil`},
		{"map", func(v *tree) { v.By = nil }, "By: map[m:1], nil"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := whole()
			tt.change(&b)
			got := Of(whole(), b)
			if got != tt.want {
				t.Errorf("Of = %s\nwant %s", got, tt.want)
			}
		})
	}
	if got := Of(1, "1"); got != `1, "1"` {
		t.Errorf("values of two types: %s", got)
	}
	if got := Of(tree{By: map[string]int{}}, tree{}); got != "By: map[], nil" {
		t.Errorf("an empty map and none: %s", got)
	}
}
