package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
)

// table renders the options of a schema as a Markdown table, in the order of the form. It fails for
// a default that is no JSON, which would be a defect of the schema.
func table(schema []byte) (string, error) {
	f, err := form.Parse(schema)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("| key | label | default | meaning |\n|---|---|---|---|\n")
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			byDefault, meaning, err := describe(field)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", field.Key, field.Title, byDefault, cell(meaning))
		}
	}
	return b.String(), nil
}

// describe returns the default of a field and its description, completed by what the schema alone
// knows. "required" comes before a default, and a prompt's words before "none".
func describe(field form.Field) (byDefault, meaning string, err error) {
	empty, meaning := ifEmpty(field.Description)
	var value any
	if field.Default != nil {
		if err := json.Unmarshal(field.Default, &value); err != nil {
			return "", "", fmt.Errorf("%s: default: %w", field.Key, err)
		}
	}
	switch v := value.(type) {
	case bool:
		byDefault = map[bool]string{true: "on", false: "off"}[v]
	case float64:
		// Abbreviated, because "1 seconds" would be wrong.
		byDefault = strings.TrimSpace(fmt.Sprintf("%g %s", v, strings.Replace(field.Unit, "seconds", "s", 1)))
	case string:
		byDefault = "`" + v + "`"
	default:
		byDefault = "none"
	}
	switch said := prompts.Text(prompts.DefaultLanguage, prompts.Key(field.Key), prompts.Args{}); {
	case field.Required:
		byDefault = "required"
	case value == "" && said != "": // a recording field has the name of the prompt that it replaces
		byDefault = `"` + said + `"`
	case value == "" && empty != "":
		byDefault = empty
	}
	return byDefault, strings.Join(append([]string{meaning}, details(field)...), " "), nil
}

// ifEmpty takes the sentence "Empty: …" out of a description: the table has a column for defaults.
// empty is "" where the description has no such sentence.
func ifEmpty(description string) (empty, rest string) {
	before, after, found := strings.Cut(description, " Empty: ")
	if !found {
		return "", description
	}
	empty, rest, _ = strings.Cut(after, ". ")
	return strings.TrimSuffix(empty, "."), strings.TrimSpace(before + " " + rest)
}

// details are sentences made of keywords: choices, limits, examples, and that a value is never
// shown again.
func details(field form.Field) []string {
	var out []string
	if len(field.Choices) > 0 {
		var choices []string
		for _, c := range field.Choices {
			choices = append(choices, "`"+c.Value+"`: "+c.Title)
		}
		out = append(out, "Choices: "+strings.Join(choices, "; ")+".")
	}
	if field.Min != nil && field.Max != nil {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%g to %g %s", *field.Min, *field.Max, field.Unit))+".")
	}
	if len(field.Examples) > 0 { // the form lists them all
		out = append(out, "For example `"+strings.Join(field.Examples[:min(len(field.Examples), 3)], "`, `")+"`.")
	}
	if field.Secret {
		out = append(out, "Write-only.")
	}
	return out
}

// cell escapes what would end a cell of a table. Nothing else of Markdown is escaped: descriptions
// may use it.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
