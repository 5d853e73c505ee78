package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// PrintJSON prints a value as the API answers it, for people to read too. It is indented, and < and
// > stay as they are.
func PrintJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// Plural is a number with its noun.
func Plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// When is a time as commands print it.
func When(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

// Exactly is When to the second.
func Exactly(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// More says on the standard error that a list may have been cut off at its limit. The table on the
// standard output stays as a program expects it.
func More(s *Surroundings, shown, limit int) {
	if shown == limit {
		_, _ = fmt.Fprintf(s.Stderr, "These are the newest %d: there may be older ones. Raise --limit, or narrow the list.\n", shown)
	}
}

// ListedBy adds to an error that ends with some words which command lists what there is. Errors
// come from the host as texts, hence the comparison by words.
func ListedBy(command, words string, err error) error {
	if err != nil && strings.HasSuffix(err.Error(), words) {
		return fmt.Errorf("%w: %s shows all", err, command)
	}
	return err
}
