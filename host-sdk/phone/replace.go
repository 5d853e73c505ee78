package phone

import (
	"net/url"
	"strings"
)

// spellings are the ways in which software writes an international number, those that hold others
// first.
func spellings(number string) []string {
	return []string{url.QueryEscape(number), number, Display(number), strings.TrimPrefix(number, "+")}
}

// Patterns are patterns of SQL's like, at least one of which a text matches in which [Replace]
// finds something.
func Patterns(number string) [2]string {
	return [2]string{"%" + strings.TrimPrefix(number, "+") + "%", "%" + Display(number) + "%"}
}

// Replace replaces an international number in a text, however software spells it: with its plus
// sign, without it, in groups of digits or as part of an address of the web. A longer number that
// contains it stays. It says how many it has replaced.
func Replace(text, number, by string) (string, int) {
	total := 0
	for _, s := range spellings(number) {
		var out strings.Builder
		for rest := text; ; {
			at := strings.Index(rest, s)
			if at < 0 {
				out.WriteString(rest)
				break
			}
			end := at + len(s)
			before := byte(' ')
			if at > 0 {
				before = rest[at-1]
			} else if out.Len() > 0 {
				before = out.String()[out.Len()-1]
			}
			if isDigit(s[0]) && (isDigit(before) || isLetter(before)) || end < len(rest) && isDigit(rest[end]) {
				out.WriteString(rest[:at+1])
				rest = rest[at+1:]
				continue
			}
			total++
			out.WriteString(rest[:at])
			out.WriteString(by)
			rest = rest[end:]
		}
		text = out.String()
	}
	return text, total
}

// isDigit reports whether c is one of 0 to 9.
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isLetter reports whether c is a letter of ASCII: digits after one belong to an id.
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
