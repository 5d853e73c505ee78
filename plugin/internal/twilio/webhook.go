package twilio

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Webhook holds the fields of a request from Twilio that this plugin uses. An absent or malformed
// field is zero: a caller waits for an answer, so a request is served with what it says. Unknown
// fields are ignored, because Twilio may add fields at any time (Twilio docs:
// usage/webhooks/webhooks-security).
type Webhook struct {
	CallSID string // "" unless well-formed, like all identifiers here
	// From, To and ForwardedFrom are as they came, without control characters: reading a number by its
	// country's plan costs more than the rest of a quiet request, so it is done once a call.
	From, To   string
	CallStatus string // Twilio's word, such as "in-progress"; the call flow knows their meaning
	Direction  string // inbound, outbound-api, outbound-dial

	CallerName    string
	ForwardedFrom string
	FromCity      string
	FromState     string
	FromZip       string
	FromCountry   string

	Digits string // 0-9 # * and "hangup" (Twilio docs: voice/twiml/record)

	QueueSID         string
	QueueResult      string // of the Enqueue action
	DequeuingCallSID string // the call that took the waiting one ("DequeingCallSid" on the wire)

	DialCallDuration time.Duration
	DialBridged      string // "true", "false"; "" = absent: not known whether the parties were connected

	RecordingSID      string
	RecordingStatus   string // in-progress, completed, absent, failed
	RecordingDuration time.Duration

	TranscriptionStatus string // completed, failed
	TranscriptionText   string

	CallDuration time.Duration // only in the final status callback
}

// Limits of free text from a request, in characters. Longer text is cut: it ends up in session
// state and on alerts.
const (
	maxField         = 256
	maxDigits        = 32
	maxTranscription = 8 << 10
)

// ParseWebhook reads the fields of a request; see [ParseForm]. It never fails.
func ParseWebhook(f url.Values) Webhook {
	return Webhook{
		CallSID:    sid(SIDCall, f.Get("CallSid")),
		From:       address(f.Get("From")),
		To:         address(f.Get("To")),
		CallStatus: clean(f.Get("CallStatus"), maxField),
		Direction:  clean(f.Get("Direction"), maxField),

		CallerName:    clean(f.Get("CallerName"), maxField),
		ForwardedFrom: address(f.Get("ForwardedFrom")),
		FromCity:      either(f, "FromCity", "CallerCity"),
		FromState:     either(f, "FromState", "CallerState"),
		FromZip:       either(f, "FromZip", "CallerZip"),
		FromCountry:   either(f, "FromCountry", "CallerCountry"),

		Digits: clean(f.Get("Digits"), maxDigits),

		QueueSID:         sid(SIDQueue, f.Get("QueueSid")),
		QueueResult:      clean(f.Get("QueueResult"), maxField),
		DequeuingCallSID: sid(SIDCall, first(f, "DequeingCallSid", "DequeuingCallSid")),

		DialCallDuration: seconds(f.Get("DialCallDuration")),
		DialBridged:      strings.ToLower(f.Get("DialBridged")),

		RecordingSID:      sid(SIDRecording, f.Get("RecordingSid")),
		RecordingStatus:   clean(f.Get("RecordingStatus"), maxField),
		RecordingDuration: seconds(f.Get("RecordingDuration")),

		TranscriptionStatus: clean(f.Get("TranscriptionStatus"), maxField),
		TranscriptionText:   clean(f.Get("TranscriptionText"), maxTranscription),

		CallDuration: seconds(f.Get("CallDuration")),
	}
}

// maxAddress bounds a telephone number or another address of a party, in characters.
const maxAddress = 128

// address cleans the address of a party. A plus sign that was not URL-encoded arrives as a space.
func address(raw string) string {
	text := clean(raw, maxAddress)
	if strings.HasPrefix(text, " ") && len(text) > 1 && text[1] >= '1' && text[1] <= '9' {
		text = "+" + text[1:]
	}
	return strings.TrimSpace(text)
}

// first returns the first of several fields that is not empty. Twilio has two names for some.
func first(f url.Values, names ...string) string {
	for _, n := range names {
		if v := f.Get(n); v != "" {
			return v
		}
	}
	return ""
}

func either(f url.Values, names ...string) string { return clean(first(f, names...), maxField) }

// maxSeconds is longer than any call may last (4 hours by default, at most 24; Twilio docs:
// voice/api/call-resource).
const maxSeconds = 24 * 60 * 60

// seconds reads a whole number of seconds. Anything that is not one, or out of range, is 0.
func seconds(s string) time.Duration {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxSeconds {
		return 0
	}
	return time.Duration(n) * time.Second
}

// clean removes what is not text, such as control characters, and cuts s at limit characters.
func clean(s string, limit int) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit])
	}
	return s
}
