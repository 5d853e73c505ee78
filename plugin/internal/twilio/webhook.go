package twilio

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// Webhook holds the fields of a request from Twilio that this plugin uses. An absent or malformed
// field is zero: a caller waits for an answer, so a request is served with what it says. Unknown
// fields are ignored, because Twilio may add fields at any time (Twilio docs:
// usage/webhooks/webhooks-security).
type Webhook struct {
	CallSID    string // "" unless well-formed, like all identifiers here
	AccountSID string // as it came: a request of another account is refused
	// From, To and ForwardedFrom are as they came, without control characters: reading a number by
	// its country's plan costs more than the rest of a quiet request, so it is done once a call.
	From, To   string
	CallStatus string // Twilio's word, such as "in-progress"; the call flow knows their meaning
	Direction  string // inbound, outbound-api, outbound-dial

	CallerName    string
	StirVerstat   string // such as "TN-Validation-Passed-A": is the number the caller's?
	ForwardedFrom string
	FromCity      string
	FromState     string
	FromZip       string
	FromCountry   string

	Digits string // 0-9 # * and "hangup" (Twilio docs: voice/twiml/record)

	QueueSID         string
	QueueResult      string // of the Enqueue action
	QueueTime        time.Duration
	DequeuingCallSID string // the call that took the waiting one ("DequeingCallSid" on the wire)

	DialCallDuration time.Duration // 0: not said
	// "true", "false"; "" = absent: not known whether the parties were connected.
	DialBridged string

	RecordingSID      string
	RecordingStatus   string // in-progress, completed, absent, failed
	RecordingDuration time.Duration

	TranscriptionStatus string // completed, failed
	TranscriptionText   string

	CallDuration    time.Duration // only in the final status callback
	SIPResponseCode string        // the carrier's answer to a call that we made, such as "486"

	// ErrorCode is Twilio's error code. At the fallback address it comes with ErrorURL, the address
	// that failed; of a recording it says why there is none.
	ErrorCode string
	ErrorURL  string
}

// Limits of free text from a request, in characters. Longer text is cut: it ends up in session
// state and on alerts.
const (
	maxField         = 256
	maxDigits        = 32
	maxCode          = 16
	maxURL           = 4 << 10
	maxTranscription = 8 << 10
)

// ParseWebhook reads the fields of a request; see [ParseForm]. It never fails. It trusts nothing:
// identifiers have their shape, texts are one line and cut.
func ParseWebhook(f url.Values) Webhook {
	return Webhook{
		CallSID:    sid(SIDCall, f.Get("CallSid")),
		AccountSID: oneline.Clean(f.Get("AccountSid"), maxField),
		From:       address(f.Get("From")),
		To:         address(f.Get("To")),
		CallStatus: oneline.Clean(f.Get("CallStatus"), maxField),
		Direction:  oneline.Clean(f.Get("Direction"), maxField),

		CallerName:    oneline.Clean(f.Get("CallerName"), maxField),
		StirVerstat:   oneline.Clean(f.Get("StirVerstat"), maxField),
		ForwardedFrom: address(f.Get("ForwardedFrom")),
		FromCity:      either(f, "FromCity", "CallerCity"),
		FromState:     either(f, "FromState", "CallerState"),
		FromZip:       either(f, "FromZip", "CallerZip"),
		FromCountry:   either(f, "FromCountry", "CallerCountry"),

		Digits: keys(f.Get("Digits")),

		QueueSID:         sid(SIDQueue, f.Get("QueueSid")),
		QueueResult:      oneline.Clean(f.Get("QueueResult"), maxField),
		QueueTime:        seconds(f.Get("QueueTime")),
		DequeuingCallSID: sid(SIDCall, first(f, "DequeingCallSid", "DequeuingCallSid")),

		DialCallDuration: connected(f.Get("DialCallDuration")),
		DialBridged:      strings.ToLower(f.Get("DialBridged")),

		RecordingSID:      sid(SIDRecording, f.Get("RecordingSid")),
		RecordingStatus:   oneline.Clean(f.Get("RecordingStatus"), maxField),
		RecordingDuration: seconds(f.Get("RecordingDuration")),

		TranscriptionStatus: oneline.Clean(f.Get("TranscriptionStatus"), maxField),
		TranscriptionText:   oneline.Clean(f.Get("TranscriptionText"), maxTranscription),

		CallDuration:    seconds(f.Get("CallDuration")),
		SIPResponseCode: oneline.Clean(f.Get("SipResponseCode"), maxCode),

		ErrorCode: code(first(f, "ErrorCode", "RecordingErrorCode")),
		ErrorURL:  oneline.Clean(f.Get("ErrorUrl"), maxURL),
	}
}

// code reads an error code; 0 stands for none.
func code(raw string) string {
	if raw == "0" {
		return ""
	}
	return oneline.Clean(raw, maxCode)
}

// keys keeps what was pressed, spaces included: the menu takes digits strictly. It is bytes that
// are cut, as keys are ASCII.
func keys(raw string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, raw[:min(len(raw), maxDigits)])
}

// maxAddress bounds a telephone number or another address of a party, in characters.
const maxAddress = 128

// address cleans the address of a party. A plus sign that was not URL-encoded arrives as a space.
func address(raw string) string {
	text := oneline.Clean(raw, maxAddress)
	if strings.HasPrefix(raw, " ") && text != "" && text[0] >= '1' && text[0] <= '9' {
		text = "+" + text
	}
	return text
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

// either is first, cleaned: Twilio names the caller's place in two ways.
func either(f url.Values, names ...string) string { return oneline.Clean(first(f, names...), maxField) }

// maxSeconds is longer than any call may last (4 hours by default, at most 24; Twilio docs:
// voice/api/call-resource).
const maxSeconds = 24 * 60 * 60

// connected reads how long two calls were connected. Whole seconds are said, so less than a second
// is a 0; that is known to be short, and counts as one second, where 0 stands for what is not
// known.
func connected(s string) time.Duration {
	if s == "0" {
		return time.Second
	}
	return seconds(s)
}

// seconds reads a whole number of seconds. Anything that is not one, or out of range, is 0.
func seconds(s string) time.Duration {
	if s == "" {
		return 0 // most requests have none, and an error has to be made
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxSeconds {
		return 0
	}
	return time.Duration(n) * time.Second
}
