package embedded_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

const storyFile = `
users:
  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, email: bob@example.com, phones: ["+12025550144"]}
  - {id: carol, name: Carol Example, email: carol@example.com, phones: ["+12025550145"]}
  - {id: dave, name: Dave Example, email: ALICE@example.com, phones: ["+12025550146"]}
teams:
  - id: devops
    name: DevOps
    admins: [alice]
    members: [dave, bob]
    schedule:
      timezone: America/New_York
      layers: [{users: [alice]}, {users: [bob, carol]}]
    escalation: {layers: [{timeout: 5m}, {timeout: 10m}], repeat: 1}
  - id: support
    name: Customer Support
    schedule:
      timezone: Europe/Berlin
      layers: [{users: [dave]}, {users: [bob]}, {users: [carol]}]
      overrides:
        - {layer: 1, from: "2026-06-01T00:00", to: "2026-06-02T00:00", users: []}
        - {layer: 2, from: "2026-06-01T00:00", to: "2026-06-02T00:00", users: []}
    escalation: {layers: [{timeout: 1m}, {timeout: 2m}, {timeout: 3m}]}
  - id: idle
    name: Nobody
    schedule:
      timezone: UTC
      layers: [{users: [bob]}, {users: [carol]}]
      overrides:
        - {layer: 1, from: "2000-01-01T00:00", to: "2100-01-01T00:00", users: []}
        - {layer: 2, from: "2000-01-01T00:00", to: "2100-01-01T00:00", users: []}
    escalation: {layers: [{timeout: 1m}, {timeout: 2m}], repeat: 3}
`

// noon is in New York's winter: 12:00 EST.
var noon = time.Date(2026, 1, 7, 17, 0, 0, 0, time.UTC)

// world is a platform on a clock that the test moves.
type world struct {
	*embedded.Platform

	source *switchboardfile.Source
	t      *testing.T
	clock  *clock.Manual
	db     *sqldb.DB
	dir    string
	stop   func()
	last   int64
}

func newWorld(t *testing.T, at time.Time, file string, more ...func(*embedded.Config)) *world {
	t.Helper()
	w := &world{t: t, clock: clock.NewManual(at), dir: t.TempDir()}
	write(t, w.path(), file)
	w.restart(more...)
	return w
}

func (w *world) path() string { return filepath.Join(w.dir, "switchboard.yaml") }

// restart is a new process on the same file and database.
func (w *world) restart(more ...func(*embedded.Config)) {
	w.t.Helper()
	if w.stop != nil {
		w.stop()
	}
	w.source = source(w.t, w.path(), w.clock)
	cfg := embedded.Config{Host: "test", File: w.source, DB: openDB(w.t, filepath.Join(w.dir, "host.db")), Clock: w.clock,
		AlertURL: func(id string) string { return "https://host.example.com/alerts/" + id }}
	for _, m := range more {
		m(&cfg)
	}
	w.db = cfg.DB
	w.Platform, w.stop = start(w.t, cfg)
}

var scope = platform.Scope{Integration: "int-1"}

const key = "CA1"

func (w *world) do(cmd integration.AlertCommand) {
	w.t.Helper()
	w.last++
	cmd.Number, cmd.At = w.last, w.clock.Now()
	if cmd.AlertKey == "" {
		cmd.AlertKey = key
	}
	if err := w.Apply(context.Background(), scope, cmd); err != nil {
		w.t.Fatalf("%s: %v", cmd.Kind, err)
	}
}

func (w *world) open(teams ...string) {
	w.t.Helper()
	w.do(integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}})
	w.do(integration.AlertCommand{Kind: integration.AlertRoute, Teams: teams})
}

func (w *world) alert() integration.AlertSnapshot {
	w.t.Helper()
	a, err := w.Alert(context.Background(), scope, key)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) record() platform.AlertRecord {
	w.t.Helper()
	r, err := w.GetAlert(context.Background(), w.alert().ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// story is the alert's log: minutes since noon, actor, message.
func (w *world) story() []string {
	w.t.Helper()
	var out []string
	for _, l := range w.record().Log {
		line := fmt.Sprintf("%v ", l.At.Sub(noon))
		if l.Actor != "" {
			line += "<" + l.Actor + "> "
		}
		out = append(out, line+l.Message)
	}
	return out
}

// until waits for something that another goroutine does, without the clock moving.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("not so within a minute: %s\n%s", what, strings.Join(w.story(), "\n"))
		}
	}
}

// lines waits until the story has n lines.
// moving waits like until, and moves the clock by a step after each pause.
func (w *world) moving(step, pause time.Duration, what string, ok func() bool) {
	w.t.Helper()
	var moved time.Time
	w.until(what, func() bool {
		if ok() {
			return true
		}
		if time.Since(moved) > pause {
			w.clock.Advance(step)
			moved = time.Now()
		}
		return false
	})
}

func (w *world) lines(n int) {
	w.t.Helper()
	w.until(fmt.Sprintf("the log has %d lines", n), func() bool { return len(w.record().Log) >= n })
}

func (w *world) act(action platform.AlertAction, user string) error {
	w.t.Helper()
	_, err := w.Act(context.Background(), w.alert().ID, action, user)
	return err
}

func (w *world) wantStory(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.story()); diff != "" {
		w.t.Errorf("-want +got\n%s", diff)
	}
}
