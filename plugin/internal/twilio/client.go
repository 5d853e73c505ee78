package twilio

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/livecallrouting/livecall/host-sdk/integration"
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
// in time: whether it took effect is unknown).
type Client struct {
	cfg      Config
	region   Region
	override *url.URL
}

var sharedTransport = func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 8
	t.IdleConnTimeout = 30 * time.Second
	return t
}()

// New makes a client. Errors: invalid for a malformed account SID, unknown region or bad APIURL.
func New(cfg Config) (*Client, error) {
	if !IsSID(SIDAccount, cfg.AccountSID) {
		return nil, &integration.Error{Kind: integration.KindInvalid, Field: "account_sid", Message: "is no Twilio account SID (AC and 32 hexadecimal digits)"}
	}
	region, ok := RegionByID(cfg.Region)
	if !ok {
		return nil, &integration.Error{Kind: integration.KindInvalid, Field: "api_region", Message: "is no known region; choose one of the list"}
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

// AccountSID is the account the client works for.
func (c *Client) AccountSID() string { return c.cfg.AccountSID }

func (c *Client) transport(ctx context.Context, limit int64) *transport {
	return &transport{ctx: ctx, next: c.cfg.Transport, override: c.override, limit: limit, backoff: c.cfg.Backoff}
}

// do runs one operation with a service of its own, whose transport knows ctx. Making one is cheap;
// edge and region are set here, so that TWILIO_EDGE and TWILIO_REGION in the environment mean
// nothing.
func (c *Client) do(ctx context.Context, operation string, run func(*api.ApiService) error) error {
	return c.as(ctx, operation, c.cfg.KeySID, c.cfg.KeySecret, func(base *client.Client) error {
		return run(api.NewApiService(&client.RequestHandler{Client: base, Edge: c.region.Edge, Region: c.region.Code}))
	})
}

// as runs one operation with given credentials.
func (c *Client) as(ctx context.Context, operation, user, password string, run func(*client.Client) error) error {
	t := c.transport(ctx, maxJSON)
	base := &client.Client{
		Credentials: client.NewCredentials(user, password),
		HTTPClient: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	base.SetAccountSid(c.cfg.AccountSID)
	err := run(base)
	if err == nil && t.status >= 300 {
		err = http.ErrUseLastResponse
	}
	return mapError(ctx, operation, t.status, err)
}

func need(prefix, s, what string) error {
	if !IsSID(prefix, s) {
		return integration.Errorf(integration.KindInvalid, "%s: %q is no identifier of that kind", what, clean(s, 40))
	}
	return nil
}

func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// date reads Twilio's RFC 2822 dates; zero if there is none.
func date(p *string) time.Time {
	t, err := time.Parse(time.RFC1123Z, str(p))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
