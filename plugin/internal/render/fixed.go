package render

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// Fixed is one sentence and a hang-up, the same for everybody, in the default language. It can be
// made before any option is known.
func Fixed(key prompts.Key) integration.Response {
	s := speaker{language: prompts.DefaultLanguage}
	return Document(twiml.New(append(s.text(prompts.Text(s.language, key, prompts.Args{})), twiml.Hangup{})...).Bytes())
}

// Document is an answer that carries TwiML. Answers depend on the moment, so nothing on the way may
// keep one.
func Document(body []byte) integration.Response {
	return integration.Response{
		Status: http.StatusOK,
		Header: map[string][]string{"Content-Type": {twiml.ContentType}, "Cache-Control": {"no-store"}},
		Body:   body,
	}
}

// Farewell says goodbye and hangs up.
func Farewell(o options.Options) integration.Response {
	s := newSpeaker(o, nil)
	return Document(twiml.New(append(s.prompt(reply.Prompt{Key: reply.PromptGoodbye}), twiml.Hangup{})...).Bytes())
}

// ringWait is how long a test ring waits for a key, in seconds.
const ringWait = 6

// TestRing tells a person that a phone rings for a test, and asks for a key at an address. name is
// that of the integration.
func TestRing(o options.Options, name, address string) integration.Response {
	s := newSpeaker(o, nil)
	return Document(twiml.New(
		twiml.Gather{
			Action: address, Timeout: ringWait, NumDigits: 1, FinishOnKey: twiml.Key(""), ActionOnEmptyResult: true,
			Nested: s.text(prompts.Text(o.Language, prompts.KeyTestRing, prompts.Args{Team: name})),
		},
		twiml.Redirect{URL: address},
	).Bytes())
}

// TestRingHeard thanks for the key.
func TestRingHeard(o options.Options) integration.Response {
	s := newSpeaker(o, nil)
	return Document(twiml.New(append(s.text(prompts.Text(o.Language, prompts.KeyTestHeard, prompts.Args{})), twiml.Hangup{})...).Bytes())
}

// GoOn waits a moment and goes on with the document at an address.
func GoOn(address string) integration.Response {
	return Document(twiml.New(twiml.Pause{Seconds: goOnPause}, twiml.Redirect{URL: address}).Bytes())
}

// goOnPause keeps an address that fails at once from being asked for without a rest, in seconds.
const goOnPause = 2

// fallbackPause is how long a caller waits before the host is asked once more.
const fallbackPause = 5

// keptFields are carried over to the repeated request, which Twilio makes without them. They are
// what the repeated request must say for the same event to follow.
var keptFields = []string{
	"Digits", "QueueResult", "QueueSid", "QueueTime", "DequeingCallSid", "DialBridged", "DialCallStatus", "DialCallDuration",
	"RecordingSid", "RecordingDuration", "ErrorCode", "ErrorUrl",
}

// Fallback is what the host says while no plugin can be reached. Their verbs are allowed in each
// place where Twilio asks for a document, the wait and announcement documents included.
func Fallback(o options.Options) integration.FallbackAnswers {
	s := newSpeaker(o, nil)
	moment := s.text(prompts.Text(o.Language, prompts.KeyMoment, prompts.Args{}))
	last := s.text(prompts.Text(o.Language, prompts.KeyNoAnswer, prompts.Args{}))
	return integration.FallbackAnswers{
		Wait:      Document(twiml.New(append(moment, twiml.Pause{Seconds: fallbackPause}, twiml.Redirect{URL: integration.FallbackURLMark})...).Bytes()),
		LastWords: Document(twiml.New(append(last, twiml.Hangup{})...).Bytes()),
		Keep:      keptFields,
	}
}
