package options

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/schema"
)

// field is a form field, as far as checks and messages need it.
type field struct {
	Title    string
	Type     string
	Enum     []string
	Titles   []string
	Secret   bool
	Required bool
	Default  any
	Min, Max *float64
	MaxLen   int
	MaxItems int
	Media    *recording // nil for all but recording fields
	// Shape completes "TITLE …" for a value that does not match the field's pattern
	// (x-pattern-message).
	Shape string
}

// recording says what a recording field takes (x-media).
type recording struct {
	Text bool `json:"text"` // text to be spoken is allowed besides a sound file
}

// compiled is the form twice: as a schema that validates, and as fields whose words messages need.
type compiled struct {
	fields map[string]field
	schema *jsonschema.Schema
}

// form compiles the embedded form once. It is part of the binary, so a bad form is a defect that
// tests find, and a panic is the right answer.
var form = sync.OnceValue(func() compiled {
	data := schema.Options()
	c := jsonschema.NewCompiler()
	c.Draft = jsonschema.Draft7
	// A reference could make the plugin read files or addresses.
	c.LoadURL = func(s string) (io.ReadCloser, error) { return nil, fmt.Errorf("%s: references are not followed", s) }
	if err := c.AddResource("options.json", strings.NewReader(string(data))); err != nil {
		panic("options schema: " + err.Error())
	}
	var raw struct {
		Required   []string `json:"required"`
		Properties map[string]struct {
			Title     string     `json:"title"`
			Type      string     `json:"type"`
			Enum      []string   `json:"enum"`
			Titles    []string   `json:"x-enum-titles"`
			Secret    bool       `json:"x-secret"`
			Default   any        `json:"default"`
			Minimum   *float64   `json:"minimum"`
			Maximum   *float64   `json:"maximum"`
			MaxLength int        `json:"maxLength"`
			MaxItems  int        `json:"maxItems"`
			Shape     string     `json:"x-pattern-message"`
			Media     *recording `json:"x-media"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		panic("options schema: " + err.Error())
	}
	out := compiled{fields: map[string]field{}, schema: c.MustCompile("options.json")}
	for key, p := range raw.Properties {
		out.fields[key] = field{Title: p.Title, Type: p.Type, Enum: p.Enum, Titles: p.Titles, Secret: p.Secret, Default: p.Default,
			Min: p.Minimum, Max: p.Maximum, MaxLen: p.MaxLength, MaxItems: p.MaxItems, Shape: p.Shape, Media: p.Media}
	}
	// JSON Schema lists them beside the properties.
	for _, key := range raw.Required {
		f := out.fields[key]
		f.Required = true
		out.fields[key] = f
	}
	return out
})

// problems collects what is wrong. fields holds the keys whose value must not be used. It is used
// for one document.
type problems struct {
	problems []integration.Problem
	warnings []integration.Problem
	fields   map[string]bool
}

// add notes a problem; path is a key, or a key and the number of an entry. The whole field then has
// its default.
func (p *problems) add(path, code, format string, args ...any) {
	if p.fields == nil {
		p.fields = map[string]bool{}
	}
	key, _, _ := strings.Cut(path, "/")
	p.fields[key] = true
	p.problems = append(p.problems, integration.Problem{Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
}

// warn adds what is allowed but probably not intended. The value is used.
func (p *problems) warn(path, code, format string, args ...any) {
	p.warnings = append(p.warnings, integration.Problem{Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
}

// has reports whether a field has a problem already.
func (p *problems) has(key string) bool { return p.fields[key] }

// Title is the label of a form field.
func Title(key string) string { return title(key) }

func title(key string) string { return form().fields[key].Title }

// schema checks the document against the form. It words the messages itself, because those of the
// library quote values. Of several problems with one value the first is said: correcting it often
// ends the others.
func (p *problems) schema(known map[string]any) {
	err := form().schema.Validate(known)
	var ve *jsonschema.ValidationError
	if !errors.As(err, &ve) {
		if err != nil {
			p.add("", "type", "The options could not be read: they must be one JSON object.")
		}
		return
	}
	type finding struct{ path, keyword string }
	var found []finding
	for _, e := range ve.BasicOutput().Errors {
		keyword := e.KeywordLocation[strings.LastIndex(e.KeywordLocation, "/")+1:]
		found = append(found, finding{strings.TrimPrefix(e.InstanceLocation, "/"), keyword})
	}
	// The library's order depends on maps; people expect the same messages for the same document.
	sort.Slice(found, func(i, j int) bool {
		if found[i].path != found[j].path {
			return found[i].path < found[j].path
		}
		return found[i].keyword < found[j].keyword
	})
	// The library reports missing fields at the root, without their names.
	for _, key := range requiredKeys() {
		if _, there := known[key]; !there {
			p.add(key, "required", "%s is required.", title(key))
		}
	}
	last := ""
	for _, f := range found {
		if f.path == "" || f.path == last {
			// The summary of the root, or one more problem of the same value.
			continue
		}
		last = f.path
		key, _, _ := strings.Cut(f.path, "/")
		code, message := explain(key, f.path, f.keyword)
		p.add(f.path, code, "%s", message)
	}
}

// requiredKeys are the keys without which no call can be served, sorted.
func requiredKeys() []string {
	var keys []string
	for key, f := range form().fields {
		if f.Required {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys
}

// explain words a problem. A list's entry is named by its number, counted from 1 as people do. code
// is one of the contract's words for problems.
func explain(key, path, keyword string) (code, message string) {
	f := form().fields[key]
	name := f.Title
	if _, index, ok := strings.Cut(path, "/"); ok {
		if n, err := strconv.Atoi(index); err == nil {
			name = fmt.Sprintf("%s, entry %d,", f.Title, n+1)
		}
	}
	switch keyword {
	case "type":
		words := map[string]string{"string": "text", "boolean": "on or off (true or false)", "integer": "a whole number", "array": "a list of texts, one per line"}
		return "type", fmt.Sprintf("%s must be %s.", name, words[f.Type])
	case "enum":
		return "range", fmt.Sprintf("%s must be one of: %s.", name, strings.Join(f.Enum, ", "))
	case "minimum", "maximum":
		return "range", fmt.Sprintf("%s must be from %g to %g.", name, *f.Min, *f.Max)
	case "maxLength":
		return "range", fmt.Sprintf("%s is too long; shorten it.", name)
	case "maxItems":
		return "range", fmt.Sprintf("%s may have at most %d entries.", name, f.MaxItems)
	}
	return "format", fmt.Sprintf("%s %s.", name, f.Shape)
}
