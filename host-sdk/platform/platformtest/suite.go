package platformtest

import (
	"context"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Config says how to get at the platform under test.
type Config struct {
	// New gives a platform that is running (it escalates, it watches) with what Fixture names. It
	// is called once for each test; it may give the same platform each time, as alert keys are
	// never used twice.
	New func(t *testing.T) Fixture
	// HintWithin is how long a hint may take; 0: 10 s. Platforms that poll need more than those
	// that push.
	HintWithin time.Duration
	// OnceOnly leaves out the second run with each capability taken away.
	OnceOnly bool
}

// Fixture is a platform and what the suite may use of it. Layer time-outs must be longer than a
// test takes (an hour).
type Fixture struct {
	Platform platform.Platform
	Scope    platform.Scope
	// Team has two escalation layers, with somebody on call for each at Now, and is not repeated.
	Team string
	// OtherTeam is another team with somebody on call.
	OtherTeam string
	// IdleTeam has nobody on call; "" leaves out what needs it.
	IdleTeam string
	// Router is a router; "" leaves out what needs it.
	Router string
	// Users are two people.
	Users [2]string
	// Log reads the lines of an alert's log, as people see them, by its key; nil leaves out what
	// needs it, unless the platform is an AlertBrowser: then its log is read there.
	Log func(ctx context.Context, key string) ([]string, error)
	// Now is the platform's time; nil: time.Now.
	Now func() time.Time
}

// Test runs the suite.
func Test(t *testing.T, config Config) {
	t.Helper()
	if config.New == nil {
		t.Fatal("platformtest: Config.New is needed")
	}
	if config.HintWithin == 0 {
		config.HintWithin = 10 * time.Second
	}
	run(t, config)
	if config.OnceOnly {
		return
	}
	for _, c := range capabilities {
		t.Run("without "+c.name, func(t *testing.T) {
			f := config.New(t)
			caps, err := f.Platform.Capabilities(t.Context(), f.Scope)
			if err != nil {
				t.Fatalf("Capabilities: %v", err)
			}
			if !*c.of(&caps) {
				t.Skip("the platform says that it has none: there is nothing to take away")
			}
			less := config
			less.New = func(t *testing.T) Fixture {
				f := config.New(t)
				var off integration.Capabilities
				*c.of(&off) = true
				f.Platform = Without(f.Platform, off)
				return f
			}
			run(t, less)
		})
	}
}

// capabilities lists those that can be taken away. PagesByItself changes nothing that a suite could
// see.
var capabilities = []struct {
	name string
	of   func(*integration.Capabilities) *bool
}{
	{"unrouted alerts", func(c *integration.Capabilities) *bool { return &c.UnroutedAlerts }},
	{"reopen", func(c *integration.Capabilities) *bool { return &c.Reopen }},
	{"escalate", func(c *integration.Capabilities) *bool { return &c.Escalate }},
	{"acknowledge as", func(c *integration.Capabilities) *bool { return &c.AcknowledgeAs }},
	{"acknowledged by user", func(c *integration.Capabilities) *bool { return &c.AcknowledgedByUser }},
	{"annotations", func(c *integration.Capabilities) *bool { return &c.Annotations }},
	{"routers", func(c *integration.Capabilities) *bool { return &c.Routers }},
	{"audiences", func(c *integration.Capabilities) *bool { return &c.Audiences }},
}

// run runs every test of the suite on one configuration.
func run(t *testing.T, config Config) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"healthy", testHealth},
		{"declared capabilities", testDeclared},
		{"teams and destinations", testTeams},
		{"people on call", testOnCall},
		{"people by address", testUserByEmail},
		{"routers", testRouters},
		{"audiences", testAudiences},
		{"create", testCreate},
		{"route", testRoute},
		{"route to a team with nobody on call", testRouteIdle},
		{"acknowledge", testAcknowledge},
		{"whose acknowledgement it is", testAcknowledgedBy},
		{"acknowledgement without a person", testAcknowledgeNobody},
		{"decline", testDecline},
		{"reopen an acknowledgement", testReopen},
		{"reopen what is over", testReopenOver},
		{"escalate", testEscalate},
		{"resolve", testResolve},
		{"commands for what is unknown", testUnknown},
		{"every command twice", testTwice},
		{"redelivery after a crash", testRedelivery},
		{"one old command again", testOldCommand},
		{"log lines", testLogLines},
		{"commands together", testTogether},
		{"snapshots tell the last command", testLastCommand},
		{"hints", testHints},
		{"deadlines", testDeadlines},
		{"concurrent creation", testConcurrentCreate},
		{"concurrent sessions", testConcurrentSessions},
		{"browse", testBrowse},
		{"browse by page", testBrowsePages},
		{"act", testAct},
		{"two people at once", testRace},
		{"delete", testErase},
		{"forget a number", testForgetText},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := config.New(t)
			if f.Now == nil {
				f.Now = time.Now
			}
			b := &bench{Fixture: f, within: config.HintWithin}
			caps, err := f.Platform.Capabilities(b.ctx(t), f.Scope)
			if err != nil {
				t.Fatalf("Capabilities: %v", err)
			}
			b.caps = caps
			t.Cleanup(func() { b.findings(t) })
			test.run(t, b)
		})
	}
}

// bench is a fixture with helpers, and what its platform says that it can do.
type bench struct {
	Fixture

	caps   integration.Capabilities
	within time.Duration
}

// findings logs, after a test that failed, what the platform itself finds wrong: often the reason.
func (b *bench) findings(t *testing.T) {
	t.Helper()
	if finder, ok := b.Platform.(platform.Finder); ok && t.Failed() {
		for _, text := range finder.Findings() {
			t.Logf("the platform finds: %s", text)
		}
	}
}

// ctx bounds every call of a test: no method may hang.
func (b *bench) ctx(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// need skips a test whose capability the platform does not have.
func need(t *testing.T, has bool, capability string) {
	t.Helper()
	if !has {
		t.Skipf("the platform does not declare the capability %s", capability)
	}
}

// wantKind fails unless err is of a kind.
func wantKind(t *testing.T, what string, err error, kind integration.Kind) {
	t.Helper()
	if got := integration.KindOf(err); got != kind {
		t.Errorf("%s: error %v (kind %q), want kind %q", what, err, got, kind)
	}
}

// A platform that runs says that it is well.
func testHealth(t *testing.T, b *bench) {
	if err := b.Platform.Health(b.ctx(t)); err != nil {
		t.Errorf("Health: %v", err)
	}
}
