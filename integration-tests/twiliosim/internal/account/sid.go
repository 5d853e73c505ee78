package account

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	alphanumeric = regexp.MustCompile(`^[a-zA-Z0-9]+$`)
	sidDigits    = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
	e164         = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

// NewSid returns a new SID: a prefix of two letters and 32 hexadecimal digits.
func NewSid(prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return prefix + hex.EncodeToString(b[:])
}

// IsSid reports whether sid is a SID with a prefix.
func IsSid(prefix, sid string) bool {
	digits, found := strings.CutPrefix(sid, prefix)
	return found && sidDigits.MatchString(digits)
}

// WantE164 says how a telephone number is written, for error messages.
const WantE164 = "want + and the country code first, such as +12025550143"

// IsE164 reports whether a telephone number is written as +E.164.
func IsE164(number string) bool { return e164.MatchString(number) }

// Date writes a time as Twilio does: RFC 2822, UTC.
func Date(t time.Time) string { return t.UTC().Format(time.RFC1123Z) }

// Seconds writes a duration as Twilio does: whole seconds, cut off.
func Seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// withheld lists what Twilio passes as From when a caller hides the number: words, and the same
// words spelled on a keypad (ANONYMOUS, RESTRICTED, UNAVAILABLE, UNKNOWN, BLOCKED).
var withheld = map[string]bool{
	"": true, "anonymous": true, "unknown": true, "restricted": true, "unavailable": true, "blocked": true,
	"+266696687": true, "+7378742833": true, "+17378742833": true, "+86282452253": true, "+8656696": true, "+2562533": true,
}

// IsWithheld reports whether a caller's number is hidden.
func IsWithheld(number string) bool { return withheld[strings.ToLower(number)] }

// Place is where a telephone number belongs, as Twilio reports it (FromCity, FromState, FromZip,
// FromCountry, …).
type Place struct {
	City, State, Zip, Country string
}

// place answers from Config.Places, else by the number's prefix.
func (a *Account) place(number string) (Place, bool) {
	if IsWithheld(number) {
		return Place{}, false
	}
	if p, ok := a.Config.Places[number]; ok {
		return p, true
	}
	switch {
	case strings.HasPrefix(number, "+1202"):
		return Place{City: "WASHINGTON", State: "DC", Zip: "20001", Country: "US"}, true
	case strings.HasPrefix(number, "+1"):
		return Place{Country: "US"}, true
	case strings.HasPrefix(number, "+44"):
		return Place{Country: "GB"}, true
	}
	return Place{}, false
}
