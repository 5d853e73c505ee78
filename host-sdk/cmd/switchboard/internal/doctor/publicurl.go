package doctor

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/publicurl"
)

const (
	lookWithin = 15 * time.Second    // for one question to a name server or to the address
	renewBy    = 14 * 24 * time.Hour // before a certificate ends, somebody should know
	healthPath = "/healthz"          // of every switchboard
	healthy    = "ok\n"              // what it answers there
	maxHealth  = 1 << 10             // bytes of the answer that are read
)

// A host proves that an address leads to it: asked for its health with a nonce, it answers with a
// code that only hosts of its database can make.
const (
	ProofHeader = "Switchboard-Proof"
	NonceName   = "nonce"
	MaxNonce    = 64 // bytes
)

// NoCarrier begins the line about an address whose form no carrier can call. Others recognise the
// line by it; see package serve.
const NoCarrier = "no telephone carrier can call"

// PublicURL looks at the public address as a carrier does: its form, its name, its certificate, and
// whether a switchboard answers, which by prove is the one that asks; nil: any. client is for
// tests; nil: one that trusts what this machine trusts. It is asked from this machine, which may
// reach its own address in another way than others do.
func PublicURL(ctx context.Context, address string, prove func(nonce string) string, client *http.Client) []inspect.Line {
	if address == "" {
		return []inspect.Line{warning("public_url is not set: set it to the https address at which the Internet reaches this host")}
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return []inspect.Line{failure("public_url is not a web address: use one such as https://hotline.example.com")}
	}
	var lines []inspect.Line
	if err := publicurl.Check(address); err != nil {
		lines = append(lines, warning(NoCarrier+" %s: %s. Use the https address at which the Internet reaches this host", address, err))
	}
	// For the name and the address together.
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	if _, err := net.DefaultResolver.LookupIPAddr(ctx, u.Hostname()); err != nil {
		return append(lines, failure("the name %s does not resolve (%s): make an A or AAAA record for it at your DNS provider, with the address of this host or its proxy", u.Hostname(), dnsReason(err)))
	}
	return append(lines, reach(ctx, address, prove, client)...)
}

// dnsReason is what the resolver says, without the name again.
func dnsReason(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	return err.Error()
}

// reach asks the address for its health. At most three lines: what answers, whether it is this
// host, and the certificate.
func reach(ctx context.Context, address string, prove func(string) string, client *http.Client) []inspect.Line {
	if client == nil {
		client = &http.Client{}
	}
	// Random for each question, so that no recorded answer fits.
	nonce := rand.Text()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(address, "/")+healthPath+"?"+NonceName+"="+nonce, nil)
	if err != nil {
		return []inspect.Line{failure("public_url is not a web address: %s", err)}
	}
	resp, err := client.Do(req)
	if err != nil {
		return []inspect.Line{failure("%s", unreached(address, err))}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHealth))
	switch resp.StatusCode {
	// A proxy may keep health addresses to itself; then nothing is known, and nothing is wrong.
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return []inspect.Line{warning("%s answers with status %d at %s, so it is not known whether it leads here: let the reverse proxy pass that path on", address, resp.StatusCode, healthPath)}
	}
	if err != nil || resp.StatusCode != http.StatusOK || string(body) != healthy {
		return []inspect.Line{failure("%s answers with status %d, but it is no switchboard that answers at %s: point the reverse proxy at the address on which switchboard listens", address, resp.StatusCode, healthPath)}
	}
	lines := []inspect.Line{ok("%s resolves, and a switchboard answers there", address)}
	switch {
	case prove == nil:
	// An answer that cannot prove it replaces the line above: it would be believed.
	case resp.Header.Get(ProofHeader) == "":
		return []inspect.Line{failure("at %s answers another switchboard than this one, an older one, or the proxy drops the header %s: point the proxy, or the DNS record, at this host", address, ProofHeader)}
	case resp.Header.Get(ProofHeader) != prove(nonce):
		return []inspect.Line{failure("at %s answers another switchboard than this one: point the proxy, or the DNS record, at this host", address)}
	default:
		lines[0] = ok("%s resolves, and leads to this switchboard", address)
	}
	if resp.TLS != nil && len(resp.TLS.PeerCertificates) > 0 {
		lines = append(lines, validity(resp.TLS, time.Now()))
	}
	return lines
}

// validity says until when the certificate can be used. A certificate that is not accepted fails
// the request before.
func validity(state *tls.ConnectionState, now time.Time) inspect.Line {
	until := state.PeerCertificates[0].NotAfter
	day := until.UTC().Format(time.DateOnly)
	if until.Sub(now) < renewBy {
		return warning("the certificate ends on %s: see why it is not renewed", day)
	}
	return ok("the certificate is accepted, until %s", day)
}

// unreached says why a request failed, and what to do. The order matters: several of these errors
// can be in one chain.
func unreached(address string, err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("the certificate of %s has expired, or the clock of this machine is wrong: renew it", address)
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate of %s is for another name: get one for this name", address)
	case errors.As(err, &authority):
		return fmt.Sprintf("the certificate of %s is signed by nobody whom carriers trust, or its chain is incomplete: use one of a public authority, and serve it with its intermediate certificates", address)
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Sprintf("%s does not speak TLS: give the reverse proxy a certificate, or correct the port", address)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s does not answer within %s: open the port in the firewall, and see whether the proxy runs", address, lookWithin)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Sprintf("%s cannot be reached from this machine (%s): see whether the proxy runs, and whether a firewall or the router keeps this machine from its own public address", address, op.Err)
	}
	return fmt.Sprintf("%s cannot be reached from this machine: %s", address, err)
}

// ok makes a line that needs nobody.
func ok(format string, args ...any) inspect.Line {
	return inspect.Line{Level: inspect.OK, Text: fmt.Sprintf(format, args...)}
}

// warning makes a line about what works and will disappoint somebody.
func warning(format string, args ...any) inspect.Line {
	return inspect.Line{Level: inspect.Warning, Text: fmt.Sprintf(format, args...)}
}

// failure makes a line about what keeps callers from being served.
func failure(format string, args ...any) inspect.Line {
	return inspect.Line{Level: inspect.Error, Text: fmt.Sprintf(format, args...)}
}
