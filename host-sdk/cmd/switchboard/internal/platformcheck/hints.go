package platformcheck

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

	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// tap listens for the platform's hints. Each is judged as a switchboard judges it, and handed to
// the suite while that runs. Its handler is called by the platform at any time, hence the lock.
type tap struct {
	server  *http.Server
	address string // what the platform calls
	judge   http.Handler

	mu    sync.Mutex
	suite string // address of the suite's process; "": it does not run
	heard []heard
	more  chan struct{} // closed when another was heard
	spoil func(http.ResponseWriter, *http.Request)
	ended chan time.Duration // gets how long the spoilt hint took
}

// heard is a hint and how it was answered. Status 0 is one that was spoilt.
type heard struct {
	at     time.Time
	path   string
	header http.Header
	body   []byte
	status int
	detail string // of the answer
}

// listen begins to listen, if that was asked for. The address must be free.
func (r *run) listen() error {
	if r.cfg.HintsListen == "" {
		return nil
	}
	adapter, err := remote.New(remote.Config{URL: r.base, Token: r.cfg.Token, HintsSecrets: []string{r.cfg.HintsSecret}})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", r.cfg.HintsListen)
	if err != nil {
		return fmt.Errorf("--hints-listen: %w", err)
	}
	t := &tap{more: make(chan struct{}), judge: adapter.Hints(), address: r.cfg.HintsURL}
	if t.address == "" {
		t.address = "http://" + listener.Addr().String() + remote.HintsPath
	}
	t.server = &http.Server{Handler: t, ErrorLog: silent, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = t.server.Serve(listener) }()
	r.taps = t
	return nil
}

// close stops listening; a nil tap has not begun.
func (t *tap) close() {
	if t != nil {
		_ = t.server.Close()
	}
}

// feed names the process that hints are handed to. "": the suite has ended, and hints are judged
// here.
func (t *tap) feed(suite string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.suite = suite
}

// ServeHTTP implements http.Handler. The body is read once, as it is judged and shown.
func (t *tap) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, largest))
	if err != nil {
		return // cut short: nobody reads an answer
	}
	t.mu.Lock()
	suite, spoil, ended := t.suite, t.spoil, t.ended
	t.spoil = nil // only one is spoilt
	t.mu.Unlock()
	h := heard{at: time.Now(), path: req.URL.Path, header: req.Header.Clone(), body: body}
	if spoil != nil {
		t.keep(h)
		spoil(w, req)
		ended <- time.Since(h.at)
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
	h.status, h.detail = answer.Code, answer.Body.String()
	t.keep(h)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// keep adds a hint and wakes whoever awaits one.
func (t *tap) keep(h heard) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard = append(t.heard, h)
	close(t.more)
	t.more = make(chan struct{})
}

// spoilOne has the next hint be answered by spoil, and returns where it says how long that took.
// The channel has room for one, so that the handler never waits.
func (t *tap) spoilOne(spoil func(http.ResponseWriter, *http.Request)) <-chan time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spoil, t.ended = spoil, make(chan time.Duration, 1)
	return t.ended
}

// count is how many hints were heard.
func (t *tap) count() int { return len(t.all()) }

// all returns the hints that were heard.
func (t *tap) all() []heard {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.heard)
}

// await waits for a hint, from that of a number on. Hints that came before are looked at, too.
func (t *tap) await(ctx context.Context, from int, within time.Duration, is func(heard) bool) (heard, error) {
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
			return heard{}, context.DeadlineExceeded
		case <-ctx.Done():
			return heard{}, ctx.Err()
		}
	}
}

// instead says what came in place of the hint that was awaited. It helps most where the address or
// the secret is wrong.
func (t *tap) instead(from int, alert wire.AlertRef) string {
	later := t.all()
	later = later[min(from, len(later)):]
	if len(later) == 0 {
		return "None came at all: is " + t.address + " what the platform calls, and can it reach that?"
	}
	last := later[len(later)-1]
	if last.status >= 300 {
		var problem wire.Problem
		_ = json.Unmarshal([]byte(last.detail), &problem)
		return fmt.Sprintf("%d came and were refused: %s.", len(later), problem.Detail)
	}
	return fmt.Sprintf("%d came for others: the last has %s, where integration is to be %q and alert_key %q.", len(later), excerpt(last.body), alert.Integration, alert.AlertKey)
}

// silent drops what net/http logs about connections that were cut: that is said in the report.
var silent = log.New(io.Discard, "", 0)

// hand has the suite's process answer a hint.
func (t *tap) hand(w http.ResponseWriter, req *http.Request, suite string) {
	to, err := url.Parse(suite)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	(&httputil.ReverseProxy{ErrorLog: silent, Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(to) }}).ServeHTTP(w, req)
}
