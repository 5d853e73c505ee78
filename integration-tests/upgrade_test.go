package integrationtests

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/integration-tests/component"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/pace"
	"github.com/livecallrouting/livecall/integration-tests/programs"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// upgradeCalls is how many calls an upgrade is played with; make test-upgrade plays more.
var upgradeCalls = flag.Int("upgrade-calls", 30, "calls that are played while hosts are upgraded and taken back")

// previous returns the folder with the programs of the previous release.
func previous(t *testing.T) string {
	t.Helper()
	return component.Get(t, component.Upgrade, func() (string, error) {
		return programs.Previous(context.Background(), "..", raceFlags...)
	})
}

// A desk is what one call at a time is played with: two people, and two numbers, one with a menu of
// teams and one with a router.
type desk struct {
	*hotline
	n int
}

// desks is how many calls are played at a time.
const desks = 8

func (d desk) phone(person int) string { return fmt.Sprintf("+1202555%d%d%02d", 3, person, d.n) }

func (d desk) number(routed bool) string {
	if routed {
		return fmt.Sprintf("+120255552%02d", d.n)
	}
	return fmt.Sprintf("+120255551%02d", d.n)
}

// deskFile writes a switchboard file for all desks.
func deskFile(t *testing.T) string {
	t.Helper()
	var users, teams, routers strings.Builder
	for n := range desks {
		d := desk{n: n}
		fmt.Fprintf(&users, "  - {id: first%[1]d, name: First %[1]d, email: first%[1]d@example.com, phones: [%[2]q]}\n", n, d.phone(1))
		fmt.Fprintf(&users, "  - {id: second%[1]d, name: Second %[1]d, email: second%[1]d@example.com, phones: [%[2]q]}\n", n, d.phone(2))
		fmt.Fprintf(&teams, `  - id: team%[1]d
    name: Team %[1]d
    admins: [first%[1]d]
    members: [first%[1]d, second%[1]d]
    schedule: {timezone: Europe/Berlin, layers: [{users: [first%[1]d]}, {users: [second%[1]d]}]}
    escalation: {layers: [{timeout: 5m}, {timeout: 5m}], repeat: 0}
  - id: other%[1]d
    name: Other %[1]d
    admins: [second%[1]d]
    members: [second%[1]d]
    schedule: {timezone: Europe/Berlin, layers: [{users: [second%[1]d]}]}
    escalation: {layers: [{timeout: 5m}], repeat: 0}
`, n)
		fmt.Fprintf(&routers, "  - {id: router%[1]d, enabled: true, default_receiver: other%[1]d, rules: [{match: {always: true}, actions: [{type: assign, receiver: team%[1]d}]}]}\n", n)
	}
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	text := "users:\n" + users.String() + "teams:\n" + teams.String() + "routers:\n" + routers.String()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// setUpDesks makes the integrations of all desks.
func (h *hotline) setUpDesks() {
	h.t.Helper()
	for n := range desks {
		d := desk{n: n}
		opts := options{"voicemail": true, "deliver_messages": "off", "ring_timeout": 60, "calls_per_number": 0}
		for number, to := range map[string][]string{
			d.number(false): {fmt.Sprintf("team:other%d", n), fmt.Sprintf("team:team%d", n)}, d.number(true): {fmt.Sprintf("router:router%d", n)},
		} {
			if _, _, err := h.AddHotline(context.Background(), number, to, opts); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// place is told where a call stands, and may hold it there.
type place func(name string)

func (d desk) dials(routed bool) *twiliosim.Call {
	d.t.Helper()
	c, err := d.Sim.Call(fmt.Sprintf("+12025559%03d", d.n), d.number(routed))
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

// onHold calls and chooses the team in the menu.
func (d desk) onHold(at place) *twiliosim.Call {
	d.t.Helper()
	c := d.dials(false)
	c.Hears(d.t, "Press 2 for Team")
	at("menu")
	c.Presses("2")
	c.Hears(d.t, "music-")
	at("hold")
	return c
}

// takes lets a person answer and press a key.
func (d desk) takes(person int, key string, at place) {
	d.t.Helper()
	leg := d.Sim.Phone(d.phone(person)).RingsNext(d.t)
	leg.Answers()
	leg.Hears(d.t, "press 1")
	at("connecting")
	leg.Presses(key)
}

// talks ends a call with a conversation.
func (d desk) talks(c *twiliosim.Call, person int, at place) {
	d.t.Helper()
	c.ConnectedTo(d.t, d.phone(person))
	at("talking")
	d.converses(c)
	c.HangsUp()
	d.ends(c, "connected")
}

// ends waits until a call is over, and checks how.
func (d desk) ends(c *twiliosim.Call, how string) {
	d.t.Helper()
	c.Ended(d.t)
	if k := d.call(c, "ended", func(k call) bool { return k.State == "ended" }); k.Ended != how {
		d.t.Errorf("call %s ended as %q, want %q", c.Sid, k.Ended, how)
	}
}

// played are the calls that are played in turn: each has a step that another one lacks.
var played = []struct {
	name string
	play func(d desk, at place)
}{
	{"the first person takes it", func(d desk, at place) {
		c := d.onHold(at)
		d.takes(1, "1", at)
		d.talks(c, 1, at)
	}},
	{"a message is left", func(d desk, at place) {
		c := d.onHold(at)
		c.Presses("*")
		c.Saw(d.t, "the beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
		at("recording")
		c.SpeaksFor("My server is on fire, please call back.", 8*time.Second)
		c.Presses("#")
		c.Hears(d.t, "thank")
		d.ends(c, "message_left")
		a := d.alertOf(c, "with the message", func(a alert) bool { return len(a.Attachments) > 0 })
		if len(a.Attachments) != 1 {
			d.t.Errorf("the message is attached %d times", len(a.Attachments))
		}
	}},
	{"a router assigns, the first person passes, the second takes it", func(d desk, at place) {
		c := d.dials(true)
		c.Hears(d.t, "music-")
		at("hold")
		d.takes(1, "2", at)
		d.takes(2, "1", at)
		d.talks(c, 2, at)
	}},
	{"the caller hangs up on hold", func(d desk, at place) {
		c := d.onHold(at)
		d.Sim.Phone(d.phone(1)).RingsNext(d.t)
		c.HangsUp()
		d.ends(c, "hung_up")
	}},
	{"two minutes on hold, until the second person takes it", func(d desk, at place) {
		second := d.Sim.Phone(d.phone(2))
		second.AnswersAfter(50*time.Second, "press 1", "1")
		defer second.Rings()
		c := d.onHold(at)
		d.Sim.Phone(d.phone(1)).RingsNext(d.t) // and is not answered
		d.talks(c, 2, at)
	}},
}

// playDesks plays calls at all desks, one after the other at each, until as many as wanted have
// begun.
func playDesks(t *testing.T, h *hotline, calls int, begun *atomic.Int64) {
	t.Helper()
	// Not by t.Parallel: the desks would wait in line behind all other tests.
	var all sync.WaitGroup
	defer all.Wait()
	for n := range desks {
		all.Go(func() {
			t.Run(fmt.Sprintf("desk %d", n), func(t *testing.T) {
				own := *h
				own.t = t
				d := desk{&own, n}
				for i := n; !t.Failed(); i++ {
					if begun.Add(1) > int64(calls) {
						return
					}
					played[i%len(played)].play(d, func(string) {})
				}
			})
		})
	}
}

// clean checks that no host has refused something, or given it up.
func (h *hotline) clean(logs ...fmt.Stringer) {
	h.t.Helper()
	for _, log := range logs {
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, "level=ERROR") || strings.Contains(line, "newer") || strings.Contains(line, "will retry") {
				h.t.Errorf("a host says: %s", line)
			}
		}
	}
}

// TestUpgradeAndRollBackInMidCall has two hosts of the previous release on one database, behind a
// balancer that gives each request to the other host than the one before. While calls go on, one is
// replaced by this release, later the other one as well, and then one is taken back. No call
// notices.
func TestUpgradeAndRollBackInMidCall(t *testing.T) {
	t.Parallel()
	old := previous(t)
	s := startSeveral(t, nil, func(c *demo.Config) {
		c.Switchboard, c.File, c.Teams = old+"/switchboard", deskFile(t), []string{"team0"}
		c.Env = append(c.Env, "SWITCHBOARD_ROLLBACK_MINUTES=1000") // however long the test takes
	})
	s.setUpDesks()
	var begun atomic.Int64
	calls := *upgradeCalls
	replace := func(which int, program string, after int) {
		// Without a limit of its own: the desks begin when there is room beside other tests.
		for begun.Load() < int64(after) && !t.Failed() && t.Context().Err() == nil {
			time.Sleep(50 * time.Millisecond)
		}
		host := []*demo.Host{s.Host, s.second}[which]
		s.Drain(s.hosts[1-which])
		if err := host.Stop(); err != nil {
			t.Errorf("host %d does not stop in order: %v", which+1, err)
		}
		host.Program = program + "/switchboard"
		if err := host.Start(context.Background()); err != nil {
			t.Errorf("host %d does not start: %v", which+1, err)
			return
		}
		s.To(s.hosts...)
	}
	var rolling sync.WaitGroup
	rolling.Go(func() {
		replace(1, binaries, desks/2)
		replace(0, binaries, calls/2)
		replace(1, old, calls*3/4)
	})
	playDesks(t, s.hotline, calls, &begun)
	rolling.Wait()
	s.cleanedUp()
	s.clean(s.log, s.secondLog)
	for _, host := range s.hosts {
		t.Logf("host %s has answered %d requests", host, s.Served()[host])
	}
	t.Logf("the longest answer: %+v", s.Longest())
	db, err := pgx.Connect(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.Background()) }()
	var sessions, format int
	if err := db.QueryRow(t.Context(), "select count(*), max(format) from sessions where key like 'CA%'").Scan(&sessions, &format); err != nil {
		t.Fatal(err)
	}
	if want := stateFormat(t, old); sessions < calls || format > want {
		t.Errorf("%d sessions, the newest format of which is %d: want %d at least, and no newer format than %d, which the previous release reads", sessions, format, calls, want)
	}
}

// stateFormat is the format of sessions that a release's plugin writes, by its own words.
func stateFormat(t *testing.T, release string) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(release, "plugins", "livecall", "livecall"), "describe").Output()
	if err != nil {
		t.Fatal(err)
	}
	var d struct{ Formats struct{ State int } }
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return d.Formats.State
}

// installPlugin puts a release's plugin into the folder from which a host starts it, in place of
// the one that is there.
func installPlugin(t *testing.T, folder, release string) {
	t.Helper()
	plugin, staged := filepath.Join(folder, "livecall"), filepath.Join(t.TempDir(), "livecall")
	if err := os.CopyFS(staged, os.DirFS(filepath.Join(release, "plugins", "livecall"))); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(plugin); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(staged, plugin); err != nil {
		t.Fatal(err)
	}
}

// TestAPluginIsUpgradedAndTakenBackInMidCall has a host on SQLite whose plugin alone is exchanged
// while calls are at all places, for that of this release and then for the previous one again, by
// the command that operators use. No call notices.
func TestAPluginIsUpgradedAndTakenBackInMidCall(t *testing.T) {
	t.Parallel()
	old := previous(t)
	folder := t.TempDir()
	installPlugin(t, folder, old)
	leader := leaderFrom(time.Now(), pace.Fastest)
	h := start(t, nil, func(c *demo.Config) {
		c.PluginDir, c.File, c.NoSetUp, c.Clock = folder, deskFile(t), true, leader.Followers()
		c.Env = append(c.Env, "SWITCHBOARD_ROLLBACK_MINUTES=1000")
	})
	h.plugins = folder
	h.setUpDesks()
	for _, release := range []string{binaries, old} {
		// Each call waits at a place of its own until the plugin is another. Where it cannot wait
		// for long, it comes there after the others, and time stands still during the exchange.
		var there [lastOfAll + 1]sync.WaitGroup // by patience
		for _, place := range places {
			there[place.patience].Add(1)
		}
		replaced := make(chan struct{})
		var calls sync.WaitGroup
		for n, place := range places {
			calls.Go(func() {
				var once sync.Once
				here := func() { once.Do(there[place.patience].Done) }
				defer here()
				others := func() {
					for i := range place.patience {
						there[i].Wait()
					}
				}
				if place.name != "recording" { // which is hold first
					others()
				}
				own := *h
				played[place.played].play(desk{&own, n}, func(name string) {
					if name == place.name {
						here()
						<-replaced
					} else if name == "hold" {
						others()
					}
				})
			})
		}
		for i := range there {
			there[i].Wait()
		}
		goOn := pacer.Hold(leader)
		before := h.pluginPID()
		out, err := h.switchboard("plugin", "install", "--unsigned", filepath.Join(release, "plugins", "livecall"))
		if err != nil || !strings.Contains(out, "the running switchboard uses it, and calls went on") {
			t.Errorf("%v: %s", err, out)
		}
		h.eventually("another process serves", func() bool { return h.pluginPID() != before })
		goOn()
		close(replaced)
		calls.Wait()
	}
	h.cleanedUp()
	h.clean(h.log)
}

// TestACallThatANewerPluginWroteWaitsForIt has a host on SQLite whose plugin is taken back after it
// has written what the previous release cannot read: the caller is asked to hold, others are
// served, people learn why, and the call goes on when the newer plugin is back.
func TestACallThatANewerPluginWroteWaitsForIt(t *testing.T) {
	t.Parallel()
	old := previous(t)
	if stateFormat(t, old) == stateFormat(t, binaries) {
		t.Skip("both releases write the same format: there is nothing that the previous one could not read")
	}
	folder := t.TempDir()
	installPlugin(t, folder, binaries)
	h := start(t, acknowledgeFirst, func(c *demo.Config) { c.PluginDir = folder })
	c := h.onHold()
	waits := h.alertOf(c, "open", func(a alert) bool { return a.Status == "open" })
	installPlugin(t, folder, old)
	h.kill(syscall.SIGKILL)
	c.Hears(t, "one moment")
	h.eventually("a finding", func() bool { return h.findings()["host-newer-format"] == "error" })
	other := h.dialFrom("+12025550188")
	other.Hears(t, "Press 2 for DevOps")
	other.HangsUp()
	other.Ended(t)
	installPlugin(t, folder, binaries)
	h.kill(syscall.SIGKILL)
	c.Hears(t, "music-")
	h.acknowledge(waits.ID, "alice")
	h.takes(alice)
	c.ConnectedTo(t, alice)
	h.converses(c)
	c.HangsUp()
	h.over(c, "connected")
}

// How long a call can wait at a place: for minutes, until a question has been repeated a few times,
// or for the seconds of silence after which a recording or the menu's first question ends.
const (
	longest = iota
	repeated
	lastOfAll
)

// places are where a call waits for another plugin: at a step of one of those that are played.
var places = []struct {
	name     string
	played   int
	patience int
}{
	{"menu", 0, lastOfAll}, {"hold", 0, longest}, {"connecting", 0, repeated}, {"talking", 0, longest},
	{"recording", 1, lastOfAll}, {"hold", 2, longest}, {"connecting", 2, repeated}, {"hold", 3, longest},
}
