package form

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Form is an options schema in the order and the parts in which people see it. It is made by Parse
// and not changed afterwards, so many requests may share it.
type Form struct {
	Title       string
	Description string
	Version     int // x-schema-version
	Groups      []Group
}

// Group is a part of the form (x-groups). Fields without a group form a last group without a title.
type Group struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Fields      []Field
}

// Field is one property of the schema.
type Field struct {
	Key         string
	Type        string // string, integer, number, boolean, array (of strings)
	Title       string
	Description string
	Placeholder string
	Unit        string
	Default     json.RawMessage
	Choices     []Choice
	Min, Max    *float64
	MaxLength   int
	Required    bool
	Secret      bool
	ReadOnly    bool
	Multiline   bool
	Format      string // date and date-time have controls of their own; others are texts
	Examples    []string
	Media       *Media
	ShowIf      *Condition
	Asked       bool // x-ask: belongs to the first questions although it may be left out
}

// First reports whether a field belongs to the first questions about a new integration: without it
// none can be made, or the schema says so.
func (f Field) First() bool {
	return !f.ReadOnly && f.Media == nil && (f.Required && f.Default == nil || f.Asked)
}

// Choice is one value of an enum.
type Choice struct{ Value, Title string }

// Media describes a field that takes an uploaded file (x-media).
type Media struct {
	Accept   []string `json:"accept"`   // media types
	MaxBytes int64    `json:"maxBytes"` // of an uploaded file
	Text     bool     `json:"text"`     // text to be spoken is allowed too
}

// Condition hides a field unless another one has one of these values (x-show-if). A hidden field
// keeps its value.
type Condition struct {
	Field  string            `json:"field"`
	Equals []json.RawMessage `json:"equals"`
}

// property is a property as the schema writes it. Keywords that begin with x- are ours; form
// libraries ignore them, so RJSF and JSONForms translate them.
type property struct {
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Format      string          `json:"format"`
	Placeholder string          `json:"x-placeholder"`
	Unit        string          `json:"x-unit"`
	Group       string          `json:"x-group"`
	Default     json.RawMessage `json:"default"`
	Enum        []string        `json:"enum"`
	EnumTitles  []string        `json:"x-enum-titles"`
	Minimum     *float64        `json:"minimum"`
	Maximum     *float64        `json:"maximum"`
	MaxLength   int             `json:"maxLength"`
	Secret      bool            `json:"x-secret"`
	WriteOnly   bool            `json:"writeOnly"`
	ReadOnly    bool            `json:"readOnly"`
	Examples    []any           `json:"examples"`
	Media       *Media          `json:"x-media"`
	ShowIf      *Condition      `json:"x-show-if"`
	Ask         bool            `json:"x-ask"`
	Items       struct {
		Type string `json:"type"`
	} `json:"items"`
}

// Parse reads a flat draft-07 schema. The order of its properties is the order of the form. It
// fails for properties that no form library would draw, such as objects.
func Parse(schema []byte) (*Form, error) {
	var s struct {
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Version     int             `json:"x-schema-version"`
		Groups      []Group         `json:"x-groups"`
		Required    []string        `json:"required"`
		Properties  json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		return nil, fmt.Errorf("options schema: %w", err)
	}
	props := map[string]property{}
	if err := json.Unmarshal(s.Properties, &props); err != nil {
		return nil, fmt.Errorf("options schema: properties: %w", err)
	}
	// Two decodings of the same text: one for the values, one for their order.
	keys, err := objectKeys(s.Properties) // a map would lose their order
	if err != nil {
		return nil, err
	}
	f := &Form{Title: s.Title, Description: s.Description, Version: s.Version, Groups: s.Groups}
	var rest Group
	for _, key := range keys {
		p := props[key]
		field, err := p.field(key, slices.Contains(s.Required, key))
		if err != nil {
			return nil, err
		}
		// A group that the schema does not declare counts as none, so a field with a misspelt group
		// is still shown.
		i := slices.IndexFunc(f.Groups, func(g Group) bool { return g.ID == p.Group })
		if i < 0 {
			rest.Fields = append(rest.Fields, field)
			continue
		}
		f.Groups[i].Fields = append(f.Groups[i].Fields, field)
	}
	if len(rest.Fields) > 0 {
		f.Groups = append(f.Groups, rest)
	}
	return f, nil
}

// field converts a property. A schema error names the property, so that its author finds it. What
// cannot be drawn is refused here, when the plugin is loaded, and not when somebody opens the form.
func (p property) field(key string, required bool) (Field, error) {
	switch p.Type {
	case "string", "integer", "number", "boolean":
	case "array":
		if p.Items.Type != "string" {
			return Field{}, fmt.Errorf("options schema: %s: only lists of strings are supported", key)
		}
	default:
		return Field{}, fmt.Errorf("options schema: %s: type %q is not supported; use string, integer, number, boolean or array", key, p.Type)
	}
	f := Field{
		Key: key, Type: p.Type, Title: p.Title, Description: p.Description, Placeholder: p.Placeholder, Unit: p.Unit,
		Default: p.Default, Min: p.Minimum, Max: p.Maximum, MaxLength: p.MaxLength, Required: required,
		// writeOnly is JSON Schema's own word for it; a schema that was not written for us has only
		// that.
		Secret: p.Secret || p.WriteOnly, ReadOnly: p.ReadOnly, Media: p.Media, ShowIf: p.ShowIf, Asked: p.Ask,
		Format: p.Format, Multiline: p.Format == "textarea" || p.Media != nil && p.Media.Text,
	}
	if f.Title == "" {
		f.Title = key
	}
	for i, v := range p.Enum {
		title := v
		if i < len(p.EnumTitles) {
			title = p.EnumTitles[i]
		}
		f.Choices = append(f.Choices, Choice{v, title})
	}
	// The example of a list is itself a list; each of its entries is shown on its own.
	for _, e := range p.Examples {
		switch v := e.(type) {
		case string:
			f.Examples = append(f.Examples, v)
		case []any:
			for _, x := range v {
				f.Examples = append(f.Examples, fmt.Sprint(x))
			}
		}
	}
	return f, nil
}

// Field returns the field with the key, and whether there is one.
func (f *Form) Field(key string) (Field, bool) {
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			if field.Key == key {
				return field, true
			}
		}
	}
	return Field{}, false
}

// HoldsIn reports whether the condition is true in a document. A missing value counts as the
// default of its field. A condition that cannot be evaluated is true: a superfluous field does less
// harm than a field that nobody can reach. It is for hosts that draw the form by themselves; the
// pages of HTML leave it to the script.
func (c *Condition) HoldsIn(f *Form, document []byte) bool {
	doc, err := object(document)
	if c == nil || err != nil {
		return true
	}
	v, ok := doc[c.Field]
	if !ok {
		other, known := f.Field(c.Field)
		if !known {
			return true
		}
		v = other.Default
	}
	return slices.ContainsFunc(c.Equals, func(want json.RawMessage) bool { return sameJSON(v, want) })
}

// describe words the condition, for forms that show every field. It returns "" if the schema has no
// such field. Values are worded as the form shows them: on, off, the title of a choice.
func (c *Condition) describe(f *Form) string {
	other, ok := f.Field(c.Field)
	if !ok {
		return ""
	}
	var words []string
	for _, raw := range c.Equals {
		var v any
		if json.Unmarshal(raw, &v) != nil {
			continue
		}
		word := fmt.Sprint(v)
		switch v {
		case true:
			word = "on"
		case false:
			word = "off"
		}
		for _, choice := range other.Choices {
			if choice.Value == word {
				word = choice.Title
			}
		}
		words = append(words, word)
	}
	return "Only used when " + other.Title + " is " + strings.Join(words, " or ") + "."
}

// sameJSON compares two JSON values by type and value, so that true differs from "true". A default
// of true must not meet a condition on the text "true".
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return fmt.Sprintf("%T%v", x, x) == fmt.Sprintf("%T%v", y, y)
}

// errNoObject quotes nothing of the document, which may hold secrets.
var errNoObject = errors.New("options must be a JSON object")
