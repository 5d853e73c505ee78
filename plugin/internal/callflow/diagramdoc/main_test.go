package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/internal/gendoc"
)

// TestDocumentationIsCurrent compares the diagram in docs/call-flow.md with the transition table.
func TestDocumentationIsCurrent(t *testing.T) {
	t.Parallel()
	const path = "../../../../docs/call-flow.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := gendoc.Replace(string(text), part, diagram())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s is out of date; run: go generate ./plugin/...\n(-want +got)\n%s", path, diff)
	}
}
