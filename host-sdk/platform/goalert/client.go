package goalert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

const (
	maxAnswer = 8 << 20 // bytes
	// requestTimeout bounds a request whose caller sets no earlier deadline. GoAlert lets a request
	// wait up to 20 s for others of its key.
	requestTimeout = 25 * time.Second
	// As http.DefaultTransport, of which hosts bound the answers.
	idleTimeout = 90 * time.Second
	genericPath = "/api/v2/generic/incoming" // of generic integration keys
	// Characters of an error of GoAlert that people are shown.
	maxMessage = 300
)

// Secret is a key or password: it goes into a header or body and nowhere else. Its type keeps it
// out of logs and errors, which format values.
type Secret string

// String hides the secret from every kind of formatting.
func (Secret) String() string { return "[secret]" }

// client sends requests to one GoAlert server. It may be used by many goroutines; each request
// brings its own key.
type client struct {
	base string // public URL without a final slash
	http *http.Client
}

// newClient checks the URL and prepares a client that follows no redirect: a key would go wherever
// it points.
func newClient(base string, using *http.Client) (*client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, integration.Errorf(integration.KindInvalid, "url: want GoAlert's public URL, such as https://goalert.example.com, without a password or parameters")
	}
	if using == nil {
		using = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, IdleConnTimeout: idleTimeout}}
	}
	// A copy, as the caller's client must go on following redirects.
	own := *using
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{base: strings.TrimRight(base, "/"), http: &own}, nil
}

// send posts a body and returns the answer. What went wrong on the way is unavailable, or deadline.
// It never repeats: whether a request may have had an effect is known only by whoever asked.
func (c *client) send(ctx context.Context, path, contentType string, token Secret, body []byte) (status int, answer []byte, err error) {
	// An earlier deadline of the caller's stays in force.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, integration.Errorf(integration.KindInvalid, "url: %q is no URL", c.base)
	}
	r.Header.Set("Content-Type", contentType)
	// Without it the endpoint of integration keys answers 204 and does not say the alert's number.
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Referer", c.base+"/") // the log-in wants it
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	resp, err := c.http.Do(r)
	if err == nil {
		defer resp.Body.Close()
		// One byte more than the limit tells an answer that was cut from one that just fits.
		answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	}
	switch {
	// Whether GoAlert did what was asked is not known then.
	case ctx.Err() != nil:
		return 0, nil, platform.Away(integration.KindDeadline, "GoAlert at %s did not answer in time: see whether it is overloaded", c.base)
	case err != nil:
		var wrapped *url.Error
		if errors.As(err, &wrapped) { // it repeats the address
			err = wrapped.Err
		}
		return 0, nil, platform.Away(integration.KindUnavailable, "GoAlert at %s cannot be reached: %v", c.base, err)
	case len(answer) > maxAnswer:
		return 0, nil, integration.Errorf(integration.KindUnavailable, "GoAlert at %s answered with more than %d MiB", c.base, maxAnswer>>20)
	}
	return resp.StatusCode, answer, nil
}

// request is the body of a GraphQL request. With an API key there is no query: the key has one. An
// operation's name chooses among those of the document to which the key is bound.
type request struct {
	Query         string         `json:"query,omitempty"`
	OperationName string         `json:"operationName,omitempty"`
	Variables     map[string]any `json:"variables,omitempty"`
}

// graphql runs an operation and decodes its data.
//
// Whatever can be put right in GoAlert, or by the set-up, is unavailable and not final: a call
// whose alert is refused for good loses its people on call.
func (c *client) graphql(ctx context.Context, token Secret, req request, into any) error {
	body, err := json.Marshal(req)
	if err != nil {
		return integration.Errorf(integration.KindInternal, "GoAlert: %w", err)
	}
	status, answer, err := c.send(ctx, "/api/graphql", "application/json", token, body)
	if err != nil {
		return err
	}
	// Unavailable, so commands wait in the outbox until somebody has run the set-up; a final error
	// would lose the alert.
	if status == http.StatusUnauthorized {
		return coded(codeKey, "GoAlert does not accept the API key (401): it was deleted or has expired; run the set-up again")
	}
	var reply struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if json.Unmarshal(answer, &reply) != nil || status != http.StatusOK {
		return c.unexpected(status)
	}
	if len(reply.Errors) > 0 {
		first := reply.Errors[0]
		// GoAlert binds a key to the document it was made for, so an upgrade that changes Document
		// needs new keys.
		if first.Extensions.Code == codeDocument {
			return coded(codeDocument, "the API key was made for another release of this software: run the set-up again, which makes new keys")
		}
		return coded(first.Extensions.Code, "GoAlert refuses the operation %s: %s", req.OperationName, oneline.Clean(first.Message, maxMessage))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(reply.Data, into); err != nil {
		return integration.Errorf(integration.KindUnavailable, "GoAlert's answer to %s has another shape than that of v0.34.1: %v", req.OperationName, err)
	}
	return nil
}

// Codes of what goes on until people put it right.
const (
	codeFull     = "full"
	codeNoSteps  = "no_steps"
	codeKey      = "unauthorized"  // GoAlert does not accept a key
	codeDocument = "invalid_query" // GoAlert's own: the key is for another document
)

// The code tells route why GoAlert takes no alert, and whether that lasts until people act.
func coded(code, format string, args ...any) error {
	e := integration.Errorf(integration.KindUnavailable, format, args...)
	e.Code = code
	return e
}

// unexpected is for a status or body that GoAlert does not send: most likely something else
// answers.
func (c *client) unexpected(status int) error {
	if status >= 300 && status < 400 {
		return integration.Errorf(integration.KindUnavailable, "GoAlert at %s redirects (%d): configure its public URL exactly", c.base, status)
	}
	return integration.Errorf(integration.KindUnavailable, "%s answers %d, not as GoAlert does: see whether the URL is right and the server well", c.base, status)
}

// event is what the endpoint of generic integration keys reads. With the action close it closes the
// alert of the dedup key; else it creates one, or returns the open one of that key.
type event struct {
	Summary string `json:"summary,omitempty"`
	Details string `json:"details,omitempty"`
	Action  string `json:"action,omitempty"`
	Dedup   string `json:"dedup"`
}

// post sends an event with a service's integration key and returns the alert's number; 0 if there
// was nothing to close. It is the one request that may be repeated safely, as the dedup key makes
// GoAlert return the same alert again; GraphQL's createAlert would be an error the second time.
func (c *client) post(ctx context.Context, s Service, e event) (int, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return 0, integration.Errorf(integration.KindInternal, "GoAlert: %w", err)
	}
	status, answer, err := c.send(ctx, genericPath, "application/json", s.Key, body)
	if err != nil {
		return 0, err
	}
	var created struct{ AlertID int }
	switch {
	case status == http.StatusUnauthorized:
		return 0, coded(codeKey, "GoAlert does not accept the integration key of service %s (401): add a Generic API key to the service and run the set-up again", s.ID)
	// GoAlert has a limit of 200 unacknowledged alerts a service and no code for it, only this
	// text.
	case status == http.StatusBadRequest && strings.Contains(string(answer), "too many unacknowledged alerts"):
		return 0, coded(codeFull, "the service is full")
	case status == http.StatusBadRequest:
		return 0, coded("refused", "GoAlert refuses an alert for service %s (400)", s.ID)
	case status != http.StatusOK || json.Unmarshal(answer, &created) != nil:
		return 0, c.unexpected(status)
	}
	return created.AlertID, nil
}
