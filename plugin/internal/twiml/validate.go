package twiml

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Twilio's limits (Twilio docs: voice/twiml, voice/twiml/enqueue, errors 11750, 13521, 14205).
const (
	MaxBytes        = 64 << 10 // of one document
	MaxQueueName    = 64       // characters
	MaxSayRunes     = 3000     // of one Say with a neural voice
	MaxSayURLEscape = 4500     // bytes of one Say after URL encoding
)

// Seconds of a recording (Twilio docs: voice/twiml/record). Only recordings up to maxTranscribed
// are transcribed.
const (
	minRecord      = 2
	maxRecord      = 14400
	maxTranscribed = 120
)

// Encode checks the document and writes it. A document has absolute URLs, allowed nesting, nothing
// behind a verb that ends it, and keeps Twilio's limits. An error names verb and attribute; it is a
// defect of the code that built the document, never of a person's input. The same document always
// gives the same bytes.
func (d Document) Encode() ([]byte, error) {
	var errs []error
	for i, v := range d.Verbs {
		if err := check(v); err != nil {
			errs = append(errs, err)
		}
		if _, reject := v.(Reject); reject && i != 0 {
			errs = append(errs, errors.New("reject: must be the first verb, as the call is answered by any other"))
		}
		if ends(v) && i != len(d.Verbs)-1 {
			errs = append(errs, fmt.Errorf("%s: verbs behind it are never reached", v.element().name))
		}
	}
	data := d.Bytes()
	if len(data) > MaxBytes {
		errs = append(errs, fmt.Errorf("document of %d bytes: Twilio takes %d", len(data), MaxBytes))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return data, nil
}

// ends reports whether Twilio ignores the verbs behind v.
func ends(v Verb) bool {
	switch v.(type) {
	case Redirect, Hangup, Reject, Leave:
		return true
	}
	return false
}

// check looks at one verb and at what is nested in it. It returns nil for verbs that cannot be
// wrong.
func check(v Verb) error {
	switch v := v.(type) {
	case Say:
		return checkSay(v)
	case Play:
		return absolute("play", "url", v.URL)
	case Pause:
		if v.Seconds < 1 {
			return fmt.Errorf("pause: length %d: must be at least 1", v.Seconds)
		}
	case Gather:
		return checkGather(v)
	case Enqueue:
		return errors.Join(absolute("enqueue", "action", v.Action), absolute("enqueue", "waitUrl", v.WaitURL), queueName(v.Name))
	case Redirect:
		return absolute("redirect", "url", v.URL)
	case Record:
		return checkRecord(v)
	case Dial:
		var err error
		if v.Timeout != 0 && (v.Timeout < 5 || v.Timeout > 600) {
			err = fmt.Errorf("dial: timeout %d: must be 5 to 600", v.Timeout)
		}
		return errors.Join(err, absolute("dial", "action", v.Action), queueName(v.Queue.Name), absolute("queue", "url", v.Queue.URL))
	case Leave, Hangup, Reject:
	}
	return nil
}

// checkSay: nothing is heard of a text that is empty or too long, so the renderer has to split long
// texts before (Twilio docs: voice/twiml/say, error 13521).
func checkSay(v Say) error {
	if strings.TrimSpace(v.Text) == "" {
		return errors.New("say: empty text")
	}
	if n := utf8.RuneCountInString(v.Text); n > MaxSayRunes {
		return fmt.Errorf("say: %d characters: Twilio speaks at most %d", n, MaxSayRunes)
	}
	if n := len(url.QueryEscape(v.Text)); n > MaxSayURLEscape {
		return fmt.Errorf("say: %d characters after URL encoding: Twilio speaks at most %d", n, MaxSayURLEscape)
	}
	return nil
}

// checkGather: only what is heard may stand inside a Gather (Twilio docs: voice/twiml/gather).
func checkGather(v Gather) error {
	errs := []error{absolute("gather", "action", v.Action)}
	if v.Timeout < 0 || v.NumDigits < 0 {
		errs = append(errs, fmt.Errorf("gather: timeout %d and numDigits %d must not be negative", v.Timeout, v.NumDigits))
	}
	if v.FinishOnKey != nil && (len(*v.FinishOnKey) > 1 || !keys(*v.FinishOnKey)) {
		errs = append(errs, fmt.Errorf("gather: finishOnKey %q: one of 0-9 # *, or empty", *v.FinishOnKey))
	}
	for _, n := range v.Nested {
		switch n.(type) {
		case Say, Play, Pause:
			errs = append(errs, check(n))
		default:
			errs = append(errs, fmt.Errorf("gather: %s is not allowed inside", n.element().name))
		}
	}
	return errors.Join(errs...)
}

// checkRecord: the limit of a recording is another one when it is to be transcribed.
func checkRecord(v Record) error {
	errs := []error{absolute("record", "action", v.Action)}
	if v.MaxLength < minRecord || v.MaxLength > maxRecord {
		errs = append(errs, fmt.Errorf("record: maxLength %d: must be %d to %d", v.MaxLength, minRecord, maxRecord))
	}
	if v.Transcribe && v.MaxLength > maxTranscribed {
		errs = append(errs, fmt.Errorf("record: maxLength %d: at most %d with transcription", v.MaxLength, maxTranscribed))
	}
	if !keys(v.FinishOnKey) {
		errs = append(errs, fmt.Errorf("record: finishOnKey %q: only 0-9 # *", v.FinishOnKey))
	}
	if v.StatusCallback != "" {
		errs = append(errs, absolute("record", "recordingStatusCallback", v.StatusCallback))
	}
	for _, e := range v.StatusEvents {
		if e != "in-progress" && e != "completed" && e != "absent" {
			errs = append(errs, fmt.Errorf("record: recordingStatusCallbackEvent %q is not known", e))
		}
	}
	if v.TranscribeCallback != "" {
		errs = append(errs, absolute("record", "transcribeCallback", v.TranscribeCallback))
	}
	return errors.Join(errs...)
}

// keys reports whether s consists of keys of a telephone.
func keys(s string) bool { return strings.Trim(s, "0123456789#*") == "" }

// queueName checks a name by which a caller and a responder meet: one that Twilio cut off could be
// another call's.
func queueName(name string) error {
	if name == "" || utf8.RuneCountInString(name) > MaxQueueName {
		return fmt.Errorf("queue name %q: must have 1 to %d characters", name, MaxQueueName)
	}
	return nil
}

// absolute requires an absolute URL. Twilio would resolve a relative one against the URL of the
// request, which is different for each document.
func absolute(verb, attribute, s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return fmt.Errorf("%s: %s %q: must be an absolute http or https address", verb, attribute, s)
	}
	return nil
}
