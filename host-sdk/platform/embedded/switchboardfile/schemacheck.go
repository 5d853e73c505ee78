package switchboardfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
	"github.com/livecallrouting/livecall/schema"
)

// compiledSchema holds the schema twice: compiled, and as plain data from which messages take what
// the validator's errors leave out.
type compiledSchema struct {
	schema *jsonschema.Schema
	raw    map[string]any
}

// schemaURL names the schema within the compiler. Nothing is fetched from it.
const schemaURL = "mem:///switchboard.schema.json"

// fileSchema compiles the schema at its first use. An error is a defect of this program, which a
// test would find.
var fileSchema = sync.OnceValues(func() (compiledSchema, error) {
	text := schema.SwitchboardFile()
	var out compiledSchema
	if err := json.Unmarshal(text, &out.raw); err != nil {
		return out, fmt.Errorf("switchboard file schema: %w", err)
	}
	// Its public address would be the base of references; they are all within the document.
	delete(out.raw, "$id")
	text, err := json.Marshal(out.raw)
	if err != nil {
		return out, fmt.Errorf("switchboard file schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	// The validator would otherwise read files and addresses.
	c.LoadURL = func(url string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("schema reference %q: references outside the document are refused", url)
	}
	if err := c.AddResource(schemaURL, bytes.NewReader(text)); err != nil {
		return out, fmt.Errorf("switchboard file schema: %w", err)
	}
	out.schema, err = c.Compile(schemaURL)
	if err != nil {
		return out, fmt.Errorf("switchboard file schema: %w", err)
	}
	return out, nil
})

// checkSchema reports what the schema refuses, in words that name the remedy. The validator gets
// plain values, so it knows nothing of lines: places are found by its pointers.
func checkSchema(root *yamltree.Node, list *problemList) {
	compiled, err := fileSchema()
	if err != nil {
		list.put(0, 0, "", err.Error(), false)
		return
	}
	var refused *jsonschema.ValidationError
	if err := compiled.schema.Validate(root.Plain()); errors.As(err, &refused) {
		reportSchema(refused, compiled.raw, root, list)
	} else if err != nil {
		list.put(0, 0, "", "cannot be checked: "+err.Error(), false)
	}
}

// reportSchema walks down to the errors that have no causes: those name the place, the others only
// repeat that something below them is wrong. Whatever keyword it does not know is reported in the
// validator's own words, so nothing that the schema refuses is passed over.
func reportSchema(e *jsonschema.ValidationError, raw map[string]any, root *yamltree.Node, list *problemList) {
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			reportSchema(c, raw, root, list)
		}
		return
	}
	_, place, _ := strings.Cut(e.AbsoluteKeywordLocation, "#")
	parts := yamltree.SplitPointer(place)
	if len(parts) == 0 {
		list.errorAt(e.InstanceLocation, "%s", e.Message)
		return
	}
	keyword := parts[len(parts)-1]
	// A rule of the schema that is just false.
	if lookup(raw, parts) == false && keyword != "additionalProperties" {
		return // a section that another platform keeps: check names both lines
	}
	// The part of the schema that was broken: the validator's error has no values in it.
	rule, _ := lookup(raw, parts[:len(parts)-1]).(map[string]any)
	pointer := e.InstanceLocation
	switch keyword {
	case "required":
		reportMissing(pointer, rule, root, list)
	case "additionalProperties":
		reportUnknown(pointer, rule, root, list)
	case "type":
		if text, ok := rule["typeErrorMessage"].(string); ok {
			list.errorAt(pointer, "%s", text)
			return
		}
		list.errorAt(pointer, "must be %s", typeWords(rule["type"]))
	case "enum":
		list.errorAt(pointer, "%s is not one of %s", root.Nearest(pointer).Show(), words(rule["enum"]))
	case "minLength":
		list.errorAt(pointer, "must not be empty")
	case "minProperties", "maxProperties":
		// Secrets alone have these.
		list.errorAt(pointer, "wants one of env and file")
	case "pattern":
		if text, ok := rule["patternErrorMessage"].(string); ok {
			if strings.Contains(e.KeywordLocation, "/propertyNames/") {
				// The place is that of the name, not of the value.
				parent, name := cutPointer(pointer)
				list.errorAtKey(parent, name, text)
				return
			}
			if value, ok := root.Nearest(pointer).Plain().(string); ok && strings.TrimSpace(value) != "" {
				text = fmt.Sprintf("%q: %s", yamltree.Shorten(value), text)
			}
			list.errorAt(pointer, "%s", text)
			return
		}
		list.errorAt(pointer, "%s", e.Message)
	case "minItems":
		list.errorAt(pointer, "must not be empty")
	case "maxItems":
		list.errorAt(pointer, "has too many entries: at most %v", rule["maxItems"])
	case "maxLength":
		list.errorAt(pointer, "is too long: at most %v characters", rule["maxLength"])
	case "minimum":
		list.errorAt(pointer, "is %v, and must be at least %v", root.Nearest(pointer).Plain(), rule["minimum"])
	case "maximum":
		list.errorAt(pointer, "is %v, and must be at most %v", root.Nearest(pointer).Plain(), rule["maximum"])
	default:
		list.errorAt(pointer, "%s", e.Message)
	}
}

// reportMissing reports each missing key on its own, where the validator has one error for all. The
// place is that of the mapping, as what is missing has none.
func reportMissing(pointer string, rule map[string]any, root *yamltree.Node, list *problemList) {
	there := root.Find(pointer)
	names, _ := rule["required"].([]any)
	for _, n := range names {
		if name, _ := n.(string); !there.Has(name) {
			list.errorAt(pointer+"/"+yamltree.EscapePointer(name), "is missing")
		}
	}
}

// reportUnknown reports each unknown key at its own place, with what was probably meant. A key that
// is near to a known one is most likely a slip; otherwise all known ones are listed.
func reportUnknown(pointer string, rule map[string]any, root *yamltree.Node, list *problemList) {
	known, _ := rule["properties"].(map[string]any)
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, key := range root.Nearest(pointer).Keys {
		if _, ok := known[key.Name]; ok {
			continue
		}
		text := "is not known here; what can stand here: " + strings.Join(names, ", ")
		if near := list.nearest(key.Name, func() []string { return names }); near != "" {
			text = fmt.Sprintf("is not known here; did you mean %s?", near)
		}
		list.errorAtKey(pointer, key.Name, text)
	}
}

// lookup follows the parts of a pointer in plain data; nil when it leads nowhere. Pointers come
// from the validator, so a step that leads nowhere would be a defect; it is then as if the rule
// were empty.
func lookup(v any, parts []string) any {
	for _, p := range parts {
		switch in := v.(type) {
		case map[string]any:
			v = in[p]
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// cutPointer splits a pointer into what is above its last part, and that part unescaped.
func cutPointer(pointer string) (parent, name string) {
	i := strings.LastIndex(pointer, "/")
	if i < 0 {
		return "", pointer
	}
	return pointer[:i], yamltree.SplitPointer(pointer[i:])[0]
}

// typeWords writes a JSON Schema type, or a list of them, in the words of a YAML file, whose
// authors may not know JSON Schema. The result is "" for a type that JSON Schema does not have.
func typeWords(t any) string {
	words := map[string]string{
		"object": "a mapping (name: value)", "array": "a list", "string": "text (put it in quotes if it looks like a number)",
		"integer": "a whole number", "number": "a number", "boolean": "true or false", "null": "empty",
	}
	switch v := t.(type) {
	case string:
		return words[v]
	case []any:
		var out []string
		for _, x := range v {
			name, _ := x.(string)
			out = append(out, words[name])
		}
		return strings.Join(out, " or ")
	}
	return "of another type"
}

// words lists the values of an enum.
func words(enum any) string {
	values, _ := enum.([]any)
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, ", ")
}

// maxNear is how many names are compared in one file in search of suggestions: a file may have tens
// of thousands of them.
const maxNear = 20_000

// nearest finds a name that differs by at most two letters, so that a typing error is answered with
// what was meant. It returns "" when there is none, and in a file with too many errors. Two letters
// are one slip each, or two neighbours exchanged.
func (l *problemList) nearest(word string, names func() []string) string {
	if l.near > maxNear {
		return ""
	}
	best, at := "", 3
	all := names()
	l.near += len(all)
	for _, n := range all {
		// Cheap: no such name can be within two letters.
		if len(n)-len(word) > 2 || len(word)-len(n) > 2 {
			continue
		}
		if d := editDistance(strings.ToLower(word), n); d < at && d < len(n) {
			best, at = n, d
		}
	}
	return best
}

// editDistance is the number of letters to insert, delete or exchange (Levenshtein), one row at a
// time. It counts bytes: names of keys and ids are ASCII.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
