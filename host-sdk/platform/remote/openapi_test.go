package remote_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// The document and the Go types have the same members, of the same kinds, by the same names.
func TestTheDocumentHasTheTypesMembers(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(remote.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Errorf("the document is no OpenAPI: %v", err)
	}
	left := map[string]bool{"Id": true} // a string
	for _, of := range []any{
		wire.AlertSnapshot{}, wire.Acknowledgement{}, wire.AlertCommand{}, wire.AlertDraft{}, wire.AlertField{}, wire.MediaRef{},
		wire.Capabilities{}, wire.Ref{}, wire.Destination{}, wire.OnCallEntry{}, wire.OnCallAnswer{}, wire.User{}, wire.RouteQuestion{},
		wire.RouteVerdict{}, wire.AudienceQuestion{}, wire.AudienceAnswer{}, wire.Protocol{}, wire.Limits{}, wire.Problem{}, wire.Event{},
		wire.EventData{}, wire.AlertRef{}, wire.Changes{}, wire.TeamsAnswer{}, wire.DestinationsAnswer{}, wire.DestinationsQuestion{},
	} {
		goType := reflect.TypeOf(of)
		left[goType.Name()] = true
		schema := doc.Components.Schemas[goType.Name()]
		if schema == nil {
			t.Errorf("the document has no schema %s", goType.Name())
			continue
		}
		want, got := map[string]string{}, map[string]string{}
		for f := range goType.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			want[name] = jsonType(f.Type)
		}
		for name, property := range schema.Value.Properties {
			got[name] = strings.Join(property.Value.Type.Slice(), "|")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-Go +document):\n%s", goType.Name(), diff)
		}
	}
	for name := range doc.Components.Schemas {
		if !left[name] {
			t.Errorf("no Go type is compared with the schema %s", name)
		}
	}
}

func jsonType(of reflect.Type) string {
	switch of.Kind() {
	case reflect.Pointer:
		return jsonType(of.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.String:
		return "string"
	case reflect.Struct:
		if of.PkgPath() == "time" {
			return "string"
		}
		return "object"
	default: // a list, or JSON as it is
		if of.Name() == "RawMessage" {
			return "object"
		}
		return "array"
	}
}

// Every kind of command is explained.
func TestTheDocumentExplainsEveryCommand(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(remote.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	text := doc.Paths.Find("/v1/alerts/{key}/commands/{number}").Put.Description
	kinds := []string{"create", "route", "log", "add_field", "attach", "acknowledge", "reopen", "decline", "escalate", "resolve"}
	for _, kind := range kinds {
		if !strings.Contains(text, "| "+kind+" |") {
			t.Errorf("the command %s is not in the table", kind)
		}
	}
	if rows := strings.Count(text, "\n| ") - 1; rows != len(kinds) {
		t.Errorf("the table has %d rows, want one for each of %d kinds", rows, len(kinds))
	}
}
