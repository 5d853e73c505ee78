// Package mailbox says which e-mail addresses are the same one, in one place: were it answered in
// two ways, somebody whose address only looks like another's would log in as them, or get no mail.
package mailbox

import "strings"

// Key is an e-mail address as addresses are compared: with the letters of ASCII in lower case.
// Others are left alone, as İ (U+0130) and K (U+212A) would become letters of somebody else's
// address.
func Key(email string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, email)
}
