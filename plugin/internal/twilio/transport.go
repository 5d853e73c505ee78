package twilio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Limits of what is read from Twilio.
const (
	maxJSON  = 1 << 20
	maxMedia = 15 << 20 // below integration.MaxMessageBytes, with room for the rest of the message
)

// maxRetries is how often a request is repeated after 429, which Twilio promises not to have
// processed (Twilio docs: api/errors/20429).
const maxRetries = 5

// transport carries one operation: twilio-go knows no context, never closes the body of an error,
// and reads without a limit. It reads each answer whole, closes it, and hands on a copy in memory.
type transport struct {
	ctx      context.Context
	next     http.RoundTripper
	override *url.URL
	limit    int64
	backoff  func(retry int) time.Duration

	status int             // of the last answer
	heard  func(time.Time) // is called with the Date of each answer
}

// RoundTrip implements http.RoundTripper. It repeats what Twilio refused for its rate, and nothing
// else: any other failure may have taken effect.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil && req.Body != http.NoBody { // which is sent without chunks
		var err error
		body, err = io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	for retry := 0; ; retry++ {
		res, err := t.once(req, body)
		if err != nil {
			return nil, err
		}
		if res.StatusCode != http.StatusTooManyRequests || retry == maxRetries {
			return res, nil
		}
		timer := time.NewTimer(t.backoff(retry))
		select {
		case <-t.ctx.Done():
			timer.Stop()
			return res, nil // still 429: never processed, which says more than a deadline
		case <-timer.C:
		}
	}
}

// once makes one attempt and leaves no open body behind.
func (t *transport) once(req *http.Request, body []byte) (*http.Response, error) {
	out := req.Clone(t.ctx)
	if body != nil {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	if t.override != nil {
		out.Host = req.URL.Host // the other side can still tell the region
		out.URL.Scheme, out.URL.Host = t.override.Scheme, t.override.Host
		out.URL.Path = strings.TrimSuffix(t.override.Path, "/") + out.URL.Path
	}
	t.status = 0
	res, err := t.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, t.limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading Twilio's answer: %w", err)
	}
	if int64(len(data)) > t.limit {
		return nil, integration.Errorf(integration.KindInvalid, "Twilio's answer is larger than %d bytes", t.limit)
	}
	t.status = res.StatusCode
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil && t.heard != nil {
		t.heard(date)
	}
	if res.StatusCode >= 300 {
		data = withoutCredentials(data, out)
	}
	res.Body = io.NopCloser(bytes.NewReader(data))
	return res, nil
}

// withoutCredentials takes what a request was let in with out of its answer: the text of an error
// is shown to people, and whoever answers may repeat what they were sent.
func withoutCredentials(answer []byte, req *http.Request) []byte {
	_, encoded, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	for _, secret := range []string{encoded, password} {
		if secret != "" {
			answer = bytes.ReplaceAll(answer, []byte(secret), []byte("[secret]"))
		}
	}
	return answer
}

// defaultBackoff is 100 ms, doubled each time, and up to as much again.
func defaultBackoff(retry int) time.Duration {
	d := 100 * time.Millisecond << retry
	return d + rand.N(d) //nolint:gosec // jitter, not a secret
}
