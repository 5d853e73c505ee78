// Package webhook is the public face of an engine: it turns HTTP requests below /integrations/{id}
// into handler runs, within a foreign service's patience, and answers something sensible whatever
// is broken behind it.
//
//	webhook.go   the handler: absolute URL, limits, budget
//	fallback.go  the answer when none can be had
package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	// MaxBody bounds a request's body: 64 KiB, far above what a form of a call holds.
	MaxBody = 64 << 10
	// Budget is how long an answer may take before the fallback is given: 9 s, below the 15 s after
	// which a telephone service gives up on a request.
	Budget = 9 * time.Second
	// Prefix is where the handler is mounted.
	Prefix = "/integrations/"
)

// Engine decides what to answer; *engine.Engine is one.
type Engine interface {
	// Webhook runs the handler of an integration and returns its answer. An error of kind not_found
	// means that there is no such integration, invalid that the request is refused; after any other
	// the fallback is sent.
	Webhook(ctx context.Context, id string, req integration.WebhookRequest) (integration.Response, error)
	// Fallback returns the answers for when Webhook fails; false when there are none.
	Fallback(ctx context.Context, id string) (integration.FallbackAnswers, bool)
	// Refused returns the answer for a refused request; false when there is none.
	Refused(ctx context.Context, id string) (integration.Response, bool)
}

// Config is what a handler is made of. Engine and PublicURL are required.
type Config struct {
	Engine    Engine
	PublicURL string        // scheme and host that the foreign service uses, such as https://hotline.example.com
	Clock     clock.Clock   // nil: the system's
	Logger    *slog.Logger  // nil: discarded
	Budget    time.Duration // 0: Budget
	// Observe is told of each answered request, for metrics; nil: nobody is. result is ok,
	// fallback, refused or not_found.
	Observe func(integrationID, result string, took time.Duration)
}

type handler struct {
	cfg    Config
	public *url.URL
}

// New makes the handler; mount it at Prefix. PublicURL must be absolute.
func New(cfg Config) (http.Handler, error) {
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || u.Scheme == "" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("public URL must be absolute, such as https://hotline.example.com")
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Budget == 0 {
		cfg.Budget = Budget
	}
	if cfg.Observe == nil {
		cfg.Observe = func(string, string, time.Duration) {}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return &handler{cfg, u}, nil
}

// EndpointURL is the address that the foreign service is given for an integration.
func EndpointURL(publicURL, integrationID string) string {
	return strings.TrimRight(publicURL, "/") + Prefix + integrationID
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	path := "/" + rest
	if id == "" || !strings.HasPrefix(r.URL.Path, Prefix) {
		http.NotFound(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.Budget)
	defer cancel()
	if r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
		h.cfg.Observe(id, "refused", time.Since(began))
		return
	}
	// The body is read within the budget as well: a peer that sends it byte by byte must not hold a
	// connection.
	_ = http.NewResponseController(w).SetReadDeadline(began.Add(h.cfg.Budget))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		status, text := http.StatusBadRequest, "the request's body could not be read"
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			status, text = http.StatusRequestEntityTooLarge, "the request's body is larger than 64 KiB"
		}
		http.Error(w, text, status)
		h.cfg.Observe(id, "refused", time.Since(began))
		return
	}
	req := integration.WebhookRequest{
		Method: r.Method, URL: h.absolute(r.URL), Path: path, Header: forwarded(r.Header), Body: body, RemoteAddr: host(r.RemoteAddr),
	}
	resp, err := h.cfg.Engine.Webhook(ctx, id, req)
	result := "ok"
	switch {
	case err == nil:
	case integration.KindOf(err) == integration.KindNotFound:
		http.NotFound(w, r)
		h.cfg.Observe(id, "not_found", time.Since(began))
		return
	case integration.KindOf(err) == integration.KindInvalid:
		var ok bool
		if resp, ok = h.cfg.Engine.Refused(context.WithoutCancel(ctx), id); !ok {
			h.cfg.Observe(id, "refused", time.Since(began))
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		result = "refused"
		h.cfg.Logger.Warn("request refused", "integration", id, "path", path, "error", err)
	default:
		result = "fallback"
		var ok bool
		// The budget may be what has run out: the fallback must not depend on it.
		if resp, ok = h.fallback(context.WithoutCancel(ctx), id, req); !ok {
			h.cfg.Logger.Error("handler failed; there is no fallback answer", "integration", id, "path", path, "error", err)
			h.cfg.Observe(id, "fallback", time.Since(began)) // no answer at all is at least as bad
			w.Header().Set("Retry-After", "1")
			http.Error(w, "the service is starting", http.StatusServiceUnavailable)
			return
		}
		h.cfg.Logger.Error("handler failed; sent fallback answer", "integration", id, "path", path, "error", err)
	}
	h.cfg.Observe(id, result, time.Since(began))
	write(w, resp)
}

// absolute is the URL as the foreign service requested it: the public address, however the request
// came here.
func (h *handler) absolute(u *url.URL) string {
	abs := *h.public
	abs.Path, abs.RawPath, abs.RawQuery = h.public.Path+u.Path, "", u.RawQuery
	if u.RawPath != "" {
		abs.RawPath = h.public.EscapedPath() + u.RawPath
	}
	return abs.String()
}

// forwarded leaves out what is not the plugin's business.
func forwarded(header http.Header) map[string][]string {
	out := maps.Clone(map[string][]string(header))
	for _, k := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
		delete(out, k)
	}
	return out
}

func host(remote string) string {
	if h, _, err := net.SplitHostPort(remote); err == nil {
		return h
	}
	return remote
}

func write(w http.ResponseWriter, resp integration.Response) {
	for k, vs := range resp.Header {
		w.Header()[http.CanonicalHeaderKey(k)] = vs
	}
	status := resp.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	if status != http.StatusNoContent && status != http.StatusNotModified {
		_, _ = w.Write(resp.Body) // the peer is gone if this fails; it asks again
	}
}
