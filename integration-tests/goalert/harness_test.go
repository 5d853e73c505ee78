// Package goalert_test tests the platform goalert against a GoAlert server: the stand-in, or the
// real one of GOALERT_URL (see goalertsim/FACTS.md). Nothing in it needs what only the stand-in can
// do.
package goalert_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/goalert"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/plantest"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// wire counts the requests that the platform sends, by operation.
type wire struct {
	mu    sync.Mutex
	count map[string]int
	keys  map[string]map[string]bool // by operation: the keys it was sent with
	// Of the addresses that had one, where it ends up in logs of proxies.
	query string
	fail  func(operation string) error
	hang  bool   // no request is answered
	lose  string // the operation whose next answer is lost after the server has done it
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	var q struct {
		OperationName, Action string
		Variables             struct{ Service string }
	}
	_ = json.Unmarshal(body, &q)
	name := q.OperationName
	if name == "" {
		name = "event " + q.Action
	}
	w.mu.Lock()
	w.count[name]++
	w.count[""]++
	w.query += r.URL.RawQuery
	w.count[name+" "+q.Variables.Service]++
	if w.keys[name] == nil {
		w.keys[name] = map[string]bool{}
	}
	w.keys[name][r.Header.Get("Authorization")] = true
	fail, hang, lose := w.fail, w.hang, w.lose == name
	if lose {
		w.lose = ""
	}
	w.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if fail != nil {
		if err := fail(name); err != nil {
			return nil, err
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && lose {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return nil, errLost
	}
	return resp, err
}

func (w *wire) loseNext(operation string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = operation
}

func (w *wire) sent(operation string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count[operation]
}

func (w *wire) failing(f func(operation string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = f
}

var errLost = errors.New("connection reset by peer")

// world is a server with two keys of the platform's document.
type world struct {
	*goalertsim.Target
	t           testing.TB
	calls, poll *admin.Client
}

func open(t testing.TB, version goalertsim.Version) *world {
	t.Helper()
	return openWith(t, goalertsim.Config{Version: version})
}

func openWith(t testing.TB, cfg goalertsim.Config) *world {
	t.Helper()
	cfg.CycleTime, cfg.DisableMessageBundles = cmp.Or(cfg.CycleTime, 100*time.Millisecond), true
	w := &world{t: t, Target: goalertsim.Open(t, cfg)}
	w.calls, w.poll = w.key(), w.key()
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func must[T any](w *world) func(T, error) T {
	return func(v T, err error) T {
		w.t.Helper()
		w.ok(err)
		return v
	}
}

// keep has the keys of a set-up taken away when the test ends, where the server is a real one.
func (w *world) keep(in goalert.Installation) {
	for _, id := range in.KeyIDs {
		w.Admin.Made.AddKey(id)
	}
}

func (w *world) key() *admin.Client {
	w.t.Helper()
	return must[*admin.Client](w)(w.Admin.CreateKey(context.Background(), w.Unique("key"), "user", goalert.Document, time.Now().Add(24*time.Hour)))
}

// service makes a service with one step for each list of people, an hour each.
func (w *world) service(repeat int, steps ...[]admin.Dest) admin.Service {
	w.t.Helper()
	return w.serviceFor(60, repeat, steps...)
}

func (w *world) serviceFor(minutes, repeat int, steps ...[]admin.Dest) admin.Service {
	w.t.Helper()
	ctx := context.Background()
	policy := must[string](w)(w.Admin.CreatePolicy(ctx, w.Unique("Policy"), repeat))
	for _, actions := range steps {
		must[int](w)(w.Admin.AddStep(ctx, policy, minutes, actions...))
	}
	return must[admin.Service](w)(w.Admin.CreateService(ctx, w.Unique("Payments"), policy, "live-call-routing"))
}

func serviceOf(s admin.Service) goalert.Service {
	_, key, _ := strings.Cut(s.Href, "token=")
	return goalert.Service{ID: s.ID, Key: goalert.Secret(key)}
}

// host is a platform with its database and the requests it sent.
type host struct {
	*goalert.Platform
	*wire
	w     *world
	cfg   goalert.Config
	scope platform.Scope
}

// platform runs the adapter for some services until the test ends.
func (w *world) platform(t testing.TB, services ...admin.Service) *host {
	t.Helper()
	path := filepath.Join(t.TempDir(), "host.db")
	url := "sqlite:" + path
	if os.Getenv("LIVECALL_TEST_DATABASE") == "postgres" {
		url = postgres.Of(t, path)
	}
	db, err := sqldb.Open(context.Background(), url)
	w.ok(err)
	t.Cleanup(func() {
		if db.Dialect().Name == sqldb.SQLite.Name {
			plantest.Check(t, db)
		}
		_ = db.Close()
	})
	h := &host{wire: &wire{count: map[string]int{}, keys: map[string]map[string]bool{}}, w: w, scope: platform.Scope{Integration: "int-1"}}
	h.cfg = goalert.Config{URL: w.URL, CallKey: goalert.Secret(w.calls.Token), PollKey: goalert.Secret(w.poll.Token), WebhookToken: "let me in",
		DB: db, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler), HTTP: &http.Client{Transport: h.wire}}
	for _, s := range services {
		h.cfg.Services = append(h.cfg.Services, serviceOf(s))
	}
	h.start(t)
	return h
}

// start begins, or begins again as after a crash.
func (h *host) start(t testing.TB) {
	t.Helper()
	var err error
	h.Platform, err = goalert.New(context.Background(), h.cfg)
	h.w.ok(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	running := h.Platform
	go func() { defer close(ended); _ = running.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
}

// call is one call's alert; its commands are numbered.
type call struct {
	*host
	t    testing.TB
	key  string
	last int64
}

func (h *host) call(t testing.TB) *call {
	return &call{host: h, t: t, key: h.w.Unique("call")}
}

func (c *call) number(cmd integration.AlertCommand) integration.AlertCommand {
	c.last++
	cmd.Number, cmd.AlertKey, cmd.At = c.last, c.key, time.Now()
	return cmd
}

func (c *call) try(cmd integration.AlertCommand) error {
	return c.Apply(context.Background(), c.scope, c.number(cmd))
}

func (c *call) apply(cmd integration.AlertCommand) {
	c.t.Helper()
	if err := c.try(cmd); err != nil {
		c.t.Fatalf("%s: %v", cmd.Kind, err)
	}
}

func (c *call) snapshot() integration.AlertSnapshot {
	c.t.Helper()
	s, err := c.Alert(context.Background(), c.scope, c.key)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// open creates and routes.
func (h *host) open(t testing.TB, team string) *call {
	t.Helper()
	c := h.call(t)
	c.apply(create("Live call from +12025550199"))
	c.apply(route(team))
	return c
}

func create(title string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: title, Description: "A caller waits."}}
}

func route(teams ...string) integration.AlertCommand {
	return integration.AlertCommand{Kind: integration.AlertRoute, Teams: teams}
}

// alert is the number of the call's alert in GoAlert.
func (c *call) alert() int {
	c.t.Helper()
	var id int
	if err := json.Unmarshal([]byte(c.snapshot().ID), &id); err != nil {
		c.t.Fatal(err)
	}
	return id
}

// status reads the alert past the adapter.
func (c *call) status() *admin.Status {
	c.t.Helper()
	return must[*admin.Status](c.w)(c.w.Admin.AlertStatus(context.Background(), c.alert()))
}
