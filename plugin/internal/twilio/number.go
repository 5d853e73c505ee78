package twilio

import (
	"regexp"
	"strings"
)

// Number is the From or To of a call.
type Number struct {
	Raw  string // as received, without control characters, at most 128 characters
	E164 string // "" when withheld or no telephone number (SIP address, client name, short code)
}

// Address is the identity of a party that has no telephone number: a SIP address or a client's
// name; "" for all others.
func (n Number) Address() string {
	if n.E164 == "" && (strings.HasPrefix(n.Raw, "sip:") || strings.HasPrefix(n.Raw, "sips:") || strings.HasPrefix(n.Raw, "client:")) {
		return n.Raw
	}
	return ""
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// IsE164 reports whether s is a plus sign and 7 to 15 digits, the first not zero.
func IsE164(s string) bool { return e164.MatchString(s) }

// keypadSpelled are words that carriers dial into the caller's number when it is withheld, as
// digits of a telephone keypad; some with a country code in front. They look like telephone numbers
// and are none.
var keypadSpelled = map[string]bool{
	"266696687":    true, // ANONYMOUS
	"1266696687":   true,
	"7378742833":   true, // RESTRICTED; shaped like a Russian number
	"17378742833":  true,
	"86282452253":  true, // UNAVAILABLE; shaped like a Chinese number
	"186282452253": true,
	"8656696":      true, // UNKNOWN
	"18656696":     true,
	"2562533":      true, // BLOCKED
	"12562533":     true,
	"7748283":      true, // PRIVATE
	"17748283":     true,
}

// ParseNumber reads a From or To field. A withheld number comes as a word, as a keypad spelling of
// one, or not at all (Twilio docs: voice/twiml, request parameters).
func ParseNumber(raw string) Number {
	n := Number{Raw: clean(raw, 128)}
	s := n.Raw
	if strings.HasPrefix(s, " ") && IsE164("+"+s[1:]) {
		s = "+" + s[1:] // a plus sign that was not URL-encoded arrives as a space
	}
	s = strings.TrimSpace(s)
	if IsE164(s) && !keypadSpelled[s[1:]] {
		n.E164 = s
	}
	n.Raw = s
	return n
}
