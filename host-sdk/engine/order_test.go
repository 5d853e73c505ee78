package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// watched is a host whose call K waits with an alert of the same key, and what its handler of
// alerts sees. Each handler, that of webhooks too, changes the session, as a flow does that acts
// upon what it sees.
func watched(t *testing.T, change ...func(*engine.Config)) (*host, chan integration.AlertSnapshot) {
	t.Helper()
	h := newHost(t, change...)
	n := 0
	commit := func(key string) *integration.SessionUpdate {
		n++
		u := remember(n)
		u.AlertKey, u.Live = key, true
		return u
	}
	seen := make(chan integration.AlertSnapshot, 100)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		text := "none"
		if a := req.Facts.Alert; a != nil {
			text = fmt.Sprintf("%s %d", a.Status, a.Change)
		}
		return integration.Outcome{Response: ok(text), Session: commit(req.Facts.SessionKey)}, nil
	}
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- *req.Facts.Alert
		return integration.Outcome{Session: commit(req.Facts.SessionKey)}, nil
	}
	h.expect(t, "/c/K/x", "none", "the first request")
	return h, seen
}

// started starts the engine and waits until it has looked at the alert.
func (h *host) started(t *testing.T) {
	t.Helper()
	reads := h.platform.times("alert")
	h.start(t)
	eventually(t, "the look at live calls", func() bool { return h.platform.times("alert") > reads })
}

// show changes the alert without a hint.
func (h *host) show(status integration.AlertStatus, change int64) {
	h.platform.set(func(p *fakePlatform) {
		p.alerts["K"] = integration.AlertSnapshot{Key: "K", Status: status, LastCommand: 3, Change: change}
	})
}

// lose makes the platform not find the alert.
func (h *host) lose() { h.platform.set(func(p *fakePlatform) { delete(p.alerts, "K") }) }

// at posts to another engine on the same store and returns the answer.
func (h *host) at(t *testing.T, e *engine.Engine, path string) string {
	t.Helper()
	resp, err := e.Webhook(context.Background(), h.id, integration.WebhookRequest{Method: "POST", URL: "https://hotline.example.com/integrations/" + h.id + path, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return string(resp.Body)
}

// TestReadingsAreCountedWhereThePlatformCountsNoChanges, for a handler to tell which is the newer,
// and the count outlives the process.
func TestReadingsAreCountedWhereThePlatformCountsNoChanges(t *testing.T) {
	t.Parallel()
	h, seen := watched(t)
	h.started(t)
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen, LastCommand: 3})
	if a := wait(t, seen, "the open alert"); a.Change != 1 {
		t.Errorf("the first reading has the number %d", a.Change)
	}
	h.expect(t, "/c/K/x", "open 1", "the same reading")
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertAcknowledged, LastCommand: 3})
	if a := wait(t, seen, "the acknowledgement"); a.Change != 2 {
		t.Errorf("the second reading has the number %d", a.Change)
	}
	// The run that has seen it may not have committed yet; a request of the same call waits for
	// that.
	h.expect(t, "/c/K/x", "acknowledged 2", "the same reading")
	if got := h.at(t, h.another(t), "/c/K/x"); got != "acknowledged 3" {
		t.Errorf("after a restart: %s", got)
	}
}

// TestWhatAnotherHostMayHaveSeenLaterIsReadAgain: of two readings without a number nobody can say
// which is the newer.
func TestWhatAnotherHostMayHaveSeenLaterIsReadAgain(t *testing.T) {
	t.Parallel()
	h, _ := watched(t)
	h.show(integration.AlertOpen, 0)
	h.expect(t, "/c/K/x", "open 1", "this host reads the alert")
	h.show(integration.AlertAcknowledged, 0)
	other := h.another(t)
	if got := h.at(t, other, "/c/K/x"); got != "acknowledged 2" {
		t.Errorf("the other host sees %s", got)
	}
	h.expect(t, "/c/K/x", "acknowledged 3", "what this host knows is older")
	reads := h.platform.times("alert")
	h.expect(t, "/c/K/x", "acknowledged 3", "it is known now")
	if n := h.platform.times("alert") - reads; n != 0 {
		t.Errorf("read %d times more", n)
	}
}

// TestAPlatformsOwnNumbersAreLeftAsTheyAre, and a copy that is older than what another host has
// seen tells no story.
func TestAPlatformsOwnNumbersAreLeftAsTheyAre(t *testing.T) {
	t.Parallel()
	h, _ := watched(t, manual(newManual()))
	h.show(integration.AlertOpen, 7)
	h.expect(t, "/c/K/x", "open 7", "this host reads the alert")
	h.show(integration.AlertResolved, 9)
	if got := h.at(t, h.another(t), "/c/K/x"); got != "resolved 9" {
		t.Errorf("the other host sees %s", got)
	}
	h.expect(t, "/c/K/x", "open 7", "the copy of this host, whose number says that it is old")
	eventually(t, "a reading beside the call", func() bool {
		resp, err := h.post(t, "/c/K/x", "")
		return err == nil && string(resp.Body) == "resolved 9"
	})
	sess, err := h.store.Session(context.Background(), h.id, "K")
	if err != nil || sess.Alert.Change != 9 {
		t.Errorf("the session has seen %+v (%v)", sess.Alert, err)
	}
}

// TestAReadingThatIsLateReplacesNoneThatBeganAfterIt.
func TestAReadingThatIsLateReplacesNoneThatBeganAfterIt(t *testing.T) {
	t.Parallel()
	h, seen := watched(t)
	h.show(integration.AlertOpen, 0)
	begun, goOn := make(chan struct{}), make(chan struct{})
	first := true
	h.platform.set(func(p *fakePlatform) {
		p.reading = func(string) {
			p.mu.Lock()
			late := first
			first = false
			p.mu.Unlock()
			if late {
				close(begun)
				<-goOn
			}
		}
	})
	h.start(t) // and reads the alert
	wait(t, begun, "the first reading")
	h.show(integration.AlertResolved, 0)
	h.expect(t, "/c/K/x", "resolved 1", "a request that reads for itself")
	close(goOn)
	if a := wait(t, seen, "the alert"); a.Status != integration.AlertResolved {
		t.Errorf("the late reading is handled as %s", a.Status)
	}
	h.expect(t, "/c/K/x", "resolved 1", "the later reading")
}

// missing is a host, with a clock that stands still, whose handler has seen the alert open.
func missing(t *testing.T) (*host, *clock.Manual, chan integration.AlertSnapshot) {
	t.Helper()
	clk := newManual()
	h, seen := watched(t, manual(clk))
	h.started(t)
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen, LastCommand: 3})
	wait(t, seen, "the open alert")
	return h, clk, seen
}

// look hints at the alert, and waits until it was read.
func (h *host) look(t *testing.T) {
	t.Helper()
	reads := h.platform.times("alert")
	h.platform.hints <- hint(h.id, "K")
	eventually(t, "a reading", func() bool { return h.platform.times("alert") > reads })
}

// rest waits until the engine waits for the next look at the alert, beside the loops of an idle
// one: what the last look found has been judged.
func (h *host) rest(t *testing.T, clk *clock.Manual) {
	t.Helper()
	eventually(t, "rest before the next look", func() bool { return clk.Waiting() == idleTimers+1 })
}

// pass lets time pass in steps, each when the engine waits for the next look at the alert.
func (h *host) pass(t *testing.T, clk *clock.Manual, steps int) {
	t.Helper()
	for range steps {
		reads := h.platform.times("alert")
		h.rest(t, clk)
		clk.Advance(5 * time.Second)
		eventually(t, "the next look", func() bool { return h.platform.times("alert") > reads })
	}
}

// TestAnAlertThatIsNotFoundForAMomentIsNotDeleted: a platform may fail over to a copy of its
// database that is behind. It counts as deleted once it has been missed for a while.
func TestAnAlertThatIsNotFoundForAMomentIsNotDeleted(t *testing.T) {
	t.Parallel()
	h, clk, seen := missing(t)
	h.lose()
	h.look(t)
	h.pass(t, clk, 2)
	h.rest(t, clk)
	h.expect(t, "/c/K/x", "open 1", "while it is missed")
	h.show(integration.AlertAcknowledged, 0)
	h.pass(t, clk, 1)
	if a := wait(t, seen, "the alert that is there again"); a.Status != integration.AlertAcknowledged {
		t.Errorf("it is seen as %s", a.Status)
	}
	h.lose()
	h.look(t)
	h.pass(t, clk, 2)
	h.rest(t, clk)
	if len(seen) != 0 {
		t.Errorf("missed for 10 s it is seen as %s", (<-seen).Status)
	}
	h.pass(t, clk, 1)
	if a := wait(t, seen, "the deletion"); a.Status != integration.AlertDeleted || a.Key != "K" {
		t.Errorf("missed for 15 s it is seen as %+v", a)
	}
}

// TestAPlatformThatIsUnwellDeletesNothing by not finding it.
func TestAPlatformThatIsUnwellDeletesNothing(t *testing.T) {
	t.Parallel()
	h, clk, seen := missing(t)
	h.platform.set(func(p *fakePlatform) { p.unwell = errDown })
	h.lose()
	h.look(t)
	h.pass(t, clk, 4)
	h.rest(t, clk)
	if len(seen) != 0 {
		t.Errorf("it is seen as %s", (<-seen).Status)
	}
	h.platform.set(func(p *fakePlatform) { p.unwell = nil })
	h.pass(t, clk, 1)
	if a := wait(t, seen, "the deletion"); a.Status != integration.AlertDeleted {
		t.Errorf("it is seen as %s", a.Status)
	}
}

// TestADeletionThatThePlatformKnowsOfCountsAtOnce.
func TestADeletionThatThePlatformKnowsOfCountsAtOnce(t *testing.T) {
	t.Parallel()
	h, _, seen := missing(t)
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertDeleted, LastCommand: 3})
	if a := wait(t, seen, "the deletion"); a.Status != integration.AlertDeleted {
		t.Errorf("it is seen as %s", a.Status)
	}
}

// TestAnAlertThatWasDeletedWhileTheHostWasDownIsNoticed: the session remembers that it was there.
// The snapshot includes all our commands, so that no flow waits for one.
func TestAnAlertThatWasDeletedWhileTheHostWasDownIsNoticed(t *testing.T) {
	t.Parallel()
	h, seen := watched(t)
	h.session(t, "K", h.clock.Now(), store.Session{
		AlertKey: "K", Live: true, Alert: &store.AlertMemory{Commands: store.CommandsGiven, Last: 8, Command: 5, Change: 2},
	})
	h.start(t)
	a := wait(t, seen, "the deletion")
	if a.Status != integration.AlertDeleted || a.Key != "K" || a.LastCommand != 8 || a.Change < 2 {
		t.Errorf("it is seen as %+v", a)
	}
}

// TestADeletionIsNewerThanWhatAnotherHostHasSeen, though the copy of the host that misses the alert
// is older than that.
func TestADeletionIsNewerThanWhatAnotherHostHasSeen(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h, seen := watched(t, manual(clk))
	h.show(integration.AlertOpen, 7)
	h.expect(t, "/c/K/x", "open 7", "this host reads the alert")
	h.show(integration.AlertAcknowledged, 9)
	if got := h.at(t, h.another(t), "/c/K/x"); got != "acknowledged 9" {
		t.Errorf("the other host sees %s", got)
	}
	h.lose()
	h.started(t)
	h.pass(t, clk, 3)
	if a := wait(t, seen, "the deletion"); a.Status != integration.AlertDeleted || a.Change < 9 {
		t.Errorf("it is seen as %+v", a)
	}
	h.expect(t, "/c/K/x", "deleted 9", "the next request")
}

// TestAnAlertThatWasNeverThereIsNotDeleted: its create command may still wait.
func TestAnAlertThatWasNeverThereIsNotDeleted(t *testing.T) {
	t.Parallel()
	h, seen := watched(t)
	h.start(t)
	for i := range 4 {
		h.look(t)
		before := h.clock.Now()
		eventually(t, "ten seconds", func() bool { return h.clock.Now().Sub(before) > 10*time.Second })
		if len(seen) != 0 {
			t.Fatalf("after look %d it is seen as %s", i+1, (<-seen).Status)
		}
	}
	h.expect(t, "/c/K/x", "none", "the call")
}
