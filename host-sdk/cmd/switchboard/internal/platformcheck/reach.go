package platformcheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
)

// expiresSoon is how long before its end a certificate is worth a note.
const expiresSoon = 14 * 24 * time.Hour

// transport speaks HTTP/1.1 and keeps its connections, as the adapter does.
func transport(config *tls.Config) http.RoundTripper {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, Protocols: &protocols,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
}

// reach looks at the address, at connections and at the token.
func (r *run) reach(ctx context.Context) error {
	first := r.send(ctx, ask{method: http.MethodGet, path: "/protocol"})
	c := r.must("the address answers")
	if r.answers(ctx, c, first); c.Outcome == result.Right && !r.cfg.asked("reach", c.Name) {
		r.drop(c)
	}
	if r.stopped != "" {
		return nil
	}
	if c := r.check("connections are kept"); c != nil {
		if again := r.send(ctx, ask{method: http.MethodGet, path: "/protocol"}); again.Err == nil && !again.Reused {
			c.Note("The server closes the connection after each answer. Every question then costs a new connection (and TLS handshake), which callers hear as silence: switch on HTTP/1.1 keep-alive.")
		}
	}
	if c := r.check("a request without the right token is refused"); c != nil {
		r.tokens(ctx, c)
	}
	return nil
}

// must begins a check that is shown although it was not asked for, as the rest needs it.
func (r *run) must(name string) *result.Check {
	step := r.report.Steps[len(r.report.Steps)-1]
	c := &result.Check{Name: name, Outcome: result.Right}
	step.Checks = append(step.Checks, c)
	return c
}

// answers says why an address does not answer.
func (r *run) answers(ctx context.Context, c *result.Check, x *record.Exchange) {
	c.About = "GET /protocol below the base URL answers 200 with JSON"
	switch {
	case x.Err != nil:
		c.Leave(result.NotTested, "%s", unreachable(x.Err))
		r.stop("the address does not answer")
		return
	case x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden:
		c.Wrong("The token is refused (%s). Set the same token on both sides; the header is Authorization: Bearer TOKEN.", x.Says())
		r.stop("the token is refused")
	case x.Status >= 300 && x.Status < 400:
		c.Wrong("GET /protocol is answered with a redirect to %q. No answer may be one, as the token must go nowhere else: correct the base URL, or the server's rule about a slash at the end.", x.Header.Get("Location"))
		r.stop("the address redirects")
	case x.Status != http.StatusOK:
		c.Wrong("GET /protocol is answered with %s. Is the base URL right, does the server run, and does the platform answer itself rather than a proxy?", x.Says())
		r.stop("/protocol does not answer 200")
	}
	if c.Outcome == result.Wrong {
		c.Exchanges = []string{x.Text()}
		return
	}
	r.certificate(ctx, c)
}

// certificate notes one that ends soon.
func (r *run) certificate(ctx context.Context, c *result.Check) {
	u, err := url.Parse(r.base)
	if err != nil || u.Scheme != "https" {
		return
	}
	conn, err := r.dial(ctx, u)
	if err != nil {
		return // there is a proxy between: it answered
	}
	defer func() { _ = conn.Close() }()
	if peers := conn.(*tls.Conn).ConnectionState().PeerCertificates; len(peers) > 0 {
		if end := peers[0].NotAfter; time.Until(end) < expiresSoon {
			c.Note("The TLS certificate ends on %s.", end.UTC().Format(time.DateOnly))
		}
	}
}

func (r *run) tlsDialer() *tls.Dialer { return &tls.Dialer{Config: r.cfg.TLS} }

// unreachable says in words why there was no answer.
func unreachable(err error) string {
	var (
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		plain   tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dns):
		return "The name " + dns.Name + " is not known (DNS): correct the URL."
	case errors.As(err, &unknown):
		return "The TLS certificate is signed by an authority that this machine does not know: name its file with --ca-file."
	case errors.As(err, &name):
		return "The TLS certificate is for another name: " + name.Error() + "."
	case errors.As(err, &invalid):
		return "The TLS certificate is not valid: " + invalid.Error() + "."
	case errors.As(err, &plain):
		return "The server does not speak TLS at this address: is it http?"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens at this address (connection refused): does the server run, and is the port right?"
	case errors.Is(err, context.DeadlineExceeded):
		return "There was no answer within 10 s."
	}
	return "There is no answer: " + record.Cause(err).Error() + "."
}

// tokens sends requests with wrong tokens: all must be refused, with a problem document. A platform
// that takes one of them lets anybody page people.
func (r *run) tokens(ctx context.Context, c *result.Check) {
	c.About = "every request without the right token, /protocol too, is answered 401 with a problem document of the kind unauthorized"
	var bare []string // refused, but not as it should be
	// The beginning of the right token: a comparison that stops at the shorter text takes it.
	half := r.cfg.Token[:len(r.cfg.Token)/2]
	for _, a := range []struct {
		ask
		what, token string
	}{
		{ask{method: http.MethodGet, path: "/protocol"}, "without a token", ""},
		{ask{method: http.MethodGet, path: "/v1/health"}, "without a token", ""},
		{ask{method: http.MethodGet, path: "/v1/capabilities", query: r.in()}, "without a token", ""},
		{ask{method: http.MethodGet, path: "/v1/teams", query: r.in()}, "with another token", "wrong-" + random() + random()},
		{ask{method: http.MethodGet, path: "/v1/teams", query: r.in()}, "with half of the token", half},
		{ask{method: http.MethodGet, path: "/v1/teams", query: r.in()}, "with the token and one more letter", r.cfg.Token + "x"},
		{ask{method: http.MethodPut, path: "/v1/alerts/" + random() + "/commands/1", query: r.in(), body: map[string]any{"kind": "log", "text": "x"}}, "without a token", ""},
	} {
		x := r.send(ctx, a.as(a.token))
		switch {
		case x.Err != nil:
			c.Wrong("%s %s %s got %s.", a.method, a.path, a.what, x.Says())
		case x.Status != http.StatusUnauthorized:
			c.Wrong("%s %s %s was answered with %s. Check the token before anything else, as a whole.", a.method, a.path, a.what, x.Says())
		case x.Kind() == "":
			bare = append(bare, a.method+" "+a.path)
		default:
			continue
		}
		if len(c.Exchanges) < 2 {
			c.Exchanges = append(c.Exchanges, x.Text())
		}
	}
	if len(bare) > 0 {
		c.Wrong("401 is right, but came without a problem document that has a kind: %s.", strings.Join(slices.Compact(bare), ", "))
	}
}
