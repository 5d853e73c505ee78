// Command diagramdoc writes the call's state diagram into a Markdown file, between two markers.
//
//	diagramdoc FILE
//
// It is run by go generate; a test of this package fails while the file is out of date.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/livecallrouting/livecall/plugin/internal/callflow"
)

// The markers, each on a line of its own. What stands between them is replaced.
const (
	begin = "<!-- diagram: begin (written by go generate; do not edit) -->\n"
	end   = "<!-- diagram: end -->\n"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: diagramdoc FILE")
		os.Exit(2)
	}
	if err := update(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "diagramdoc:", err)
		os.Exit(1)
	}
}

// update rewrites the file if its diagram is out of date.
func update(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := rewrite(string(old), callflow.Diagram())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if text == string(old) {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // documentation is for everybody to read
}

// rewrite puts the diagram between the markers of a text.
func rewrite(text, diagram string) (string, error) {
	head, rest, found := strings.Cut(text, begin)
	if !found {
		return "", errors.New("no line " + strings.TrimSpace(begin))
	}
	_, tail, found := strings.Cut(rest, end)
	if !found {
		return "", errors.New("no line " + strings.TrimSpace(end) + " after the beginning")
	}
	return head + begin + "\n```mermaid\n" + diagram + "```\n\n" + end + tail, nil
}
