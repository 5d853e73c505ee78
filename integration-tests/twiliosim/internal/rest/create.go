package rest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

const (
	longestTwiml       = 4000 // characters; Twilio docs: voice/api/call-resource, Twiml
	defaultRingTimeout = 60   // seconds; Twilio docs: voice/api/call-resource, Timeout
	longestRingTimeout = 600
)

// createCall is POST /Calls. Everything is checked before the call exists, so a refused request
// leaves none. Source: Twilio docs, voice/api/call-resource, create.
func (api *API) createCall(r *http.Request) (reply, *apiError) {
	f := r.PostForm
	api.reportUnsimulated(r, "To", "From", "Url", "Method", "Twiml", "FallbackUrl", "FallbackMethod", "StatusCallback", "StatusCallbackMethod",
		"StatusCallbackEvent", "Timeout", "TimeLimit", "MachineDetection", "MachineDetectionTimeout", "MachineDetectionSpeechThreshold",
		"MachineDetectionSpeechEndThreshold", "MachineDetectionSilenceTimeout", "AsyncAmd", "AsyncAmdStatusCallback",
		"AsyncAmdStatusCallbackMethod", "CallToken", "CallReason")
	if e := api.checkParties(f.Get("From"), f.Get("To")); e != nil {
		return reply{}, e
	}
	first, e := api.instructionsInForm(r)
	if e != nil {
		return reply{}, e
	}
	if first == nil {
		return reply{}, badRequest(21205, "Url parameter is required.")
	}
	timeout, limit, e := callLimits(r)
	if e != nil {
		return reply{}, e
	}
	detection := account.Detection{Mode: f.Get("MachineDetection"), Async: f.Get("AsyncAmd") == "true",
		Callback: targetInForm(f, "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod")}
	switch detection.Mode {
	case "", "Enable", "DetectMessageEnd":
	default:
		return reply{}, badRequest(20001, "MachineDetection %s is invalid", detection.Mode)
	}
	callbacks, e := api.callbacksInForm(r)
	if e != nil {
		return reply{}, e
	}

	a := api.account
	c := a.NewCall(f.Get("From"), f.Get("To"), account.DirectionOutboundAPI, nil)
	a.Lock()
	c.Number, c.Callbacks, c.Detection = a.NumberLocked(c.From), callbacks, detection
	c.Fallback = targetInForm(f, "FallbackUrl", "FallbackMethod")
	a.AddEventLocked(c, transcript.Event{Kind: transcript.Status, Text: account.StatusQueued})
	a.Unlock()
	body := callJSON(c) // before it starts: Twilio answers with status queued
	api.executor.Outbound(c, api.nextTurn(), timeout, limit, *first)
	return reply{status: http.StatusCreated, body: body}, nil
}

// nextTurn returns when the next call may start: an account starts so many a second, the others
// queue (Twilio docs: voice/api/call-resource, calls per second).
func (api *API) nextTurn() time.Time {
	api.mu.Lock()
	defer api.mu.Unlock()
	turn := api.account.Clock.Now()
	if api.nextStart.After(turn) {
		turn = api.nextStart
	}
	if perSecond := api.account.Config.CallsPerSecond; perSecond > 0 {
		api.nextStart = turn.Add(time.Duration(float64(time.Second) / perSecond))
	}
	return turn
}

// checkParties checks From and To. Source of the codes: Twilio docs, api/errors.
func (api *API) checkParties(from, to string) *apiError {
	switch {
	case to == "":
		return badRequest(21201, "No 'To' number is specified")
	case from == "":
		return badRequest(21213, "No 'From' number is specified")
	case !account.IsE164(to):
		return badRequest(21211, "The phone number you are attempting to call, %s, is not valid.", to)
	case !account.IsE164(from):
		return badRequest(21212, "The source phone number provided, %s, is not valid.", from)
	case !api.account.MayShow(from):
		return badRequest(21210, "The source phone number provided, %s, is not yet verified for your account. You may only make calls from phone numbers that you've verified or purchased from Twilio.", from)
	}
	return nil
}

// callLimits reads Timeout (how long it rings) and TimeLimit (how long the call may last; 0: no
// limit).
func callLimits(r *http.Request) (timeout, limit time.Duration, e *apiError) {
	timeout = defaultRingTimeout * time.Second
	if v := r.PostForm.Get("Timeout"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > longestRingTimeout {
			return 0, 0, badRequest(21208, "Timeout %s: want 1 to %d", v, longestRingTimeout)
		}
		timeout = time.Duration(n) * time.Second
	}
	if v := r.PostForm.Get("TimeLimit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return 0, 0, badRequest(20001, "TimeLimit %s is invalid", v)
		}
		limit = time.Duration(n) * time.Second
	}
	return timeout, limit, nil
}

// callbacksInForm reads StatusCallback and the events that it is for.
func (api *API) callbacksInForm(r *http.Request) (account.CallbackPlan, *apiError) {
	u := r.PostForm.Get("StatusCallback")
	switch {
	case u == "":
		return account.CallbackPlan{}, nil
	case !isAbsoluteURL(u):
		return account.CallbackPlan{}, badRequest(21205, "StatusCallback is not a valid URL: %s", u)
	}
	events := r.PostForm["StatusCallbackEvent"]
	plan, valid := account.NewCallbackPlan(targetInForm(r.PostForm, "StatusCallback", "StatusCallbackMethod"), events)
	if !valid {
		// Twilio answers 201 and sends no callbacks at all.
		api.account.Report(nil, &problem.Problem{Code: 21626,
			Text: "StatusCallbackEvent " + strings.Join(events, ",") + ": one event a parameter; no status callback will be sent"})
	}
	return plan, nil
}

// instructionsInForm reads Url or Twiml; nil: neither is given.
func (api *API) instructionsInForm(r *http.Request) (*account.Instructions, *apiError) {
	f := r.PostForm
	for _, name := range []string{"Method", "FallbackMethod", "StatusCallbackMethod"} {
		if v := f.Get(name); v != "" && webhook.MethodOr(v, "") == "" {
			return nil, badRequest(21209, "%s %s is invalid: want GET or POST", name, v)
		}
	}
	if u := f.Get("FallbackUrl"); u != "" && !isAbsoluteURL(u) {
		return nil, badRequest(21205, "FallbackUrl is not a valid URL: %s", u)
	}
	switch u, twiml := f.Get("Url"), f.Get("Twiml"); {
	case u != "":
		if !isAbsoluteURL(u) {
			return nil, badRequest(21205, "Url is not a valid URL: %s", u)
		}
		return &account.Instructions{Target: targetInForm(f, "Url", "Method")}, nil
	case twiml != "":
		if len([]rune(twiml)) > longestTwiml {
			return nil, badRequest(api.account.Config.Behaviour.LongTwimlRefusal, "Twiml is over %d characters long", longestTwiml)
		}
		return &account.Instructions{TwiML: twiml}, nil
	}
	return nil, nil
}
