package twilio

import (
	"context"
	"net/http"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Call is a call as Twilio knows it (Twilio docs: voice/api/call-resource).
type Call struct {
	SID       string        `json:"sid"`
	From      string        `json:"from,omitempty"`
	To        string        `json:"to,omitempty"`
	Status    string        `json:"status,omitempty"`
	Direction string        `json:"direction,omitempty"`
	CreatedAt time.Time     `json:"created_at,omitzero"`
	Duration  time.Duration `json:"duration,omitempty"`
}

// callOf reads what twilio-go decoded. An identifier of another shape counts as none.
func callOf(c api.ApiV2010Call) Call {
	return Call{
		SID: sid(SIDCall, str(c.Sid)), From: str(c.From), To: str(c.To), Status: str(c.Status),
		Direction: str(c.Direction), CreatedAt: date(c.DateCreated), Duration: seconds(str(c.Duration)),
	}
}

// NewCall says how to make a call. Addresses are absolute, as Twilio takes no others; all requests
// for them are made with POST.
type NewCall struct {
	To, From       string
	URL            string   // absolute; its document runs when the call is answered
	FallbackURL    string   // absolute, or "" for none
	StatusCallback string   // absolute, or "" for none; receives StatusEvents
	StatusEvents   []string // initiated, ringing, answered, completed
	Timeout        int      // seconds of ringing; Twilio adds about 5
}

// CreateCall makes a call. It is not idempotent: after an error of kind [integration.KindDeadline],
// look with [Client.Calls] first.
func (c *Client) CreateCall(ctx context.Context, n NewCall) (Call, error) {
	post := http.MethodPost
	p := &api.CreateCallParams{}
	p.SetTo(n.To)
	p.SetFrom(n.From)
	p.SetUrl(n.URL)
	p.SetMethod(post)
	if n.FallbackURL != "" {
		p.SetFallbackUrl(n.FallbackURL)
		p.SetFallbackMethod(post)
	}
	if n.StatusCallback != "" {
		p.SetStatusCallback(n.StatusCallback)
		p.SetStatusCallbackMethod(post)
		// One parameter each: joined by spaces Twilio drops them all silently.
		p.SetStatusCallbackEvent(n.StatusEvents)
	}
	if n.Timeout > 0 {
		p.SetTimeout(n.Timeout)
	}
	// It is repeated only after 429 (transport), which promises that nothing was done.
	call, err := get(ctx, c, "making a call", func(s *api.ApiService) (*api.ApiV2010Call, error) {
		return s.CreateCall(p)
	}, callOf)
	// The call may well exist: the caller must look before it dials again.
	if err == nil && call.SID == "" {
		err = integration.Errorf(integration.KindDeadline, "making a call: Twilio's answer names no call; whether it took effect is unknown")
	}
	return call, err
}

// FetchCall reads a call.
func (c *Client) FetchCall(ctx context.Context, callSID string) (Call, error) {
	if err := need(SIDCall, callSID, "call"); err != nil {
		return Call{}, err
	}
	return get(ctx, c, "reading a call", func(s *api.ApiService) (*api.ApiV2010Call, error) {
		return s.FetchCall(callSID, nil)
	}, callOf)
}

// maxCalls is how many of the newest calls are looked at: one page, and more than one number gets
// within the seconds in question.
const maxCalls = 50

// Calls lists the newest calls that we made to a number since a time, newest first. Twilio filters
// by the start of a call, which a queued call does not have yet, so since is compared with the
// creation here.
func (c *Client) Calls(ctx context.Context, to, from string, since time.Time) ([]Call, error) {
	p := &api.ListCallParams{}
	p.SetTo(to)
	if from != "" {
		p.SetFrom(from)
	}
	p.SetPageSize(maxCalls)
	p.SetLimit(maxCalls)
	since = since.Truncate(time.Second) // Twilio's dates have no fractions
	return list(ctx, c, "looking for calls", func(s *api.ApiService) ([]api.ApiV2010Call, error) {
		return s.ListCall(p)
	}, callOf, func(call Call) bool {
		return call.SID != "" && call.Direction != "inbound" && !call.CreatedAt.Before(since)
	})
}

// EndCall ends a call in any state. For a call that has ended, the error is invalid with code
// [CodeCallNotInProgress]. A call that still rings is ended as well.
func (c *Client) EndCall(ctx context.Context, callSID string) error {
	p := &api.UpdateCallParams{}
	p.SetStatus("completed")
	return c.updateCall(ctx, "ending a call", callSID, p)
}

// RedirectCall makes a call in progress go on with the document at address. One that was not
// answered yet cannot be redirected: [CodeCallNotInProgress].
func (c *Client) RedirectCall(ctx context.Context, callSID, address string) error {
	p := &api.UpdateCallParams{}
	p.SetUrl(address)
	p.SetMethod(http.MethodPost)
	return c.updateCall(ctx, "redirecting a call", callSID, p)
}

// DeleteCall deletes Twilio's record of a call that has ended. Its recordings stay (Twilio docs:
// voice/api/call-resource, delete).
func (c *Client) DeleteCall(ctx context.Context, callSID string) error {
	if err := need(SIDCall, callSID, "call"); err != nil {
		return err
	}
	return c.do(ctx, "deleting the record of a call", func(s *api.ApiService) error {
		return s.DeleteCall(callSID, nil)
	})
}

// updateCall is POST to one call (Twilio docs: voice/api/call-resource, update).
func (c *Client) updateCall(ctx context.Context, operation, callSID string, p *api.UpdateCallParams) error {
	if err := need(SIDCall, callSID, "call"); err != nil {
		return err
	}
	return c.do(ctx, operation, func(s *api.ApiService) error {
		_, err := s.UpdateCall(callSID, p)
		return err
	})
}
