package twilio

import "regexp"

var sidShape = regexp.MustCompile(`^[A-Z]{2}[0-9a-f]{32}$`)

// Prefixes of identifiers (Twilio docs: glossary/what-is-a-sid).
const (
	SIDAccount       = "AC"
	SIDCall          = "CA"
	SIDQueue         = "QU"
	SIDRecording     = "RE"
	SIDTranscription = "TR"
	SIDPhoneNumber   = "PN"
)

// IsSID reports whether s is an identifier with the prefix: two letters and 32 hexadecimal digits.
// Everything that came from outside is held against it before it becomes part of a path.
func IsSID(prefix, s string) bool {
	return len(prefix) == 2 && len(s) == 34 && s[:2] == prefix && sidShape.MatchString(s)
}

// sid returns s if it has the shape, else "". A malformed identifier is as good as none: it could
// not be used in a path.
func sid(prefix, s string) string {
	if IsSID(prefix, s) {
		return s
	}
	return ""
}
