package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/internal/gendoc"
)

// TestDocumentationIsCurrent compares docs/reference-cli.md with the command line.
func TestDocumentationIsCurrent(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../../../docs/reference-cli.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := commands()
	if err != nil {
		t.Fatal(err)
	}
	want, err := gendoc.Replace(string(text), part, all)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the page is out of date: run make generate (-want +page):\n%s", diff)
	}
	for _, command := range []string{"## serve\n", "## plugin install\n", "| `-c, --config=FILE` | `SWITCHBOARD_CONFIG` |"} {
		if !strings.Contains(all, command) {
			t.Errorf("the reference has no %q", command)
		}
	}
}
