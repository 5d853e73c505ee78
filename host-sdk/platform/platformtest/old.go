package platformtest

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// again sends an earlier command of the session once more, alone. It succeeds and changes nothing,
// whatever it would do if it came now for the first time.
func (s *session) again(t *testing.T, number int64, why string) {
	t.Helper()
	cmd := s.sent[number-1]
	before := s.snapshot(t)
	if err := s.Platform.Apply(s.ctx(t), s.Scope, cmd); err != nil {
		t.Errorf("command %d (%s) came again alone after command %d and failed: %v; its number was run before, so it succeeds", number, cmd.Kind, s.last, err)
		return
	}
	after := s.snapshot(t)
	changed := differences(before, after)
	switch {
	case changed != "":
		t.Errorf("command %d (%s) came again alone after command %d and %s (%s): its number was run before, so it changes nothing", number, cmd.Kind, s.last, why, changed)
	case after.LastCommand < before.LastCommand:
		t.Errorf("command %d (%s) came again alone after command %d, and the last command went back from %d to %d", number, cmd.Kind, s.last, before.LastCommand, after.LastCommand)
	}
}

// testOldCommand sends one old command again after those that undid what it did: an earlier try
// that was thought lost arrives late. To repeat all commands in order hides this fault, as the
// later ones repair what the early ones did anew.
func testOldCommand(t *testing.T, b *bench) {
	b.oldAcknowledge(t)
	b.oldRoute(t)
	b.oldResolve(t)
	b.oldEscalate(t)
	b.oldAnnotation(t)
}

func (b *bench) oldRoute(t *testing.T) {
	t.Helper()
	s := b.open(t)
	s.apply(t, s.route(b.OtherTeam))
	old := s.last
	s.apply(t, s.route(b.Team))
	s.again(t, old, "routed anew")
	s.apply(t, s.resolve())
	s.again(t, 1, "created anew")
	s.again(t, old, "routed what is resolved")
}

func (b *bench) oldResolve(t *testing.T) {
	t.Helper()
	if !b.caps.Reopen {
		return
	}
	s := b.open(t)
	s.apply(t, s.resolve())
	resolved := s.last
	s.apply(t, s.reopen(""))
	s.again(t, resolved, "resolved anew")
	s.apply(t, s.resolve())
	s.again(t, resolved+1, "opened anew what is resolved")
}

// oldEscalate brings the alert back to the layer and round that the old command names.
func (b *bench) oldEscalate(t *testing.T) {
	t.Helper()
	if !b.caps.Escalate {
		return
	}
	s := b.open(t)
	first := s.snapshot(t)
	s.apply(t, s.escalate(first))
	old := s.last
	s.apply(t, s.route(b.OtherTeam))
	s.apply(t, s.route(b.Team))
	s.again(t, old, "escalated anew")
}

func (b *bench) oldAcknowledge(t *testing.T) {
	t.Helper()
	if !b.caps.AcknowledgeAs || !b.caps.Reopen {
		return
	}
	s := b.open(t)
	s.apply(t, s.acknowledge(b.Users[0]))
	old := s.last
	acks := s.want(t, "acknowledge", integration.AlertAcknowledged).Acknowledgements
	if len(acks) == 0 {
		t.Fatal("after acknowledge there is no acknowledgement")
	}
	s.apply(t, s.reopen(acks[0].ID))
	s.again(t, old, "acknowledged anew")
	s.apply(t, s.acknowledge(b.Users[1]))
	s.again(t, old, "acknowledged for another person")
	s.again(t, old+1, "took an acknowledgement back")
}

// oldAnnotation sends a line and an older value of a field again; what they did can only be seen
// where the log can be read.
func (b *bench) oldAnnotation(t *testing.T) {
	t.Helper()
	if !b.caps.Annotations {
		return
	}
	s := b.open(t)
	s.apply(t, s.log("The caller waits"))
	old := s.last
	s.apply(t, s.log("The caller still waits"))
	before, readable := b.lines(t, s)
	s.again(t, old, "logged anew")
	if after, _ := b.lines(t, s); readable && len(after) != len(before) {
		t.Errorf("a line that came again alone is in the log once more: %q", after)
	}
}
