package platformtest

import (
	"fmt"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// needed names the capability that a kind of command belongs to; "" for those that every platform
// has.
func (b *bench) needed(kind integration.AlertCommandKind) (name string, declared bool) {
	switch kind {
	case integration.AlertReopen:
		return "Reopen", b.caps.Reopen
	case integration.AlertEscalate:
		return "Escalate", b.caps.Escalate
	case integration.AlertAcknowledge:
		return "AcknowledgeAs", b.caps.AcknowledgeAs
	case integration.AlertLog, integration.AlertAddField, integration.AlertAttach:
		return "Annotations", b.caps.Annotations
	case integration.AlertCreate, integration.AlertRoute, integration.AlertDecline, integration.AlertResolve:
	}
	return "", false
}

// orDrop adds the remedy to the error of a command that a platform declares and does not have.
func (b *bench) orDrop(kind integration.AlertCommandKind, err error) string {
	name, declared := b.needed(kind)
	if !declared || integration.KindOf(err) != integration.KindUnsupported {
		return ""
	}
	return "; " + orDrop(name, "implement the command "+string(kind))
}

// orDrop says what to do about a capability that is declared and not there.
func orDrop(capability, remedy string) string {
	return fmt.Sprintf("the capability %s is declared but not implemented: drop it, or %s", capability, remedy)
}

// testDeclared looks for the least that each declared capability promises: what is only declared
// makes the call flow wait for what never comes. What exactly it does is the affair of other tests.
func testDeclared(t *testing.T, b *bench) {
	if b.caps.UnroutedAlerts {
		s := b.session()
		s.apply(t, s.create())
		if _, err := b.Platform.Alert(b.ctx(t), b.Scope, s.key); err != nil {
			t.Errorf("an alert that is created and not yet routed cannot be read (%v): %s", err, orDrop("UnroutedAlerts", "keep the alert from create on"))
		}
	}
	if b.caps.Routers && b.Router != "" {
		if _, err := b.Platform.Route(b.ctx(t), b.Scope, b.Router, []byte("{}"), b.Now()); err != nil {
			t.Errorf("Route(%q): %v; %s", b.Router, err, orDrop("Routers", "answer with the router's verdict"))
		}
	}
	if b.caps.Audiences {
		if _, err := b.Platform.Audience(b.ctx(t), b.Scope, integration.AudienceTeam, []string{b.Team}, b.Now()); err != nil {
			t.Errorf("Audience(team, %q): %v; %s", b.Team, err, orDrop("Audiences", "answer with addresses"))
		}
	}
	b.declaredCommands(t)
}

// declaredCommands looks for an effect of each command that belongs to a declared capability. An
// error is judged where it comes, so that one of them does not hide the others.
func (b *bench) declaredCommands(t *testing.T) {
	t.Helper()
	s := b.open(t)
	run := func(capability string, declared bool, cmd integration.AlertCommand, remedy string, there func(integration.AlertSnapshot) bool) {
		if !declared {
			return
		}
		if err := s.try(t, cmd); err != nil {
			t.Errorf("Apply(%s): %v; %s", cmd.Kind, err, orDrop(capability, remedy))
		} else if a := s.snapshot(t); !there(a) {
			t.Errorf("after %s the alert is %s in layer %d with the acknowledgements %+v; %s", cmd.Kind, a.Status, a.Layer, a.Acknowledgements, orDrop(capability, remedy))
		}
	}
	run("Escalate", b.caps.Escalate, s.escalate(s.snapshot(t)), "let escalate lead to the next layer that has anybody on call",
		func(a integration.AlertSnapshot) bool { return a.Layer == 2 })
	run("AcknowledgeAs", b.caps.AcknowledgeAs, s.acknowledge(b.Users[0]), "let acknowledge set the status and add an acknowledgement",
		func(a integration.AlertSnapshot) bool {
			return a.Status == integration.AlertAcknowledged && len(a.Acknowledgements) == 1
		})
	if a := s.snapshot(t); b.caps.AcknowledgedByUser && len(a.Acknowledgements) == 1 && a.Acknowledgements[0].User == "" {
		t.Errorf("the acknowledgement names no user; %s", orDrop("AcknowledgedByUser", "name the user"))
	}
	if b.caps.Annotations {
		for _, cmd := range []integration.AlertCommand{s.log("hello"), s.field("Caller City", "Arlington"), s.attach()} {
			run("Annotations", true, cmd, "keep lines, fields and media", func(integration.AlertSnapshot) bool { return true })
		}
	}
	s.apply(t, s.resolve())
	run("Reopen", b.caps.Reopen, s.reopen(""), "let reopen open what is resolved, and take acknowledgements back",
		func(a integration.AlertSnapshot) bool { return a.Status == integration.AlertOpen })
}
