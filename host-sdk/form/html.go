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

// Problem is a refused or doubtful value, as the contract's type of the same name.
type Problem struct {
	Path    string // option key, or key and index as in "banned_phones/2"
	Message string
}

// View is what to draw.
type View struct {
	Values   []byte // JSON document; secrets as HideSecrets leaves them
	Problems []Problem
	Warnings []Problem
	// MediaURL gives the address at which an uploaded file can be heard; nil: no player is shown.
	MediaURL func(ref string) string
}

//go:embed form.html.tmpl
var formTemplate string

var tmpl = template.Must(template.New("form").Parse(formTemplate))

// HTML draws the form's groups and fields (not the form element nor its buttons) as HTML. Every
// control is named Prefix and its key; see Decode. The result needs no JavaScript; with the script
// of [Script] conditional fields are hidden.
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

// row is a field with its value and what is to be said of it.
type row struct {
	Field
	ID         string
	Text       string // of text inputs and lists (a line each)
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

func (f *Form) row(field Field, doc map[string]json.RawMessage, v View) row {
	r := row{Field: field, ID: "option-" + field.Key}
	value, ok := doc[field.Key]
	if !ok {
		value = field.Default
	}
	switch {
	case field.Secret:
		r.IsSet = ok && isSetMark(value)
	case field.Type == "boolean":
		r.Checked = string(bytes.TrimSpace(value)) == "true"
	case field.Type == "array":
		var list []string
		if json.Unmarshal(value, &list) != nil {
			_ = json.Unmarshal(value, &r.Text) // a list that could not be read stays as it was typed
		} else {
			r.Text = strings.Join(list, "\n")
		}
		r.Rows = max(3, min(8, len(list)+1))
	default:
		if json.Unmarshal(value, &r.Text) != nil { // numbers are shown as they are written
			r.Text = strings.TrimSpace(string(value))
		}
		r.Rows = 2
	}
	if field.Media != nil {
		r.Accept = strings.Join(field.Media.Accept, ",")
		if strings.HasPrefix(r.Text, mediaPrefix) { // a reference is nothing to read: the control stays free for text
			r.Ref, r.Text = r.Text, ""
			if v.MediaURL != nil {
				r.Audio = v.MediaURL(r.Ref)
			}
		}
	}
	if field.ShowIf != nil {
		b, _ := json.Marshal(field.ShowIf) // raw JSON that was read before
		r.Condition, r.When = string(b), field.ShowIf.describe(f)
	}
	r.Problems, r.Warnings = messages(field, v.Problems), messages(field, v.Warnings)
	if r.Hint = field.hint(); field.Type == "array" {
		r.Hint = strings.TrimSpace("One a line. " + r.Hint)
	}
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

// messages picks those of a field; of a list's entry they name its line.
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
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// hint is what a schema knows and its description need not repeat.
func (field Field) hint() string {
	var parts []string
	if field.Min != nil && field.Max != nil {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%g to %g %s", *field.Min, *field.Max, field.Unit))+".")
	}
	if len(field.Examples) > 0 && field.Placeholder == "" && field.Type != "string" {
		parts = append(parts, "For example: "+strings.Join(field.Examples, ", ")+".")
	}
	return strings.Join(parts, " ")
}

// Hollow is what the row's empty input shows.
func (r row) Hollow() string {
	if r.Ref != "" {
		return "The uploaded file is played. What is typed here replaces it."
	}
	return r.PlaceholderText()
}

// PlaceholderText is what an empty input shows.
func (field Field) PlaceholderText() string {
	if field.Placeholder != "" {
		return field.Placeholder
	}
	if field.Type == "string" && len(field.Examples) > 0 && field.Media == nil {
		return field.Examples[0]
	}
	return ""
}
