package twiliosim

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
)

// newSid makes a SID: a prefix of two letters and 32 hexadecimal digits.
func newSid(prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return prefix + hex.EncodeToString(b[:])
}

// stamp writes a time as Twilio does: RFC 2822, UTC.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC1123Z) }

func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// withheld lists what Twilio passes as From when a caller hides the number: words, and the same words spelled on a
// keypad (ANONYMOUS, RESTRICTED, UNAVAILABLE, UNKNOWN, BLOCKED).
var withheld = map[string]bool{
	"": true, "anonymous": true, "unknown": true, "restricted": true, "unavailable": true, "blocked": true,
	"+266696687": true, "+7378742833": true, "+17378742833": true, "+86282452253": true, "+8656696": true, "+2562533": true,
}

func isWithheld(number string) bool { return withheld[strings.ToLower(number)] }

// Place is where a telephone number belongs, as Twilio reports it (FromCity, FromState, FromZip, FromCountry, …).
type Place struct {
	City, State, Zip, Country string
}

// place answers from Config.Places, else by the number's prefix.
func (s *Sim) place(number string) (Place, bool) {
	if isWithheld(number) {
		return Place{}, false
	}
	if p, ok := s.cfg.Places[number]; ok {
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
