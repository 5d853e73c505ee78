package hints

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// Tap listens for the platform's hints. Each is judged as a switchboard judges it, and handed to
// the suite while that runs. Its handler is called by the platform at any time, hence the lock.
type Tap struct {
	server  *http.Server
	Address string // what the platform calls
	judge   http.Handler

	mu    sync.Mutex
	suite string // address of the suite's process; "": it does not run
	heard []Heard
	more  chan struct{} // closed when another was heard
	spoil func(http.ResponseWriter, *http.Request)
	ended chan time.Duration // gets how long the spoilt hint took
}

// Listen begins to listen at a local address, which must be free. called is what the platform
// calls; "": http:// and the local address. A hint is judged as a switchboard of this configuration
// would.
func Listen(local, called string, as remote.Config) (*Tap, error) {
	adapter, err := remote.New(as)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", local)
	if err != nil {
		return nil, fmt.Errorf("--hints-listen: %w", err)
	}
	t := &Tap{more: make(chan struct{}), judge: adapter.Hints(), Address: called}
	if t.Address == "" {
		t.Address = "http://" + listener.Addr().String() + remote.HintsPath
	}
	t.server = &http.Server{Handler: t, ErrorLog: silent, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = t.server.Serve(listener) }()
	return t, nil
}

// Close stops listening; a nil tap has not begun.
func (t *Tap) Close() {
	if t != nil {
		_ = t.server.Close()
	}
}

// Feed names the process that hints are handed to. "": the suite has ended, and hints are judged
// here.
func (t *Tap) Feed(suite string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.suite = suite
}

// ServeHTTP implements http.Handler. The body is read once, as it is judged and shown.
func (t *Tap) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, record.Largest))
	if err != nil {
		return // cut short: nobody reads an answer
	}
	t.mu.Lock()
	suite, spoil, ended := t.suite, t.spoil, t.ended
	t.spoil = nil // only one is spoilt
	t.mu.Unlock()
	h := Heard{At: time.Now(), path: req.URL.Path, header: req.Header.Clone(), body: body}
	if spoil != nil {
		t.keep(h)
		spoil(w, req)
		ended <- time.Since(h.At)
		return
	}
	answer := httptest.NewRecorder()
	own := req.Clone(req.Context())
	own.Body = io.NopCloser(bytes.NewReader(body))
	if suite != "" {
		t.hand(answer, own, suite)
	} else {
		t.judge.ServeHTTP(answer, own)
	}
	h.Status, h.detail = answer.Code, answer.Body.String()
	t.keep(h)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// keep adds a hint and wakes whoever awaits one.
func (t *Tap) keep(h Heard) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard = append(t.heard, h)
	close(t.more)
	t.more = make(chan struct{})
}

// SpoilOne has the next hint be answered by spoil, and returns where it says how long that took.
// The channel has room for one, so that the handler never waits.
func (t *Tap) SpoilOne(spoil func(http.ResponseWriter, *http.Request)) <-chan time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spoil, t.ended = spoil, make(chan time.Duration, 1)
	return t.ended
}

// Count is how many hints were heard.
func (t *Tap) Count() int { return len(t.All()) }

// All returns the hints that were heard.
func (t *Tap) All() []Heard {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.heard)
}

// Await waits for a hint, from that of a number on. Hints that came before are looked at, too.
func (t *Tap) Await(ctx context.Context, from int, within time.Duration, is func(Heard) bool) (Heard, error) {
	deadline := time.After(within)
	for {
		t.mu.Lock()
		more := t.more
		for _, h := range t.heard[min(from, len(t.heard)):] {
			if is(h) {
				t.mu.Unlock()
				return h, nil
			}
		}
		t.mu.Unlock()
		select {
		case <-more:
		case <-deadline:
			return Heard{}, context.DeadlineExceeded
		case <-ctx.Done():
			return Heard{}, ctx.Err()
		}
	}
}

// Instead says what came in place of the hint that was awaited. It helps most where the address or
// the secret is wrong.
func (t *Tap) Instead(from int, alert wire.AlertRef) string {
	later := t.All()
	later = later[min(from, len(later)):]
	if len(later) == 0 {
		return "None came at all: is " + t.Address + " what the platform calls, and can it reach that?"
	}
	last := later[len(later)-1]
	if last.Status >= 300 {
		var problem wire.Problem
		_ = json.Unmarshal([]byte(last.detail), &problem)
		return fmt.Sprintf("%d came and were refused: %s.", len(later), problem.Detail)
	}
	return fmt.Sprintf("%d came for others: the last has %s, where integration is to be %q and alert_key %q.", len(later), record.Excerpt(last.body), alert.Integration, alert.AlertKey)
}

// silent drops what net/http logs about connections that were cut: that is said in the report.
var silent = log.New(io.Discard, "", 0)

// hand has the suite's process answer a hint.
func (t *Tap) hand(w http.ResponseWriter, req *http.Request, suite string) {
	to, err := url.Parse(suite)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	(&httputil.ReverseProxy{ErrorLog: silent, Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(to) }}).ServeHTTP(w, req)
}
