package notify

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/discord"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// maxAnswer is how many bytes of an answer are read. Services answer with a few hundred.
const maxAnswer = 1 << 20

// Bound is a transport that reads at most one MiB of an answer, and gives a request up after 20
// seconds, its answer included. What is beyond the limit is left out.
//
// Most services use [http.DefaultTransport], read whatever is answered, and some wait for ever. A
// host replaces it before it sends: http.DefaultTransport = notify.Bound(http.DefaultTransport).
// Services that have a transport of their own are bounded without that.
func Bound(next http.RoundTripper) http.RoundTripper { return bounded{next} }

// bounded is what Bound returns. The limit on time must cover the reading of the answer as well, so
// the context ends when the body is closed and not when RoundTrip returns.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), sendTime)
	resp, err := b.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = body{io.LimitReader(resp.Body, maxAnswer), resp.Body, cancel}
	return resp, nil
}

// CloseIdleConnections is called by http.Client.
func (b bounded) CloseIdleConnections() {
	if c, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// body is the beginning of an answer.
type body struct {
	io.Reader
	whole  io.Closer
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (b body) Close() error {
	defer b.cancel()
	return b.whole.Close()
}

// bound bounds a service that has a transport of its own. It returns what closes the connections
// that the service leaves open, as it is made anew for each text. The library has no way to hand a
// client to every service. These are the ones that can be told.
func bound(service types.Service) (closeIdle func()) {
	var client *http.Client
	switch s := service.(type) {
	case *ntfy.Service:
		client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.Config.DisableTLSVerification, // #nosec G402 -- the address asks for it
		}}}
		s.SetHTTPClient(client)
	case *discord.Service:
		s.HTTPClient, s.Sleeper = &once{client: http.Client{Timeout: sendTime}}, awake{}
	case interface{ GetHTTPClient() *http.Client }:
		client = s.GetHTTPClient()
	}
	if client == nil || client.Transport == nil {
		return func() {}
	}
	client.Transport = Bound(client.Transport)
	return client.CloseIdleConnections
}

// once makes the first request of a service that repeats what fails, for minutes and while an
// attempt counts as open: the host tries again by itself, and knows until when.
type once struct {
	client http.Client
	failed error // of the first request; nil: there was none
}

// Do implements discord.HTTPClient.
func (o *once) Do(r *http.Request) (*http.Response, error) {
	if o.failed != nil {
		return nil, o.failed
	}
	resp, err := o.client.Do(r)
	if o.failed = err; err == nil {
		// Only what is refused is asked for again.
		o.failed = fmt.Errorf("status %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return resp, err
}

// awake does not wait before a request that is not made.
type awake struct{}

// Sleep implements discord.Sleeper.
func (awake) Sleep(time.Duration) {}
