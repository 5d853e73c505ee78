// Package oneline cleans text that comes from outside: names of teams and people, of integrations
// and files, a caller's name and city, and whatever ends up in a header.
//
// Text is cleaned where it enters. Places with rules of their own, such as the header of a mail,
// clean it once more: sessions and platforms may hold text that is older than the rule.
//
// It also says in words how long something was, so that pages, stories and commands say it alike.
//
// # Map
//
//	oneline.go  the rules of a clean text
//	lasting.go  lengths of time
package oneline

import (
	"strings"
	"unicode"
)

// MaxName is the longest name that is kept, in characters: the limit of the switchboard file.
const MaxName = 200

// Clean makes one line of a text, of at most limit characters. Line breaks and tabs become spaces,
// of which no two follow each other. Everything that is not seen but changes what is seen is left
// out: control characters, marks that change the direction of the text (U+200E, U+200F, U+202A to
// U+202E, U+2066 to U+2069), characters without width (U+200B to U+200D, U+FEFF), and bytes that
// are no UTF-8. A limit of 0 or less means none.
func Clean(text string, limit int) string {
	if isClean(text, limit) {
		return text
	}
	var b strings.Builder
	length, space := 0, false
	for _, r := range strings.ToValidUTF8(text, "") {
		if unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' {
			space = length > 0
			continue
		}
		if hidden(r) {
			continue
		}
		if limit > 0 && length+width(space)+1 > limit {
			break
		}
		if space {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		length += width(space) + 1
		space = false
	}
	return b.String()
}

// isClean reports whether a text of ASCII alone, as most are, needs no cleaning.
func isClean(text string, limit int) bool {
	if limit > 0 && len(text) > limit {
		return false
	}
	space := true // a text begins with no space
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ' && !space:
			space = true
		case c > ' ' && c < 0x7f:
			space = false
		default:
			return false
		}
	}
	return !space || text == ""
}

// width is what a space that is still to be written adds.
func width(space bool) int {
	if space {
		return 1
	}
	return 0
}

// hidden reports whether a character cannot be seen, but breaks a line, moves what is around it, or
// makes two texts look the same.
func hidden(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\ufeff':
		return true
	case r >= '\u200b' && r <= '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return true
	}
	return false
}
