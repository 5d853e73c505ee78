package engine_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
)

// host is an engine with everything around it.
type host struct {
	*engine.Engine
	plugin   *fakePlugin
	plugins  *plugins
	platform *fakePlatform
	store    *countingStore
	clock    clock.Clock
	id       string // of the one integration
}

// speed is how much faster than the wall the engine's clock runs in tests.
const speed = 50

func newHost(t *testing.T, change ...func(*engine.Config)) *host {
	t.Helper()
	ctx := context.Background()
	clk := clock.Scaled(time.Now(), speed)
	h := &host{plugin: &fakePlugin{}, platform: newPlatform(), store: &countingStore{Store: sqlstoretest.Open(t, clk)}, clock: clk}
	h.plugins = &plugins{p: h.plugin, ids: []string{"fake"}}
	cfg := engine.Config{
		Store: h.store, Platform: h.platform, Plugins: h.plugins, Clock: clk,
		EndpointURL: func(id string) string { return "https://hotline.example.com/integrations/" + id },
	}
	for _, f := range change {
		f(&cfg)
	}
	h.clock = cfg.Clock
	if clk, ok := h.clock.(*clock.Manual); ok {
		standing.Store(t, clk)
		t.Cleanup(func() { standing.Delete(t) })
	}
	var err error
	if h.Engine, err = engine.New(cfg); err != nil {
		t.Fatal(err)
	}
	in, _, err := h.Configure(ctx, "", 0, engine.Draft{
		Plugin: "fake", Name: "Hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		Options: []byte(`{"greeting":"hello","token":"first"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.id = in.ID
	return h
}

// another is a second engine on the same store, platform and plugins, which has seen nothing yet.
func (h *host) another(t *testing.T, change ...func(*engine.Config)) *engine.Engine {
	t.Helper()
	cfg := engine.Config{
		Store: h.store, Platform: h.platform, Plugins: h.plugins, Clock: h.clock,
		EndpointURL: func(id string) string { return "https://hotline.example.com/integrations/" + id },
	}
	for _, f := range change {
		f(&cfg)
	}
	e, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// forget makes the store's copy of the platform's capabilities unreadable, as if it had never
// answered.
func (h *host) forget(t *testing.T) {
	t.Helper()
	if err := h.store.SetSetting(context.Background(), "platform_capabilities/"+h.id, "nothing"); err != nil {
		t.Fatal(err)
	}
}

// draft is an integration that nothing is wrong with.
func draft(name string) engine.Draft {
	return engine.Draft{
		Plugin: "fake", Name: name, Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		Options: []byte(`{"greeting":"hello","token":"first"}`),
	}
}

// start runs the engine until the test ends.
func (h *host) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func (h *host) post(t *testing.T, path, body string) (integration.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return h.postWithin(ctx, path, body)
}

func (h *host) postWithin(ctx context.Context, path, body string) (integration.Response, error) {
	return h.Webhook(ctx, h.id, integration.WebhookRequest{Method: "POST", URL: "https://hotline.example.com/integrations/" + h.id + path, Path: path, Body: []byte(body)})
}

// manual makes the engine's clock stand still until the test moves it.
func manual(clk *clock.Manual) func(*engine.Config) {
	return func(c *engine.Config) { c.Clock = clk }
}

// newManual is a clock to use with manual.
func newManual() *clock.Manual { return clock.NewManual(time.Now()) }

// expect posts and compares the answer.
func (h *host) expect(t *testing.T, path, want, why string) {
	t.Helper()
	if resp, err := h.post(t, path, ""); err != nil || string(resp.Body) != want {
		t.Errorf("%s: answer %q, %v; want %q", why, resp.Body, err, want)
	}
}

var errDown = integration.Errorf(integration.KindUnavailable, "down")

// wait gives what is to come generous time.
func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	for p := newPatience(t); p.lasts(); {
		select {
		case v := <-c:
			return v
		case <-time.After(time.Second):
		}
	}
	t.Fatalf("%s did not happen", what)
	panic("unreachable")
}

// eventually polls until done says so.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for p := newPatience(t); p.lasts(); time.Sleep(2 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("%s did not happen", what)
}

// standing are the clocks that stand still, by the test that moves them.
var standing sync.Map

// patience is generous time for what is to come. A step that a busy machine was too slow for is
// taken again after a pause of the engine's clock, so where that stands still it is moved when
// nothing has come for long: little by little, and by less than the time between two looks for
// work, which must not be what makes it come.
type patience struct {
	clock        *clock.Manual // nil: it moves by itself
	began, moved time.Time
	left         time.Duration
}

func newPatience(t *testing.T) *patience {
	p := &patience{began: time.Now(), moved: time.Now().Add(4 * time.Second), left: 2 * time.Second}
	if clk, ok := standing.Load(t); ok {
		p.clock, _ = clk.(*clock.Manual)
	}
	return p
}

// lasts is to be asked again and again.
func (p *patience) lasts() bool {
	if p.clock != nil && p.left > 0 && time.Since(p.moved) > time.Second {
		const step = 200 * time.Millisecond
		p.clock.Advance(step)
		p.left, p.moved = p.left-step, time.Now()
	}
	return time.Since(p.began) < time.Minute
}
