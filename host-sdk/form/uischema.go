package form

import (
	"encoding/json"
)

// RJSF derives a uiSchema for react-jsonschema-form: the schema's order, masked secrets, text areas, help. RJSF by
// itself masks format "password", but not writeOnly alone, and knows none of our x- keywords.
func RJSF(schema []byte) ([]byte, error) {
	f, err := Parse(schema)
	if err != nil {
		return nil, err
	}
	ui := map[string]any{}
	order := []string{}
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			order = append(order, field.Key)
			u := map[string]any{}
			switch {
			case field.Secret:
				u["ui:widget"] = "password"
				u["ui:autocomplete"] = "new-password"
			case field.Multiline:
				u["ui:widget"] = "textarea"
				u["ui:options"] = map[string]any{"rows": 2}
			case field.Type == "array":
				u["ui:options"] = map[string]any{"orderable": false}
			}
			if len(field.Choices) > 0 {
				titles := make([]string, len(field.Choices))
				for i, c := range field.Choices {
					titles[i] = c.Title
				}
				u["ui:enumNames"] = titles
			}
			if p := field.PlaceholderText(); p != "" && !field.Secret {
				u["ui:placeholder"] = p
			}
			if h := field.hint(); h != "" {
				u["ui:help"] = h
			}
			if len(u) > 0 {
				ui[field.Key] = u
			}
		}
	}
	ui["ui:order"] = append(order, "*")
	return json.MarshalIndent(ui, "", "  ")
}

// JSONForms derives a UI schema for JSON Forms: one group a part, masked secrets, rules from x-show-if. Without it JSON
// Forms shows secrets in clear.
func JSONForms(schema []byte) ([]byte, error) {
	f, err := Parse(schema)
	if err != nil {
		return nil, err
	}
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
		Scope    string         `json:"scope,omitempty"`
		Options  map[string]any `json:"options,omitempty"`
		Rule     *rule          `json:"rule,omitempty"`
		Elements []element      `json:"elements,omitempty"`
	}
	root := element{Type: "VerticalLayout"}
	for _, g := range f.Groups {
		group := element{Type: "Group", Label: g.Title}
		for _, field := range g.Fields {
			e := element{Type: "Control", Scope: "#/properties/" + field.Key}
			switch {
			case field.Secret:
				e.Options = map[string]any{"format": "password"}
			case field.Multiline:
				e.Options = map[string]any{"multi": true}
			}
			if c := field.ShowIf; c != nil {
				e.Rule = &rule{"SHOW", condition{"#/properties/" + c.Field, map[string]any{"enum": c.Equals}}}
			}
			group.Elements = append(group.Elements, e)
		}
		root.Elements = append(root.Elements, group)
	}
	return json.MarshalIndent(root, "", "  ")
}
