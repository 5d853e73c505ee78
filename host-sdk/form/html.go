package form

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// Problem is a refused or doubtful value, like the type of the same name in the contract.
type Problem struct {
	Path    string // option key, or key and index as in "banned_phones/2"
	Message string
}

// View holds what a form shows.
type View struct {
	// It may also be the document as it was refused, so that nobody enters a form twice.
	Values   []byte // JSON document; secrets as HideSecrets leaves them
	Problems []Problem
	Warnings []Problem
	// MediaURL returns the address at which an uploaded file can be heard. nil means no player.
	MediaURL func(ref string) string
}

// html/template escapes each value for its place, so no text of a schema or a document can become
// markup.
//
//go:embed form.html.tmpl
var formTemplate string

var tmpl = template.Must(template.New("form").Parse(formTemplate))

// HTML renders the groups and fields of the form, without the form element and its buttons. Each
// control is named Prefix + KEY; see Decode. The form works without JavaScript; with [Script],
// fields whose condition is false are hidden. HTML fails if the values are not a JSON object.
func (f *Form) HTML(v View) (template.HTML, error) {
	doc, err := object(v.Values)
	if err != nil {
		return "", err
	}
	type group struct {
		Group
		Rows []row
	}
	var groups []group
	for _, g := range f.Groups {
		out := group{Group: g}
		for _, field := range g.Fields {
			out.Rows = append(out.Rows, f.row(field, doc, v))
		}
		groups = append(groups, out)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, groups); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil // #nosec G203 -- made by html/template
}

// row is a field with its value, its messages, and what the template needs. It is made anew for
// each page; the template only writes it down.
type row struct {
	Field
	ID         string
	Text       string // of text inputs and lists (a line each)
	Control    string // type of the input of a text
	Checked    bool
	IsSet      bool   // a secret has a value
	Ref        string // of the uploaded file
	Audio      string // its address
	Accept     string
	Condition  string // JSON for the script
	When       string // the condition in words
	Problems   []string
	Warnings   []string
	DescribeBy string
	Hint       string
	Rows       int
}

// row is what one field shows. A value that is missing shows its default, as that is what counts.
func (f *Form) row(field Field, doc map[string]json.RawMessage, v View) row {
	r := row{Field: field, ID: "option-" + field.Key}
	// A schema's default is what counts while the document has no value, so showing nothing would
	// mislead.
	value, ok := doc[field.Key]
	if !ok {
		value = field.Default
	}
	switch {
	case field.Secret:
		// That there is a value is all that the page says, even if a host forgets to hide it.
		r.IsSet = ok && isSet(value)
	// Anything but true is shown as off, also a text that validation will refuse.
	case field.Type == "boolean":
		r.Checked = string(bytes.TrimSpace(value)) == "true"
	case field.Type == "array":
		var list []string
		if json.Unmarshal(value, &list) != nil {
			// A list that could not be read is shown as it was entered.
			_ = json.Unmarshal(value, &r.Text)
		} else {
			r.Text = strings.Join(list, "\n")
		}
		r.Rows = max(3, min(8, len(list)+1)) // room for one more entry, but no wall of text
	default:
		if json.Unmarshal(value, &r.Text) != nil {
			// A number is shown as it is written in the document.
			r.Text = strings.TrimSpace(string(value))
		}
		r.Rows = 2
	}
	r.Control, r.Text = DateControl(field.Format, r.Text)
	if field.Media != nil {
		r.Accept = strings.Join(field.Media.Accept, ",")
		if strings.HasPrefix(r.Text, mediaPrefix) {
			// A reference means nothing to people: the control stays free for text.
			r.Ref, r.Text = r.Text, ""
			if v.MediaURL != nil {
				r.Audio = v.MediaURL(r.Ref)
			}
		}
	}
	if field.ShowIf != nil {
		b, _ := json.Marshal(field.ShowIf) // it was read from JSON
		r.Condition, r.When = string(b), field.ShowIf.describe(f)
	}
	r.Problems, r.Warnings = messages(field, v.Problems), messages(field, v.Warnings)
	if r.Hint = field.hint(); field.Type == "array" {
		r.Hint = strings.TrimSpace("One per line. " + r.Hint)
	}
	// Screen readers read help and messages together with the input (aria-describedby).
	var by []string
	if field.Description != "" || r.Hint != "" || r.When != "" {
		by = append(by, r.ID+"-help")
	}
	if len(r.Problems) > 0 {
		by = append(by, r.ID+"-error")
	}
	if len(r.Warnings) > 0 {
		by = append(by, r.ID+"-warning")
	}
	r.DescribeBy = strings.Join(by, " ")
	return r
}

// messages returns the messages of a field. Those of a list's entry name its line. messages
// compares by the first part of a path: the rest is the position in a list, from 0. A path that
// names no field is the host's to show above the form.
func messages(field Field, all []Problem) []string {
	var out []string
	for _, p := range all {
		key, index, entry := strings.Cut(p.Path, "/")
		if key != field.Key {
			continue
		}
		text := p.Message
		var n int
		if _, err := fmt.Sscanf(index, "%d", &n); entry && err == nil {
			text = fmt.Sprintf("Line %d: %s", n+1, text)
		}
		// Plugin and schema may both refuse a value in the same words.
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// hint words what the schema knows, so that no description has to repeat it. hint is empty when
// there is nothing to add. Its parts are sentences.
func (field Field) hint() string {
	var parts []string
	if field.Min != nil && field.Max != nil {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%g to %g %s", *field.Min, *field.Max, field.Unit))+".")
	}
	// The example of a text is its placeholder already.
	if field.Format == formatDateTime {
		parts = append(parts, "In UTC.")
	}
	if len(field.Examples) > 0 && field.Placeholder == "" && field.Type != "string" {
		parts = append(parts, "For example: "+strings.Join(field.Examples, ", ")+".")
	}
	return strings.Join(parts, " ")
}

// Suggests reports whether the examples of a text are values to choose from: several of them.
func (field Field) Suggests() bool {
	return field.Type == "string" && field.Media == nil && len(field.Examples) > 1
}

// Hollow returns the placeholder of the row's input.
func (r row) Hollow() string {
	// An input that is empty beside an uploaded file needs a reason.
	if r.Ref != "" {
		return "The uploaded file is played. Text entered here replaces it."
	}
	return r.PlaceholderText()
}

// PlaceholderText returns what an empty input shows: the schema's placeholder, else an example.
func (field Field) PlaceholderText() string {
	if field.Placeholder != "" {
		return field.Placeholder
	}
	if field.Type == "string" && len(field.Examples) > 0 && field.Media == nil {
		return field.Examples[0]
	}
	return ""
}
