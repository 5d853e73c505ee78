package httpkit

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// Instrument wraps the whole host: a request id, security headers, recovery, the request log at
// debug, and counts. It is the outermost handler.
type Instrument struct {
	log      *slog.Logger
	clock    clock.Clock
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	panics   prometheus.Counter
}

// Buckets are the limits of histograms of answering times, in seconds: one list, so that the times
// of webhooks and of all requests can be compared.
func Buckets() []float64 { return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 9, 15} }

// NewInstrument registers the counts with reg.
func NewInstrument(log *slog.Logger, c clock.Clock, reg prometheus.Registerer) *Instrument {
	in := &Instrument{
		log: log, clock: c,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "switchboard_http_requests_total", Help: "HTTP requests by route, method and status.",
		}, []string{"route", "method", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "switchboard_http_request_duration_seconds", Help: "Time to answer an HTTP request, by route.",
			Buckets: Buckets(),
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "switchboard_http_requests_in_flight", Help: "HTTP requests being answered now, event streams included.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "switchboard_http_panics_total", Help: "HTTP requests that ended in a recovered panic.",
		}),
	}
	reg.MustRegister(in.requests, in.duration, in.inFlight, in.panics)
	return in
}

// requestIDKey is the key of the request id in a context.
type requestIDKey struct{}

// requestContext is a context that knows the request's id. It holds a pointer into the recorder, so
// that a request costs one allocation for both.
type requestContext struct {
	context.Context
	id *string
}

// Value implements context.Context. Only the id is its own.
func (c *requestContext) Value(key any) any {
	if _, ok := key.(requestIDKey); ok {
		return *c.id
	}
	return c.Context.Value(key)
}

// RequestID is the id of the request, as logged and as sent in X-Request-Id.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// securityHeaders are those of every answer that sets no others. Their names are in canonical form.
// Pages set a policy of their own.
var securityHeaders = http.Header{
	"X-Content-Type-Options":  {"nosniff"},
	"X-Frame-Options":         {"DENY"},
	"Referrer-Policy":         {"same-origin"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
}

// requestID names a request, so that it can be found in the log. It is no secret. Unlike one that
// ulid makes by itself it is not above the last one of the same millisecond, for which all requests
// would wait for one another.
func requestID() string {
	id := ulid.ULID{}
	_ = id.SetTime(ulid.Now())                                 // until the year 10889
	binary.BigEndian.PutUint64(id[6:], rand.Uint64())          //nolint:gosec // see above
	binary.BigEndian.PutUint16(id[14:], uint16(rand.Uint32())) //nolint:gosec // see above
	return id.String()
}

// Wrap puts the instrument around next. Handlers below must pass on the request they were given, so
// that the matched route can be read from it afterwards. A panic ends the request, never the
// process.
func (in *Instrument) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := in.clock.Now()
		id := requestID()
		// Recorder, context and header lie in one object.
		rec := &recorder{ResponseWriter: w, id: [1]string{id}}
		rec.ctx = requestContext{r.Context(), &rec.id[0]}
		r = r.WithContext(&rec.ctx)
		h := rec.Header()
		h["X-Request-Id"] = rec.id[:]
		for name, values := range securityHeaders {
			h[name] = values // nobody appends to it: there is no room
		}
		in.inFlight.Inc()
		// In a deferred function, as a panic must be counted and answered like anything else.
		defer func() {
			in.inFlight.Dec()
			aborted := in.recovered(recover(), rec, r, id)
			elapsed := in.clock.Real(in.clock.Now().Sub(start))
			// The mux below sets it on this very request.
			route := r.Pattern
			if route == "" {
				route = "none"
			}
			in.requests.WithLabelValues(route, methodLabel(r.Method), strconv.Itoa(rec.statusOr200())).Inc()
			in.duration.WithLabelValues(route).Observe(elapsed.Seconds())
			// The route, not the path: paths of public media and of webhooks hold unguessable
			// parts.
			if in.log.Enabled(r.Context(), slog.LevelDebug) {
				in.log.LogAttrs(r.Context(), slog.LevelDebug, "request",
					slog.String("request", id), slog.String("method", r.Method), slog.String("route", route),
					slog.Int("status", rec.statusOr200()), slog.Int64("bytes", rec.bytes),
					slog.Duration("took", elapsed), slog.String("remote", host(r.RemoteAddr)))
			}
			if aborted {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// recovered logs a panic and answers 500 where nothing was written yet. True: the connection must
// be cut, as half an answer has left. A panic with http.ErrAbortHandler is a handler's wish to cut
// the connection, and no defect.
func (in *Instrument) recovered(p any, rec *recorder, r *http.Request, id string) bool {
	if p == nil {
		return false
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	in.panics.Inc()
	in.log.LogAttrs(r.Context(), slog.LevelError, "a request handler panicked",
		slog.String("request", id), slog.String("method", r.Method), slog.String("route", r.Pattern),
		slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	if rec.status != 0 {
		return true
	}
	WriteError(rec, http.StatusInternalServerError, "internal", "internal error; the log has the details under request "+id)
	return false
}

// methodLabel keeps invented methods from making a time series each. Anybody can send any word as a
// method.
func methodLabel(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// host is an address without its port.
func host(addr string) string {
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return h
}

// recorder remembers what was answered. Unwrap lets http.ResponseController reach flushing and
// deadlines. One is made for each request.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	id     [1]string
	ctx    requestContext
}

// Unwrap is used by http.ResponseController.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (rec *recorder) WriteHeader(status int) {
	// Informational answers (1xx) precede the status.
	if rec.status == 0 && status >= 200 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter. A handler that writes without a status sends 200.
func (rec *recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.bytes += int64(n)
	return n, err
}

// statusOr200 is the status that net/http sends: 200 if the handler wrote none.
func (rec *recorder) statusOr200() int {
	if rec.status == 0 {
		return http.StatusOK
	}
	return rec.status
}

// answerTime is how long a connection lasts beyond its request's context, so that the client is
// told when a request has taken too long.
const answerTime = 5 * time.Second

// Extend moves the deadlines of the connection of a request that may take d longer than others,
// such as an upload, to where TimeFor ends the request, and a little beyond: a connection that is
// over first ends the request, or swallows its answer. now is the wall's.
func Extend(w http.ResponseWriter, now time.Time, d time.Duration) {
	c := http.NewResponseController(w)
	end := now.Add(RequestTime + d)
	// Reading ends first, or nobody could be told that a body came too slowly.
	// Both are not supported by test recorders, and no harm there.
	_ = c.SetReadDeadline(end.Add(answerTime / 2))
	_ = c.SetWriteDeadline(end.Add(answerTime))
}

// Finish is the context of what must not be left half done: it goes on when the client has gone, as
// when a tab is closed or a proxy does not wait as long, and ends when TimeFor is over.
func Finish(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), TimeFor(r))
}

// RequestTime bounds what one request may cost the store, the platform and the plugin. It is longer
// than a plugin may take to answer, and shorter than the server's own limit for writing.
const RequestTime = 25 * time.Second

// UploadTime is how long the upload of a file, or of one form with files, may take on a slow line.
const UploadTime = 5 * time.Minute

// RingTime is how long the test of a person may take: their phones ring one after the other, and
// they take their time to answer.
const RingTime = 10 * time.Minute

// ForgetTime is how long it may take to forget a caller: ten thousand calls, and what the telephone
// service has of them. Cut short, a part of it would be gone and nobody told; see Finish.
const ForgetTime = 5 * time.Minute

// ExamineTime is how long a look at what the host stands on may take: mail servers greet late on
// purpose.
const ExamineTime = 45 * time.Second

// longer is how much more time a request has that is posted to a path with this end.
var longer = map[string]time.Duration{"test": RingTime, "forget": ForgetTime, "doctor": ExamineTime, "media": UploadTime}

// TimeFor is how long a request may take: RequestTime, and UploadTime in addition for files, in a
// form or by themselves, as most of that may be over when they have arrived. The test of a person,
// whose path ends in /test, may take RingTime more, forgetting a caller ForgetTime, and an
// examination ExamineTime. It goes by type and path, as it must be known before the handler runs.
func TimeFor(r *http.Request) time.Duration {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return RequestTime + UploadTime
	}
	if r.Method == http.MethodPost {
		return RequestTime + longer[path.Base(r.URL.Path)]
	}
	return RequestTime
}

// CrossOrigin answers a request with refuse if another website made the browser send it: the cookie
// of the log-in would come along with it. Requests of programs have neither Origin nor
// Sec-Fetch-Site and pass. refuse is called without the request's identity.
func CrossOrigin(publicURL string, log *slog.Logger, refuse http.HandlerFunc) *http.CrossOriginProtection {
	c := http.NewCrossOriginProtection()
	// Behind a proxy the Host header may be another one than browsers see.
	u, err := url.Parse(publicURL)
	if err == nil {
		err = c.AddTrustedOrigin(strings.ToLower(u.Scheme + "://" + u.Host)) // as browsers send it
	}
	if err != nil {
		log.Warn("public_url cannot be used as a browser origin", "error", err.Error())
	}
	c.SetDenyHandler(refuse)
	return c
}
