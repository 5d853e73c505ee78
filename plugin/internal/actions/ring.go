package actions

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// questionPerson is the only question of a test ring: where the person can be called, and whether a
// call has them.
const questionPerson = "person"

// RingState is the state of a test ring's session (format 1), in JSON. It exists once 1 was
// pressed. Package app writes it when the document's key arrives; this one reads it.
type RingState struct {
	Confirmed bool `json:"confirmed"`
}

// RingFormat is the layout of [RingState].
const RingFormat = 1

// testRing begins a test ring, or looks at what became of it. Nothing is kept between two looks but
// Twilio's own call: a ring whose host has died ends by its document's last words. The host runs it
// about once a second until a line has an outcome.
func (n *numberAction) testRing(ctx context.Context, values map[string]string) {
	if !endpoint.IsRing(n.facts.SessionKey) {
		n.over(integration.RingRefused, "This host is too old to ring a phone for a test: update it.")
		return
	}
	a, ok := answerTo(n.facts.Answers, questionPerson)
	if !ok {
		n.Need = []integration.Question{{ID: questionPerson, Kind: integration.AskUser, User: values[integration.ValueUser]}}
		return
	}
	if ring := values[integration.ValueRing]; ring != "" {
		n.lookAtRing(ctx, ring, a.User)
		return
	}
	if a.User == nil {
		n.over(integration.RingRefused, "The platform does not say who this is, so there is no phone to ring.")
		return
	}
	n.beginRing(ctx, *a.User, values[integration.ValuePhone])
}

// answerTo finds the answer to a question of an earlier round; false where it is yet to be asked.
func answerTo(answers []integration.Answer, id string) (integration.Answer, bool) {
	i := slices.IndexFunc(answers, func(a integration.Answer) bool { return a.ID == id })
	if i < 0 {
		return integration.Answer{}, false
	}
	return answers[i], true
}

// over says how the ring ended. The host reads the choice of that line, people its text.
func (n *numberAction) over(outcome, text string) {
	level := "error"
	if outcome == integration.RingConfirmed {
		level = "ok"
	}
	n.line(level, integration.RingOutcome, text)
	n.Lines[len(n.Lines)-1].Choice = outcome
}

// tell adds a line that the host reads, too. It is no verdict: the ring goes on.
func (n *numberAction) tell(field, choice, text string) {
	n.Lines = append(n.Lines, integration.ActionLine{Level: "info", Field: field, Choice: choice, Text: text})
}

// beginRing rings one of the person's phones; which is its number from 0 as text, "" the first. It
// makes exactly one request for a call.
func (n *numberAction) beginRing(ctx context.Context, who integration.User, which string) {
	i := 0
	if which != "" {
		var err error
		if i, err = strconv.Atoi(which); err != nil || i < 0 {
			n.over(integration.RingRefused, "There is no such phone.")
			return
		}
	}
	if i >= len(who.Phones) {
		n.over(integration.RingRefused, who.Name+" has no phone on file.")
		return
	}
	number := who.Phones[i]
	n.tell(integration.RingNumber, number, phone.Display(number))
	// The host offers it as the next thing to try.
	if i+1 < len(who.Phones) {
		n.tell(integration.RingNext, strconv.Itoa(i+1), "There is another phone.")
	}
	// A caller needs the phone, and a test at that moment would answer busy.
	if who.OccupiedBy != "" {
		n.over(integration.RingOccupied, "A call has "+who.Name+" or is about to ring: try again later.")
		return
	}
	from, ok := n.shownNumber(ctx, number)
	if !ok {
		return
	}
	// The same address is the fallback, so a request that fails is made once more.
	address := n.links.Ring(0)
	call, err := n.client.CreateCall(ctx, twilio.NewCall{
		To: number, From: from, URL: address, FallbackURL: address, Timeout: int(n.options.Flow.RingTimeout / time.Second),
	})
	// Only a refusal proves that no phone rings.
	switch class, code, sentence := twilio.Refused(err); {
	case err == nil:
		n.tell(integration.RingUnderWay, call.SID, "The phone is being rung.")
	case class != twilio.RefusedNot, code == twilio.CodeTooManyRequests, code == twilio.CodeCallConcurrency:
		n.over(integration.RingRefused, sentence)
	default:
		// A call that may have been started is not started twice.
		n.over(integration.RingUnknown, "Twilio did not say whether it rings: "+messageOf(err))
	}
}

// shownNumber is the caller ID: the form's, as of every call to a person, or else a number that is
// connected here, as no number was called. It reports false, with a line, if there is none. It also
// refuses a phone that is one of the hotline's own numbers, as the list shows that here.
func (n *numberAction) shownNumber(ctx context.Context, to string) (string, bool) {
	list, err := n.client.PhoneNumbers(ctx, "", maxNumbers)
	if err != nil && n.options.CallerID == "" {
		n.over(integration.RingRefused, "Twilio did not say which numbers are connected: "+messageOf(err))
		return "", false
	}
	from := n.options.CallerID
	for _, p := range list {
		if !n.links.Ours(p.VoiceURL, "") {
			continue
		}
		if p.Number == to {
			n.over(integration.RingRefused, "This phone is a number of the hotline itself: it would call itself. Give the person another phone.")
			return "", false
		}
		if from == "" {
			from = p.Number
		}
	}
	if from == "" {
		n.over(integration.RingRefused, "There is no number to show: fill in Caller ID, or connect a number.")
	}
	return from, from != ""
}

// lookAtRing says what became of a ring. A caller who needs the person ends it: callers come first.
// The key is looked at first: whoever pressed 1 and hung up has confirmed.
func (n *numberAction) lookAtRing(ctx context.Context, sid string, who *integration.User) {
	var state RingState
	if s := n.facts.Session; s != nil && s.Format == RingFormat {
		_ = json.Unmarshal(s.State, &state) // what cannot be read confirms nothing
	}
	if state.Confirmed {
		n.over(integration.RingConfirmed, "Answered, and confirmed with 1.")
		return
	}
	call, err := n.client.FetchCall(ctx, sid)
	if err != nil {
		// It will not be known at the next look either.
		if integration.KindOf(err) == integration.KindNotFound || integration.KindOf(err) == integration.KindInvalid {
			n.over(integration.RingUnknown, "Twilio does not know the call: "+messageOf(err))
			return
		}
		n.tell(integration.RingUnderWay, sid, "Twilio does not answer just now.")
		return
	}
	// These are Twilio's final statuses; all others mean that it still rings or is answered (Twilio
	// docs: voice/api/call-resource).
	switch call.Status {
	case "completed":
		n.over(integration.RingUnconfirmed, "Answered, but nobody pressed 1: perhaps by a machine.")
	case "busy":
		n.over(integration.RingBusy, "The phone is busy.")
	case "no-answer":
		n.over(integration.RingNoAnswer, "Nobody answered.")
	case "canceled":
		n.over(integration.RingStopped, "The call was ended at Twilio.")
	case "failed":
		n.over(integration.RingRefused, "Twilio could not put the call through: see whether the number is right and in service.")
	default:
		if who == nil || who.OccupiedBy == "" {
			n.tell(integration.RingUnderWay, sid, "The phone is being rung.")
			return
		}
		// It is tried again at the next look.
		if err := n.client.EndCall(ctx, sid); err != nil {
			n.tell(integration.RingUnderWay, sid, "A call needs the person, and the test could not be ended yet.")
			return
		}
		n.over(integration.RingStopped, "The test was ended, since a call needs "+who.Name+".")
	}
}

// messageOf is an error for people. Errors of Twilio's client have a message for people; any other
// has none worth showing.
func messageOf(err error) string {
	var e *integration.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "try again."
}
