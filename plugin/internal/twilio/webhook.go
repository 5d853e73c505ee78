package twilio

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// CallStatus is where a call stands (Twilio docs: voice/api/call-resource).
type CallStatus string

// The call statuses.
const (
	CallQueued     CallStatus = "queued"
	CallInitiated  CallStatus = "initiated"
	CallRinging    CallStatus = "ringing"
	CallInProgress CallStatus = "in-progress"
	CallCompleted  CallStatus = "completed"
	CallBusy       CallStatus = "busy"
	CallFailed     CallStatus = "failed"
	CallNoAnswer   CallStatus = "no-answer"
	CallCanceled   CallStatus = "canceled"
)

// Ended reports whether the call is over for good.
func (s CallStatus) Ended() bool {
	switch s {
	case CallCompleted, CallBusy, CallFailed, CallNoAnswer, CallCanceled:
		return true
	case CallQueued, CallInitiated, CallRinging, CallInProgress:
		return false
	}
	return false
}

// Webhook is one request of Twilio. Fields that are absent or make no sense are zero; unknown
// fields are ignored, as Twilio may add some at any time (Twilio docs:
// usage/webhooks/webhooks-security).
type Webhook struct {
	CallSID       string // "" unless well-formed; so are all identifiers
	AccountSID    string
	ParentCallSID string
	From, To      Number
	CallStatus    CallStatus
	Direction     string // inbound, outbound-api, outbound-dial

	CallerName    string
	ForwardedFrom Number
	StirVerstat   string
	FromCity      string
	FromState     string
	FromZip       string
	FromCountry   string

	HasDigits bool   // a Digits field is present, if empty
	Digits    string // 0-9 # * and "hangup" (Twilio docs: voice/twiml/record)

	QueueSID         string
	QueueResult      string        // of the Enqueue action
	QueueTime        time.Duration // waited in the queue so far
	DequeuingCallSID string        // the call that took the waiting one ("DequeingCallSid" on the wire)

	DialCallStatus   CallStatus
	DialCallSID      string
	DialCallDuration time.Duration
	DialBridged      bool // the parties were connected; absent counts as false

	RecordingSID      string
	RecordingStatus   string // in-progress, completed, absent, failed
	RecordingDuration time.Duration

	TranscriptionStatus string // completed, failed
	TranscriptionText   string

	CallDuration   time.Duration // in the final status callback
	SequenceNumber int           // of status callbacks, from 0; -1 if absent
	SIPCode        int           // SipResponseCode of a failed leg

	ErrorCode string // in requests to a fallback URL
	ErrorURL  string
}

// Shape limits of free text taken from a request.
const (
	maxField         = 256
	maxTranscription = 8 << 10
)

// ParseWebhook reads the form fields of a request. It never fails.
func ParseWebhook(f url.Values) Webhook {
	_, hasDigits := f["Digits"]
	w := Webhook{
		CallSID:       sid(SIDCall, f.Get("CallSid")),
		AccountSID:    sid(SIDAccount, f.Get("AccountSid")),
		ParentCallSID: sid(SIDCall, f.Get("ParentCallSid")),
		From:          ParseNumber(f.Get("From")),
		To:            ParseNumber(f.Get("To")),
		CallStatus:    status(f.Get("CallStatus")),
		Direction:     clean(f.Get("Direction"), maxField),

		CallerName:    clean(f.Get("CallerName"), maxField),
		ForwardedFrom: ParseNumber(f.Get("ForwardedFrom")),
		StirVerstat:   clean(f.Get("StirVerstat"), maxField),
		FromCity:      either(f, "FromCity", "CallerCity"),
		FromState:     either(f, "FromState", "CallerState"),
		FromZip:       either(f, "FromZip", "CallerZip"),
		FromCountry:   either(f, "FromCountry", "CallerCountry"),

		HasDigits: hasDigits,
		Digits:    clean(f.Get("Digits"), 32),

		QueueSID:         sid(SIDQueue, f.Get("QueueSid")),
		QueueResult:      clean(f.Get("QueueResult"), maxField),
		QueueTime:        seconds(f.Get("QueueTime")),
		DequeuingCallSID: sid(SIDCall, first(f, "DequeingCallSid", "DequeuingCallSid")),

		DialCallStatus:   status(f.Get("DialCallStatus")),
		DialCallSID:      sid(SIDCall, f.Get("DialCallSid")),
		DialCallDuration: seconds(f.Get("DialCallDuration")),
		DialBridged:      strings.EqualFold(f.Get("DialBridged"), "true"),

		RecordingSID:      sid(SIDRecording, f.Get("RecordingSid")),
		RecordingStatus:   clean(f.Get("RecordingStatus"), maxField),
		RecordingDuration: seconds(f.Get("RecordingDuration")),

		TranscriptionStatus: clean(f.Get("TranscriptionStatus"), maxField),
		TranscriptionText:   clean(f.Get("TranscriptionText"), maxTranscription),

		CallDuration:   seconds(f.Get("CallDuration")),
		SequenceNumber: -1,

		ErrorCode: clean(f.Get("ErrorCode"), 16),
		ErrorURL:  clean(f.Get("ErrorUrl"), 1024),
	}
	if n, err := strconv.Atoi(f.Get("SequenceNumber")); err == nil && n >= 0 {
		w.SequenceNumber = n
	}
	if n, err := strconv.Atoi(f.Get("SipResponseCode")); err == nil && n > 0 && n < 1000 {
		w.SIPCode = n
	}
	return w
}

func status(s string) CallStatus {
	switch c := CallStatus(s); c {
	case CallQueued, CallInitiated, CallRinging, CallInProgress, CallCompleted, CallBusy, CallFailed, CallNoAnswer, CallCanceled:
		return c
	}
	if s == "answered" { // DialCallStatus after a conference; some senders of test requests use it for calls
		return CallInProgress
	}
	return ""
}

func first(f url.Values, names ...string) string {
	for _, n := range names {
		if v := f.Get(n); v != "" {
			return v
		}
	}
	return ""
}

func either(f url.Values, names ...string) string { return clean(first(f, names...), maxField) }

// seconds reads a whole number of seconds; nonsense is 0, and so is more than a day or less than
// nothing.
func seconds(s string) time.Duration {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 86400 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// clean drops what is no text and cuts at limit characters.
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
