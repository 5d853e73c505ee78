package account

import (
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// eventKinds are the events that requests of a kind become.
var eventKinds = map[string]string{fault.OnWebhook: transcript.Webhook, fault.OnCallback: transcript.Callback, fault.OnMedia: transcript.Media}

// send makes a request about a call and records it in the transcript.
func (a *Account) send(c *Call, r webhook.Request) (*webhook.Answer, *problem.Problem) {
	r.Cookies = c.cookies
	r.Method = webhook.MethodOr(r.Method, "POST")
	answer, p := a.webhooks.Send(r)
	e := transcript.Event{Kind: eventKinds[r.On], Method: r.Method, URL: r.URL, Params: FlatParams(r.Params)}
	if answer != nil {
		e.Status = answer.Status
	}
	if p != nil {
		e.Note, e.Code = p.Text, p.Code
		answer = nil
	}
	a.AddEvent(c, e)
	return answer, p
}

// Deliver sends a callback, whose answer does not matter.
func (a *Account) Deliver(c *Call, r webhook.Request) {
	if a.IsClosed() {
		return
	}
	if _, p := a.send(c, r); p != nil {
		p.Warning = true
		a.Report(c, p)
	}
}

// FlatParams writes parameters for the transcript; the values of one name are joined by spaces.
func FlatParams(v url.Values) map[string]string {
	if len(v) == 0 {
		return nil
	}
	out := make(map[string]string, len(v))
	for k, vs := range v {
		out[k] = strings.Join(vs, " ")
	}
	return out
}

// parametersLocked returns what Twilio sends with every request about a call. Source: Twilio docs,
// voice/twiml, request parameters.
func (c *Call) parametersLocked() url.Values {
	v := webhook.Values("CallSid", c.Sid, "AccountSid", c.Account.Config.AccountSid, "ApiVersion", "2010-04-01",
		"Direction", c.Direction, "CallStatus", c.Status, "From", c.From, "Caller", c.From, "To", c.To, "Called", c.To)
	for prefix, number := range map[string]string{"From": c.From, "Caller": c.From, "To": c.To, "Called": c.To} {
		if p, ok := c.Account.place(number); ok {
			v.Set(prefix+"City", p.City)
			v.Set(prefix+"State", p.State)
			v.Set(prefix+"Zip", p.Zip)
			v.Set(prefix+"Country", p.Country)
		}
	}
	if c.ParentSid != "" {
		v.Set("ParentCallSid", c.ParentSid)
	}
	if c.AnsweredBy != "" {
		v.Set("AnsweredBy", c.AnsweredBy)
	}
	if c.Direction == DirectionInbound && !IsWithheld(c.From) {
		v.Set("StirVerstat", "TN-Validation-Passed-A")
	}
	return v
}

// Request makes a webhook of this call with its parameters as they are now.
func (c *Call) Request(t webhook.Target, extra url.Values) webhook.Request {
	c.Account.Lock()
	defer c.Account.Unlock()
	params := c.parametersLocked()
	for k, vs := range extra {
		params[k] = vs
	}
	return webhook.Request{On: fault.OnWebhook, Target: t, Params: params}
}

// Fetch requests a document or a file. When the call is interrupted it returns at once; the request
// goes on, and its answer is ignored.
func (c *Call) Fetch(r webhook.Request) (*webhook.Answer, error) {
	a := c.Account
	var answer *webhook.Answer
	var p *problem.Problem
	done := false
	a.Go(func() {
		got, failed := a.send(c, r)
		a.Lock()
		defer a.Unlock()
		answer, p, done = got, failed, true
		c.NotifyLocked()
	})
	why := ErrClosed
	finished := false
	a.Await(c, time.Time{}, func() bool {
		finished, why = done, c.InterruptLocked()
		return finished || why != nil
	})
	switch {
	case !finished && why != nil:
		return nil, why
	case !finished:
		return nil, ErrClosed
	case p != nil:
		return nil, p
	}
	return answer, nil
}

// FetchIgnored requests an action whose answer Twilio ignores.
func (c *Call) FetchIgnored(t webhook.Target, extra url.Values) {
	if t.URL == "" {
		return
	}
	if _, p := c.Account.send(c, c.Request(t, extra)); p != nil {
		c.Account.Report(c, p)
	}
}
