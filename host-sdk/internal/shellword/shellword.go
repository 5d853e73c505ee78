// Package shellword writes paths and other texts so that a person can paste a command with them
// into a shell: a space or a quote in a name must not make another command of it.
package shellword

import (
	"path/filepath"
	"strings"
)

// Path is a path as any command of a shell takes it. The dot command looks into PATH for a bare
// name, and others take one that begins with a hyphen for an option.
func Path(path string) string {
	path = filepath.Clean(path)
	if !filepath.IsAbs(path) && !strings.HasPrefix(path, ".."+string(filepath.Separator)) {
		path = "./" + path
	}
	return Word(path)
}

// Word is a text as one word of a shell, in quotes only where it needs them.
func Word(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%,", r)
	}
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
