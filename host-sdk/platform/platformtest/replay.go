package platformtest

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/difference"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// story is a whole call's commands, of those kinds that the platform knows. each is called for
// every command.
func (b *bench) story(t *testing.T, s *session, each func(integration.AlertCommand)) {
	t.Helper()
	each(s.create())
	if b.caps.Annotations && b.caps.UnroutedAlerts {
		each(s.log("The caller chose a team"))
		each(s.field("Caller City", "Arlington"))
	}
	each(s.route(b.Team))
	if b.caps.Annotations {
		each(s.field("Caller City", "Alexandria"))
		each(s.attach())
		each(s.log("same words"))
		each(s.log("same words"))
	}
	if b.caps.Escalate {
		each(s.escalate(s.snapshot(t)))
	}
	if b.caps.AcknowledgeAs {
		each(s.acknowledge(b.Users[0]))
		if b.caps.Reopen {
			each(s.reopen(s.snapshot(t).Acknowledgements[0].ID))
			each(s.acknowledge(b.Users[1]))
		}
	}
	each(s.resolve())
	if b.caps.Reopen {
		each(s.reopen(""))
	}
}

// comparable leaves out what differs between two alerts of the same story.
func comparable(a integration.AlertSnapshot) integration.AlertSnapshot {
	a.Key, a.ID, a.URL, a.Change, a.ReadAt = "", "", "", 0, time.Time{}
	for i := range a.Acknowledgements {
		a.Acknowledgements[i].ID, a.Acknowledgements[i].At = "", time.Time{}
	}
	return a
}

// testTwice runs a story once on one alert and with every command doubled on another.
func testTwice(t *testing.T, b *bench) {
	once, twice := b.session(), b.session()
	b.story(t, once, func(cmd integration.AlertCommand) { once.apply(t, cmd) })
	b.story(t, twice, func(cmd integration.AlertCommand) {
		cmd = twice.number(cmd)
		for range 2 {
			if err := b.Platform.Apply(b.ctx(t), b.Scope, cmd); err != nil {
				t.Fatalf("Apply(%s): %v", cmd.Kind, err)
			}
		}
	})
	first, second := once.snapshot(t), twice.snapshot(t)
	b.sameStory(t, once, twice)
	if d := difference.Of(comparable(first), comparable(second)); d != "" {
		t.Errorf("every command once and every command twice make different alerts:\n%s", d)
	}
}

// sameStory compares the logs, fields and attachments of two alerts where they can be read.
func (b *bench) sameStory(t *testing.T, first, second *session) {
	t.Helper()
	one, readable := b.lines(t, first)
	two, _ := b.lines(t, second)
	if d := difference.Of(one, two); d != "" {
		t.Errorf("every command once and every command twice make different logs:\n%s", d)
	}
	browser, ok := b.Platform.(platform.AlertBrowser)
	if !ok || !readable {
		return
	}
	x, err := browser.GetAlert(b.ctx(t), first.snapshot(t).ID)
	if err != nil {
		t.Fatalf("GetAlert: %v", err)
	}
	y, err := browser.GetAlert(b.ctx(t), second.snapshot(t).ID)
	if err != nil {
		t.Fatalf("GetAlert: %v", err)
	}
	if d := difference.Of(x.Fields, y.Fields); d != "" {
		t.Errorf("fields differ:\n%s", d)
	}
	if len(x.Attachments) != len(y.Attachments) {
		t.Errorf("%d and %d attachments", len(x.Attachments), len(y.Attachments))
	}
}

// testRedelivery delivers, after each command, all commands so far once more, as a host does that
// crashed before it noted what it had delivered.
func testRedelivery(t *testing.T, b *bench) {
	s := b.session()
	b.story(t, s, func(cmd integration.AlertCommand) {
		s.apply(t, cmd)
		if cmd.Kind == integration.AlertCreate && !b.caps.UnroutedAlerts {
			return
		}
		before, err := b.Platform.Alert(b.ctx(t), b.Scope, s.key)
		if err != nil {
			t.Fatalf("Alert after %s: %v", cmd.Kind, err)
		}
		for _, again := range s.sent {
			if err := b.Platform.Apply(b.ctx(t), b.Scope, again); err != nil {
				t.Fatalf("redelivered %s: %v", again.Kind, err)
			}
		}
		s.unchanged(t, "redelivery after "+string(cmd.Kind), before)
	})
}

// The snapshot tells the last command that it reflects, also of one that had no effect: a flow
// ignores snapshots that are older than its own last decision. Without that number it would wait
// for ever.
func testLastCommand(t *testing.T, b *bench) {
	s := b.session()
	var before integration.AlertSnapshot
	b.story(t, s, func(cmd integration.AlertCommand) {
		s.apply(t, cmd)
		if cmd.Kind == integration.AlertCreate && !b.caps.UnroutedAlerts {
			return
		}
		a := s.snapshot(t)
		if a.LastCommand != s.last {
			t.Errorf("after command %d (%s) the snapshot's last command is %d", s.last, cmd.Kind, a.LastCommand)
		}
		switch changed := differences(before, a); {
		case a.Change < before.Change:
			t.Errorf("Change went back from %d to %d", before.Change, a.Change)
		case a.Change == before.Change && a.Change > 0 && changed != "":
			t.Errorf("Change is still %d although %s", a.Change, changed)
		}
		before = a
	})
	if b.caps.Escalate { // a command whose condition does not hold is included too
		s.apply(t, integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 9, Round: 9})
		if a := s.snapshot(t); a.LastCommand != s.last {
			t.Errorf("after a command without effect (%d) the snapshot's last command is %d", s.last, a.LastCommand)
		}
	}
}
