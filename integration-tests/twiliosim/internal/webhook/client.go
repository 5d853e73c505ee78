// Package webhook makes Twilio's requests to the program under test: signed, with connection
// settings, retries, redirects and cookies, and disturbed by the faults that a test asks for.
//
//	client.go     Client: one request with its retries and faults
//	exchange.go   one attempt: redirects, authentication, what a failure is called
//	overrides.go  connection settings in a URL's fragment
//	sign.go       X-Twilio-Signature
package webhook

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
)

// Target is a URL and the method to request it with. Without a URL nothing is requested.
type Target struct {
	URL    string
	Method string // "": POST
}

// Request is one request to the program under test.
type Request struct {
	On string // what kind it is: fault.OnWebhook, OnCallback or OnMedia
	Target
	// Params are sent as a form, or in the query of a GET. Nil: the request has no body.
	Params url.Values
	// Cookies are those of the call; nil: none are kept.
	Cookies http.CookieJar
	// Prepare, if not nil, adds headers to each attempt.
	Prepare func(*http.Request)
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Final  *url.URL // after redirects
}

// Client makes requests. All fields must be set, and not be changed afterwards.
type Client struct {
	AuthToken     string
	Transport     http.RoundTripper
	Clock         clock.Clock
	PatienceFloor time.Duration // the least real time an answer is waited for
	SignHTTPSPort bool
	Faults        *fault.List
	// Context ends every request.
	Context context.Context
	// Go runs a function in a goroutine, such as the second copy of a doubled request.
	Go func(func())
	// NewToken returns a new idempotency token.
	NewToken func() string
}

// DefaultTransport returns a transport without proxies and without kept connections, so that each
// request shows whether the program under test can be reached.
func DefaultTransport() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, TLSHandshakeTimeout: connectLimit, Proxy: nil}
}

// NewJar returns an empty cookie jar.
func NewJar() http.CookieJar {
	jar, _ := cookiejar.New(nil) // with nil options it cannot fail
	return jar
}

// MethodOr returns m if Twilio requests URLs by it (GET, POST), else fallback.
func MethodOr(m, fallback string) string {
	switch m {
	case http.MethodGet, http.MethodPost:
		return m
	}
	return fallback
}

// Values makes parameters of names and values, in turn.
func Values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// Send makes a request with retries and redirects. The answer may come with a problem: its status
// is then the cause.
func (c *Client) Send(r Request) (*Answer, *problem.Problem) {
	r.Method = methodOrPost(r.Method)
	u, err := url.Parse(strings.TrimSpace(r.URL))
	if err != nil || !u.IsAbs() || u.Hostname() == "" {
		return nil, &problem.Problem{Code: 11100, Text: "invalid URL", URL: r.URL}
	}
	o, p := parseOverrides(u.Fragment)
	if p != nil {
		p.URL = r.URL
		return nil, p
	}
	u.Fragment, u.RawFragment = "", ""

	// One token for all attempts, by which the program can tell a repeated request from a new one.
	token := c.NewToken()
	// One fault is taken for a request with all its attempts: a retry must not use up the next.
	disturbed := c.Faults.Take(r.On, r.Method+" "+u.String(), "")
	if disturbed == nil {
		disturbed = &fault.Fault{}
	}
	switch disturbed.Do {
	case fault.Lose:
		c.sleep(connectLimit)
		return nil, &problem.Problem{Code: 11205, Text: "lost on demand", URL: r.URL, Injected: true}
	case fault.Reset:
		return nil, &problem.Problem{Code: 11200, Text: "connection reset on demand", URL: r.URL, Injected: true}
	case fault.Delay:
		c.sleep(disturbed.Delay)
	// The copy has the same token, as a request has that Twilio repeats.
	case fault.Double:
		c.Go(func() { _, _, _ = c.exchange(r, u, o, token) })
	}
	a, p := c.attempts(r, u, o, token, disturbed)
	if p != nil && c.Context.Err() != nil {
		p.Injected = true // the simulator was closed, which is no fault of the program's
	}
	return a, p
}

// attempts sends the request until it is answered well or may not be sent again. A fault that takes
// the answer away also ends the attempts: the test asked for that failure.
func (c *Client) attempts(r Request, u *url.URL, o overrides, token string, disturbed *fault.Fault) (*Answer, *problem.Problem) {
	// The total limit decides whether another attempt begins; it does not cut one off.
	deadline := c.Clock.Now().Add(o.total)
	for try := 0; ; try++ {
		a, failure, p := c.exchange(r, u, o, token)
		switch disturbed.Do {
		case fault.LoseAnswer:
			c.sleep(deadline.Sub(c.Clock.Now()))
			return nil, &problem.Problem{Code: 11205, Text: "answer lost on demand", URL: r.URL, Injected: true}
		case fault.Status:
			return nil, &problem.Problem{Code: 11200, Text: fmt.Sprintf("HTTP %d on demand", disturbed.Status), URL: r.URL, Injected: true}
		}
		if p == nil || try >= o.retries || !o.retryOn[failure] || !c.Clock.Now().Before(deadline) || c.Context.Err() != nil {
			return a, p
		}
	}
}

// sleep waits by the simulator's clock and ends early when the simulator is closed.
func (c *Client) sleep(d time.Duration) { _ = clock.Sleep(c.Context, c.Clock, d) }

// methodOrPost is Twilio's default method for every address.
func methodOrPost(m string) string {
	if m == "" {
		return http.MethodPost
	}
	return m
}
