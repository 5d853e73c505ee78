package integrationtests

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// refusedForGood are answers of the API that come again however often one asks.
var refusedForGood = regexp.MustCompile(`: 4\d\d `)

// API is that of the stack. Where the test disturbs the database it asks again until there is an
// answer, as a person would.
func (h *hotline) API(ctx context.Context, method, path string, body, into any) error {
	err := h.Stack.API(ctx, method, path, body, into)
	for end := time.Now().Add(patience); h.disturbed && err != nil && !refusedForGood.MatchString(err.Error()) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		err = h.Stack.API(ctx, method, path, body, into)
	}
	return err
}

// disturbedOn starts two hosts on a server of its own. Their clocks are the machine's: how long an
// answer takes is measured.
func disturbedOn(t *testing.T, url string) *several {
	t.Helper()
	s := startSeveral(t, voicemail, func(c *demo.Config) {
		c.Clock, c.Sim.SpeechPerCharacter = "", 5*time.Millisecond
		c.Env = append(c.Env, "SWITCHBOARD_DATABASE_URL="+url)
	})
	s.disturbed = true
	// A notice that finds no database is refused, so that Twilio sends it again.
	s.Sim.Allow(11200, 11205, 11206)
	return s
}

// talksBriefly plays a call until the caller has talked with Alice. step is called with each place
// of it; nil: Alice's phone answers by itself.
func (s *several) talksBriefly(step func(place string)) {
	s.t.Helper()
	byItself := step == nil
	if byItself {
		step = func(string) {}
		s.Sim.Phone(alice).AnswersAfter(0, "press 1", "1")
	}
	c := s.dial()
	c.Hears(s.t, "Press 2 for DevOps")
	step("menu")
	c.Presses("2")
	c.Hears(s.t, "music-")
	step("hold")
	a := s.alertOf(c, "open", func(a alert) bool { return a.Status == "open" })
	s.acknowledge(a.ID, "alice")
	if !byItself {
		leg := s.Sim.Phone(alice).RingsNext(s.t)
		leg.Answers()
		step("connecting")
		leg.Hears(s.t, "press 1")
		leg.Presses("1")
	}
	c.ConnectedTo(s.t, alice)
	step("talking")
	c.SpeaksFor("It began an hour ago, after the last change.", 5*time.Second)
	c.HangsUp()
	c.Ended(s.t)
	s.over(c, "connected")
	bridged := 0
	for _, e := range c.Transcript() {
		if e.Kind == twiliosim.EventBridged {
			bridged++
		}
	}
	if bridged != 1 {
		s.t.Errorf("the caller was connected %d times", bridged)
	}
	told := s.alertOf(c, "with its duration", func(a alert) bool { return strings.Contains(a.story(), "took ") }).story()
	if n := strings.Count(told, "is being connected with the caller"); n != 1 {
		s.t.Errorf("the alert tells of %d conversations:\n%s", n, told)
	}
}

// leavesAMessage plays a call until its message is attached to the alert, once.
func (s *several) leavesAMessage(step func(place string)) *twiliosim.Call {
	s.t.Helper()
	c := s.onHold()
	step("hold")
	c.Presses("*")
	c.Saw(s.t, "the beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
	step("recording")
	c.SpeaksFor("My server is on fire, please call back.", 8*time.Second)
	c.Presses("#")
	c.Hears(s.t, "thank")
	step("message left")
	c.Ended(s.t)
	s.over(c, "message_left")
	a := s.alertOf(c, "with the message", func(a alert) bool { return len(a.Attachments) > 0 })
	if len(a.Attachments) != 1 {
		s.t.Errorf("the message is attached %d times", len(a.Attachments))
	}
	// Whoever plays it tries again where the host dies that was about to hand it out.
	var status, bytes int
	s.eventually("the message is played", func() bool {
		code, body := s.fetch(a.Attachments[0].URL, true)
		status, bytes = code, len(body)
		return status == 200 && bytes >= 1000
	}, func() string { return fmt.Sprintf("it is %d bytes, status %d", bytes, status) })
	return c
}

// alertOf waits until the one alert of a call is as good says.
func (h *hotline) alertOf(c *twiliosim.Call, what string, good func(alert) bool) (found alert) {
	h.t.Helper()
	var list []alert
	h.eventually("the alert of "+c.Sid+": "+what, func() bool {
		list = nil
		for _, a := range h.alerts() {
			if strings.HasSuffix(a.Key, c.Sid) {
				list = append(list, a)
			}
		}
		if len(list) > 1 {
			h.t.Fatalf("%d alerts for one call: %+v", len(list), list)
		}
		if len(list) == 1 {
			found = list[0]
		}
		return len(list) == 1 && good(found)
	}, func() string { return fmt.Sprintf("%+v", list) })
	return found
}

// ownServer starts a PostgreSQL for one test, which keeps what it has committed.
func ownServer(t *testing.T, settings ...string) *postgres.Server {
	t.Helper()
	postgres.Need(t)
	server, err := postgres.Start(t.Context(), t.TempDir(), append(settings, "max_connections=100", "shared_buffers=32MB")...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	return server
}

// while calls trouble every so often until the returned function is called, which waits for its
// end.
func while(t *testing.T, every time.Duration, trouble func() error) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		times := 0
		defer func() { ended <- times }()
		for clock.Sleep(ctx, clock.System(), every) == nil {
			if err := trouble(); err != nil {
				t.Error(err)
				return
			}
			times++
		}
	}()
	return func() int { cancel(); return <-ended }
}

const cutAll = `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'`

// TestCallsGoOnWhileAllConnectionsAreCut cuts all connections of both hosts every second during
// calls.
func TestCallsGoOnWhileAllConnectionsAreCut(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	s := disturbedOn(t, server.URL("postgres"))
	stop := while(t, time.Second, func() error { return server.Exec(t.Context(), "postgres", cutAll) })
	quiet := func(string) {}
	s.talksBriefly(quiet)
	s.leavesAMessage(quiet)
	t.Logf("all connections were cut %d times; the longest answer: %+v", stop(), s.Longest())
}

// TestCallsGoOnWhileTheServerRestarts stops the server and starts it again at each place of a call,
// in order and as a crash would.
func TestCallsGoOnWhileTheServerRestarts(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*postgres.Server){"after a crash": (*postgres.Server).Kill, "in order": (*postgres.Server).Shutdown} {
		if name == "in order" && !onRequest() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownServer(t)
			s := disturbedOn(t, server.URL("postgres"))
			s.back = make(chan error, 1)
			s.back <- nil
			step := s.outage(func() error { end(server); return server.Run(t.Context()) })
			s.talksBriefly(step)
			s.leavesAMessage(step)
			if err := <-s.back; err != nil {
				t.Fatal(err)
			}
			t.Logf("the longest answer: %+v", s.Longest())
		})
	}
}

// outage returns a step that begins a restart, which goes on beside the call.
func (s *several) outage(restart func() error) func(place string) {
	return func(place string) {
		s.t.Helper()
		if err := <-s.back; err != nil {
			s.t.Fatalf("%s: %v", place, err)
		}
		go func() { s.back <- restart() }()
	}
}

// TestCallsGoOnAfterAFailOver kills the primary at one place of a call and promotes its standby,
// which replicates synchronously: nothing is lost that a call was answered with.
func TestCallsGoOnAfterAFailOver(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"connecting", "hold", "talking", "recording", "message left"} {
		if at != "connecting" && !onRequest() {
			continue
		}
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			primary := ownServer(t, "wal_level=replica")
			standby := synchronous(t, primary)
			s := disturbedOn(t, fmt.Sprintf("postgres://livecall@%s,%s/postgres?target_session_attrs=read-write", primary.Addr(), standby.Addr()))
			var over time.Duration
			step := func(place string) {
				if place != at || over != 0 {
					return
				}
				began := time.Now()
				primary.Kill()
				if err := standby.Promote(t.Context()); err != nil {
					t.Fatal(err)
				}
				over = time.Since(began)
			}
			if at == "recording" || at == "message left" {
				s.leavesAMessage(step)
			} else {
				s.talksBriefly(step)
			}
			t.Logf("the fail-over took %s; the longest answer: %+v", over, s.Longest())
		})
	}
}

// synchronous starts a standby for which each commit of the primary waits.
func synchronous(t *testing.T, primary *postgres.Server) *postgres.Server {
	t.Helper()
	standby, err := primary.Standby(t.Context(), t.TempDir(), "max_connections=100", "shared_buffers=32MB")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Kill)
	if err := primary.Synchronous(t.Context()); err != nil {
		t.Fatal(err)
	}
	return standby
}

// onRequest reports whether the tests on PostgreSQL are asked for, as by make test-postgres.
// Otherwise tests that play many calls, each with a server of its own, play some of them: all would
// take longer than all other tests together.
func onRequest() bool { return os.Getenv("LIVECALL_TEST_DATABASE") == "postgres" }
