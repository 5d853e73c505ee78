package goalertsim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// Target is the server that a test uses: the stand-in, or the real server of GOALERT_URL, whose
// administrator is GOALERT_USER (default admin) with GOALERT_PASSWORD (default admin12345). Tests
// with telephones also need GOALERT_TWILIO_LISTEN, the host:port that the real server was started
// with as --twilio-base-url, and GOALERT_TWILIO_TOKEN, its Twilio auth token.
type Target struct {
	URL    string
	Admin  *admin.Client
	Twilio *admin.Twilio
	Sim    *Server // nil: a real server

	t    testing.TB
	hand *clock.Manual // moved by Await
}

// Open returns the server for a test. The configuration is the stand-in's; a test that would fail
// with another calls NeedsStandIn. A negative CycleTime has Await move the clock and run the
// cycles.
func Open(t testing.TB, cfg Config) *Target {
	t.Helper()
	target := &Target{t: t, URL: os.Getenv("GOALERT_URL"), Twilio: &admin.Twilio{AuthToken: "stand-in-token"}}
	if target.URL == "" {
		target.standIn(cfg)
	} else if listen := os.Getenv("GOALERT_TWILIO_LISTEN"); listen != "" {
		target.Twilio.AuthToken = os.Getenv("GOALERT_TWILIO_TOKEN")
		listener, err := net.Listen("tcp", listen)
		if err != nil {
			t.Fatalf("GOALERT_TWILIO_LISTEN: %v", err)
		}
		server := &http.Server{Handler: target.Twilio, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
	}
	var err error
	target.Admin, err = admin.Login(t.Context(), target.URL, envOr("GOALERT_USER", "admin"), envOr("GOALERT_PASSWORD", "admin12345"))
	if err != nil {
		t.Fatal(err)
	}
	target.Admin.Made = &admin.Made{}
	if target.Sim == nil {
		t.Cleanup(func() {
			if err := target.Admin.Remove(context.Background()); err != nil {
				t.Logf("left over on the server: %v", err)
			}
		})
	}
	return target
}

func (target *Target) standIn(cfg Config) {
	twilio := httptest.NewServer(target.Twilio)
	target.t.Cleanup(twilio.Close)
	cfg.TwilioURL, cfg.TwilioAccountSID, cfg.TwilioAuthToken = twilio.URL, "AC00000000000000000000000000000000", target.Twilio.AuthToken
	if cfg.CycleTime < 0 && cfg.Clock == nil {
		target.hand = clock.NewManual(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
		cfg.Clock = target.hand
	}
	cfg.AdminUser, cfg.AdminPassword = envOr("GOALERT_USER", "admin"), envOr("GOALERT_PASSWORD", "admin12345")
	target.Sim = Start(target.t, cfg)
	target.URL = target.Sim.URL
}

func envOr(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// NeedsStandIn skips the test on a real server.
func (target *Target) NeedsStandIn(why string) {
	target.t.Helper()
	if target.Sim == nil {
		target.t.Skipf("needs the stand-in: %s", why)
	}
}

// NeedsTelephones skips the test if the server's calls to people do not come here.
func (target *Target) NeedsTelephones() {
	target.t.Helper()
	if target.Sim == nil && os.Getenv("GOALERT_TWILIO_LISTEN") == "" {
		target.t.Skip("needs GOALERT_TWILIO_LISTEN, to which the server sends its calls")
	}
}

// Now is the server's time, about.
func (target *Target) Now() time.Time {
	if target.Sim != nil {
		return target.Sim.clock.Now()
	}
	return time.Now()
}

// Unique is a name that no other test uses.
func (target *Target) Unique(name string) string { return fmt.Sprintf("%s %08x", name, rand.Uint32()) }

// Cycle runs a cycle of a stand-in whose clock Await moves.
func (target *Target) Cycle() {
	if target.hand != nil {
		target.hand.Advance(time.Second)
		target.Sim.Cycle()
	}
}

// Await waits until something has happened, for two and a half minutes, of which a stand-in's clock
// makes ten. When these are over it stands still: what is under way on a busy machine may end.
func (target *Target) Await(what string, happened func() bool) {
	target.t.Helper()
	deadline := time.Now().Add(150 * time.Second)
	for cycles := 0; !happened(); cycles++ {
		switch {
		case time.Now().After(deadline):
			target.t.Fatalf("waited in vain: %s", what)
		case target.hand != nil && cycles < 600:
			target.Cycle()
		default:
			_ = clock.Sleep(target.t.Context(), clock.System(), 200*time.Millisecond)
		}
	}
}

// Person adds a user. With a number, it has a verified telephone of that number too.
func (target *Target) Person(name, number string) *Person {
	target.t.Helper()
	ctx := context.Background()
	p := &Person{Name: name, Number: number, username: fmt.Sprintf("user%08x", rand.Uint32()), target: target}
	var err error
	if p.ID, err = target.Admin.CreateUser(ctx, p.username, PersonPassword, name); err != nil {
		target.t.Fatal(err)
	}
	if number == "" {
		return p
	}
	target.NeedsTelephones()
	m, err := target.Admin.AddContactMethod(ctx, p.ID, "mobile", admin.Voice(number))
	if err == nil {
		err = target.Admin.SendVerification(ctx, m.ID)
	}
	if err != nil {
		target.t.Fatal(err)
	}
	target.Await("a code for "+number, func() bool { return target.Twilio.Code(number) != "" })
	if err := target.Admin.Verify(ctx, m.ID, target.Twilio.Code(number)); err != nil {
		target.t.Fatal(err)
	}
	return p
}

// Person is a user of the server.
type Person struct {
	ID, Name, Number string
	username         string
	target           *Target
}

// PersonPassword is everybody's.
const PersonPassword = "password-of-a-test"

// Username is the person's for the log-in.
func (p *Person) Username() string { return p.username }

// Session logs the person in.
func (p *Person) Session() *admin.Client {
	p.target.t.Helper()
	c, err := admin.Login(p.target.t.Context(), p.target.URL, p.username, PersonPassword)
	if err != nil {
		p.target.t.Fatal(err)
	}
	return c
}
