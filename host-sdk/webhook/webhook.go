// Package webhook is the public face of an engine: it turns HTTP requests below /integrations/{id}
// into handler runs, within a foreign service's patience, and answers something sensible whatever
// is broken behind it.
//
//	webhook.go   the handler: absolute URL, limits, budget
//	fallback.go  the answer when none can be had
//	files.go     copies of the sounds that a plugin serves
//	media.go     addresses of stored media that are good for a limited time
package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
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
	// IgnoresAnswer reports whether the foreign service looks at no more than the status of an
	// answer to this path. It asks nobody.
	IgnoresAnswer(id, path string) bool
}

// The kinds of requests.
const (
	KindCall   = "call"   // the answer is what a caller or a responder hears next
	KindNotice = "notice" // the answer is ignored
	KindFile   = "file"   // a sound is fetched
)

// Observation is one answered request.
type Observation struct {
	Integration string // as asked for: it need not exist
	Kind        string // KindCall, KindNotice or KindFile
	Answer      string // ok, fallback, unavailable (503), refused or not_found
	Took        time.Duration
}

// Config is what a handler is made of. Engine and PublicURL are required.
type Config struct {
	Engine Engine
	// Scheme and host that the foreign service uses, such as https://hotline.example.com.
	PublicURL string
	Clock     clock.Clock   // nil: the system's
	Logger    *slog.Logger  // nil: discarded
	Budget    time.Duration // 0: Budget
	// Files keeps copies of the plugin's sounds over restarts; nil: they are held in memory alone.
	Files FileStore
	// Observe is called with each answered request, for metrics; nil: nobody is interested.
	Observe func(Observation)
}

// It keeps nothing of a request but copies of sounds.
type handler struct {
	cfg    Config
	public *url.URL
	files  files
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
		cfg.Observe = func(Observation) {}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return &handler{cfg: cfg, public: u, files: files{store: cfg.Files}}, nil
}

// EndpointURL is the address that the foreign service is given for an integration.
func EndpointURL(publicURL, integrationID string) string {
	return strings.TrimRight(publicURL, "/") + Prefix + integrationID
}

// ServeHTTP implements http.Handler. Whatever happens, a caller gets something that can be heard,
// within the budget: the engine's answer, else the fallback, else a status that asks to come again.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	if id == "" || !strings.HasPrefix(r.URL.Path, Prefix) {
		http.NotFound(w, r)
		return
	}
	// The budget counts from here: reading the body is part of it (see read).
	ctx, cancel := context.WithTimeout(r.Context(), h.cfg.Budget)
	defer cancel()
	// A trace of its own: whatever the request says of one comes from outside.
	ctx, span := tracing.Start(ctx, "webhook")
	defer span.End()
	span.Set(tracing.Integration, id)
	body, ok := h.read(w, r, began)
	if !ok {
		h.cfg.Observe(Observation{id, h.kind(id, integration.WebhookRequest{Method: r.Method, URL: r.URL.String(), Path: "/" + rest}), "refused", time.Since(began)})
		return
	}
	req := integration.WebhookRequest{
		Method: r.Method, URL: h.absolute(r.URL), Path: "/" + rest, Header: forwarded(r.Header), Body: body, RemoteAddr: host(r.RemoteAddr),
		ReceivedAt: h.firstCame(r.URL),
	}
	resp, err := h.cfg.Engine.Webhook(ctx, id, req)
	result, fresh := "ok", false
	if err == nil {
		fresh = h.files.keep(id, req, resp)
	} else {
		// The budget may be what has run out: what is answered instead must not depend on it.
		resp, result = h.instead(context.WithoutCancel(ctx), id, req, err)
	}
	// An answer that asks to come again counts as unavailable, whether it is the plugin's or the
	// host's.
	if resp.Status == http.StatusServiceUnavailable {
		result = "unavailable"
	}
	kind := h.kind(id, req)
	span.Set(tracing.Kind, kind)
	span.Set(tracing.Answer, result)
	span.Fail(string(integration.KindOf(err)))
	h.cfg.Observe(Observation{id, kind, result, time.Since(began)})
	write(w, resp)
	if fresh { // the foreign service has what it wants by now
		h.saveFile(context.WithoutCancel(ctx), id, req, resp)
	}
}

// saveTime bounds storing a copy of a file, by the wall clock.
const saveTime = 10 * time.Second

// saveFile puts a copy of a plugin's file into the store. What fails is logged: the copy in memory
// serves until the host ends.
func (h *handler) saveFile(ctx context.Context, id string, req integration.WebhookRequest, resp integration.Response) {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	if err := h.files.save(ctx, id, req, resp); err != nil {
		h.cfg.Logger.Warn("a copy of a sound could not be stored", "integration", id, "path", req.Path, "error", err)
	}
}

// kind says what a request is for.
func (h *handler) kind(id string, req integration.WebhookRequest) string {
	switch {
	case isFetch(req):
		return KindFile
	case h.cfg.Engine.IgnoresAnswer(id, req.Path):
		return KindNotice
	}
	return KindCall
}

// read returns the request's body, or answers why there is none that can be used.
func (h *handler) read(w http.ResponseWriter, r *http.Request, began time.Time) ([]byte, bool) {
	if r.Method != http.MethodPost && r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
		return nil, false
	}
	// The body is read within the budget as well: a peer that sends it byte by byte must not hold a
	// connection.
	_ = http.NewResponseController(w).SetReadDeadline(began.Add(h.cfg.Budget))
	var body []byte
	var err error
	if r.ContentLength >= 0 && r.ContentLength <= MaxBody { // the server ends the body there
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	}
	if err == nil {
		return body, true
	}
	status, text := http.StatusBadRequest, "the request's body could not be read"
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		status, text = http.StatusRequestEntityTooLarge, "the request's body is larger than 64 KiB"
	}
	http.Error(w, text, status)
	return nil, false
}

// instead returns what to answer when the engine failed with err, and the result for Observe.
// Answers of the plugin's own come first: they are what a caller can hear, an HTTP error is not.
func (h *handler) instead(ctx context.Context, id string, req integration.WebhookRequest, err error) (integration.Response, string) {
	log := h.cfg.Logger.With("integration", id, "path", req.Path, "error", err)
	switch integration.KindOf(err) {
	case integration.KindNotFound:
		return plain(http.StatusNotFound, "404 page not found"), "not_found"
	case integration.KindInvalid:
		log.Warn("request refused")
		if resp, ok := h.cfg.Engine.Refused(ctx, id); ok {
			return resp, "refused"
		}
		return plain(http.StatusBadRequest, "bad request"), "refused"
	default:
	}
	if isFetch(req) {
		if resp, ok := h.files.copied(ctx, id, req); ok {
			log.Warn("handler failed; sent a copy of the file")
			return resp, "fallback"
		}
		log.Error("handler failed; there is no copy of the file")
		return unavailable(), "fallback" // a document would be played as a sound
	}
	if resp, ok := h.fallback(ctx, id, req); ok {
		log.Error("handler failed; sent fallback answer")
		return resp, "fallback"
	}
	log.Error("handler failed; there is no fallback answer")
	return unavailable(), "fallback" // no answer at all is at least as bad
}

// unavailable asks to come again in a second.
func unavailable() integration.Response {
	resp := plain(http.StatusServiceUnavailable, "the service is starting")
	resp.Header["Retry-After"] = []string{"1"}
	resp.Header["Cache-Control"] = []string{"no-store"}
	return resp
}

// plain is an answer that only a program or a person with a browser sees.
func plain(status int, text string) integration.Response {
	return integration.Response{Status: status, Body: []byte(text + "\n"), Header: map[string][]string{
		"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"},
	}}
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

// notForwarded are the header fields that are not the plugin's business: what authenticates
// somebody to the host, and what is about the connection, which ends here.
var notForwarded = map[string]bool{
	"Authorization": true, "Cookie": true, "Proxy-Authorization": true,
	"Accept-Encoding": true, "Connection": true, "Content-Length": true, "Keep-Alive": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// forwarded leaves out what is not the plugin's business. The names are in canonical form, as
// net/http has made them all.
func forwarded(header http.Header) map[string][]string {
	out := make(map[string][]string, len(header))
	for k, values := range header {
		if !notForwarded[k] {
			out[k] = values
		}
	}
	return out
}

// host is the address without the port, which says nothing about who asks.
func host(remote string) string {
	if h, _, err := net.SplitHostPort(remote); err == nil {
		return h
	}
	return remote
}

// write sends an answer. Headers of the plugin replace what was set before; a status of 0 is 200.
func write(w http.ResponseWriter, resp integration.Response) {
	for k, vs := range resp.Header {
		w.Header()[http.CanonicalHeaderKey(k)] = vs
	}
	status := resp.Status
	if status == 0 {
		status = http.StatusOK
	}
	body := status != http.StatusNoContent && status != http.StatusNotModified
	// A status of 204 or 304 has no body, and net/http would refuse to write one (RFC 9110).
	if body { // so that the peer knows the end when it has it, whatever is done afterwards
		w.Header().Set("Content-Length", strconv.Itoa(len(resp.Body)))
	}
	w.WriteHeader(status)
	if body {
		_, _ = w.Write(resp.Body) // the peer is gone if this fails; it asks again
	}
}
