package twilio

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// Config says how to reach an account.
type Config struct {
	AccountSID string
	KeySID     string // API key
	KeySecret  string
	Region     string // see [RegionByID]; "" = US1

	// APIURL replaces scheme and host of the REST API (for a simulator); the original host stays in
	// the Host header.
	APIURL string
	// Transport carries the requests; nil: one shared by the process.
	Transport http.RoundTripper
	// Backoff is the pause before retry n (from 0) after 429; nil: 100 ms doubled, with jitter.
	Backoff func(retry int) time.Duration
}

// Client calls Twilio's REST API, version 2010-04-01, for one account. It is safe for concurrent
// use. Its errors are *[integration.Error]: unauthorized (401, 403), not_found, invalid (with
// Twilio's code in Code), unavailable (429 after retries, 5xx, not reachable), deadline (no answer
// in time: whether it took effect is unknown). It is made for each request or task, so it keeps
// nothing but the clock's difference.
type Client struct {
	cfg      Config
	region   Region
	override *url.URL
	ahead    atomic.Pointer[time.Duration] // see Ahead
}

// sharedTransport keeps connections of all instances alive between requests: a new connection would
// cost a dial a fraction of a second.
var sharedTransport = func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 8
	t.IdleConnTimeout = 30 * time.Second
	return t
}()

// New makes a client. Errors: invalid for a malformed account SID, unknown region or bad APIURL.
func New(cfg Config) (*Client, error) {
	if !IsSID(SIDAccount, cfg.AccountSID) {
		return nil, &integration.Error{Kind: integration.KindInvalid, Field: "account_sid", Message: "must be a Twilio account SID: AC and 32 hexadecimal digits"}
	}
	region, ok := RegionByID(cfg.Region)
	if !ok {
		return nil, &integration.Error{Kind: integration.KindInvalid, Field: "api_region", Message: "must be one of the regions on offer"}
	}
	c := &Client{cfg: cfg, region: region}
	if cfg.APIURL != "" {
		u, err := url.Parse(cfg.APIURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, integration.Errorf(integration.KindInvalid, "LIVECALL_TWILIO_API_URL: must be an absolute http or https address")
		}
		c.override = u
	}
	if c.cfg.Transport == nil {
		c.cfg.Transport = sharedTransport
	}
	if c.cfg.Backoff == nil {
		c.cfg.Backoff = defaultBackoff
	}
	return c, nil
}

// transport carries one operation: it bounds the answer to limit bytes, and ends with ctx. Each
// operation has its own, as it remembers the status of the last answer.
func (c *Client) transport(ctx context.Context, limit int64) *transport {
	return &transport{ctx: ctx, next: c.cfg.Transport, override: c.override, limit: limit, backoff: c.cfg.Backoff, heard: func(date time.Time) {
		ahead := time.Until(date)
		c.ahead.Store(&ahead)
	}}
}

// Ahead is by how much Twilio's clock is ahead of this machine's, as the Date of its last answer
// says, to about a second; false: there was no answer yet.
func (c *Client) Ahead() (time.Duration, bool) {
	ahead := c.ahead.Load()
	if ahead == nil {
		return 0, false
	}
	return *ahead, true
}

// do runs one operation with its own API service, because twilio-go takes no context: the service's
// transport carries ctx. Creating one is cheap. Edge and region are set here, so that TWILIO_EDGE
// and TWILIO_REGION in the environment have no effect.
func (c *Client) do(ctx context.Context, operation string, run func(*api.ApiService) error) error {
	return c.as(ctx, operation, c.cfg.KeySID, c.cfg.KeySecret, func(base *client.Client) error {
		return run(api.NewApiService(&client.RequestHandler{Client: base, Edge: c.region.Edge, Region: c.region.Code}))
	})
}

// as runs one operation with other credentials. Redirects are not followed: the credentials are for
// Twilio alone.
func (c *Client) as(ctx context.Context, operation, user, password string, run func(*client.Client) error) error {
	t := c.transport(ctx, maxJSON)
	base := &client.Client{
		Credentials: client.NewCredentials(user, password),
		HTTPClient: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	// twilio-go takes the key for the account otherwise, and asks below the wrong path.
	base.SetAccountSid(c.cfg.AccountSID)
	err := run(base)
	// twilio-go takes any status below 400 for success.
	if err == nil && t.status >= 300 {
		err = http.ErrUseLastResponse
	}
	return mapError(ctx, operation, t.status, err)
}

// maxPage is the largest page of a list (Twilio docs: usage/twilios-response).
const maxPage = 1000

// get runs an operation that answers with one resource, and decodes it. It needs the resource to be
// there: twilio-go returns one whenever it returns no error.
func get[R, T any](
	ctx context.Context, c *Client, operation string, run func(*api.ApiService) (*R, error), decode func(R) T,
) (T, error) {
	var out T
	err := c.do(ctx, operation, func(s *api.ApiService) error {
		resource, err := run(s)
		if err == nil {
			out = decode(*resource)
		}
		return err
	})
	return out, err
}

// list runs an operation that answers with resources, and decodes those that keep accepts. Pages
// that were read before an error are returned with the error. Resources without a well-formed
// identifier are left out by their keep.
func list[R, T any](
	ctx context.Context, c *Client, operation string, run func(*api.ApiService) ([]R, error), decode func(R) T, keep func(T) bool,
) ([]T, error) {
	var out []T
	err := c.do(ctx, operation, func(s *api.ApiService) error {
		resources, err := run(s)
		for _, r := range resources {
			if item := decode(r); keep(item) {
				out = append(out, item)
			}
		}
		return err
	})
	return out, err
}

// need refuses an identifier that does not have the shape of its kind, before it becomes part of a
// path.
func need(prefix, s, what string) error {
	if !IsSID(prefix, s) {
		return integration.Errorf(integration.KindInvalid, "%s: %q is not an identifier of that kind", what, oneline.Clean(s, 40))
	}
	return nil
}

// str reads an optional field of twilio-go.
func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// date reads one of Twilio's RFC 2822 dates. It returns the zero time if there is none.
func date(p *string) time.Time {
	t, err := time.Parse(time.RFC1123Z, str(p))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
