package hosttest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/filetest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// Token is the API token of a test host.
const Token = "canary-api-token-4711"

// File is the switchboard file of a test host. Alice's and Bob's shifts are such that one of them
// is always on call.
const File = `users:
  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, phones: ["+12025550144"]}
teams:
  - id: devops
    name: DevOps
    members: [alice, bob]
    schedule:
      timezone: America/New_York
      layers:
        - rotation: {start: "2026-01-05T09:00", every: 1w, users: [alice, bob]}
        - users: [bob]
    escalation: {layers: [{timeout: 5m}, {timeout: 10m}]}
`

// plugins is engine.Plugins with one of them.
type plugins struct{}

// Plugin implements engine.Plugins.
func (plugins) Plugin(id string) (integration.Integration, bool) { return Plugin{}, id == PluginID }

// PluginIDs implements engine.Plugins.
func (plugins) PluginIDs() []string { return []string{PluginID} }

// Host is a host with the real store, platform and engine, and [Plugin] in process. Its database is
// of its own, so tests can run at the same time.
type Host struct {
	T        testing.TB
	Engine   *engine.Engine
	Metrics  *engine.Metrics
	Store    store.Store
	File     *switchboardfile.Source
	Platform *embedded.Platform
	Plugins  engine.Plugins
	Clock    clock.Clock
	Log      *testlog.Buffer
	Logger   *slog.Logger
	URL      string // of the server, once served
	Server   *httptest.Server
	Check    func(*http.Request, Answer) // sees every answer; nil: nothing is checked
}

// template has the tables of a store and of the embedded platform. Migrating once for all tests of
// a package is what makes a host cheap.
var template = filetest.New(sqlstore.Migrate, alerts.Migrate, shifts.Migrate)

// New makes the parts; the engine and the platform run until the test ends. The engine works with
// the platform that behind makes of the embedded one.
func New(t testing.TB, behind ...func(platform.Platform) platform.Platform) *Host {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "switchboard.yaml")
	if err := os.WriteFile(file, []byte(File), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &Host{T: t, Clock: clock.System(), Log: &testlog.Buffer{}, Plugins: plugins{}, Metrics: engine.NewMetrics()}
	h.Logger = slog.New(slog.NewTextHandler(h.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	// The address is known before the handler is: the listener is bound when the server is made.
	h.Server = httptest.NewUnstartedServer(nil)
	h.URL = "http://" + h.Server.Listener.Addr().String()

	ctx, cancel := context.WithCancel(context.Background())
	db := template.Open(t, filepath.Join(dir, "test.db"))
	h.Store = sqlstoretest.On(t, db, h.Clock)
	var err error
	if h.File, err = switchboardfile.Open(ctx, switchboardfile.SourceConfig{Path: file, Clock: h.Clock, Logger: h.Logger}); err != nil {
		t.Fatal(err)
	}
	h.Platform, err = embedded.New(ctx, embedded.Config{File: h.File, DB: db, Clock: h.Clock, Logger: h.Logger,
		AlertURL: func(id string) string { return h.URL + "/alerts/" + id }})
	if err != nil {
		t.Fatal(err)
	}
	var seen platform.Platform = h.Platform
	for _, wrap := range behind {
		seen = wrap(seen)
	}
	h.Engine, err = engine.New(engine.Config{
		Store: h.Store, Platform: seen, Plugins: h.Plugins, Clock: h.Clock, Logger: h.Logger, Metrics: h.Metrics,
		EndpointURL: func(id string) string { return webhook.EndpointURL(h.URL, id) },
		MediaURL:    func(m store.Medium) string { return httpkit.PublicMediaURL(h.URL, m) },
		MediaSlices: func(m store.Medium) []string { return httpkit.PublicSliceURLs(h.URL, m) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{h.Engine.Run, h.Platform.Run} {
		running.Go(func() { _ = run(ctx) }) // ends with ctx
	}
	// Cleanups run in reverse order: what runs has ended before the database is closed.
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return h
}

// NewPeople is what knows who uses the host, with the token [Token]; change changes its
// configuration and may be nil. It does nothing beside requests.
func (h *Host) NewPeople(change func(*people.Config)) *people.People {
	h.T.Helper()
	public, err := url.Parse(h.URL)
	if err != nil {
		h.T.Fatal(err)
	}
	cfg := people.Config{Store: h.Store.(store.People), File: h.File, Token: Token, PublicURL: public, Clock: h.Clock, Log: h.Logger,
		Attempts: httpkit.NewAttempts(h.Clock, httpkit.DefaultWrongTokens), Pages: &people.PageLinks{Key: []byte("a key of the test"), PublicURL: h.URL, Clock: h.Clock}}
	if change != nil {
		change(&cfg)
	}
	return people.New(cfg)
}

// People is [Host.NewPeople], and what it does beside requests runs until the test ends.
func (h *Host) People(change func(*people.Config)) *people.People {
	h.T.Helper()
	p := h.NewPeople(change)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = p.Run(ctx) }) // ends with ctx
	h.T.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return p
}

// Serve serves handler at URL until the test ends. The handler is made late, as it needs the host's
// address.
func (h *Host) Serve(handler http.Handler) {
	h.Server.Config.Handler = handler
	h.Server.Start()
	h.T.Cleanup(h.Server.Close)
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the answer.
func (a Answer) JSON(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("no JSON: %v\n%s", err, a.Body)
	}
}

// Request builds a request with the token; body may be nil, a string, bytes, or a value to be sent
// as JSON. It is given up after a minute.
func (h *Host) Request(method, path string, body any) *http.Request {
	h.T.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			h.T.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	h.T.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, h.URL+path, reader)
	if err != nil {
		h.T.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+Token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// Send sends a request and reads the whole answer. A request that fails ends the test.
func (h *Host) Send(req *http.Request) Answer {
	h.T.Helper()
	resp, err := h.Server.Client().Do(req)
	if err != nil {
		h.T.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		h.T.Fatal(err)
	}
	a := Answer{resp.StatusCode, resp.Header, data}
	if h.Check != nil {
		h.Check(req, a)
	}
	return a
}

// Do is Request and Send.
func (h *Host) Do(method, path string, body any) Answer {
	h.T.Helper()
	return h.Send(h.Request(method, path, body))
}

// Want is Do with a status that must be.
func (h *Host) Want(status int, method, path string, body any) Answer {
	h.T.Helper()
	a := h.Do(method, path, body)
	if a.Status != status {
		h.T.Fatalf("%s %s: status %d, want %d\n%s", method, path, a.Status, status, a.Body)
	}
	return a
}

// Eventually polls until ok is true. The minute is for a loaded machine; it normally takes a few
// looks.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen within a minute: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
