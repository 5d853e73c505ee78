package twilio

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"

	"github.com/twilio/twilio-go/client"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// Error codes that change what happens next (Twilio docs: api/errors/CODE).
const (
	CodeCallNotInProgress = "21220" // the call has ended, or was not answered yet
	CodeTooManyRequests   = "20429"
	CodeCallConcurrency   = "10004" // too many calls at once: try later
	codeBadUsername       = "21222" // twilio-go's own check of credentials
	codeBadPassword       = "21224"
)

// mapError turns what a request ended with into an *integration.Error. status is the last HTTP
// status seen, 0 if none. The kind decides what follows: what may have taken effect is a deadline,
// what certainly did not and may later is unavailable.
func mapError(ctx context.Context, operation string, status int, err error) error {
	if err == nil {
		return nil
	}
	var own *integration.Error
	// Made by this package already, such as by need.
	if errors.As(err, &own) {
		return own
	}
	var rest *client.TwilioRestError
	if errors.As(err, &rest) {
		if rest.Status != 0 {
			status = rest.Status
		}
		code := ""
		switch {
		case rest.Code != 0:
			code = strconv.Itoa(rest.Code)
		case status == http.StatusTooManyRequests:
			code = CodeTooManyRequests
		}
		e := integration.Errorf(kindOf(status, code), "%s: Twilio answered %d: %s", operation, status, oneline.Clean(rest.Message, 300))
		e.Code, e.Err = code, err
		return e
	}
	var netErr net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), ctx.Err() != nil,
		errors.As(err, &netErr) && netErr.Timeout():
		e := integration.Errorf(integration.KindDeadline, "%s: no answer from Twilio in time; whether it took effect is unknown", operation)
		e.Err = err
		return e
	case status >= 400:
		e := integration.Errorf(kindOf(status, ""), "%s: Twilio answered %d without a readable reason", operation, status)
		if status == http.StatusTooManyRequests {
			e.Code = CodeTooManyRequests
		}
		e.Err = err
		return e
	case status >= 300:
		e := integration.Errorf(integration.KindUnavailable, "%s: Twilio's API address answered with a redirect (%d); check the API address", operation, status)
		e.Err = err
		return e
	case status >= 200: // it did something, and said so unreadably
		e := integration.Errorf(integration.KindDeadline, "%s: Twilio's answer could not be read; whether it took effect is unknown", operation)
		e.Err = err
		return e
	}
	e := integration.Errorf(integration.KindUnavailable, "%s: Twilio could not be reached: %v", operation, err)
	e.Err = err
	return e
}

// kindOf says what a status means for another attempt; some codes know better. What is not listed
// is invalid: the same request would be refused again.
func kindOf(status int, code string) integration.Kind {
	switch code {
	case CodeCallConcurrency:
		return integration.KindUnavailable
	case codeBadUsername, codeBadPassword:
		return integration.KindUnauthorized
	}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return integration.KindUnauthorized
	case status == http.StatusNotFound:
		return integration.KindNotFound
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return integration.KindUnavailable
	case status == http.StatusConflict:
		return integration.KindConflict
	}
	return integration.KindInvalid
}
