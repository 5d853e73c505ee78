package embedded_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
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

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	for i, step := range []time.Duration{5 * time.Minute, 10 * time.Minute, 5 * time.Minute, 10 * time.Minute} {
		w.clock.Advance(step - time.Millisecond)
		if got := w.record(); got.Status != integration.AlertOpen || len(got.Log) != 2+i {
			t.Fatalf("a millisecond before its time-out: %s", w.story())
		}
		w.clock.Advance(time.Millisecond)
		w.lines(3 + i)
	}
	w.wantStory(
		"0s Created",
		"0s Routed to DevOps: paging layer 1: Alice Example",
		"5m0s No answer from anybody in layer 1 within 5 minutes: paging layer 2: Bob Example and Carol Example",
		"15m0s No answer from anybody in layer 2 within 10 minutes: round 2: paging layer 1: Alice Example",
		"20m0s No answer from anybody in layer 1 within 5 minutes: paging layer 2: Bob Example and Carol Example",
		"30m0s No answer from anybody in layer 2 within 10 minutes: no further layer is left: dropped",
	)
	if a := w.alert(); a.Status != integration.AlertDropped || a.Layer != 0 || !strings.HasPrefix(a.URL, "https://host.example.com/alerts/") {
		t.Errorf("%+v", a)
	}
	if err := w.act(platform.ActAcknowledge, "carol"); err != nil {
		t.Errorf("a dropped alert cannot be acknowledged: %v", err)
	}
}

func TestNobodyOnCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("idle")
	w.wantStory("0s Created", "0s Routed to Nobody: nobody is on call in any layer: dropped")
	if a := w.alert(); a.Status != integration.AlertDropped {
		t.Errorf("%+v", a)
	}
}

func TestLayersWithNobodyArePassedOver(t *testing.T) {
	t.Parallel()
	june := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	w := newWorld(t, june, storyFile)
	w.open("support")
	r := w.record()
	if got := r.Log[1].Message; got != "Routed to Customer Support: nobody is on call in layer 1: nobody is on call in layer 2: paging layer 3: Carol Example" {
		t.Error(got)
	}
	if r.Layer != 3 || !slices.Equal(r.Paged, []string{"carol"}) {
		t.Errorf("layer %d, paged %v", r.Layer, r.Paged)
	}
	w.clock.Advance(3 * time.Minute) // the time-out of layer 3
	w.lines(3)
	if got := w.record(); got.Status != integration.AlertDropped || got.Log[2].Message != "No answer from anybody in layer 3 within 3 minutes: no further layer is left: dropped" {
		t.Error(got.Log)
	}
}

func TestSeveralTeamsGoTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops", "support")
	if r := w.record(); !slices.Equal(r.Paged, []string{"alice", "dave"}) {
		t.Errorf("paged %v", r.Paged)
	}
	w.clock.Advance(5 * time.Minute)
	w.lines(3)
	if r := w.record(); r.Layer != 2 || !slices.Equal(r.Paged, []string{"bob", "carol"}) {
		t.Errorf("layer %d, paged %v: Bob is on call in both", r.Layer, r.Paged)
	}
}

func TestAcknowledgementStopsAndReopenGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	w.clock.Advance(2 * time.Minute)
	if err := w.act(platform.ActAcknowledge, "alice"); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	a := w.alert()
	if a.Status != integration.AlertAcknowledged || a.Layer != 1 || a.Round != 1 || len(w.record().Paged) != 0 {
		t.Fatalf("an hour after the acknowledgement: %+v", a)
	}
	// Her phone does not answer: taken back, and on to the next layer.
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: a.Acknowledgements[0].ID, Text: "Alice Example did not answer the phone."})
	if a = w.alert(); a.Status != integration.AlertOpen || a.Layer != 1 || len(a.Acknowledgements) != 0 {
		t.Fatalf("reopened: %+v", a)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	if err := w.act(platform.ActAcknowledge, "bob"); err != nil {
		t.Fatal(err)
	}
	if err := w.act(platform.ActResolve, "bob"); err != nil {
		t.Fatal(err)
	}
	w.wantStory(
		"0s Created",
		"0s Routed to DevOps: paging layer 1: Alice Example",
		"2m0s <alice> Alice Example acknowledged",
		"1h2m0s The acknowledgement of Alice Example was taken back (Alice Example did not answer the phone): open again in layer 1: Alice Example",
		"1h2m0s Escalated: paging layer 2: Bob Example and Carol Example",
		"1h2m0s <bob> Bob Example acknowledged",
		"1h2m0s <bob> Bob Example resolved it",
	)
}

func TestReopenedLayerHasItsTimeOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "alice"})
	w.clock.Advance(time.Hour)
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: w.alert().Acknowledgements[0].ID})
	w.clock.Advance(5 * time.Minute)
	w.lines(5)
	if a := w.alert(); a.Status != integration.AlertOpen || a.Layer != 2 {
		t.Errorf("%+v", a)
	}
}

func TestReopenAfterDropBeginsAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	for w.alert().Status == integration.AlertOpen { // only a person, or time, drops an alert
		if err := w.act(platform.ActEscalate, "carol"); err != nil {
			t.Fatal(err)
		}
	}
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "carol"})
	a := w.alert()
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: a.Acknowledgements[0].ID})
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: a.Layer, Round: a.Round}) // of layer 0: nothing
	if a := w.alert(); a.Status != integration.AlertOpen || a.Layer != 1 || a.Round != 1 {
		t.Errorf("%+v", a)
	}
}

func TestRejects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	if err := w.act(platform.ActReject, "bob"); integration.KindOf(err) != integration.KindConflict || !strings.Contains(err.Error(), "Bob Example is not being paged") {
		t.Errorf("somebody who is not paged: %v", err)
	}
	for _, user := range []string{"alice", "bob", "carol"} {
		if err := w.act(platform.ActReject, user); err != nil {
			t.Fatal(err)
		}
		if user == "bob" {
			if err := w.act(platform.ActReject, user); err != nil {
				t.Fatalf("again: %v", err)
			}
			if got := w.record().Paged; !slices.Equal(got, []string{"carol"}) {
				t.Errorf("paged %v", got)
			}
		}
	}
	w.wantStory(
		"0s Created",
		"0s Routed to DevOps: paging layer 1: Alice Example",
		"0s <alice> Alice Example cannot take it now",
		"0s Nobody is left in layer 1: paging layer 2: Bob Example and Carol Example",
		"0s <bob> Bob Example cannot take it now",
		"0s <carol> Carol Example cannot take it now",
		"0s Nobody is left in layer 2: round 2: paging layer 1: Alice Example",
	)
}

func TestACommandNeitherDropsAnAlertNorEndsItsRound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops") // two rounds
	for range 3 {
		a := w.alert()
		w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: a.Layer, Round: a.Round})
	}
	if a := w.alert(); a.Status != integration.AlertOpen || a.Layer != 2 || a.Round != 1 {
		t.Errorf("%+v, want it open in the last layer of round 1", a)
	}
	w.clock.Advance(10 * time.Minute) // the layer's own time-out goes on
	w.until("round 2", func() bool { return w.alert().Round == 2 })
}

func TestDecliningByCommandIsThePagesButton(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	decline := func(user string) {
		t.Helper()
		w.do(integration.AlertCommand{Kind: integration.AlertDecline, User: user, Actor: user})
	}
	decline("bob") // who is not being paged yet
	decline("nobody")
	decline("alice")
	decline("bob")
	if a := w.alert(); a.Layer != 2 || !slices.Equal(a.Declined, []string{"alice", "bob"}) {
		t.Errorf("%+v, want Alice and Bob to have declined", a)
	}
	if err := w.act(platform.ActReject, "carol"); err != nil {
		t.Fatal(err)
	}
	if a := w.alert(); a.Round != 2 || len(a.Declined) != 0 {
		t.Errorf("%+v, want nobody to have declined in round 2", a)
	}
	w.wantStory(
		"0s Created",
		"0s Routed to DevOps: paging layer 1: Alice Example",
		"0s <alice> Alice Example cannot take it now",
		"0s Nobody is left in layer 1: paging layer 2: Bob Example and Carol Example",
		"0s <bob> Bob Example cannot take it now",
		"0s <carol> Carol Example cannot take it now",
		"0s Nobody is left in layer 2: round 2: paging layer 1: Alice Example",
	)
	err := w.Apply(context.Background(), scope, integration.AlertCommand{Kind: integration.AlertDecline, AlertKey: key, Number: 99})
	if integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("declining for nobody: %v", err)
	}
}

func TestWhoDeclinedStaysKnownUntilTheyArePagedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	declined := func(when string, want ...string) {
		t.Helper()
		if got := w.alert().Declined; !slices.Equal(got, want) {
			t.Errorf("%s: declined %v, want %v", when, got, want)
		}
	}
	w.do(integration.AlertCommand{Kind: integration.AlertDecline, User: "alice"})
	w.do(integration.AlertCommand{Kind: integration.AlertDecline, User: "bob"})
	declined("in layer 2", "alice", "bob")
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "carol"})
	declined("while Carol has acknowledged", "alice", "bob")
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: w.alert().Acknowledgements[0].ID})
	declined("when layer 2 is paged again", "alice")
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "alice"})
	declined("when Alice has acknowledged after all")
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: w.alert().Acknowledgements[0].ID})
	w.do(integration.AlertCommand{Kind: integration.AlertDecline, User: "bob"})
	declined("in layer 2 again", "bob")
	w.do(integration.AlertCommand{Kind: integration.AlertResolve})
	w.do(integration.AlertCommand{Kind: integration.AlertReopen})
	declined("when it begins anew")
}

func TestAnAcknowledgementSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "alice"})
	w.restart()
	a := w.alert()
	if got := a.Acknowledgements[0].Command; got != w.last {
		t.Errorf("it was made by command %d, want %d", got, w.last)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: a.Acknowledgements[0].ID})
	if err := w.act(platform.ActAcknowledge, "alice"); err != nil {
		t.Fatal(err)
	}
	if got := w.alert().Acknowledgements[0].Command; got != 0 {
		t.Errorf("an acknowledgement on the page was made by command %d", got)
	}
}

func TestPeopleAreNotifiedIfTheHostCanAndAnybodyHasAnAddress(t *testing.T) {
	t.Parallel()
	hook := func(c *embedded.Config) { c.Notify = func(context.Context, alerts.Page) error { return nil } }
	for _, c := range []struct {
		file string
		more []func(*embedded.Config)
		want bool
	}{
		{storyFile, nil, false},
		{storyFile, []func(*embedded.Config){hook}, true},
		{"users: [{id: a, name: A, phones: ['+12025550143']}]\nteams: [{id: t, name: T, schedule: {timezone: UTC, layers: [{users: [a]}]}}]\n", []func(*embedded.Config){hook}, false},
	} {
		caps, err := newWorld(t, noon, c.file, c.more...).Capabilities(context.Background(), scope)
		if err != nil || caps.Notifies != c.want {
			t.Errorf("notifies %v (%v), want %v", caps.Notifies, err, c.want)
		}
	}
}

func TestConflictsAreForPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.do(integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}})
	check := func(action platform.AlertAction, user, want string) {
		t.Helper()
		err := w.act(action, user)
		if integration.KindOf(err) != integration.KindConflict || err.Error() != "conflict: "+want {
			t.Errorf("%s: %v, want %s", action, err, want)
		}
	}
	check(platform.ActEscalate, "bob", "The alert has not reached a team yet")
	w.do(integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"devops"}})
	w.clock.Advance(3 * time.Minute)
	if err := w.act(platform.ActAcknowledge, "alice"); err != nil {
		t.Fatal(err)
	}
	check(platform.ActAcknowledge, "bob", "Alice Example acknowledged it at 12:03 EST")
	if err := w.act(platform.ActResolve, "bob"); err != nil {
		t.Fatal(err)
	}
	if err := w.act(platform.ActResolve, "bob"); err != nil {
		t.Errorf("resolving again: %v", err)
	}
	check(platform.ActAcknowledge, "alice", "The alert is already resolved")
	if err := w.act("sing", "bob"); integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("an unknown action: %v", err)
	}
}

func TestRoutingChangesHands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	w.do(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	w.do(integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"support"}})
	if r := w.record(); r.Layer != 1 || !slices.Equal(r.Paged, []string{"dave"}) || !slices.Equal(r.Teams, []string{"support"}) {
		t.Errorf("an open alert in other hands: layer %d, paged %v", r.Layer, r.Paged)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: "dave"})
	w.do(integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"devops"}})
	if a := w.alert(); a.Status != integration.AlertAcknowledged || !slices.Equal(a.Teams, []string{"devops"}) {
		t.Errorf("an acknowledged alert in other hands: %+v", a)
	}
}

func TestAcknowledgedBeforeItIsRouted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.do(integration.AlertCommand{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "Call"}})
	if err := w.act(platform.ActAcknowledge, "alice"); err != nil {
		t.Fatal(err)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertRoute, Teams: []string{"devops"}})
	a := w.alert()
	if a.Status != integration.AlertAcknowledged {
		t.Fatalf("routing took the acknowledgement away: %+v", a)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, Ack: a.Acknowledgements[0].ID})
	if a := w.alert(); a.Status != integration.AlertOpen || a.Layer != 1 {
		t.Errorf("%+v", a)
	}
	w.do(integration.AlertCommand{Kind: integration.AlertCreate, AlertKey: "CA2", Draft: &integration.AlertDraft{Title: "Call"}})
	w.do(integration.AlertCommand{Kind: integration.AlertResolve, AlertKey: "CA2"})
	w.do(integration.AlertCommand{Kind: integration.AlertReopen, AlertKey: "CA2"})
	if b, err := w.Alert(context.Background(), scope, "CA2"); err != nil || b.Status != integration.AlertQueued {
		t.Errorf("opened without a team: %+v, %v; want it queued", b, err)
	}
}

// A team that has left the file keeps an alert from none of the others.
func TestATeamThatIsGoneKeepsAnAlertFromNoOtherTeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("gone", "devops")
	if r := w.record(); r.Status != integration.AlertOpen || !slices.Equal(r.Paged, []string{"alice"}) {
		t.Errorf("%s, paged %v", r.Status, r.Paged)
	}
	err := w.Apply(t.Context(), scope, integration.AlertCommand{Kind: integration.AlertRoute, AlertKey: "CA1", Number: w.last + 1, Teams: []string{"gone", "gone too"}})
	if integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("routed to nobody: %v", err)
	}
}

// The story of an alert does not say that nobody is on call when the team itself is gone.
func TestTheStorySaysThatTheTeamIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	w.open("devops")
	write(t, w.path(), strings.ReplaceAll(storyFile, "id: devops", "id: operations"))
	if err := w.source.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(5 * time.Minute)
	w.until("dropped", func() bool { return w.alert().Status == integration.AlertDropped })
	if story := strings.Join(w.story(), "\n"); !strings.Contains(story, "No answer from anybody in layer 1: its team is no longer in the file: dropped") {
		t.Error(story)
	}
}

func TestAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	for audience, want := range map[integration.Audience][]string{
		integration.AudienceTeam:      {"alice@example.com", "bob@example.com"}, // Dave has Alice's address in capitals
		integration.AudienceTeamAdmin: {"alice@example.com"},
		integration.AudienceOnCall:    {"alice@example.com", "bob@example.com", "carol@example.com"},
	} {
		got, err := w.Audience(context.Background(), scope, audience, []string{"devops"}, noon)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", audience, got, err, want)
		}
	}
	if _, err := w.Audience(context.Background(), scope, "everybody", []string{"devops"}, noon); integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("an unknown audience: %v", err)
	}
}
