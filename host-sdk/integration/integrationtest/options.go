package integrationtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/difference"
)

// validation is a request to check this document, offline.
func (s *suite) validation(options []byte) integration.ValidateOptionsRequest {
	facts := s.webhook().Facts
	return integration.ValidateOptionsRequest{
		Options: options, Instance: facts.Instance, Destinations: facts.Destinations, Now: facts.Now,
	}
}

// Saving what was saved changes nothing, and the document is brought to the newest format.
func (s *suite) optionsValid(t *testing.T, i integration.Integration) {
	req := s.validation(s.cfg.Options)
	before := clone(req)
	resp, err := i.ValidateOptions(callContext(t), req)
	must(t, "valid options", err)
	for _, p := range resp.Problems {
		t.Errorf("Config.Options: problem at %q: %s", p.Path, p.Message)
	}
	if d := difference.Of(before, req); d != "" {
		t.Errorf("the request was changed (before, after):\n%s", d)
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(resp.Options, &doc); err != nil {
		t.Errorf("the document to save: %v", err)
	}
	if want := s.describe(t, i).Formats.Options; resp.Format != want {
		t.Errorf("saved in format %d, want the newest, %d", resp.Format, want)
	}
	s.checkFallback(t, "Fallback", resp.Fallback)

	again, err := i.ValidateOptions(callContext(t), s.validation(resp.Options))
	must(t, "the document to save", err)
	if !sameJSON(again.Options, resp.Options) {
		t.Errorf("saving twice changes the document:\n%s\n%s", resp.Options, again.Options)
	}
	second, err := i.ValidateOptions(callContext(t), req)
	if d := difference.Of(resp, second); err != nil || d != "" {
		t.Errorf("the same request has two answers (error %v):\n%s", err, d)
	}
}

// sameJSON compares values: spaces and the order of keys do not matter.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && difference.Of(x, y) == ""
}

// checkProblems checks that each problem can be shown beside its field.
func checkProblems(t testing.TB, what string, f formSchema, problems []integration.Problem) {
	t.Helper()
	for _, p := range problems {
		field, _, _ := strings.Cut(p.Path, "/")
		if _, known := f.properties[field]; !known && field != "" {
			t.Errorf("%s: problem at %q, which is no option: %s", what, p.Path, p.Message)
		}
		if p.Code == "" || p.Message == "" {
			t.Errorf("%s: problem at %q without code (%q) or message (%q)", what, p.Path, p.Code, p.Message)
		}
	}
}

// Everything that is required is reported at its own field, all at once.
func (s *suite) optionsEmpty(t *testing.T, i integration.Integration) {
	f := s.schema(t, i)
	resp, err := i.ValidateOptions(callContext(t), s.validation([]byte("{}")))
	must(t, "an empty document is refused by problems, not by an error", err)
	checkProblems(t, "{}", f, resp.Problems)
	for _, name := range f.required {
		if !hasProblem(resp.Problems, name) {
			t.Errorf("no problem at %q, which is required: %+v", name, resp.Problems)
		}
	}
	if len(f.required) == 0 {
		t.Log("the schema requires nothing: an empty document may be right")
	}
}

// hasProblem reports whether a field, or something below it, has a problem.
func hasProblem(problems []integration.Problem, field string) bool {
	for _, p := range problems {
		if p.Path == field || strings.HasPrefix(p.Path, field+"/") {
			return true
		}
	}
	return false
}

// What is no JSON object is refused, by a problem or by an error of kind invalid.
func (s *suite) optionsGarbage(t *testing.T, i integration.Integration) {
	for _, doc := range []string{"", " ", "null", "true", "7", `"text"`, "[]", "{", `{"a":}`, `{"a":1}{"b":2}`, "\xff\xfe", strings.Repeat("[", 20000)} {
		resp, err := i.ValidateOptions(callContext(t), s.validation([]byte(doc)))
		checkError(t, fmt.Sprintf("document %.20q", doc), err, integration.KindInvalid)
		if err == nil && len(resp.Problems) == 0 {
			t.Errorf("document %.20q is accepted", doc)
		}
	}
}

// optionsTypes gives each option a value of another type.
func (s *suite) optionsTypes(t *testing.T, i integration.Integration) {
	f := s.schema(t, i)
	for _, name := range f.names {
		wrong := `{"surely": "wrong"}`
		switch f.properties[name].Type {
		case "object":
			wrong = `"surely wrong"`
		case "string", "boolean", "integer", "number", "array":
		default:
			continue // several types
		}
		resp, err := i.ValidateOptions(callContext(t), s.validation(s.with(t, map[string]string{name: wrong})))
		must(t, name, err)
		checkProblems(t, name, f, resp.Problems)
		if !hasProblem(resp.Problems, name) {
			t.Errorf("%s: %s is accepted; problems %+v", name, wrong, resp.Problems)
		}
	}
}

// with returns Config.Options with these keys set to these JSON values.
func (s *suite) with(t testing.TB, values map[string]string) []byte {
	t.Helper()
	doc := map[string]json.RawMessage{}
	must(t, "Config.Options", json.Unmarshal(s.cfg.Options, &doc))
	for name, value := range values {
		doc[name] = json.RawMessage(value)
	}
	data, err := json.Marshal(doc)
	must(t, "options", err)
	return data
}

// Fields that this version does not know are kept: a newer version has written them, and may come
// back.
func (s *suite) optionsUnknownFields(t *testing.T, i integration.Integration) {
	resp, err := i.ValidateOptions(callContext(t), s.validation(s.with(t, map[string]string{"of_a_later_version": `{"kept":true}`})))
	must(t, "unknown field", err)
	if len(resp.Problems) > 0 {
		t.Errorf("an unknown field is refused: %+v", resp.Problems)
	}
	var doc map[string]json.RawMessage
	must(t, "the document to save", json.Unmarshal(resp.Options, &doc))
	if !sameJSON(doc["of_a_later_version"], []byte(`{"kept":true}`)) {
		t.Errorf("an unknown field is lost: a downgrade would cost the user's setting; saved %s", doc["of_a_later_version"])
	}
}

// optionsNoSecrets puts canaries into secrets, in documents that are right and wrong, and looks for
// them in every answer.
func (s *suite) optionsNoSecrets(t *testing.T, i integration.Integration) {
	f := s.schema(t, i)
	const canary = "canary0123456789abcdefcanary"
	for _, name := range f.names {
		if !f.properties[name].secret() {
			continue
		}
		for _, value := range []string{
			`"` + canary + `"`, `"` + canary + ` with spaces\n"`, `"` + strings.Repeat(canary, 50) + `"`,
			`["` + canary + `"]`, `{"` + canary + `":"` + canary + `"}`,
		} {
			for _, doc := range [][]byte{
				s.with(t, map[string]string{name: value}),
				[]byte(`{"` + name + `":` + value + `}`),
				[]byte(`{"` + name + `":` + value), // broken JSON
			} {
				resp, err := i.ValidateOptions(callContext(t), s.validation(doc))
				if err != nil && strings.Contains(err.Error(), canary) {
					t.Errorf("%s: its value is in the error", name)
				}
				resp.Options = nil // where it belongs
				if where := mentions(resp, canary); where != "" {
					t.Errorf("%s: its value is in %s", name, where)
				}
			}
		}
	}
}

// A document of a newer format is refused rather than read in the words of an older one.
func (s *suite) optionsNewerFormat(t *testing.T, i integration.Integration) {
	req := s.validation(s.cfg.Options)
	req.Format = s.describe(t, i).Formats.Options + 1
	resp, err := i.ValidateOptions(callContext(t), req)
	checkError(t, "newer format", err, integration.KindUnsupported, integration.KindInvalid)
	if err == nil && len(resp.Problems) == 0 {
		t.Errorf("a document of format %d, which this version does not know, is accepted", req.Format)
	}
}
