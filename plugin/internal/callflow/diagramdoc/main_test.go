package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/plugin/internal/callflow"
)

// TestDocumentationIsCurrent holds docs/call-flow.md to the table.
func TestDocumentationIsCurrent(t *testing.T) {
	t.Parallel()
	const path = "../../../../docs/call-flow.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := rewrite(string(text), callflow.Diagram())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s is out of date; run: go generate ./plugin/...\n(-want +got)\n%s", path, diff)
	}
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	const diagram = "stateDiagram-v2\n    a --> b\n"
	want := "before\n" + begin + "\n```mermaid\n" + diagram + "```\n\n" + end + "after\n"
	for name, in := range map[string]string{
		"empty":    "before\n" + begin + end + "after\n",
		"outdated": "before\n" + begin + "\n```mermaid\nsomething else\n```\n" + end + "after\n",
		"current":  want,
	} {
		got, err := rewrite(in, diagram)
		if err != nil || got != want {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(want, got))
		}
	}
	for name, in := range map[string]string{
		"no beginning": "before\n" + end,
		"no end":       "before\n" + begin,
		"wrong order":  end + begin,
	} {
		if got, err := rewrite(in, diagram); err == nil {
			t.Errorf("%s: no error, got %q", name, got)
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(begin+end), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := update(path); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), callflow.Diagram()) {
		t.Errorf("%v\n%s", err, text)
	}
	if err := update(filepath.Join(t.TempDir(), "absent.md")); err == nil {
		t.Error("a missing file is no error")
	}
}
