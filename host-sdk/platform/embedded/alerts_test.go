package embedded_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
)

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
		"0s Routed to DevOps; waiting for layer 1: Alice Example (gets no mail or notification)",
		"2m0s <alice> Alice Example acknowledged",
		"1h2m0s The acknowledgement of Alice Example was taken back (Alice Example did not answer the phone); open again in layer 1: Alice Example",
		"1h2m0s Escalated; waiting for layer 2: Bob Example (gets no mail or notification) and Carol Example (gets no mail or notification)",
		"1h2m0s <bob> Bob Example acknowledged",
		"1h2m0s <bob> Bob Example resolved it",
	)
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
		"0s Routed to DevOps; waiting for layer 1: Alice Example (gets no mail or notification)",
		"0s <alice> Alice Example cannot take it now",
		"0s Nobody is left in layer 1; waiting for layer 2: Bob Example (gets no mail or notification) and Carol Example (gets no mail or notification)",
		"0s <bob> Bob Example cannot take it now",
		"0s <carol> Carol Example cannot take it now",
		"0s Nobody is left in layer 2; round 2, waiting for layer 1: Alice Example (gets no mail or notification)",
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
	if story := strings.Join(w.story(), "\n"); !strings.Contains(story, "Nobody in layer 1 acknowledged it; its team is no longer in the file: dropped") {
		t.Error(story)
	}
}

func TestAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noon, storyFile)
	for audience, want := range map[integration.Audience][]string{
		// Dave has Alice's address in capitals.
		integration.AudienceTeam:      {"alice@example.com", "bob@example.com"},
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
