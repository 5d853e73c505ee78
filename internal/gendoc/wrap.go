package gendoc

import (
	"strings"
	"unicode/utf8"
)

// Columns is how long a line of prose may be.
const Columns = 100

// Wrap breaks the lines of Markdown that are too long, apart from tables and headings, which end
// with their line. A paragraph of text must be one line.
func Wrap(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "#") {
			lines[i] = wrapped(line)
		}
	}
	return strings.Join(lines, "\n")
}

func wrapped(line string) string {
	var out strings.Builder
	column := 0
	for i, word := range strings.Split(line, " ") {
		width := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+width > Columns:
			out.WriteByte('\n')
			column = 0
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += width
	}
	return out.String()
}
