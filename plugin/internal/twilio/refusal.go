package twilio

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/twilio/twilio-go/client"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// Refusal says whose fault it is that a call could not be started.
type Refusal int

// The classes. They follow from the HTTP status; the codes of [accountCodes] are the exceptions
// that Twilio answers with 400 although no other number would fare better.
const (
	// RefusedNot: nothing was refused. Twilio was out of order, too busy or out of reach.
	RefusedNot Refusal = iota
	// RefusedNumber: this number cannot be called, by this account at least. Others may.
	RefusedNumber
	// RefusedAccount: no number can be called: credentials, balance, the account's standing, or the
	// number that is shown.
	RefusedAccount
)

// accountCodes are error codes about the account or the number shown (Twilio docs: api/errors/…).
// The list only corrects the class that the HTTP status gives: an unknown code is the number's.
var accountCodes = map[string]bool{
	"10001": true, // the account is not active
	"10002": true, // a trial account does not support the feature
	"10003": true, // an incoming call was rejected because the account is inactive
	"20003": true, // authentication
	"20005": true, // the account is not active
	"20006": true, // access denied
	"20008": true, // test credentials
	// No number to call was given.
	"21201": false,
	// International calling is not enabled: numbers of the own country can be called.
	"21203": false,
	"21210": true, // the number shown is not verified
	"21212": true, // the number shown is invalid
	"21213": true, // no number to show
	"21606": true, // the number shown is not of this account
}

// remedies say what to do about a code, where its own message does not.
var remedies = map[string]string{
	"10001": "Look at the account in Twilio's console: it is suspended or closed.",
	"13227": "Allow the country under Voice, Geographic permissions, in Twilio's console.",
	"20003": "Check Account SID, API Key and API Secret: the key must be of this account and region.",
	"20005": "Look at the account in Twilio's console: it is suspended or closed.",
	"21203": "Allow international calls under Voice, Geographic permissions, in Twilio's console.",
	"21210": "Set Caller ID to a number that this account owns or has verified.",
	"21211": "Correct the person's phone number.",
	"21212": "Set Caller ID to a number that this account owns or has verified.",
	"21214": "Correct the person's phone number.",
	"21215": "Allow the country under Voice, Geographic permissions, in Twilio's console.",
	"21216": "Twilio blocks this number: use another, or ask Twilio's support.",
	"21217": "Correct the person's phone number.",
	"21219": "A trial account calls verified numbers only: verify this one, or upgrade the account.",
}

// Refused tells of an error of [Client.CreateCall] whose fault it is, with Twilio's code and a
// sentence for people: code, message and remedy. The sentence holds no secret. The class decides
// whether other phones are still tried, so in doubt it is the number's.
func Refused(err error) (class Refusal, code, sentence string) {
	var e *integration.Error
	if !errors.As(err, &e) {
		return RefusedNot, "", ""
	}
	status := 0
	var rest *client.TwilioRestError
	if errors.As(err, &rest) {
		status = rest.Status
	}
	account, listed := accountCodes[e.Code]
	switch {
	case listed && account, e.Kind == integration.KindUnauthorized && (status != http.StatusForbidden || e.Code == ""):
		// A 403 with a code that is none of the account's is about the number.
		class = RefusedAccount
	case e.Code == CodeTooManyRequests, e.Code == CodeCallConcurrency, e.Kind == integration.KindUnavailable, e.Kind == integration.KindDeadline, e.Kind == integration.KindInternal:
		class = RefusedNot
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
		class = RefusedNot
	default:
		class = RefusedNumber
	}
	return class, e.Code, explain(e, rest)
}

// explain is Twilio's own words, with the remedy where one is known.
func explain(e *integration.Error, rest *client.TwilioRestError) string {
	text := e.Message
	if rest != nil && e.Code != "" {
		text = fmt.Sprintf("Twilio's error %s: %s", e.Code, oneline.Clean(rest.Message, 200))
	}
	if text != "" && text[len(text)-1] != '.' {
		text += "."
	}
	if remedy := remedies[e.Code]; remedy != "" {
		text += " " + remedy
	}
	return text
}
