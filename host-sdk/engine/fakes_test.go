package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/filetest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// idleTimers are the timers on which the loops of an engine without work wait: the outbox, the daily
// work, the copies, the formats, the two of what was heard of callers, and what is to be erased.
const idleTimers = 7

// fakePlugin does what a test's functions say.
type fakePlugin struct {
	webhook  func(integration.WebhookRequest) (integration.Outcome, error)
	alert    func(integration.AlertRequest) (integration.Outcome, error)
	task     func(integration.TaskRequest) (integration.Outcome, error)
	perform  func(context.Context, integration.PerformRequest) (integration.TaskResult, error)
	validate func(integration.ValidateOptionsRequest) integration.ValidateOptionsResponse
	action   func(integration.ActionRequest) (integration.ActionResult, error)
	periodic []integration.PeriodicTask
	describe func(integration.Description) (integration.Description, error) // nil: as it is

	schema      func() (integration.OptionsSchema, error) // nil: fakeSchema
	validateErr error

	mu        sync.Mutex
	described int
}

// descriptions is how often the plugin was asked what it is.
func (p *fakePlugin) descriptions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.described
}

var _ integration.Integration = (*fakePlugin)(nil)

const fakeSchema = `{"type":"object","properties":{"greeting":{"type":"string"},"token":{"type":"string","x-secret":true}}}`

func (p *fakePlugin) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	p.mu.Lock()
	p.described++
	describe := p.describe
	p.mu.Unlock()
	desc := integration.Description{
		ID: "fake", Name: "Fake", Version: "1.0.0", ProtocolVersion: integration.ProtocolVersion, ProtocolMinor: integration.ProtocolMinor,
		Periodic: p.periodic,
		Webhook: integration.WebhookDescription{
			SessionField: "CallKey", SessionPrefix: "/c/", ShapeFields: []string{"CallKey", "Account"},
			IgnoredAnswerPaths: []string{"/status", "/c/*/late"},
			NotInService:       integration.Response{Body: []byte("not in service")},
			Refused:            integration.Response{Body: []byte("refused")},
			Fallback:           integration.FallbackAnswers{Wait: integration.Response{Body: []byte("plugin's patience")}},
		},
	}
	if describe != nil {
		return describe(desc)
	}
	return desc, nil
}

// describing changes what the plugin says it is, from now on.
func (p *fakePlugin) describing(f func(integration.Description) (integration.Description, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.describe = f
}

func (p *fakePlugin) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	if p.schema != nil {
		return p.schema()
	}
	return integration.OptionsSchema{Schema: []byte(fakeSchema), Format: 1}, nil
}

func (p *fakePlugin) ValidateOptions(_ context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	if p.validateErr != nil {
		return integration.ValidateOptionsResponse{}, p.validateErr
	}
	if p.validate != nil {
		return p.validate(req), nil
	}
	return integration.ValidateOptionsResponse{Options: req.Options, Format: 1}, nil
}

func (p *fakePlugin) HandleWebhook(_ context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	return p.webhook(req)
}

func (p *fakePlugin) HandleAlert(_ context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	if p.alert == nil {
		return integration.Outcome{}, nil
	}
	return p.alert(req)
}

func (p *fakePlugin) HandleTask(_ context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	if p.task == nil {
		return integration.Outcome{}, nil
	}
	return p.task(req)
}

func (p *fakePlugin) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return p.perform(ctx, req)
}

func (p *fakePlugin) RunAction(_ context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	if p.action == nil {
		return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "no action %q", req.Name)
	}
	return p.action(req)
}

// plugins holds at most one plugin, which can be taken away.
type plugins struct {
	mu  sync.Mutex
	p   integration.Integration
	ids []string

	more map[string]integration.Integration
}

func (p *plugins) Plugin(id string) (integration.Integration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.more[id]; ok {
		return other, true
	}
	return p.p, id == "fake" && p.p != nil
}

func (p *plugins) PluginIDs() []string { return p.ids }

func (p *plugins) set(i integration.Integration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.p = i
}

// fakePlatform keeps alerts as snapshots and remembers commands.
type fakePlatform struct {
	mu       sync.Mutex
	alerts   map[string]integration.AlertSnapshot
	applied  []integration.AlertCommand
	refuse   func(integration.AlertCommand) error
	onCall   []integration.OnCallEntry
	audience []string
	// audiences answers in place of audience.
	audiences func(teams []string) ([]string, error)
	asked     map[string]int
	hints     chan platform.Hint
	hinted    chan platform.Hint // gets each hint after the engine has taken it; nil: nobody waits
	down      error
	reading   func(key string)      // called while an alert is being read, after its state was taken
	watching  func(watch int) error // called when watching begins; an error breaks the watch
	watches   int

	onCallTimes []time.Time
	routedOnly  bool  // it has no unrouted alerts
	unwell      error // of Health alone
}

var _ platform.Platform = (*fakePlatform)(nil)

func newPlatform() *fakePlatform {
	return &fakePlatform{alerts: map[string]integration.AlertSnapshot{}, asked: map[string]int{}, hints: make(chan platform.Hint, 100)}
}

func (p *fakePlatform) count(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[what]++
	return p.down
}

func (p *fakePlatform) times(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[what]
}

func (p *fakePlatform) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	if err := p.count("capabilities"); err != nil {
		return integration.Capabilities{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return integration.Capabilities{Reopen: true, UnroutedAlerts: !p.routedOnly}, nil
}

func (p *fakePlatform) Destinations(_ context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	if err := p.count("destinations"); err != nil {
		return nil, err
	}
	var out []integration.Destination
	for _, r := range refs {
		out = append(out, integration.Destination{Kind: r.Kind, ID: r.ID, Name: "Team " + r.ID, Missing: r.ID == "nowhere"})
	}
	return out, nil
}

func (p *fakePlatform) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	return nil, nil
}

func (p *fakePlatform) OnCall(_ context.Context, _ platform.Scope, _ string, _ int, at time.Time) ([]integration.OnCallEntry, error) {
	p.mu.Lock()
	p.onCallTimes = append(p.onCallTimes, at)
	p.mu.Unlock()
	return p.onCall, p.count("on_call")
}

// onCallAt is for which times somebody asked who is on call.
func (p *fakePlatform) onCallAt() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.onCallTimes...)
}

func (p *fakePlatform) Route(_ context.Context, _ platform.Scope, router string, _ []byte, _ time.Time) (integration.RouteVerdict, error) {
	return integration.RouteVerdict{Notes: []string{router}}, p.count("route")
}

func (p *fakePlatform) Alert(_ context.Context, _ platform.Scope, key string) (integration.AlertSnapshot, error) {
	if err := p.count("alert"); err != nil {
		return integration.AlertSnapshot{}, err
	}
	p.mu.Lock()
	a, ok := p.alerts[key]
	reading := p.reading
	p.mu.Unlock()
	if reading != nil {
		reading(key)
	}
	if !ok {
		return a, integration.Errorf(integration.KindNotFound, "no alert %q", key)
	}
	return a, nil
}

func (p *fakePlatform) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	return integration.User{ID: id, Name: "User " + id}, p.count("user")
}

func (p *fakePlatform) Apply(_ context.Context, _ platform.Scope, cmd integration.AlertCommand) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		if err := p.refuse(cmd); err != nil {
			return err
		}
	}
	p.applied = append(p.applied, cmd)
	return nil
}

func (p *fakePlatform) commands() []integration.AlertCommand {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]integration.AlertCommand(nil), p.applied...)
}

func (p *fakePlatform) Audience(_ context.Context, _ platform.Scope, _ integration.Audience, teams []string, _ time.Time) ([]string, error) {
	if p.audiences != nil {
		return p.audiences(teams)
	}
	return p.audience, p.count("audience")
}

func (p *fakePlatform) Watch(ctx context.Context, hint func(platform.Hint)) error {
	p.mu.Lock()
	p.watches++
	watch, watching := p.watches, p.watching
	p.mu.Unlock()
	if watching != nil {
		if err := watching(watch); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h := <-p.hints:
			hint(h)
			if p.hinted != nil {
				p.hinted <- h
			}
		}
	}
}

func (p *fakePlatform) Health(context.Context) error {
	err := p.count("health")
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(err, p.unwell)
}

// set changes the platform while an engine may be using it.
func (p *fakePlatform) set(change func(p *fakePlatform)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *fakePlatform) setAlert(integrationID string, a integration.AlertSnapshot) {
	p.mu.Lock()
	p.alerts[a.Key] = a
	p.mu.Unlock()
	p.hints <- platform.Hint{Scope: platform.Scope{Integration: integrationID}, AlertKey: a.Key}
}

// countingStore counts commits, can slip one in before another, and fails on demand.
type countingStore struct {
	store.Store
	mu      sync.Mutex
	commits int
	before  func()           // run once, before the next commit
	fail    map[string]error // by method
	reads   map[string]int   // by method, of those that can fail

	attempts map[string]int // of claimed items, by name
	expired  []int          // records that each transaction has removed

	alwaysConflict atomic.Bool // every commit finds that the session has moved
}

// failing makes a method fail with err from now on, or work again if err is nil.
func (s *countingStore) failing(method string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.fail = map[string]error{}
	}
	s.fail[method] = err
}

func (s *countingStore) read(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads == nil {
		s.reads = map[string]int{}
	}
	s.reads[method]++
	return s.fail[method]
}

// times is how often a method that can fail was called.
func (s *countingStore) times(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads[method]
}

// Database implements store.InDatabase.
func (s *countingStore) Database() any { return s.Store.(store.InDatabase).Database() }

func (s *countingStore) Ping(ctx context.Context) error {
	return errors.Join(s.read("Ping"), s.Store.Ping(ctx))
}

func (s *countingStore) ReleaseLeases(ctx context.Context, owner string) error {
	if err := s.read("ReleaseLeases"); err != nil {
		return err
	}
	return s.Store.ReleaseLeases(ctx, owner)
}

func (s *countingStore) Integration(ctx context.Context, id string) (store.Integration, error) {
	if err := s.read("Integration"); err != nil {
		return store.Integration{}, err
	}
	return s.Store.Integration(ctx, id)
}

func (s *countingStore) KeptIntegration(ctx context.Context, id string) (store.Integration, error) {
	if err := s.read("Integration"); err != nil {
		return store.Integration{}, err
	}
	return s.Store.KeptIntegration(ctx, id)
}

func (s *countingStore) IntegrationOptions(ctx context.Context, id string, revision int64) ([]byte, int, error) {
	if err := s.read("IntegrationOptions"); err != nil {
		return nil, 0, err
	}
	return s.Store.IntegrationOptions(ctx, id, revision)
}

func (s *countingStore) ListIntegrations(ctx context.Context) ([]store.Integration, error) {
	if err := s.read("ListIntegrations"); err != nil {
		return nil, err
	}
	return s.Store.ListIntegrations(ctx)
}

func (s *countingStore) Findings(ctx context.Context, id string) ([]integration.Finding, error) {
	if err := s.read("Findings"); err != nil {
		return nil, err
	}
	return s.Store.Findings(ctx, id)
}

func (s *countingStore) SaveFindings(ctx context.Context, id string, list []integration.Finding) error {
	if err := s.read("SaveFindings"); err != nil {
		return err
	}
	return s.Store.SaveFindings(ctx, id, list)
}

func (s *countingStore) MediumInfo(ctx context.Context, ref string) (store.Medium, error) {
	if err := s.read("MediumInfo"); err != nil {
		return store.Medium{}, err
	}
	return s.Store.MediumInfo(ctx, ref)
}

func (s *countingStore) Session(ctx context.Context, integrationID, key string) (store.Session, error) {
	if err := s.read("Session"); err != nil {
		return store.Session{}, err
	}
	return s.Store.Session(ctx, integrationID, key)
}

func (s *countingStore) SessionUnchanged(ctx context.Context, integrationID, key string, version int64) (time.Time, bool, error) {
	if err := s.read("SessionUnchanged"); err != nil {
		return time.Time{}, false, err
	}
	return s.Store.SessionUnchanged(ctx, integrationID, key, version)
}

func (s *countingStore) StoreSeen(ctx context.Context, list []store.Seen) error {
	if err := s.read("StoreSeen"); err != nil {
		return err
	}
	return s.Store.StoreSeen(ctx, list)
}

func (s *countingStore) SessionByAlert(ctx context.Context, integrationID, alertKey string) (store.Session, error) {
	if err := s.read("SessionByAlert"); err != nil {
		return store.Session{}, err
	}
	return s.Store.SessionByAlert(ctx, integrationID, alertKey)
}

func (s *countingStore) AddItem(ctx context.Context, it store.Item) error {
	if err := s.read("AddItem"); err != nil {
		return err
	}
	return s.Store.AddItem(ctx, it)
}

func (s *countingStore) Claim(ctx context.Context, c store.Claim) ([]store.Item, time.Time, error) {
	if err := s.read("Claim"); err != nil {
		return nil, time.Time{}, err
	}
	items, next, err := s.Store.Claim(ctx, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range items {
		if s.attempts == nil {
			s.attempts = map[string]int{}
		}
		s.attempts[it.Name] = it.Attempt
	}
	return items, next, err
}

// attempt is how often the item of a name was claimed.
func (s *countingStore) attempt(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts[name]
}

func (s *countingStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	if err := s.read("DeleteExpired"); err != nil {
		return 0, err
	}
	return s.Store.DeleteExpired(ctx, now)
}

func (s *countingStore) Occupied(ctx context.Context, integrationID, exceptKey string) (map[string]string, error) {
	if err := s.read("Occupied"); err != nil {
		return nil, err
	}
	return s.Store.Occupied(ctx, integrationID, exceptKey)
}

func (s *countingStore) PutMedium(ctx context.Context, m store.Medium) (store.Medium, error) {
	if err := s.read("PutMedium"); err != nil {
		return m, err
	}
	return s.Store.PutMedium(ctx, m)
}

func (s *countingStore) Commit(ctx context.Context, c store.Commit) (int64, error) {
	s.mu.Lock()
	s.commits++
	before := s.before
	s.before = nil
	s.mu.Unlock()
	if before != nil {
		before()
		ctx = context.WithoutCancel(ctx) // it has begun: it is written even if nobody waits any more
	}
	if s.alwaysConflict.Load() {
		return 0, integration.Errorf(integration.KindConflict, "moved")
	}
	return s.Store.Commit(ctx, c)
}

func (s *countingStore) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commits
}

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

// template has the tables of a store.
var template = filetest.New(sqlstore.Migrate)

func newHost(t *testing.T, change ...func(*engine.Config)) *host {
	t.Helper()
	ctx := context.Background()
	clk := clock.Scaled(time.Now(), speed)
	db, err := sqldb.Open(ctx, template.At(t, filepath.Join(t.TempDir(), "test.db")))
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	st, err := sqlstore.New(ctx, db, key, clk)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{plugin: &fakePlugin{}, platform: newPlatform(), store: &countingStore{Store: st}, clock: clk}
	h.plugins = &plugins{p: h.plugin, ids: []string{"fake"}}
	cfg := engine.Config{
		Store: h.store, Platform: h.platform, Plugins: h.plugins, Clock: clk,
		EndpointURL: func(id string) string { return "https://hotline.example.com/integrations/" + id },
	}
	for _, f := range change {
		f(&cfg)
	}
	h.clock = cfg.Clock
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
	t.Cleanup(func() { _ = st.Close() })
	return h
}

// another is a second engine on the same store, platform and plugins, which has seen nothing yet.
func (h *host) another(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Config{
		Store: h.store, Platform: h.platform, Plugins: h.plugins, Clock: h.clock,
		EndpointURL: func(id string) string { return "https://hotline.example.com/integrations/" + id },
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// forget makes the store's copy of the platform's capabilities unreadable, as if it had never answered.
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

// answering lets the plugin answer each webhook with a text made of its facts, and remember
// nothing.
func answering(text func(integration.Facts) string) func(integration.WebhookRequest) (integration.Outcome, error) {
	return func(req integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok(text(req.Facts))}, nil
	}
}

// expect posts and compares the answer.
func (h *host) expect(t *testing.T, path, want, why string) {
	t.Helper()
	if resp, err := h.post(t, path, ""); err != nil || string(resp.Body) != want {
		t.Errorf("%s: answer %q, %v; want %q", why, resp.Body, err, want)
	}
}

var errDown = integration.Errorf(integration.KindUnavailable, "down")

// remember is a session update whose state is the JSON of v.
func remember(v any) *integration.SessionUpdate {
	b, _ := json.Marshal(v)
	return &integration.SessionUpdate{State: b, Format: 1, Live: true}
}

func ok(text string) *integration.Response { return &integration.Response{Body: []byte(text)} }

// wait gives what is to come generous time.
func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("%s did not happen", what)
		panic("unreachable")
	}
}

// eventually polls until done says so.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("%s did not happen", what)
}

func hint(integrationID, key string) platform.Hint {
	return platform.Hint{Scope: platform.Scope{Integration: integrationID}, AlertKey: key}
}
