package form_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/form"
)

func TestPrepare(t *testing.T) {
	t.Parallel()
	const defaults = `"on":false,"secs":60,"kind":"y"`
	for _, tc := range []struct{ name, stored, document, required string }{
		{"new", ``, `{` + defaults + `}`, `["name","key"]`},
		{"stored, with marks", `{"name":"N","key":{"set":true},"extra":{"set":true},"secs":7}`, `{"name":"N","on":false,"secs":7,"kind":"y"}`, `["name"]`},
		{"stored, in clear", `{"key":"canary-secret","extra":"canary-secret"}`, `{` + defaults + `}`, `["name"]`},
		{"secrets without a value", `{"key":{"set":false},"extra":""}`, `{` + defaults + `}`, `["name","key"]`},
		{"deleted", `{"key":null}`, `{` + defaults + `}`, `["name","key"]`},
		{"unknown fields are kept", `{"z":1,"a":{"b":2},"kind":null}`, `{"on":false,"secs":60,"kind":null,"a":{"b":2},"z":1}`, `["name","key"]`},
	} {
		prepared, document, err := form.Prepare(sample, []byte(tc.stored))
		if err != nil || string(document) != tc.document {
			t.Errorf("%s: %s, %v; want %s", tc.name, document, err, tc.document)
		}
		if !strings.Contains(string(prepared), `"required":`+tc.required+`,`) {
			t.Errorf("%s: required is not %s: %s", tc.name, tc.required, prepared)
		}
		if strings.Contains(string(prepared)+string(document), "canary") {
			t.Errorf("%s: a secret is handed out", tc.name)
		}
		f, err := form.Parse(prepared)
		if err != nil {
			t.Fatal(err)
		}
		key, _ := f.Field("key")
		if set := key.Placeholder != ""; set == key.Required {
			t.Errorf("%s: required %v, placeholder %q", tc.name, key.Required, key.Placeholder)
		}
		if first := f.Groups[0].Fields[0].Key + f.Groups[1].Fields[1].Key; first != "nameon" {
			t.Errorf("%s: the order is lost: %s", tc.name, first)
		}
	}
	for _, bad := range [][2]string{{"{", "{}"}, {string(sample), "[]"}, {`{"properties":{"a":5}}`, "{}"}, {`{"properties":{"a":{}},"required":5}`, "{}"}, {`{"properties":5}`, "{}"}} {
		if _, _, err := form.Prepare([]byte(bad[0]), []byte(bad[1])); err == nil {
			t.Errorf("Prepare(%.20s, %s) is accepted", bad[0], bad[1])
		}
	}
}

// TestPrepareNumbersThePropertiesInTheirOrder decodes into a map, as a host does that loses the
// order of keys.
func TestPrepareNumbersThePropertiesInTheirOrder(t *testing.T) {
	t.Parallel()
	prepared, _, err := form.Prepare([]byte(`{"properties":{"b":{"type":"string"},"a":{"type":"string","order":7},"c":{"x-secret":true}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Properties map[string]struct{ PropertyOrder, Order int }
	}
	if err := json.Unmarshal(prepared, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"b": 1, "a": 2, "c": 3} {
		if p := got.Properties[key]; p.PropertyOrder != want || p.Order != want {
			t.Errorf("%s: propertyOrder %d, order %d, want %d", key, p.PropertyOrder, p.Order, want)
		}
	}
}

func TestPrepareChangesNothingElseOfTheSchema(t *testing.T) {
	t.Parallel()
	prepared, _, err := form.Prepare(sample, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, derive := range map[string]func([]byte) ([]byte, error){"RJSF": form.RJSF, "JSON Forms": form.JSONForms} {
		before, err := derive(sample)
		if err != nil {
			t.Fatal(err)
		}
		after, err := derive(prepared)
		if err != nil || string(before) != string(after) {
			t.Errorf("%s: another UI schema, %v", name, err)
		}
	}
}
