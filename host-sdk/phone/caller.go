package phone

import (
	"strings"
	"unicode"

	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// Caller is the origin of a call as the telephone network names it. Exactly one of Number, Address
// and Withheld is set, but for the zero Caller, of which nothing is known.
type Caller struct {
	Number string // E.164, to call back
	// Address is what came in place of a number, without control characters: a SIP address, a
	// client's name, an internal extension, a short code, or a number that its country's plan does
	// not allow. It is shown and read aloud, but nothing can be dialed.
	Address  string
	Withheld bool // the caller hides the number
}

// withheldWords are what networks send in place of a hidden number (RFC 3323 for SIP; the others as
// seen from telephone carriers).
var withheldWords = map[string]bool{
	"": true, "anonymous": true, "unknown": true, "unavailable": true, "restricted": true,
	"private": true, "blocked": true, "withheld": true,
}

// keypadWords are the same words typed on a telephone's keypad, some with a country code in front.
// They have the form of telephone numbers and are none.
var keypadWords = map[string]bool{
	"266696687":   true, // ANONYMOUS
	"7378742833":  true, // RESTRICTED: has the form of a Russian number
	"86282452253": true, // UNAVAILABLE: has the form of a Chinese number
	"8656696":     true, // UNKNOWN
	"2562533":     true, // BLOCKED
	"7748283":     true, // PRIVATE
}

// maxAddress bounds an address that comes from outside, in characters.
const maxAddress = 128

// ReadCaller reads the origin of a call. Withheld means that nothing came, one of the networks'
// words for it, or such a word in digits. What is neither that nor a telephone number is kept as
// the address: it does not count as withheld. The country is that of [Read].
func ReadCaller(raw, country string) Caller {
	text := strings.TrimSpace(raw)
	if strings.HasPrefix(raw, " ") && IsE164("+"+text) {
		text = "+" + text // a plus sign that was not encoded in a form arrives as a space
	}
	text = oneline.Clean(text, maxAddress)
	if withheld(text) {
		return Caller{Withheld: true}
	}
	if n, err := Read(text, country); err == nil && !hasLetters(strings.TrimPrefix(text, "tel:")) {
		return Caller{Number: n}
	}
	return Caller{Address: text}
}

// hasLetters reports whether a text has letters. On a keypad they would stand for digits, but what
// a network sends is no vanity number.
func hasLetters(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r == '@' || unicode.IsLetter(r) }) >= 0
}

func withheld(text string) bool {
	word := strings.ToLower(text)
	if rest, ok := strings.CutPrefix(word, "sip:"); ok {
		word, _, _ = strings.Cut(rest, "@")
		return word != "" && withheldWords[word]
	}
	if withheldWords[word] {
		return true
	}
	digits := strings.TrimPrefix(word, "+")
	return keypadWords[digits] || keypadWords[strings.TrimPrefix(digits, "1")]
}
