// Package gendoc keeps generated parts of hand-written documents current. A part stands between two
// markers, so that people can write around it.
//
//	gendoc.go   replacing what stands between the markers
//	wrap.go     lines of prose
package gendoc

import (
	"fmt"
	"os"
	"strings"
)

// Update replaces the named part of the file at path. The file is not written if the part is
// current, so that go generate leaves no trace where nothing changed. It fails if the file or a
// marker is missing.
func Update(path, name, content string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := Replace(string(old), name, content)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if text == string(old) {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // everybody may read documentation
}

// Replace returns text with the content between the markers of the named part replaced. Each marker
// stands on a line of its own: "<!-- NAME: begin (written by go generate; do not edit) -->" and
// "<!-- NAME: end -->".
func Replace(text, name, content string) (string, error) {
	begin := "<!-- " + name + ": begin (written by go generate; do not edit) -->\n"
	end := "<!-- " + name + ": end -->\n"
	head, rest, found := strings.Cut(text, begin)
	if !found {
		return "", fmt.Errorf("no line %q", strings.TrimSpace(begin))
	}
	_, tail, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("no line %q after the first marker", strings.TrimSpace(end))
	}
	return head + begin + "\n" + content + "\n" + end + tail, nil
}
