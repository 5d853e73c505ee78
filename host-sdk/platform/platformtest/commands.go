package platformtest

import (
	"slices"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// A key names one alert of one integration for ever: creating it again, with whatever number,
// changes nothing.
func testCreate(t *testing.T, b *bench) {
	s := b.session()
	_, err := b.Platform.Alert(b.ctx(t), b.Scope, s.key)
	wantKind(t, "Alert before it is created", err, integration.KindNotFound)
	s.apply(t, s.create())
	if !b.caps.UnroutedAlerts {
		s.apply(t, s.route(b.Team))
		if a := s.snapshot(t); a.Key != s.key || a.ID == "" {
			t.Errorf("after create and route: %+v", a)
		}
		return
	}
	first := s.want(t, "create", integration.AlertQueued)
	if first.Key != s.key || first.ID == "" || len(first.Teams) != 0 || first.Layer != 0 || len(first.Acknowledgements) != 0 || first.ReadAt.IsZero() {
		t.Errorf("a new alert is %+v", first)
	}
	s.apply(t, s.create()) // a higher number: another create of the same key
	s.unchanged(t, "creating it again", first)

	elsewhere := b.Scope
	elsewhere.Integration += "-other"
	_, err = b.Platform.Alert(b.ctx(t), elsewhere, s.key)
	wantKind(t, "the same key in another integration", err, integration.KindNotFound)

	other := b.session()
	other.apply(t, other.create())
	if a := other.snapshot(t); a.ID == first.ID {
		t.Errorf("two keys share the alert %s", a.ID)
	}
}

// Routing begins with the first layer of the first round. The same teams again must not page
// anybody anew; other teams begin from the front.
func testRoute(t *testing.T, b *bench) {
	s := b.open(t)
	a := s.want(t, "route", integration.AlertOpen)
	if !slices.Equal(a.Teams, []string{b.Team}) {
		t.Errorf("after route the teams are %v, want %s", a.Teams, b.Team)
	}
	if b.caps.Escalate && (a.Layer != 1 || a.Round != 1) {
		t.Errorf("after route layer %d of round %d is paged, want layer 1 of round 1", a.Layer, a.Round)
	}
	s.apply(t, s.route(b.Team))
	s.unchanged(t, "routing to the team it has", a)
	if b.caps.Escalate {
		s.apply(t, s.escalate(a))
		a = s.want(t, "leaving layer 1", integration.AlertOpen)
		s.apply(t, s.route(b.Team))
		s.unchanged(t, "routing to the team it has, in layer 2", a)
	}
	s.apply(t, s.route(b.OtherTeam))
	if a = s.want(t, "route to another team", integration.AlertOpen); !slices.Equal(a.Teams, []string{b.OtherTeam}) {
		t.Errorf("after route to another team the teams are %v, want %s", a.Teams, b.OtherTeam)
	}
	if b.caps.Escalate && a.Layer != 1 {
		t.Errorf("another team begins with layer %d, want 1", a.Layer)
	}
}

// testRouteIdle routes to a team with nobody on call: the alert must not stay open for ever.
func testRouteIdle(t *testing.T, b *bench) {
	if b.IdleTeam == "" {
		t.Skip("the fixture names no team with nobody on call")
	}
	s := b.session()
	s.apply(t, s.create())
	s.apply(t, s.route(b.IdleTeam))
	dropped := s.want(t, "route to a team with nobody on call", integration.AlertDropped)
	if b.caps.Escalate {
		s.apply(t, s.escalate(dropped))
		s.unchanged(t, "escalating what is dropped", dropped)
	}
	if b.caps.AcknowledgeAs {
		s.apply(t, s.acknowledge(b.Users[0]))
		s.want(t, "acknowledging a dropped alert", integration.AlertAcknowledged)
	}
}

// The first acknowledgement stands. A second one, whoever it is by, must not replace it: a flow
// tells its own from a person's by its id.
func testAcknowledge(t *testing.T, b *bench) {
	s, first := b.acknowledged(t)
	if b.caps.AcknowledgedByUser && first.Acknowledgements[0].User != b.Users[0] {
		t.Errorf("the acknowledgement names %q, want %q", first.Acknowledgements[0].User, b.Users[0])
	}
	s.unchanged(t, "reading it", first)
	s.apply(t, s.acknowledge(b.Users[1]))
	s.unchanged(t, "a second acknowledgement", first)
	s.apply(t, s.acknowledge(b.Users[0]))
	s.unchanged(t, "a second acknowledgement by the same person", first)
}

// testAcknowledgedBy looks at whose command made an acknowledgement. A platform need not say; where
// it does, it must be right: a flow takes back what is its own.
func testAcknowledgedBy(t *testing.T, b *bench) {
	need(t, b.caps.AcknowledgeAs, "AcknowledgeAs")
	s := b.open(t)
	s.apply(t, s.create()) // one more command before it
	s.apply(t, s.acknowledge(b.Users[0]))
	number := s.last
	s.apply(t, s.acknowledge(b.Users[1])) // and one after it
	if got := s.want(t, "acknowledging", integration.AlertAcknowledged).Acknowledgements[0].Command; got != 0 && got != number {
		t.Errorf("the acknowledgement was made by command %d, want %d, or 0 if the platform does not say", got, number)
	}
}

// testDecline says that a person passes this turn. A platform that has no such thing refuses the
// command as unsupported; one that has it need not show who declined.
func testDecline(t *testing.T, b *bench) {
	s := b.open(t)
	first := s.snapshot(t)
	entries, err := b.Platform.OnCall(b.ctx(t), b.Scope, b.Team, 1, b.Now())
	if err != nil || len(entries) == 0 {
		t.Fatalf("nobody is on call in layer 1: %v", err)
	}
	err = s.try(t, s.decline(unknown))
	if integration.KindOf(err) == integration.KindUnsupported {
		t.Skip("the platform does not know the command decline")
	}
	if err != nil && !integration.KindOf(err).Final() {
		t.Errorf("declining for an unknown person: %v, want nothing, or an error of a final kind", err)
	}
	s.unchanged(t, "declining for an unknown person", first)
	for _, u := range b.Users {
		if !onCall(entries, u) {
			s.apply(t, s.decline(u))
			s.unchanged(t, "declining for somebody who is not being paged", first)
		}
	}
	if !b.caps.Escalate {
		return // what a layer is, and who is in it, is the platform's alone
	}
	for _, e := range entries {
		s.apply(t, s.decline(e.User.ID))
	}
	second := s.want(t, "everybody of layer 1 declining", integration.AlertOpen)
	if second.Layer != 2 {
		t.Errorf("after everybody of layer 1 declined, layer %d is paged, want layer 2", second.Layer)
	}
	if entries, err = b.Platform.OnCall(b.ctx(t), b.Scope, b.Team, 2, b.Now()); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if slices.Contains(second.Declined, e.User.ID) {
			t.Errorf("%s is paged in layer 2 and counts as declined: %v", e.User.ID, second.Declined)
		}
	}
	if len(entries) < 2 {
		return
	}
	user := entries[0].User.ID
	s.apply(t, s.decline(user))
	one := s.want(t, "one of several declining", integration.AlertOpen)
	if one.Layer != 2 || len(one.Declined) != 0 && !slices.Contains(one.Declined, user) {
		t.Errorf("after %s declined: layer %d, declined %v; want layer 2 and %s among them, or nobody if the platform does not say", user, one.Layer, one.Declined, user)
	}
	s.apply(t, s.decline(user))
	s.unchanged(t, "declining again", one)
	declinedUntilPagedAgain(t, b, s, user, entries[1].User.ID)
	s.apply(t, s.resolve())
	over := s.snapshot(t)
	s.apply(t, s.decline(entries[1].User.ID))
	s.unchanged(t, "declining what is resolved", over)
}

// declinedUntilPagedAgain has somebody else acknowledge, which changes nothing for who declined,
// and takes that back, which pages the layer again.
func declinedUntilPagedAgain(t *testing.T, b *bench, s *session, user, other string) {
	t.Helper()
	if !b.caps.AcknowledgeAs || !b.caps.Reopen {
		return
	}
	before := s.snapshot(t).Declined
	s.apply(t, s.acknowledge(other))
	taken := s.want(t, "somebody else acknowledging", integration.AlertAcknowledged)
	if slices.Contains(before, user) && !slices.Contains(taken.Declined, user) {
		t.Errorf("%s declined and was not paged again; after %s acknowledged, declined %v", user, other, taken.Declined)
	}
	s.apply(t, s.reopen(taken.Acknowledgements[0].ID))
	again := s.want(t, "taking that back", integration.AlertOpen)
	if again.Layer == 2 && slices.Contains(again.Declined, user) {
		t.Errorf("%s is paged again in layer 2 and counts as declined: %v", user, again.Declined)
	}
}

// onCall reports whether a person is among the entries.
func onCall(entries []integration.OnCallEntry, user string) bool {
	return slices.ContainsFunc(entries, func(e integration.OnCallEntry) bool { return e.User.ID == user })
}

// A person whom the platform does not know cannot have acknowledged: the error is final, or the
// command would be repeated for a day.
func testAcknowledgeNobody(t *testing.T, b *bench) {
	need(t, b.caps.AcknowledgeAs, "AcknowledgeAs")
	s := b.open(t)
	err := s.try(t, s.acknowledge(unknown))
	if kind := integration.KindOf(err); kind != integration.KindNotFound && kind != integration.KindInvalid {
		t.Errorf("acknowledging for an unknown person: %v, want not_found or invalid", err)
	}
	s.want(t, "acknowledging for an unknown person", integration.AlertOpen)
}

// Reopening names the acknowledgement to take back, so that a late command cannot undo a newer one.
func testReopen(t *testing.T, b *bench) {
	need(t, b.caps.Reopen, "Reopen")
	s, first := b.acknowledged(t)
	ack := first.Acknowledgements[0].ID
	s.apply(t, s.reopen(unknown))
	s.unchanged(t, "taking back an acknowledgement that never was", first)
	s.apply(t, s.reopen(ack))
	opened := s.want(t, "taking the acknowledgement back", integration.AlertOpen)
	if len(opened.Acknowledgements) != 0 {
		t.Errorf("the acknowledgement is still in force: %+v", opened.Acknowledgements)
	}
	if b.caps.Escalate && opened.Layer < 1 {
		t.Errorf("the alert is open again, but no layer is paged")
	}
	s.apply(t, s.reopen(ack))
	s.unchanged(t, "taking it back again", opened)

	s.apply(t, s.acknowledge(b.Users[0]))
	second := s.want(t, "acknowledging again", integration.AlertAcknowledged)
	if id := second.Acknowledgements[0].ID; id == ack {
		t.Errorf("two acknowledgements of one person have the id %s", id)
	}
	s.apply(t, s.reopen(ack))
	s.unchanged(t, "taking back an older acknowledgement", second)
}

// testReopenOver opens alerts without naming an acknowledgement, which only concerns those that are
// over.
func testReopenOver(t *testing.T, b *bench) {
	need(t, b.caps.Reopen, "Reopen")
	s := b.open(t)
	open := s.snapshot(t)
	s.apply(t, s.reopen(""))
	s.unchanged(t, "opening what is open", open)
	s.apply(t, s.resolve())
	s.want(t, "resolve", integration.AlertResolved)
	s.apply(t, s.reopen(""))
	s.want(t, "opening what was resolved", integration.AlertOpen)
	if !b.caps.AcknowledgeAs {
		return
	}
	acked, was := b.acknowledged(t)
	acked.apply(t, acked.reopen(""))
	acked.unchanged(t, "opening what is acknowledged without naming the acknowledgement", was)
	acked.apply(t, acked.resolve())
	acked.apply(t, acked.reopen(""))
	if a := acked.want(t, "opening what was acknowledged and resolved", integration.AlertOpen); len(a.Acknowledgements) != 0 {
		t.Errorf("opened again with acknowledgements %+v", a.Acknowledgements)
	}
}

// Escalating names the layer and round to leave, so that a late command cannot skip a layer.
func testEscalate(t *testing.T, b *bench) {
	need(t, b.caps.Escalate, "Escalate")
	s := b.open(t)
	first := s.snapshot(t)
	wrong := first
	wrong.Layer++
	s.apply(t, s.escalate(wrong))
	s.unchanged(t, "leaving a layer it is not on", first)
	wrong = first
	wrong.Round++
	s.apply(t, s.escalate(wrong))
	s.unchanged(t, "leaving a round it is not in", first)
	s.apply(t, s.escalate(first))
	second := s.want(t, "leaving layer 1", integration.AlertOpen)
	if second.Layer != 2 || second.Round != 1 {
		t.Fatalf("after leaving layer 1 it is on layer %d of round %d, want layer 2 of round 1", second.Layer, second.Round)
	}
	s.apply(t, s.escalate(first))
	s.unchanged(t, "leaving layer 1 again", second)
	s.apply(t, s.escalate(second))
	s.unchanged(t, "leaving the last layer: a command never drops an alert", second)
	if !b.caps.AcknowledgeAs {
		return
	}
	acked, was := b.acknowledged(t)
	acked.apply(t, acked.escalate(was))
	acked.unchanged(t, "escalating what is acknowledged", was)
}

// Resolving works from every status, and stays: an acknowledgement that comes later is too late.
func testResolve(t *testing.T, b *bench) {
	if b.caps.UnroutedAlerts {
		s := b.session()
		s.apply(t, s.create())
		s.apply(t, s.resolve())
		s.want(t, "resolving a queued alert", integration.AlertResolved)
	}
	s := b.open(t)
	s.apply(t, s.resolve())
	over := s.want(t, "resolving an open alert", integration.AlertResolved)
	s.apply(t, s.resolve())
	s.unchanged(t, "resolving it again", over)
	if b.caps.AcknowledgeAs {
		s.apply(t, s.acknowledge(b.Users[0]))
		s.unchanged(t, "acknowledging what is resolved", over)
		acked, _ := b.acknowledged(t)
		acked.apply(t, acked.resolve())
		acked.want(t, "resolving an acknowledged alert", integration.AlertResolved)
	}
}

// testUnknown names an alert, a team and a command that do not exist. The errors must be of a final
// kind: any other is retried.
func testUnknown(t *testing.T, b *bench) {
	s := b.session()
	if b.caps.UnroutedAlerts { // others hold back what comes before the alert is routed
		for _, cmd := range []integration.AlertCommand{s.route(b.Team), s.resolve(), s.log("hello")} {
			if cmd.Kind == integration.AlertLog && !b.caps.Annotations {
				continue
			}
			wantKind(t, string(cmd.Kind)+" for an alert that was never created", s.try(t, cmd), integration.KindNotFound)
		}
	}
	o := b.session()
	o.apply(t, o.create())
	if err := o.try(t, o.route(unknown)); err == nil || !integration.KindOf(err).Final() {
		t.Errorf("routing to an unknown team: %v, want an error of a final kind", err)
	}
	if err := o.try(t, integration.AlertCommand{Kind: "platformtest"}); err == nil || !integration.KindOf(err).Final() {
		t.Errorf("an unknown command: %v, want an error of a final kind", err)
	}
}
