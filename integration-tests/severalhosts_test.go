package integrationtests

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/integration-tests/balance"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// several is a hotline of two hosts that share a database.
type several struct {
	*hotline
	*balance.Balancer
	database  string // its address
	hosts     []string
	second    *demo.Host
	secondLog *testlog.Buffer
	back      chan error // of a restart of the database: how it ended
}

// startSeveral starts two hosts, each with a data folder and plugin processes of its own, behind a
// balancer.
func startSeveral(t *testing.T, opts options, change ...func(*demo.Config)) *several {
	t.Helper()
	return startSeveralWith(t, opts, nil, change...)
}

// startSeveralWith gives the second host more environment.
func startSeveralWith(t *testing.T, opts options, env []string, change ...func(*demo.Config)) *several {
	t.Helper()
	b, err := balance.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	s := &several{Balancer: b, database: postgres.Database(t), secondLog: &testlog.Buffer{}}
	s.hotline = start(t, opts, append([]func(*demo.Config){func(c *demo.Config) {
		c.NoSetUp, c.PublicURL = true, b.URL
		c.Env = append(c.Env, "SWITCHBOARD_DATABASE_URL="+s.database, "SWITCHBOARD_SECRET_KEY="+seal.NewKey())
	}}, change...)...)
	log := s.secondLog
	if s.second, err = s.AddHost(context.Background(), t.TempDir(), log, env...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.second.Stop(); err != nil {
			t.Errorf("the second switchboard: %v", err)
		}
		if t.Failed() {
			t.Logf("the second switchboard's log:\n%s", log)
		}
		if strings.Contains(log.String(), "DATA RACE") {
			t.Error("a data race was found in a process; see the log")
		}
	})
	s.hosts = []string{s.Addr, s.second.Addr}
	b.To(s.hosts...)
	if err := s.SetUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestACallIsOneWhicheverHostItsRequestsReach plays a whole call of which each request reaches
// another host than the one before.
func TestACallIsOneWhicheverHostItsRequestsReach(t *testing.T) {
	t.Parallel()
	s := startSeveral(t, acknowledgeFirst)
	c := s.onHold()
	s.reach(c)
	s.cleanedUp()
	a := s.alert("with its duration", func(a alert) bool { return strings.Contains(a.story(), "took") })
	s.inOrder(a, "chose DevOps", "waiting for layer 1: Alice Example", "Alice Example acknowledged", "takes the call", "is being connected with the caller", "took")
	for _, host := range s.hosts {
		if s.Served()[host] < 5 {
			t.Errorf("the hosts served %v", s.Served())
		}
	}
}

// TestHostsWhoseClocksDifferGoByTheDatabases plays a call, in real time, on two hosts of which
// one's clock is half a minute ahead.
func TestHostsWhoseClocksDifferGoByTheDatabases(t *testing.T) {
	t.Parallel()
	s := startSeveralWith(t, acknowledgeFirst, []string{clockOff(t, 30*time.Second)}, inRealTime)
	s.saysOfItsClock(s.hosts[0], "ok")
	s.saysOfItsClock(s.hosts[1], "degraded")
	c := s.onHold()
	s.reach(c)
	s.cleanedUp()
	s.toldInTime(s.alert("with its duration", func(a alert) bool { return strings.Contains(a.story(), "took") }))
}

// inRealTime is a change of the configuration: hosts go by the database's clock only where their
// own is as fast as the wall.
func inRealTime(c *demo.Config) { c.Clock, c.Sim.SpeechPerCharacter = "", 5*time.Millisecond }

// clockOff is the environment of a host whose machine's clock is so far ahead, or behind.
func clockOff(t *testing.T, by time.Duration) string {
	t.Helper()
	l, err := clock.Lead(filepath.Join(t.TempDir(), "clock"), time.Now().Add(by), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return "SWITCHBOARD_TEST_CLOCK=" + l.Followers()
}

// saysOfItsClock wants the check clock of a host to be so.
func (s *several) saysOfItsClock(addr, state string) {
	s.t.Helper()
	if said, err := s.clockCheck(addr); err != nil || said.State != state {
		s.t.Errorf("the host at %s says of its clock: %+v, %v; want %s", addr, said, err, state)
	}
}

// check is one of what /readyz looks at.
type check struct{ State, Message string }

// clockCheck asks a host of its clock. The error is that it does not answer.
func (s *several) clockCheck(addr string) (check, error) {
	var ready struct{ Checks map[string]check }
	at := *s.Stack
	at.URL = "http://" + addr
	err := at.API(context.Background(), "GET", "/readyz", nil, &ready)
	return ready.Checks["clock"], err
}

// toldInTime wants the lines of a story to go by one clock, whichever host has written them.
func (s *several) toldInTime(a alert) {
	s.t.Helper()
	for i, l := range a.Log {
		if off := time.Since(l.Time); off < 0 || i > 0 && l.Time.Before(a.Log[i-1].Time.Add(-5*time.Second)) {
			s.t.Errorf("the story goes back in time or is ahead of it:\n%+v", a.Log)
			break
		}
	}
}

// kill ends a host, first (0) or second (1), as a crash would; its plugin processes notice and end.
func (s *several) kill(which int) {
	s.t.Helper()
	host := s.Host
	if which == 1 {
		host = s.second
	}
	if err := host.Kill(); err != nil {
		s.t.Fatal(err)
	}
}

// TestAHostMayDieInMidCall kills one of two hosts at each place of a call, with whatever it was
// about to do: the other goes on with the call.
func TestAHostMayDieInMidCall(t *testing.T) {
	t.Parallel()
	talk := func(t *testing.T, s *several, rings, answered, talks func()) {
		t.Helper()
		c := s.onHold()
		rings()
		a := s.alert("open", func(a alert) bool { return a.Status == "open" })
		s.acknowledge(a.ID, "alice")
		leg := s.Sim.Phone(alice).RingsNext(t)
		leg.Answers()
		answered()
		leg.Hears(t, "press 1")
		leg.Presses("1")
		c.ConnectedTo(t, alice)
		talks()
		s.converses(c)
		c.HangsUp()
		c.Ended(t)
		s.over(c, "connected")
	}
	message := func(t *testing.T, s *several, records, left func()) {
		t.Helper()
		c := s.onHold()
		c.Presses("*")
		c.Saw(t, "the beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
		records()
		c.SpeaksFor("My server is on fire, please call back.", 8e9)
		c.Presses("#")
		c.Hears(t, "thank")
		left()
		c.Ended(t)
		s.over(c, "message_left")
		if a := s.alert("with the message", func(a alert) bool { return len(a.Attachments) > 0 }); len(a.Attachments) != 1 {
			t.Errorf("the message is attached %d times", len(a.Attachments))
		}
	}
	alive := func() {}
	for name, play := range map[string]func(t *testing.T, s *several, kill func()){
		"in the menu": func(t *testing.T, s *several, kill func()) {
			c := s.dial()
			c.Hears(t, "Press 2 for DevOps")
			kill()
			c.Presses("2")
			c.Hears(t, "music-")
			s.reach(c)
		},
		"on hold":              func(t *testing.T, s *several, kill func()) { talk(t, s, kill, alive, alive) },
		"connecting":           func(t *testing.T, s *several, kill func()) { talk(t, s, alive, kill, alive) },
		"talking":              func(t *testing.T, s *several, kill func()) { talk(t, s, alive, alive, kill) },
		"recording":            func(t *testing.T, s *several, kill func()) { message(t, s, kill, alive) },
		"with a message ready": func(t *testing.T, s *several, kill func()) { message(t, s, alive, kill) },
	} {
		for which, host := range []string{"the first", "the second"} {
			t.Run(name+", "+host, func(t *testing.T) {
				t.Parallel()
				s := startSeveral(t, voicemail)
				play(t, s, func() { s.kill(which) })
				s.cleanedUp()
			})
		}
	}
}

// TestHostsShareTheSwitchboardFile gives each of two hosts a file of its own. A start with another
// file changes nothing, a change while a host runs reaches the other, and what is pushed reaches
// both.
func TestHostsShareTheSwitchboardFile(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("testdata/hotline.yaml")
	if err != nil {
		t.Fatal(err)
	}
	named := func(team string) string { return strings.Replace(string(sample), "name: DevOps", "name: "+team, 1) }
	dir := t.TempDir()
	file := func(host, team string) string {
		path := filepath.Join(dir, host+".yaml")
		if err := os.WriteFile(path, []byte(named(team)+"settings: {live_calls_per_integration: "+map[string]string{"first": "111", "second": "222"}[host]+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := startSeveralWith(t, acknowledgeFirst, []string{"SWITCHBOARD_CONFIG=" + file("second", "Second")}, func(c *demo.Config) { c.File = file("first", "First") })
	wants := func(when, team, first, second string) {
		t.Helper()
		for i, check := range []string{first, second} {
			var teams []struct{ Name string }
			var ready struct {
				Checks map[string]struct{ State, Message string }
			}
			s.eventually(fmt.Sprintf("%s: host %d has the team %s", when, i+1, team), func() bool {
				at := *s.Stack
				at.URL = "http://" + s.hosts[i]
				if at.API(context.Background(), "GET", "/api/v1/teams", nil, &teams) != nil || at.API(context.Background(), "GET", "/readyz", nil, &ready) != nil {
					return false
				}
				return slices.ContainsFunc(teams, func(t struct{ Name string }) bool { return t.Name == team }) && ready.Checks["shared_file"].State == check
			}, func() string { return fmt.Sprintf("%+v, %+v", teams, ready.Checks["shared_file"]) })
		}
	}
	push := func(text string) error {
		return s.API(context.Background(), "PUT", "/api/v1/switchboard-file", map[string]string{"text": text}, nil)
	}
	wants("a start with another file", "First", "ok", "degraded")
	file("second", "Changed")
	wants("a change on the second host", "Changed", "degraded", "ok")
	if err := push("teams: 5\n"); err == nil || !strings.Contains(err.Error(), ":1:8: teams: must be a list") {
		t.Errorf("a file with problems is pushed: %v", err)
	}
	if err := push(named("First")); err != nil {
		t.Fatal(err)
	}
	wants("the first host's file was pushed", "First", "ok", "degraded")
	if err := s.second.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.second.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	wants("the second host was restarted", "First", "ok", "degraded")
	command := exec.Command(binaries+"/switchboard", "config", "push")
	command.Env = s.second.Process.Env
	if said, err := command.CombinedOutput(); err != nil || !strings.Contains(string(said), "second.yaml is in force on all hosts") {
		t.Errorf("config push of the second host's file: %v, %s", err, said)
	}
	wants("the second host's file was pushed", "Changed", "degraded", "ok")
	var hosts []struct {
		ID   string
		Hash string `json:"file_hash"`
	}
	s.eventually("both hosts are listed, with the same file", func() bool {
		return s.API(context.Background(), "GET", "/api/v1/hosts", nil, &hosts) == nil && len(hosts) == 2 && hosts[0].Hash == hosts[1].Hash
	}, func() string { return fmt.Sprintf("%+v", hosts) })
}
