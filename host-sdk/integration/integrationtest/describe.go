package integrationtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/difference"
)

// The forms of names. Ids become folder names and metrics' labels, names of actions become parts of
// addresses. A field whose name looks like a secret's must be one: hosts hide by the schema and not
// by the name.
var (
	idPattern     = regexp.MustCompile(`^[a-z][a-z0-9]*([.-][a-z0-9]+)*$`)
	actionPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	semver        = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	secretName    = regexp.MustCompile(`(^|_)(secret|token|password)(_|$)`)
)

// describe asks the plugin what it is.
func (s *suite) describe(t testing.TB, i integration.Integration) integration.Description {
	t.Helper()
	d, err := i.Describe(callContext(t), integration.DescribeRequest{})
	must(t, "Describe", err)
	return d
}

// Everything that a host needs before the first request must be there: the fallback answers above
// all, since they are needed when the plugin cannot be asked.
func (s *suite) describeComplete(t *testing.T, i integration.Integration) {
	d := s.describe(t, i)
	check := func(ok bool, format string, args ...any) {
		t.Helper()
		if !ok {
			t.Errorf(format, args...)
		}
	}
	check(idPattern.MatchString(d.ID), "id %q: want lower case letters and digits, joined by dots or hyphens", d.ID)
	check(d.Name != "", "no name")
	check(semver.MatchString(d.Version), "version %q is not semantic", d.Version)
	check(d.ProtocolVersion == integration.ProtocolVersion, "protocol version %d, want %d", d.ProtocolVersion, integration.ProtocolVersion)
	check(d.ProtocolMinor >= 0, "protocol minor %d", d.ProtocolMinor)
	for name, format := range map[string]int{
		"State": d.Formats.State, "Task": d.Formats.Task, "Path": d.Formats.Path, "Options": d.Formats.Options,
	} {
		check(format >= 1, "Formats.%s is %d: formats count from 1", name, format)
	}
	w := d.Webhook
	check(w.SessionField != "", "Webhook.SessionField is empty: a host cannot find the session of a request to the plain endpoint")
	check(strings.HasPrefix(w.SessionPrefix, "/") && strings.HasSuffix(w.SessionPrefix, "/"), "Webhook.SessionPrefix %q: want a path between slashes", w.SessionPrefix)
	check(len(w.ShapeFields) > 0, "Webhook.ShapeFields is empty: every request would look like one of the foreign service")
	for _, path := range w.IgnoredAnswerPaths {
		check(strings.HasPrefix(path, "/"), "Webhook.IgnoredAnswerPaths: %q does not begin with a slash", path)
	}
	if q := w.RecentCalls; q != (integration.RecentCallsQuestion{}) {
		check(q.Field != "" && q.IDPrefix != "" && q.Window > 0, "Webhook.RecentCalls %+v: want a field, a prefix and a window", q)
	}
	s.checkResponse(t, "Webhook.NotInService", &w.NotInService)
	s.checkResponse(t, "Webhook.Refused", &w.Refused)
	s.checkFallback(t, "Webhook.Fallback", w.Fallback)
	names := map[string]bool{}
	for _, a := range d.Actions {
		check(actionPattern.MatchString(a.Name), "action %q: want lower case letters, digits and hyphens", a.Name)
		check(!names[a.Name], "action %q comes twice", a.Name)
		check(a.Label != "" && a.Help != "", "action %q: label %q, help %q: a person needs both", a.Name, a.Label, a.Help)
		names[a.Name] = true
		for _, f := range a.Fields {
			check(f.Name != "" && f.Label != "", "action %q: field %q with label %q: want both", a.Name, f.Name, f.Label)
		}
	}
	periodic := map[string]bool{}
	for _, p := range d.Periodic {
		check(p.Name != "" && !periodic[p.Name], "periodic task %q: want a name of its own", p.Name)
		check(p.Every >= time.Minute, "periodic task %q every %v: want at least a minute", p.Name, p.Every)
		periodic[p.Name] = true
	}
}

// A plugin is the same whoever asks: hosts keep the answer.
func (s *suite) describeConstant(t *testing.T, i integration.Integration) {
	want := s.describe(t, i)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			got, err := i.Describe(callContext(t), integration.DescribeRequest{})
			if d := difference.Of(want, got); err != nil || d != "" {
				t.Errorf("another call says something else (error %v):\n%s", err, d)
			}
		})
	}
	callers.Wait()
}

// formSchema is what the suite reads of an options schema.
type formSchema struct {
	raw        integration.OptionsSchema
	root       map[string]json.RawMessage
	required   []string
	names      []string // in form order
	properties map[string]property
}

// property is what the suite reads of one option.
type property struct {
	Type          any             `json:"type"`
	Title         string          `json:"title"`
	Format        string          `json:"format"`
	WriteOnly     bool            `json:"writeOnly"`
	XSecret       bool            `json:"x-secret"`
	Default       json.RawMessage `json:"default"`
	Examples      json.RawMessage `json:"examples"`
	PropertyOrder *int            `json:"propertyOrder"`
	Order         *int            `json:"order"`
}

func (p property) secret() bool { return p.WriteOnly || p.XSecret }

// schema reads the options schema.
func (s *suite) schema(t testing.TB, i integration.Integration) formSchema {
	t.Helper()
	raw, err := i.OptionsSchema(callContext(t), integration.OptionsSchemaRequest{})
	must(t, "OptionsSchema", err)
	f := formSchema{raw: raw}
	must(t, "schema", json.Unmarshal(raw.Schema, &f.root))
	if r, ok := f.root["required"]; ok {
		must(t, "schema: required", json.Unmarshal(r, &f.required))
	}
	must(t, "schema: properties", json.Unmarshal(f.root["properties"], &f.properties))
	f.names, err = keys(f.root["properties"])
	must(t, "schema: properties", err)
	return f
}

// keys returns the keys of a JSON object in their order.
func keys(object []byte) ([]string, error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	var names []string
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		names = append(names, fmt.Sprint(name))
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return names, nil
}

// The schema is a form that any renderer can show: draft-07, a flat list of titled properties in
// the order of the text, and nothing outside the document.
func (s *suite) schemaForm(t *testing.T, i integration.Integration) {
	f := s.schema(t, i)
	text := func(key string) string {
		var v string
		_ = json.Unmarshal(f.root[key], &v) // not a string: ""
		return v
	}
	if got := strings.TrimSuffix(text("$schema"), "#"); got != "http://json-schema.org/draft-07/schema" {
		t.Errorf("$schema %q: want draft-07, the one that form renderers know", got)
	}
	if text("type") != "object" {
		t.Errorf("type %q: want object", text("type"))
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf", "if", "dependencies", "patternProperties"} {
		if _, there := f.root[key]; there {
			t.Errorf("root has %q: form renderers build no form from it", key)
		}
	}
	var version int
	if json.Unmarshal(f.root["x-schema-version"], &version) != nil || version != f.raw.Format {
		t.Errorf("x-schema-version %s: want the format, %d", f.root["x-schema-version"], f.raw.Format)
	}
	if d := s.describe(t, i); d.Formats.Options != f.raw.Format {
		t.Errorf("format %d, but Describe says %d", f.raw.Format, d.Formats.Options)
	}
	if len(f.names) == 0 {
		t.Error("no properties")
	}
	seen := map[string]bool{}
	for position, name := range f.names {
		p := f.properties[name]
		if seen[name] {
			t.Errorf("property %q comes twice", name)
		}
		seen[name] = true
		if p.Title == "" {
			t.Errorf("property %q has no title", name)
		}
		if p.Type == nil {
			t.Errorf("property %q has no type", name)
		}
		for key, order := range map[string]*int{"propertyOrder": p.PropertyOrder, "order": p.Order} {
			if order != nil && *order != position && *order != position+1 {
				t.Errorf("property %q: %s is %d, but it is number %d in the text", name, key, *order, position+1)
			}
		}
	}
	for _, name := range f.required {
		if !seen[name] {
			t.Errorf("required property %q is not declared", name)
		}
	}
	for _, ref := range regexp.MustCompile(`"\$ref"\s*:\s*"([^"]*)"`).FindAllSubmatch(f.raw.Schema, -1) {
		if !bytes.HasPrefix(ref[1], []byte("#")) {
			t.Errorf("$ref %q leads out of the document: hosts load nothing", ref[1])
		}
	}
}

// A secret is marked in each of the ways that hosts and renderers look at, and has no value in the
// schema.
func (s *suite) schemaSecrets(t *testing.T, i integration.Integration) {
	f := s.schema(t, i)
	for name, p := range f.properties {
		switch {
		case p.secret() && (p.Format != "password" || !p.WriteOnly || !p.XSecret):
			t.Errorf("property %q: a secret has format password, writeOnly and x-secret; it has %q, %v, %v", name, p.Format, p.WriteOnly, p.XSecret)
		case p.secret() && (p.Default != nil || p.Examples != nil):
			t.Errorf("property %q: a secret has no default and no examples", name)
		case !p.secret() && secretName.MatchString(name):
			t.Errorf("property %q is named like a secret, but is none", name)
		}
	}
}

// The same bytes each time: the order of the form is the order of the text.
func (s *suite) schemaConstant(t *testing.T, i integration.Integration) {
	first, second := s.schema(t, i), s.schema(t, i)
	if !bytes.Equal(first.raw.Schema, second.raw.Schema) {
		t.Error("two calls return different bytes")
	}
}
