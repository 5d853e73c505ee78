package router

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
)

// The schema is for editors: it must accept whatever the package accepts, and see what a schema can
// see.
func TestSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../schema/router.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.CompileString("router.schema.json", string(text))
	if err != nil {
		t.Fatal(err)
	}
	check := func(document []byte) error {
		root, problems := yamltree.Parse(document, MaxValues)
		if root == nil || len(problems) > 0 {
			t.Fatalf("%s: %v", document, problems)
		}
		return schema.Validate(root.Plain())
	}
	if err := check([]byte(byTimeOfDay)); err != nil {
		t.Error(err)
	}
	for _, match := range []string{"{}", "{always: true}", "{alert: {urgency: high}, alert.tags: [a], alert.x: null}", "{alert.a: {}}",
		"{alert.a: {$regex: a, $options: i, $ne: {b: 1}}}", "{$and: [{$day: {timezone: Etc/UTC, $in: [1]}}, {$not: {$now: {format: MM, $eq: '01'}}}]}",
		"{alert.a: {$elemMatch: {label: x, $or: [{value: 1}]}, $not: {$in: [1]}}}", "{$timeBetween: {timeformat: HH, starttime: 8, endtime: 17}}"} {
		if r, problems := Parse([]byte(ruleFor(match)), nil); r == nil {
			t.Errorf("%s: refused by the package: %v", match, problems)
		}
		if err := check([]byte(ruleFor(match))); err != nil {
			t.Errorf("%s: refused by the schema: %v", match, err)
		}
	}
	for _, match := range []string{"1", "{$where: a}", "{$dayOfWeek: {$in: [1]}}", "{alert.a: {$near: 1}}", "{alert.a: {$gt: 1, b: 2}}", "{alert.a: {$or: [{b: 1}]}}", "{$and: []}", "{$or: [1]}",
		"{alert.a: {$options: i}}", "{alert.a: {$type: int}}", "{alert.a: {$size: -1}}", "{alert.a: {$mod: [1]}}", "{alert.a: {$exists: 1}}", "{$timeBetween: {starttime: 8 am}}", "{$day: {zone: x, $eq: 1}}",
		"{alert.a: {$gt: [1]}}", "{$regex: a}", "{$not: 1}"} {
		if r, _ := Parse([]byte(ruleFor(match)), nil); r != nil {
			t.Errorf("%s: accepted by the package", match)
		}
		if check([]byte(ruleFor(match))) == nil {
			t.Errorf("%s: accepted by the schema", match)
		}
	}
	for _, document := range []string{"rules: []", "rule: []", "rules: [{match: {}}]", "rules: [{match: {}, actions: [{type: asign}]}]", "rules: [{match: {}, actions: [{type: assign, receiver: []}]}]", "rules: [{match: {}, actions: [{type: ignore}], x: 1}]"} {
		if check([]byte(document)) == nil {
			t.Errorf("%s: accepted", document)
		}
	}
	// Among the cases that sift knows are many that the package accepts: the schema must accept
	// those too.
	var cases []struct{ Query json.RawMessage }
	readTestdata(t, "sift.json", &cases)
	for _, c := range cases[:500] {
		rules := `{"rules":[{"match":` + string(c.Query) + `,"actions":[{"type":"ignore"}]}]}`
		if r, _ := Parse([]byte(rules), nil); r == nil {
			continue
		}
		var v any
		if err := json.NewDecoder(strings.NewReader(rules)).Decode(&v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Fatalf("%s: %v", rules, err)
		}
	}
}
