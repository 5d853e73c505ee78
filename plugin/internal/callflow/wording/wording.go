package wording

import (
	"fmt"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
)

// Lasting spells how long something was, in whole seconds, as pages do: "25 s", "1 min 5 s", "1 h 2
// min". Seconds are left out from an hour on.
func Lasting(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	// A rest of nothing is left out: "1 min", not "1 min 0 s".
	two := func(n int, unit string, rest int, small string) string {
		if rest == 0 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		return fmt.Sprintf("%d %s %d %s", n, unit, rest, small)
	}
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	}
	return two(s/3600, "h", s%3600/60, "min")
}

// Ordinal writes a number as people say it in a title. From eleven on it writes digits; the list
// has an unused place for 0.
func Ordinal(n int) string {
	words := []string{"", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	if n < len(words) {
		return words[n]
	}
	ending := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			ending = "st"
		case 2:
			ending = "nd"
		case 3:
			ending = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, ending)
}

// Minutes words a duration, rounded up to whole minutes. Less than a minute is "a minute", as
// nobody wants "0 minutes" in a title.
func Minutes(d time.Duration) string {
	n := int((d + time.Minute - 1) / time.Minute)
	if n <= 1 {
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", n)
}

// Sentence ends a text with a full stop. Reasons of a platform come with and without one.
func Sentence(text string) string { return strings.TrimRight(text, ". ") + "." }

// Reason continues a sentence that begins with the leg's person. Ends that are no doing of theirs
// share one.
func Reason(r call.LegReason) string {
	switch r {
	case call.ReasonNoAnswer:
		return "did not answer"
	case call.ReasonBusy:
		return "was busy"
	case call.ReasonFailed:
		return "could not be reached"
	case call.ReasonBadNumber:
		return "could not be dialed: Twilio refuses the number"
	case call.ReasonNoKey:
		return "answered but pressed no key"
	case call.ReasonHungUp:
		return "hung up without taking the call"
	case call.ReasonPassed:
		return "passed"
	case call.ReasonLost:
		return "took the call but was not connected"
	case call.ReasonAccount:
		return "could not be called: Twilio refuses the account"
	case call.ReasonHeard:
		return "heard the message"
	case call.ReasonTaken, call.ReasonCaller, call.ReasonTalked, call.ReasonNotNeeded, call.ReasonYielded:
	}
	return "is no longer needed"
}

// Occupied says why somebody is not rung yet. It continues a sentence as Reason does, and promises
// what the call flow will do.
func Occupied(how string) string {
	switch how {
	case integration.OccupiedTalking:
		return "is on another call of this hotline, and is rung when it ends."
	case integration.OccupiedRinging:
		return "is being rung for another caller, and is rung for this one when that call ends or somebody else takes it."
	case integration.OccupiedWaiting:
		return "is awaited by a caller who called earlier, and is rung for this one afterwards."
	case integration.OccupiedTelling:
		return "is being told of a message, and is rung for this caller as soon as that is over."
	}
	return "is occupied by another call of this hotline, and is rung when it ends."
}

// CallerName begins a sentence about the caller. Callers may be addresses as well (SIP), which are
// said as they are.
func CallerName(number string) string {
	if number == "" {
		return "A caller with a withheld number"
	}
	return number
}
