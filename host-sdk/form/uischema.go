package form

import (
	"encoding/json"
	"slices"
	"strings"
)

// RJSF derives a uiSchema for react-jsonschema-form: the order of the schema, masked secrets, text
// areas and help. Without it, RJSF masks a field with format "password" but not one that is only
// writeOnly, and ignores all x- keywords.
func RJSF(schema []byte) ([]byte, error) {
	f, err := Parse(schema)
	if err != nil {
		return nil, err
	}
	ui := map[string]any{}
	// RJSF sorts by this list, not by the order of the schema's keys, which a JavaScript object may
	// have lost.
	order := []string{}
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			order = append(order, field.Key)
			u := map[string]any{}
			switch {
			case field.Secret:
				u["ui:widget"] = "password"
				// Otherwise a browser offers the administrator's own password.
				u["ui:autocomplete"] = "new-password"
			case field.Multiline:
				u["ui:widget"] = "textarea"
				u["ui:options"] = map[string]any{"rows": 2}
			case field.Type == "array":
				// The order of entries never matters, so arrows to move them would only confuse.
				u["ui:options"] = map[string]any{"orderable": false}
			}
			if len(field.Choices) > 0 {
				// RJSF does not read x-enum-titles and would show the values.
				titles := make([]string, len(field.Choices))
				for i, c := range field.Choices {
					titles[i] = c.Title
				}
				u["ui:enumNames"] = titles
			}
			if p := field.placeholder(); p != "" {
				u["ui:placeholder"] = p
			}
			help := field.hint()
			if field.ShowIf != nil { // RJSF has no rules: every field is shown
				help = strings.TrimSpace(help + " " + field.ShowIf.describe(f))
			}
			if help != "" {
				u["ui:help"] = help
			}
			if len(u) > 0 {
				ui[field.Key] = u
			}
		}
	}
	// Without the star, RJSF refuses a schema with a property that the list lacks.
	ui["ui:order"] = append(order, "*")
	return json.MarshalIndent(ui, "", "  ")
}

// placeholder returns PlaceholderText. A secret shows no example, because it could be taken for a
// value.
func (field Field) placeholder() string {
	if field.Secret {
		return field.Placeholder
	}
	return field.PlaceholderText()
}

// JSONForms derives a UI schema for JSON Forms: one group per part, masked secrets, descriptions
// that are always shown, and rules from x-show-if. Without it, JSON Forms shows secrets in clear
// text. A hidden field keeps its value.
func JSONForms(schema []byte) ([]byte, error) {
	f, err := Parse(schema)
	if err != nil {
		return nil, err
	}
	// The types follow the documents that JSON Forms reads (JSON Forms docs: UI schema, rules).
	type condition struct {
		Scope  string         `json:"scope"`
		Schema map[string]any `json:"schema"`
	}
	type rule struct {
		Effect    string    `json:"effect"`
		Condition condition `json:"condition"`
	}
	type element struct {
		Type     string         `json:"type"`
		Label    string         `json:"label,omitempty"`
		Text     string         `json:"text,omitempty"`
		Scope    string         `json:"scope,omitempty"`
		Options  map[string]any `json:"options,omitempty"`
		Rule     *rule          `json:"rule,omitempty"`
		Elements []element      `json:"elements,omitempty"`
	}
	root := element{Type: "VerticalLayout"}
	for _, g := range f.Groups {
		group := element{Type: "Group", Label: g.Title}
		for _, field := range g.Fields {
			// Without showUnfocusedDescription the help appears only while the input has the focus.
			e := element{Type: "Control", Scope: "#/properties/" + field.Key, Options: map[string]any{"showUnfocusedDescription": true}}
			switch {
			case field.Secret:
				e.Options["format"] = "password"
			case field.Multiline:
				e.Options["multi"] = true
			}
			if p := field.placeholder(); p != "" {
				e.Options["placeholder"] = p
			}
			if c := field.ShowIf; c != nil {
				e.Rule = &rule{"SHOW", condition{"#", c.schema(f)}}
			}
			if field.Type == "array" && field.Description != "" {
				// JSON Forms shows no description of a list.
				e = element{Type: "VerticalLayout", Rule: e.Rule, Elements: []element{e, {Type: "Label", Text: field.Description}}}
				e.Elements[0].Rule = nil
			}
			group.Elements = append(group.Elements, e)
		}
		root.Elements = append(root.Elements, group)
	}
	return json.MarshalIndent(root, "", "  ")
}

// schema returns the condition as a schema of the whole document. A rule about the other field
// alone would be false for a missing value, even if the field's default meets the condition. Where
// the default does not meet it, the field must be there, or its absence would count as meeting it
// (draft-07: properties).
func (c *Condition) schema(f *Form) map[string]any {
	s := map[string]any{"properties": map[string]any{c.Field: map[string]any{"enum": c.Equals}}}
	other, _ := f.Field(c.Field)
	if !slices.ContainsFunc(c.Equals, func(v json.RawMessage) bool { return sameJSON(v, other.Default) }) {
		s["required"] = []string{c.Field}
	}
	return s
}
