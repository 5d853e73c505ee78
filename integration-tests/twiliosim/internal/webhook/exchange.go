package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
)

// largestAnswer bounds what is read of one answer, in bytes. Source: Twilio docs, voice/twiml/play.
const largestAnswer = 40 << 20

// exchange is one attempt, redirects included. It returns the kind of a failure as the setting rp
// names it.
func (c *Client) exchange(r Request, u *url.URL, o overrides, token string) (*Answer, string, *problem.Problem) {
	// A fast clock would give up requests that the program under test cannot answer in time.
	limit := max(c.Clock.Real(min(o.read, o.total)), c.PatienceFloor)
	ctx, cancel := context.WithTimeout(c.Context, limit)
	defer cancel()
	for redirects := 0; ; redirects++ {
		res, body, err := c.roundTrip(ctx, r, u, token, false)
		if err == nil && res.StatusCode == http.StatusUnauthorized && u.User != nil &&
			strings.HasPrefix(strings.ToLower(res.Header.Get("WWW-Authenticate")), "basic") {
			// As Twilio does: credentials of the URL are sent only when they are asked for.
			res, body, err = c.roundTrip(ctx, r, u, token, true)
		}
		if err != nil {
			return nil, failureKind(err), &problem.Problem{Code: failureCode(err), Text: "no answer: " + rootCause(err), URL: u.String()}
		}
		a := &Answer{Status: res.StatusCode, Header: res.Header, Body: body, Final: u}
		if !isRedirect(a.Status) {
			failure, p := statusProblem(a)
			return a, failure, p
		}
		// Redirects are followed by hand: Twilio signs the URL of each anew.
		next, err := u.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			return a, "", &problem.Problem{Code: 11206, Text: fmt.Sprintf("HTTP %d without a usable Location", a.Status), URL: u.String()}
		}
		if redirects+1 > redirectLimit {
			return a, "", &problem.Problem{Code: 11215, Text: "too many redirects", URL: u.String()}
		}
		if a.Status != http.StatusTemporaryRedirect && a.Status != http.StatusPermanentRedirect {
			r.Method, r.Params = http.MethodGet, nil // the form is lost, as in a browser
		}
		next.Fragment = ""
		u = next
	}
}

// isRedirect: 304 is in the range, yet has no Location.
func isRedirect(status int) bool {
	return status >= 300 && status < 400 && status != http.StatusNotModified
}

// statusProblem returns what is wrong with an answer's status; nothing below 400.
func statusProblem(a *Answer) (failure string, p *problem.Problem) {
	switch {
	case a.Status >= 500:
		failure = failed5xx
	case a.Status >= 400:
		failure = failed4xx
	default:
		return "", nil
	}
	return failure, &problem.Problem{Code: 11200, Text: fmt.Sprintf("HTTP %d", a.Status), URL: a.Final.String()}
}

// roundTrip is one HTTP request, signed.
func (c *Client) roundTrip(ctx context.Context, r Request, u *url.URL, token string, withCredentials bool) (*http.Response, []byte, error) {
	at := *u // the URL that is requested: with the query of a GET, later without credentials
	var body io.Reader
	var form url.Values
	if r.Method == http.MethodGet || r.Params == nil {
		if len(r.Params) > 0 {
			at.RawQuery = strings.TrimPrefix(at.RawQuery+"&"+r.Params.Encode(), "&")
		}
	} else {
		form = r.Params
		body = strings.NewReader(form.Encode())
	}
	// The signature covers the URL as the program wrote it, credentials included.
	signature := Sign(c.AuthToken, c.signedURL(&at), form)
	// Taken out after signing: Twilio sends them only when it is asked for them (see exchange).
	at.User = nil
	req, err := http.NewRequestWithContext(ctx, r.Method, at.String(), body)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("X-Twilio-Signature", signature)
	req.Header.Set("I-Twilio-Idempotency-Token", token)
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("Accept", "*/*")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	}
	if withCredentials {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	if r.Cookies != nil {
		for _, cookie := range r.Cookies.Cookies(&at) {
			req.AddCookie(cookie)
		}
	}
	if r.Prepare != nil {
		r.Prepare(req)
	}
	res, err := c.Transport.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if r.Cookies != nil {
		r.Cookies.SetCookies(&at, res.Cookies())
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, largestAnswer))
	return res, data, err
}

// failureKind says whether the connection could not be made or the answer did not come: the two are
// repeated under different settings.
func failureKind(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || isTLS(err) {
		return failedConnect
	}
	return failedRead
}

// isTLS reports whether the secure connection failed. The package tls has no type that all of its
// errors share.
func isTLS(err error) bool {
	text := err.Error()
	return strings.Contains(text, "tls:") || strings.Contains(text, "x509:") || strings.Contains(text, "TLS handshake")
}

// failureCode returns Twilio's error code. Source: Twilio docs, api/errors.
func failureCode(err error) int {
	var dns *net.DNSError
	switch {
	case isTLS(err):
		return 11220
	case errors.As(err, &dns):
		return 11210
	case errors.Is(err, context.DeadlineExceeded), failureKind(err) == failedConnect:
		return 11205
	}
	return 11200
}

// rootCause shortens an error for the transcript: how net/http words a time-out helps nobody.
func rootCause(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "time-out"
	}
	return err.Error()
}
