package schema

import (
	"encoding/json"
	"testing"
)

// TestEveryFileIsASchema: what is embedded is JSON that says which dialect it is in, and each
// accessor finds its file.
func TestEveryFileIsASchema(t *testing.T) {
	t.Parallel()
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		data, err := files.ReadFile(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Schema string `json:"$schema"`
			Type   any    `json:"type"`
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Errorf("%s: %v", entry.Name(), err)
		}
		if doc.Schema == "" {
			t.Errorf("%s does not say which dialect it is in", entry.Name())
		}
	}
	for name, get := range map[string]func() []byte{"Manifest": Manifest, "Options": Options, "SwitchboardFile": SwitchboardFile} {
		data := get()
		if !json.Valid(data) {
			t.Errorf("%s is not JSON", name)
		}
		data[0] = 'x'
		if !json.Valid(get()) {
			t.Errorf("%s hands out its own bytes: one caller can spoil them for all", name)
		}
	}
}
