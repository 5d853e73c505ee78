package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// Document is the OpenAPI document of the protocol. It is the one that switchboard platform openapi
// prints.
type Document struct{ *openapi3.T }

// NewDocument reads the embedded document; an error is a defect of it.
func NewDocument() (*Document, error) {
	doc, err := openapi3.NewLoader().LoadFromData(remote.OpenAPI)
	return &Document{doc}, err
}

// find returns the operation of a request; nil: the document has none. Patterns do not overlap, so
// the order does not matter.
func (d *Document) find(method, path string) *openapi3.Operation {
	for pattern, item := range d.Paths.Map() {
		if fits(pattern, path) {
			return item.GetOperation(method)
		}
	}
	return nil
}

// operation returns the id of a request's operation, "" if the document has none.
func (d *Document) operation(method, path string) string {
	if op := d.find(method, path); op != nil {
		return op.OperationID
	}
	return ""
}

// fits reports whether a path is of a pattern such as /v1/users/{id}. An empty segment fits no
// parameter.
func fits(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && (!strings.HasPrefix(want[i], "{") || got[i] == "") {
			return false
		}
	}
	return true
}

// Fault is what is wrong with the shape of an answer.
type Fault struct {
	Text string
	Note bool // it does no harm
}

// Judge says what is wrong with the shape of an answer. Answers of addresses that the document does
// not have are not judged.
func (d *Document) Judge(x *Exchange) []Fault {
	path, _, _ := strings.Cut(x.Target, "?")
	op := d.find(x.Method, path)
	if op == nil || x.Err != nil {
		return nil
	}
	media, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type"))
	switch {
	case x.Status >= 300 && x.Status < 400:
		return []Fault{{Text: fmt.Sprintf("the answer is a redirect to %q: no answer may be one", x.Header.Get("Location"))}}
	case x.Status >= 400:
		return d.problem(x, media)
	case x.Status != http.StatusOK:
		return []Fault{{Text: fmt.Sprintf("the status is %d: success is 200", x.Status)}}
	}
	var out []Fault
	if media != "application/json" {
		out = append(out, Fault{Text: fmt.Sprintf("the media type is %q: write Content-Type: application/json", media)})
	}
	schema := op.Responses.Status(http.StatusOK).Value.Content.Get("application/json").Schema
	return append(out, d.body(x.Body, schema.Value, answers[x.Operation])...)
}

// answers has the type of each operation's answer. It is what the adapter reads an answer into, so
// a member that it does not know is found.
var answers = map[string]any{
	"protocol": wire.Protocol{}, "capabilities": wire.Capabilities{}, "destinations": wire.DestinationsAnswer{}, "teams": wire.TeamsAnswer{},
	"onCall": wire.OnCallAnswer{}, "user": wire.User{}, "route": wire.RouteVerdict{}, "audience": wire.AudienceAnswer{},
	"alert": wire.AlertSnapshot{}, "command": wire.AlertSnapshot{}, "changes": wire.Changes{}, "health": struct{}{},
}

// statuses has the statuses that belong to each kind. The first two are what a fault proposes.
var statuses = map[string][]int{
	"invalid": {400, 413, 422}, "unauthorized": {401, 403}, "not_found": {404, 410}, "unsupported": {501, 405},
	"conflict": {409, 412}, "unavailable": {429, 503, 412}, "deadline": {408, 504}, "internal": {500, 502},
}

// problem judges an error. Whether a command is tried again depends on the kind alone, so it must
// be there.
func (d *Document) problem(x *Exchange, media string) []Fault {
	if media != wire.ProblemType {
		return []Fault{{Text: fmt.Sprintf("the status %d came with the media type %q: errors are %s with a kind, else the command is tried again for ever", x.Status, media, wire.ProblemType)}}
	}
	out := d.body(x.Body, d.Components.Schemas["Problem"].Value, wire.Problem{})
	var doc wire.Problem
	if json.Unmarshal(x.Body, &doc) != nil || doc.Kind == "" {
		return out
	}
	fitting, known := statuses[doc.Kind]
	switch {
	case !known:
		out = append(out, Fault{Text: fmt.Sprintf("the kind %q is not one of the document: it counts as internal and is tried again", doc.Kind)})
	case !slices.Contains(fitting, x.Status):
		out = append(out, Fault{Text: fmt.Sprintf("the status is %d and the kind %s: they contradict each other; with this kind write %s", x.Status, doc.Kind, oneOf(fitting[:min(2, len(fitting))]))})
	}
	if doc.Status != 0 && doc.Status != x.Status {
		out = append(out, Fault{Text: fmt.Sprintf("the problem says status %d, but came with %d", doc.Status, x.Status)})
	}
	return out
}

// oneOf lists numbers for a sentence.
func oneOf(list []int) string {
	var words []string
	for _, n := range list {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, " or ")
}

// body judges JSON by its schema, and its members by the type that it is read into.
func (d *Document) body(body []byte, schema *openapi3.Schema, into any) []Fault {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []Fault{{Text: fmt.Sprintf("the body is no JSON (%v)", err)}}
	}
	value = withoutNulls(value, schema)
	var out []Fault
	if err := schema.VisitJSON(value, openapi3.MultiErrors(), openapi3.EnableFormatValidation()); err != nil {
		out = spread(err)
	}
	for _, u := range wire.UnknownMembers(body, into) {
		if u.Meant == "" {
			out = append(out, Fault{Text: fmt.Sprintf("the member %s is not in the document, and is passed over", u.Path), Note: true})
			continue
		}
		out = append(out, Fault{Text: fmt.Sprintf("the member %s is not in the document: is %s meant?", u.Path, u.Meant)})
	}
	return out
}

// withoutNulls removes members that are null where that is the same as absent. Lists must not be
// null: those stay. Many languages write null for what is not set; the adapter takes both.
func withoutNulls(value any, schema *openapi3.Schema) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			of := schema.Properties[name]
			switch {
			case of == nil:
			case member == nil && !of.Value.Type.Is("array"):
				delete(v, name)
			default:
				v[name] = withoutNulls(member, of.Value)
			}
		}
	case []any:
		if schema.Items != nil {
			for i := range v {
				v[i] = withoutNulls(v[i], schema.Items.Value)
			}
		}
	}
	return value
}

// spread lists the single errors, in plain words. Errors of errors are taken apart.
func spread(err error) []Fault {
	var many openapi3.MultiError
	if errors.As(err, &many) {
		var out []Fault
		for _, one := range many {
			out = append(out, spread(one)...)
		}
		return out
	}
	var one *openapi3.SchemaError
	if !errors.As(err, &one) {
		return []Fault{{Text: err.Error()}}
	}
	where := place(one.JSONPointer())
	switch one.SchemaField {
	case "required":
		return []Fault{{Text: fmt.Sprintf("%s: the member is missing", where)}}
	case "nullable":
		if one.Schema.Type.Is("array") {
			return []Fault{{Text: fmt.Sprintf("%s is null: write [] for an empty list", where)}}
		}
	case "type":
		return []Fault{{Text: fmt.Sprintf("%s is %s: it must be %s", where, Written(one.Value), article(one.Schema.Type.Slice()))}}
	case "enum":
		return []Fault{{Text: fmt.Sprintf("%s is %s: it must be one of %s", where, Written(one.Value), quoted(one.Schema.Enum))}}
	case "format", "pattern":
		if one.Schema.Format == "date-time" {
			return []Fault{{Text: fmt.Sprintf("%s is %s: write times as 2026-01-31T12:34:56Z", where, Written(one.Value))}}
		}
		if strings.HasSuffix(where, "phones") || strings.Contains(where, "phones[") {
			return []Fault{{Text: fmt.Sprintf("%s is %s: write telephone numbers as + and digits (E.164), without blanks or signs", where, Written(one.Value))}}
		}
	}
	return []Fault{{Text: fmt.Sprintf("%s is %s: %s", where, Written(one.Value), one.Reason)}}
}

// place writes a JSON pointer as people do: teams[0].name.
func place(pointer []string) string {
	var b strings.Builder
	for _, part := range pointer {
		if _, err := strconv.Atoi(part); err == nil {
			b.WriteString("[" + part + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	if b.Len() == 0 {
		return "the answer"
	}
	return b.String()
}

// Written is a value as JSON, cut to what fits into a sentence.
func Written(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return excerptOf(string(text), 80)
}

// excerptOf is a text of at most so many characters.
func excerptOf(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// article puts a or an before the names of types.
func article(types []string) string {
	text := strings.Join(types, " or ")
	if strings.HasPrefix(text, "a") || strings.HasPrefix(text, "i") || strings.HasPrefix(text, "o") {
		return "an " + text
	}
	return "a " + text
}

// quoted lists the values that are possible.
func quoted(values []any) string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, ", ")
}
