package record

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
)

// Largest is the most that is read of an answer: somewhat more than is allowed, so that more is
// noticed.
const Largest = 2 << 20

// Recorder sends requests and remembers them. Both the checks' own requests and the suite's go
// through it.
type Recorder struct {
	next     http.RoundTripper
	base     string // path of the base URL
	doc      *Document
	mu       sync.Mutex
	all      []*Exchange
	byTry    map[string]*Exchange
	creating map[string]bool // alerts that a command created
}

// New makes one; next sends the requests.
func New(next http.RoundTripper, base string, doc *Document) *Recorder {
	return &Recorder{next: next, base: base, doc: doc, byTry: map[string]*Exchange{}, creating: map[string]bool{}}
}

// RoundTrip implements http.RoundTripper. The answer has been read when it returns. What goes on is
// what came, byte by byte.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &Exchange{
		try: req.Header.Get("Livecall-Request-Id"), Method: req.Method,
		Target: strings.TrimPrefix(req.URL.RequestURI(), r.base), Begun: time.Now(),
	}
	x.Operation = r.doc.operation(req.Method, strings.TrimPrefix(req.URL.EscapedPath(), r.base))
	// Of an empty body the transport would not know how long it is, and would send it in chunks,
	// which a server need not read.
	if req.Body != nil && req.Body != http.NoBody {
		x.Sent, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
		req.Body = io.NopCloser(bytes.NewReader(x.Sent))
	}
	traced := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { x.Reused = i.Reused }})
	resp, err := r.next.RoundTrip(req.WithContext(traced))
	if err == nil {
		x.Status, x.Header = resp.StatusCode, resp.Header
		x.Body, err = io.ReadAll(io.LimitReader(resp.Body, Largest))
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(x.Body))
	}
	x.Took, x.Err = time.Since(x.Begun), err
	r.keep(x)
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// keep numbers an exchange, and counts the alerts that were made.
func (r *Recorder) keep(x *Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x.number = len(r.all)
	r.all = append(r.all, x)
	if x.try != "" {
		r.byTry[x.try] = x
	}
	// By alert and scope: a command to an alert that there is counts once.
	if x.Operation == "command" && x.Status == http.StatusOK {
		alert, _, _ := strings.Cut(x.Target, "/commands/")
		_, query, _ := strings.Cut(x.Target, "?")
		r.creating[alert+query] = true
	}
}

// Tried returns the exchange of a request id; nil: it was not sent through this recorder.
func (r *Recorder) Tried(try string) *Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byTry[try]
}

// Recorded returns all exchanges so far. The list is a copy, the exchanges are not.
func (r *Recorder) Recorded() []*Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// Endpoints sums up by operation. Requests that got no answer are counted, but have no time;
// waiting for changes takes as long as it takes. requests and alerts are those of the whole run.
func (r *Recorder) Endpoints() (out []result.Endpoint, requests, alerts int) {
	times := map[string][]time.Duration{}
	counts := map[string]int{}
	all := r.Recorded()
	for _, x := range all {
		if x.Operation == "" {
			continue
		}
		counts[x.Operation]++
		if x.Err == nil && x.Operation != "changes" {
			times[x.Operation] = append(times[x.Operation], x.Took)
		}
	}
	for operation, n := range counts {
		e := result.Endpoint{Operation: operation, Requests: n}
		if t := times[operation]; len(t) > 0 {
			e.MedianMs, e.SlowestMs = Milliseconds(Median(t)), Milliseconds(slices.Max(t))
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b result.Endpoint) int { return strings.Compare(a.Operation, b.Operation) })
	r.mu.Lock()
	defer r.mu.Unlock()
	return out, len(all), len(r.creating)
}

// Median is the middle of the durations, of which there is at least one.
func Median(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// Milliseconds is a duration in milliseconds, with a fraction.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
