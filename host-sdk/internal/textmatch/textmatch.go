// Package textmatch finds texts by what a person types into a search field. It works on values
// rather than in a database, as databases differ in what a small letter is and which signs have a
// meaning of their own.
package textmatch

import (
	"strings"
	"unicode"
)

// MaxBytes bounds what people search for: longer texts were pasted by mistake.
const MaxBytes = 400

// Matcher is what somebody searches for.
type Matcher struct{ words []string }

// New reads a search: words, of which each must occur, in any order and any case. A search that is
// a telephone number, as people write it, is one word. An empty search finds everything.
func New(search string) Matcher {
	if number := digits(search); number != "" {
		return Matcher{[]string{number}}
	}
	return Matcher{strings.Fields(strings.ToLower(search))}
}

// digits is a telephone number, or a part of one, without what people write between its digits; "":
// the text is none.
func digits(text string) string {
	var b strings.Builder
	for i, r := range strings.TrimSpace(text) {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			b.WriteRune(r)
		case unicode.IsSpace(r) || strings.ContainsRune("-./()", r):
		default:
			return ""
		}
	}
	if number := b.String(); len(number) > 2 {
		return number
	}
	return ""
}

// In reports whether each word occurs in one of the texts.
func (m Matcher) In(texts ...string) bool {
	for _, word := range m.words {
		found := false
		for _, text := range texts {
			if found = strings.Contains(strings.ToLower(text), word); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
