package platformcheck

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
)

// tap listens for the platform's hints. Each is judged as a switchboard judges it, and handed to the
// suite while that runs.
type tap struct {
	server  *http.Server
	address string // what the platform calls
	judge   http.Handler

	mu    sync.Mutex
	suite string // address of the suite's process; "": it does not run
	heard []heard
	spoil func(w http.ResponseWriter) // answers in place of the judge; nil: it does not
}

// heard is a hint and how it was answered.
type heard struct {
	at     time.Time
	header http.Header
	body   []byte
	status int
	detail string // of the answer
}

// listen begins to listen, if that was asked for.
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
	t := &tap{judge: adapter.Hints(), address: r.cfg.HintsURL}
	if t.address == "" {
		t.address = "http://" + listener.Addr().String() + remote.HintsPath
	}
	t.server = &http.Server{Handler: t, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = t.server.Serve(listener) }()
	r.taps = t
	return nil
}

func (t *tap) close() {
	if t != nil {
		_ = t.server.Close()
	}
}

// feed names the process that hints are handed to.
func (t *tap) feed(suite string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.suite = suite
}

// ServeHTTP implements http.Handler.
func (t *tap) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, largest))
	if err != nil {
		return // cut short: nobody reads an answer
	}
	t.mu.Lock()
	suite, spoil := t.suite, t.spoil
	t.mu.Unlock()
	h := heard{at: time.Now(), header: req.Header.Clone(), body: body}
	if spoil != nil {
		t.keep(h)
		spoil(w)
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

func (t *tap) keep(h heard) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard = append(t.heard, h)
}

// hand has the suite's process answer a hint.
func (t *tap) hand(w http.ResponseWriter, req *http.Request, suite string) {
	to, err := url.Parse(suite)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	(&httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(to) }}).ServeHTTP(w, req)
}
