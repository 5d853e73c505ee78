package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/internal/gendoc"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/schema"
)

// TestDocumentationIsCurrent compares the table in docs/reference-options.md with the schema.
func TestDocumentationIsCurrent(t *testing.T) {
	t.Parallel()
	const path = "../../../../docs/reference-options.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := table(schema.Options())
	if err != nil {
		t.Fatal(err)
	}
	want, err := gendoc.Replace(string(text), part, rows)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s is out of date; run: go generate ./plugin/...\n(-want +got)\n%s", path, diff)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	got, err := table([]byte(`{"required": ["id"], "properties": {
		"id": {"type": "string", "title": "ID", "description": "Starts with A|B."},
		"token": {"type": "string", "title": "Token", "description": "Secret.", "x-secret": true},
		"number": {"type": "string", "title": "Number", "description": "Shown. Empty: the called one. With a plus sign.", "default": ""},
		"goodbye": {"type": "string", "title": "Goodbye", "description": "Last. Empty: a word.", "default": ""},
		"on": {"type": "boolean", "title": "On", "description": "Or off.", "default": true},
		"wait": {"type": "integer", "title": "Wait", "description": "How long.", "default": 5, "minimum": 1, "maximum": 9, "x-unit": "seconds"},
		"rounds": {"type": "integer", "title": "Rounds", "description": "How often.", "default": 3, "minimum": 1, "maximum": 9},
		"kind": {"type": "string", "title": "Kind", "description": "Which.", "enum": ["x", "y"], "x-enum-titles": ["The X", "The Y"], "default": "y"},
		"list": {"type": "array", "items": {"type": "string"}, "title": "List", "description": "Some.", "default": [], "examples": [["p", "q"]]}
	}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "| key | label | default | meaning |\n|---|---|---|---|\n" +
		"| `id` | ID | required | Starts with A\\|B. |\n" +
		"| `token` | Token | none | Secret. Write-only. |\n" +
		"| `number` | Number | the called one | Shown. With a plus sign. |\n" +
		"| `goodbye` | Goodbye | \"" + prompts.Text(prompts.DefaultLanguage, "goodbye", prompts.Args{}) + "\" | Last. |\n" +
		"| `on` | On | on | Or off. |\n" +
		"| `wait` | Wait | 5 s | How long. 1 to 9 seconds. |\n" +
		"| `rounds` | Rounds | 3 | How often. 1 to 9. |\n" +
		"| `kind` | Kind | `y` | Which. Choices: `x`: The X; `y`: The Y. |\n" +
		"| `list` | List | none | Some. For example `p`, `q`. |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
