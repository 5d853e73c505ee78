// Package remote is the adapter to a platform that is served over HTTP, in any language, by the
// protocol that [OpenAPI] describes. The platform keeps the alerts; the adapter keeps caches and
// the watchers that wait for hints.
//
//	remote.go     Config, New
//	openapi.go    the document of the protocol
//	wire/         its JSON
//	agreement.go  which protocol is spoken, limits, pools of requests
//	exchange.go   one request and its answer: headers, deadlines, the second try
//	answer.go     what an answer means: values, problems, strange answers
//	breaker.go    questions fail at once while nothing can be connected to
//	questions.go  the methods that ask
//	alerts.go     the methods about alerts
//	watch.go      watchers, and waiting for changes
//	turns.go      of several hosts, one waits for changes and tells the others
//	hints.go      the address that a platform sends signed hints to
//	signature.go  Standard Webhooks
//	findings.go   what is wrong, in words
package remote

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"golang.org/x/sync/singleflight"
)

// MinToken is the least length of a token, in characters.
const MinToken = 32

// Config says where the platform is and how the two know each other.
type Config struct {
	// URL is the base of all addresses; it may have a path. https, or http to this machine.
	URL string
	// Token is sent with each request. At least MinToken characters.
	Token string
	// HintsSecrets verify hints: "whsec_" and the base64 of 24 to 64 bytes. Two while one is
	// replaced; none where the platform sends no hints.
	HintsSecrets []string
	// Tenant is sent where the scope has none. Optional.
	Tenant string
	// TLS holds authorities and a client certificate; nil: those of the system, and none.
	TLS *tls.Config
	// Version is this program's, sent as User-Agent.
	Version string
	// MediaURL returns an address at which the platform can fetch a medium for 24 h; nil: none is
	// sent.
	MediaURL func(ref string) string
	// NoOwnHints leaves out the hints that follow the adapter's own commands, so that a test sees
	// those of the platform alone.
	NoOwnHints bool
	// Timeout is how long a question may take; a command has five times as long. 0: 2 s, as a
	// caller waits.
	Timeout time.Duration
	// Turns, Tell and Hosts are for several hosts that share a database: one of them waits for the
	// platform's changes; Tell hands a notice of what has changed to the others, for their
	// [Platform.Heard], and must not wait; Hosts is how many run, which share the requests that the
	// platform takes at once. nil: there is one host.
	Turns  platform.Turns
	Tell   func(notice string)
	Hosts  func() int
	Clock  clock.Clock  // nil: the system's
	Logger *slog.Logger // nil: slog.Default
}

// times are limits by the wall clock. Tests shorten them. They are not settings: what a caller
// waits for must not be made longer by a platform's operator, but for Timeout.
type times struct {
	question, command, meta time.Duration
	wait                    time.Duration // a question for changes
	retry, maxRetry         time.Duration // between failed questions for changes
	agreement               time.Duration // how old an agreement may become
	again                   time.Duration // between two tries to reach one
	down                    time.Duration // how long questions fail at once
	hint                    time.Duration // how long a hint may take
}

// Platform is a platform.Platform over HTTP. Its fields are set by New; credentials and the
// agreement are replaced as wholes, so that each request sees a pair that belongs together.
type Platform struct {
	cfg         Config
	base        string
	client      *http.Client
	log         *slog.Logger
	clock       clock.Clock
	times       times
	credentials atomic.Pointer[credentials]

	agreed  atomic.Pointer[agreement]
	renew   atomic.Bool // the agreement is in doubt
	loading singleflight.Group
	tried   atomic.Int64 // when an agreement was last sought, Unix nanoseconds

	breaker  breaker
	pause    pause
	rate     rate // of the platform's hints
	others   rate // of what is no hint of the platform's
	watchers watchers
	// Up to where changes are known, where hosts take turns; nil: it is not known.
	cursor   atomic.Pointer[string]
	findings findings
}

var _ platform.Platform = (*Platform)(nil)

// New checks the configuration; it asks the platform nothing. Errors name the setting. A platform
// that cannot be reached is no error here: hosts start without it.
func New(cfg Config) (*Platform, error) {
	base, err := baseURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 2 * time.Second
	}
	p := &Platform{cfg: cfg, base: base, log: cfg.Logger, clock: cfg.Clock, times: times{
		question: cfg.Timeout, command: 5 * cfg.Timeout, meta: 5 * time.Second, wait: 20 * time.Second,
		retry: time.Second, maxRetry: 30 * time.Second, agreement: time.Hour, again: 5 * time.Second,
		down: time.Second, hint: 10 * time.Second,
	}}
	if err := p.SetCredentials(cfg.Token, cfg.HintsSecrets); err != nil {
		return nil, err
	}
	if p.log == nil {
		p.log = slog.Default()
	}
	if p.clock == nil {
		p.clock = clock.System()
	}
	p.client = client(cfg.TLS)
	p.findings.init(p.clock.Now)
	return p, nil
}

// credentials are what the two know each other by. A token of the old and secrets of the new file
// never meet in one request.
type credentials struct {
	token   string
	secrets [][]byte // of hints
}

// SetCredentials replaces the token and the secrets of hints from the next request on, so that
// nobody need restart the host for it. Errors name the setting, and leave the old ones. Requests in
// progress keep those with which they began.
func (p *Platform) SetCredentials(token string, hintsSecrets []string) error {
	if len(token) < MinToken {
		return fmt.Errorf("token: it has %d characters, at least %d are needed", len(token), MinToken)
	}
	// Anything else would be changed or refused on its way in a header.
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("token: use letters, digits and signs of ASCII, without blanks")
	}
	c := &credentials{token: token}
	for i, text := range hintsSecrets {
		secret, err := decodeSecret(text)
		if err != nil {
			return fmt.Errorf("hints_secret: number %d: %w", i+1, err)
		}
		c.secrets = append(c.secrets, secret)
	}
	p.credentials.Store(c)
	return nil
}

// client keeps its connections, speaks HTTP/1.1 and follows no redirects: the token goes nowhere
// else. The environment's proxy is not used for this machine (net/http.ProxyFromEnvironment).
// HTTP/2 would put all requests on one connection, where an answer that hangs holds up the others.
func client(config *tls.Config) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, Protocols: &protocols,
			MaxIdleConnsPerHost: 2 * defaultConcurrent, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// baseURL returns the address without a slash at its end. Its errors are for the person who wrote
// the setting, and do not repeat a password.
func baseURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return "", errors.New("it is no web address: write https://host/path")
	case u.User != nil:
		return "", errors.New("it holds a name or password: use the token")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("it has a query or a fragment: leave them out")
	// The token would be read by whoever listens in between.
	case u.Scheme == "http" && !thisMachine(u.Hostname()):
		return "", fmt.Errorf("http to %s would carry the token in clear: use https", u.Hostname())
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%q is neither https nor http", u.Scheme)
	}
	return strings.TrimRight(text, "/"), nil
}

// thisMachine reports whether a host is this machine, where no network can listen in.
func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}
