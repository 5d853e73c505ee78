package platformcheck

import (
	"bytes"
	"fmt"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// largest is the most that is read of an answer: somewhat more than is allowed, so that more is
// noticed.
const largest = 2 << 20

// exchange is a request and what came back. It is not changed once it was recorded.
type exchange struct {
	number    int
	try       string // Livecall-Request-Id
	operation string // of the OpenAPI document; "": none
	method    string
	target    string // path below the base URL, and query
	sent      []byte
	status    int // 0: no answer
	header    http.Header
	body      []byte
	err       error
	begun     time.Time
	took      time.Duration
	reused    bool // an earlier request's connection
}

// recorder sends requests and remembers them. Both the checks' own requests and the suite's go
// through it.
type recorder struct {
	next     http.RoundTripper
	base     string // path of the base URL
	doc      *document
	mu       sync.Mutex
	all      []*exchange
	byTry    map[string]*exchange
	creating map[string]bool // alerts that a command created
}

// newRecorder makes one; next sends the requests.
func newRecorder(next http.RoundTripper, base string, doc *document) *recorder {
	return &recorder{next: next, base: base, doc: doc, byTry: map[string]*exchange{}, creating: map[string]bool{}}
}

// RoundTrip implements http.RoundTripper. The answer has been read when it returns. What goes on is
// what came, byte by byte.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{
		try: req.Header.Get("Livecall-Request-Id"), method: req.Method,
		target: strings.TrimPrefix(req.URL.RequestURI(), r.base), begun: time.Now(),
	}
	x.operation = r.doc.operation(req.Method, strings.TrimPrefix(req.URL.EscapedPath(), r.base))
	if req.Body != nil {
		x.sent, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
		req.Body = io.NopCloser(bytes.NewReader(x.sent))
	}
	traced := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { x.reused = i.Reused }})
	resp, err := r.next.RoundTrip(req.WithContext(traced))
	if err == nil {
		x.status, x.header = resp.StatusCode, resp.Header
		x.body, err = io.ReadAll(io.LimitReader(resp.Body, largest))
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(x.body))
	}
	x.took, x.err = time.Since(x.begun), err
	r.keep(x)
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// keep numbers an exchange, and counts the alerts that were made.
func (r *recorder) keep(x *exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x.number = len(r.all)
	r.all = append(r.all, x)
	if x.try != "" {
		r.byTry[x.try] = x
	}
	// By alert and scope: a command to an alert that there is counts once.
	if x.operation == "command" && x.status == http.StatusOK {
		alert, _, _ := strings.Cut(x.target, "/commands/")
		_, query, _ := strings.Cut(x.target, "?")
		r.creating[alert+query] = true
	}
}

// tried returns the exchange of a request id; nil: it was not sent through this recorder.
func (r *recorder) tried(try string) *exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byTry[try]
}

// recorded returns all exchanges so far. The list is a copy, the exchanges are not.
func (r *recorder) recorded() []*exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// endpoints sums up by operation. Requests that got no answer are counted, but have no time;
// waiting for changes takes as long as it takes. requests and alerts are those of the whole run.
func (r *recorder) endpoints() (out []result.Endpoint, requests, alerts int) {
	times := map[string][]time.Duration{}
	counts := map[string]int{}
	all := r.recorded()
	for _, x := range all {
		if x.operation == "" {
			continue
		}
		counts[x.operation]++
		if x.err == nil && x.operation != "changes" {
			times[x.operation] = append(times[x.operation], x.took)
		}
	}
	for operation, n := range counts {
		e := result.Endpoint{Operation: operation, Requests: n}
		if t := times[operation]; len(t) > 0 {
			e.MedianMs, e.SlowestMs = ms(median(t)), ms(slices.Max(t))
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b result.Endpoint) int { return strings.Compare(a.Operation, b.Operation) })
	r.mu.Lock()
	defer r.mu.Unlock()
	return out, len(all), len(r.creating)
}

// median is the middle of the durations, of which there is at least one.
func median(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// ms is a duration in milliseconds, with a fraction.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// text is the exchange for people, without the token. Long bodies are cut.
func (x *exchange) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", x.method, ownIntegration.ReplaceAllString(x.target, "${1}integration=…"))
	if len(x.sent) > 0 {
		fmt.Fprintf(&b, "\n  %s", excerptOf(excerpt(x.sent), 250))
	}
	switch {
	case x.err != nil && x.status == 0:
		fmt.Fprintf(&b, "\n  no answer: %v", cause(x.err))
	case x.err != nil:
		fmt.Fprintf(&b, "\n  %d, then cut short: %v", x.status, cause(x.err))
	default:
		fmt.Fprintf(&b, "\n  %d %s", x.status, excerpt(x.body))
	}
	return b.String()
}

// ownIntegration is the same in all requests and long.
var ownIntegration = regexp.MustCompile(`([?&])integration=livecall-test-[0-9a-f]+`)

// excerpt is one line of a body. At most 500 characters, also of a body that is no text.
func excerpt(body []byte) string {
	const most = 500
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 4*most)]), "?")), " ")
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	if text == "" {
		return "(no body)"
	}
	return text
}
