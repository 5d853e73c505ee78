package platformcheck

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

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// document is the OpenAPI document of the protocol. It is the one that switchboard platform openapi
// prints.
type document struct{ *openapi3.T }

// newDocument reads the embedded document; an error is a defect of it.
func newDocument() (*document, error) {
	doc, err := openapi3.NewLoader().LoadFromData(remote.OpenAPI)
	return &document{doc}, err
}

// find returns the operation of a request; nil: the document has none. Patterns do not overlap, so
// the order does not matter.
func (d *document) find(method, path string) *openapi3.Operation {
	for pattern, item := range d.Paths.Map() {
		if fits(pattern, path) {
			return item.GetOperation(method)
		}
	}
	return nil
}

// operation returns the id of a request's operation, "" if the document has none.
func (d *document) operation(method, path string) string {
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

// fault is what is wrong with the shape of an answer.
type fault struct {
	text string
	note bool // it does no harm
}

// judge says what is wrong with the shape of an answer. Answers of addresses that the document does
// not have are not judged.
func (d *document) judge(x *exchange) []fault {
	path, _, _ := strings.Cut(x.target, "?")
	op := d.find(x.method, path)
	if op == nil || x.err != nil {
		return nil
	}
	media, _, _ := mime.ParseMediaType(x.header.Get("Content-Type"))
	switch {
	case x.status >= 300 && x.status < 400:
		return []fault{{text: fmt.Sprintf("the answer is a redirect to %q: no answer may be one", x.header.Get("Location"))}}
	case x.status >= 400:
		return d.problem(x, media)
	case x.status != http.StatusOK:
		return []fault{{text: fmt.Sprintf("the status is %d: success is 200", x.status)}}
	}
	var out []fault
	if media != "application/json" {
		out = append(out, fault{text: fmt.Sprintf("the media type is %q: write Content-Type: application/json", media)})
	}
	schema := op.Responses.Status(http.StatusOK).Value.Content.Get("application/json").Schema
	return append(out, d.body(x.body, schema.Value, answers[x.operation])...)
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
func (d *document) problem(x *exchange, media string) []fault {
	if media != wire.ProblemType {
		return []fault{{text: fmt.Sprintf("the status %d came with the media type %q: errors are %s with a kind, else the command is tried again for ever", x.status, media, wire.ProblemType)}}
	}
	out := d.body(x.body, d.Components.Schemas["Problem"].Value, wire.Problem{})
	var doc wire.Problem
	if json.Unmarshal(x.body, &doc) != nil || doc.Kind == "" {
		return out
	}
	fitting, known := statuses[doc.Kind]
	switch {
	case !known:
		out = append(out, fault{text: fmt.Sprintf("the kind %q is not one of the document: it counts as internal and is tried again", doc.Kind)})
	case !slices.Contains(fitting, x.status):
		out = append(out, fault{text: fmt.Sprintf("the status is %d and the kind %s: they contradict each other; with this kind write %s", x.status, doc.Kind, oneOf(fitting[:min(2, len(fitting))]))})
	}
	if doc.Status != 0 && doc.Status != x.status {
		out = append(out, fault{text: fmt.Sprintf("the problem says status %d, but came with %d", doc.Status, x.status)})
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
func (d *document) body(body []byte, schema *openapi3.Schema, into any) []fault {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []fault{{text: fmt.Sprintf("the body is no JSON (%v)", err)}}
	}
	value = withoutNulls(value, schema)
	var out []fault
	if err := schema.VisitJSON(value, openapi3.MultiErrors(), openapi3.EnableFormatValidation()); err != nil {
		out = spread(err)
	}
	for _, u := range wire.UnknownMembers(body, into) {
		if u.Meant == "" {
			out = append(out, fault{text: fmt.Sprintf("the member %s is not in the document, and is passed over", u.Path), note: true})
			continue
		}
		out = append(out, fault{text: fmt.Sprintf("the member %s is not in the document: is %s meant?", u.Path, u.Meant)})
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
func spread(err error) []fault {
	var many openapi3.MultiError
	if errors.As(err, &many) {
		var out []fault
		for _, one := range many {
			out = append(out, spread(one)...)
		}
		return out
	}
	var one *openapi3.SchemaError
	if !errors.As(err, &one) {
		return []fault{{text: err.Error()}}
	}
	where := place(one.JSONPointer())
	switch one.SchemaField {
	case "required":
		return []fault{{text: fmt.Sprintf("%s: the member is missing", where)}}
	case "nullable":
		if one.Schema.Type.Is("array") {
			return []fault{{text: fmt.Sprintf("%s is null: write [] for an empty list", where)}}
		}
	case "type":
		return []fault{{text: fmt.Sprintf("%s is %s: it must be %s", where, written(one.Value), article(one.Schema.Type.Slice()))}}
	case "enum":
		return []fault{{text: fmt.Sprintf("%s is %s: it must be one of %s", where, written(one.Value), quoted(one.Schema.Enum))}}
	case "format", "pattern":
		if one.Schema.Format == "date-time" {
			return []fault{{text: fmt.Sprintf("%s is %s: write times as 2026-01-31T12:34:56Z", where, written(one.Value))}}
		}
		if strings.HasSuffix(where, "phones") || strings.Contains(where, "phones[") {
			return []fault{{text: fmt.Sprintf("%s is %s: write telephone numbers as + and digits (E.164), without blanks or signs", where, written(one.Value))}}
		}
	}
	return []fault{{text: fmt.Sprintf("%s is %s: %s", where, written(one.Value), one.Reason)}}
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

// written is a value as JSON, cut to what fits into a sentence.
func written(value any) string {
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

// shapes judges every answer that was recorded: each fault once, with the operations that have it
// and the request where it was seen first. One misspelt member is one fault, in however many
// answers it is.
func (r *run) shapes() {
	c := r.check("answers are as in the OpenAPI document")
	if c == nil {
		return
	}
	c.About = "what switchboard platform openapi prints"
	groups := map[string]*group{}
	var order []*group
	for _, x := range r.rec.recorded() {
		for _, f := range r.doc.judge(x) {
			g := groups[general(f.text)]
			if g == nil {
				g = &group{fault: f, first: x}
				groups[general(f.text)] = g
				order = append(order, g)
			}
			if !slices.Contains(g.operations, x.operation) {
				g.operations = append(g.operations, x.operation)
			}
		}
	}
	for _, g := range order {
		g.report(c)
	}
}

// group is one fault in answers of some operations.
type group struct {
	fault

	first      *exchange
	operations []string
}

// report adds the fault to a check, with the first request that shows it.
func (g *group) report(c *result.Check) {
	text := strings.Join(g.operations, ", ") + ": " + g.text
	if g.note {
		c.Note("%s", text)
		return
	}
	c.Wrong("%s", text)
	if shown := g.first.text(); len(c.Exchanges) < 5 && !slices.Contains(c.Exchanges, shown) {
		c.Exchanges = append(c.Exchanges, shown)
	}
}

// included sees that the answer to a command includes it. The first answer that does not is enough.
func (r *run) included() {
	c := r.check("the answer to a command includes it")
	if c == nil || r.cfg.OpenAPIOnly {
		return
	}
	c.About = "200 with the alert after the command: last_command is its number, or greater"
	for _, x := range r.rec.recorded() {
		s, ok := read[wire.AlertSnapshot](x)
		if x.operation != "command" || !ok {
			continue
		}
		_, number, _ := strings.Cut(withoutQuery(x.target), "/commands/")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && s.LastCommand < n {
			c.Wrong("A command was answered with an alert whose last_command is smaller than its number: callers wait for a snapshot that includes their command.")
			c.Exchanges = []string{x.text()}
			return
		}
	}
}

// general is a fault's text without what differs from one answer to the next. It is the key by
// which equal faults are found.
func general(text string) string {
	return digits.ReplaceAllString(quotedText.ReplaceAllString(text, `"…"`), "0")
}
