package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// withAlert lets every call begin with a session whose alert has the call's key.
func withAlert(live bool) func(integration.WebhookRequest) (integration.Outcome, error) {
	return func(req integration.WebhookRequest) (integration.Outcome, error) {
		status := "none"
		if a := req.Facts.Alert; a != nil {
			status = string(a.Status)
		}
		o := integration.Outcome{Response: ok(status)}
		if req.Facts.Session == nil {
			o.Session = remember("holding")
			o.Session.AlertKey, o.Session.Live = req.Facts.SessionKey, live
		}
		return o, nil
	}
}

// TestAHintThatComesDuringAReadIsNotForgotten: what is being read may be from before the change.
func TestAHintThatComesDuringAReadIsNotForgotten(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = withAlert(true)
	if _, err := h.post(t, "/c/K/x", ""); err != nil {
		t.Fatal(err)
	}
	seen := make(chan integration.AlertStatus, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req.Facts.Alert.Status
		return integration.Outcome{}, nil
	}
	reading, goOn := make(chan struct{}), make(chan struct{})
	var reads atomic.Int32
	h.platform.reading = func(string) {
		if reads.Add(1) == 2 { // the first is the look at live calls when the engine starts
			close(reading)
			<-goOn
		}
	}
	h.platform.hinted = make(chan platform.Hint, 10)
	h.start(t)
	eventually(t, "the look at live calls", func() bool { return reads.Load() == 1 })
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen})
	wait(t, reading, "a read of the open alert")
	wait(t, h.platform.hinted, "the first hint")
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertAcknowledged})
	// The engine has it while the first read still goes on.
	wait(t, h.platform.hinted, "the second hint")
	close(goOn)
	if got := wait(t, seen, "the open alert"); got != integration.AlertOpen {
		t.Errorf("first seen as %s", got)
	}
	if got := wait(t, seen, "the acknowledgement"); got != integration.AlertAcknowledged {
		t.Errorf("then seen as %s", got)
	}
}

func TestAHandlerThatFailsSeesTheAlertAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = withAlert(true)
	if _, err := h.post(t, "/c/K/x", ""); err != nil {
		t.Fatal(err)
	}
	var runs atomic.Int32
	seen := make(chan integration.AlertRequest, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		if runs.Add(1) < 3 {
			return integration.Outcome{}, integration.ErrPluginGone
		}
		seen <- req
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen})
	got := wait(t, seen, "the third attempt").Facts.Alert
	if got.Status != integration.AlertOpen || got.ReadAt.IsZero() {
		t.Errorf("seen %+v, want the open alert and when it was read", got)
	}
}

func TestAnAlertThatCannotBeReadIsGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	h.plugin.webhook = withAlert(true)
	h.expect(t, "/c/K/x", "none", "the first request")
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	h.start(t) // looks at live calls
	eventually(t, "giving up", func() bool { return strings.Contains(log.String(), "alert change not handled") })
	if got := h.platform.times("alert"); got < 8 {
		t.Errorf("given up after %d attempts, want 8", got)
	}
	seen := make(chan integration.AlertStatus, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req.Facts.Alert.Status
		return integration.Outcome{}, nil
	}
	h.platform.set(func(p *fakePlatform) { p.down = nil })
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertResolved})
	if got := wait(t, seen, "the next change"); got != integration.AlertResolved {
		t.Errorf("seen as %s", got)
	}
}

func TestASessionThatCannotBeFoundDelaysItsAlert(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = withAlert(true)
	h.expect(t, "/c/K/x", "none", "the first request")
	h.store.failing("SessionByAlert", errDown)
	seen := make(chan integration.AlertStatus, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req.Facts.Alert.Status
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen})
	eventually(t, "an attempt", func() bool { return h.store.times("SessionByAlert") > 0 })
	h.store.failing("SessionByAlert", nil)
	if got := wait(t, seen, "the open alert"); got != integration.AlertOpen {
		t.Errorf("seen as %s", got)
	}
}

// TestALiveCallsOldSnapshotIsReadAgainBesideTheCall: a hint may have been lost. Ended calls are
// left alone.
func TestALiveCallsOldSnapshotIsReadAgainBesideTheCall(t *testing.T) {
	t.Parallel()
	for _, live := range []bool{true, false} {
		clk := newManual()
		h := newHost(t, manual(clk))
		h.plugin.webhook = withAlert(live)
		h.platform.set(func(p *fakePlatform) {
			p.alerts["K"] = integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen}
		})
		h.expect(t, "/c/K/x", "none", "the first request")
		h.expect(t, "/c/K/x", string(integration.AlertOpen), "the second reads the alert")
		h.platform.set(func(p *fakePlatform) { // nobody hints at it
			p.alerts["K"] = integration.AlertSnapshot{Key: "K", Status: integration.AlertResolved}
		})
		was := h.platform.times("alert")
		clk.Advance(time.Minute)
		h.expect(t, "/c/K/x", string(integration.AlertOpen), "a minute later")
		if got := h.platform.times("alert"); got != was {
			t.Errorf("live %v: read again within a minute", live)
		}
		clk.Advance(time.Second)
		h.expect(t, "/c/K/x", string(integration.AlertOpen), "after a minute the caller does not wait for the platform")
		if !live {
			if got := h.platform.times("alert"); got != was {
				t.Errorf("the alert of an ended call was read again")
			}
			continue
		}
		eventually(t, "a read beside the call", func() bool {
			resp, err := h.post(t, "/c/K/x", "")
			return err == nil && string(resp.Body) == string(integration.AlertResolved)
		})
	}
}

func TestAnAlertThatCannotBeReadIsNotKnown(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = withAlert(true)
	h.expect(t, "/c/K/x", "none", "the first request")
	h.platform.set(func(p *fakePlatform) {
		p.alerts["K"] = integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen}
		p.down = errDown
	})
	h.expect(t, "/c/K/x", "none", "the platform is down")
	h.platform.set(func(p *fakePlatform) { p.down = nil })
	h.expect(t, "/c/K/x", string(integration.AlertOpen), "the platform is well: a failure is not remembered")
}

func TestABrokenWatchBeginsAgainAndLooksAtLiveCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = withAlert(true)
	h.expect(t, "/c/K/x", "none", "the first request")
	h.expect(t, "/c/other/x", "none", "another call")
	seen := make(chan integration.AlertStatus, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req.Facts.Alert.Status
		return integration.Outcome{}, nil
	}
	h.platform.watching = func(watch int) error {
		if watch > 1 {
			return nil
		}
		h.platform.set(func(p *fakePlatform) { // changes while nobody watches
			p.alerts["K"] = integration.AlertSnapshot{Key: "K", Status: integration.AlertAcknowledged}
		})
		return errors.New("connection reset")
	}
	h.start(t)
	if got := wait(t, seen, "the change"); got != integration.AlertAcknowledged {
		t.Errorf("seen as %s", got)
	}
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "K", Status: integration.AlertResolved})
	if got := wait(t, seen, "a change while it watches again"); got != integration.AlertResolved {
		t.Errorf("seen as %s", got)
	}
}

func TestHealthAsksStorePlatformAndPlugins(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := newHost(t)
	if err := h.Health(ctx); err != nil {
		t.Fatalf("all is well: %v", err)
	}
	check := func(what string) {
		t.Helper()
		if err := h.Health(ctx); integration.KindOf(err) != integration.KindUnavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.store.failing("Ping", errDown)
	check("the store is down")
	h.store.failing("Ping", nil)
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	check("the platform is down")
	h.platform.set(func(p *fakePlatform) { p.down = nil })
	h.plugins.set(nil)
	check("the plugin is not running")
	h.plugins.set(h.plugin)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) { return d, integration.ErrPluginGone })
	check("the plugin does not answer")
	h.plugin.describing(nil)
	h.plugins.ids = nil
	check("no plugin is installed")
	h.plugins.ids = []string{"fake"}
	if err := h.Health(ctx); err != nil {
		t.Errorf("all is well again: %v", err)
	}
}

// TestAHintAtAllAlertsReadsThoseOfLiveCalls: of any number of alerts, those without a call in
// progress are left alone.
func TestAHintAtAllAlertsReadsThoseOfLiveCalls(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	seen := make(chan string, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req.Facts.SessionKey
		return integration.Outcome{}, nil
	}
	h.session(t, "LIVE", h.clock.Now(), store.Session{AlertKey: "LIVE", Live: true})
	h.session(t, "OVER", h.clock.Now(), store.Session{AlertKey: "OVER"})
	h.start(t)
	eventually(t, "the look at live calls", func() bool { return h.platform.times("alert") == 1 })
	h.platform.set(func(p *fakePlatform) {
		for _, key := range []string{"LIVE", "OVER"} {
			p.alerts[key] = integration.AlertSnapshot{Key: key, Status: integration.AlertOpen}
		}
	})
	h.platform.hints <- platform.Hint{}
	if got := wait(t, seen, "the alert of the live call"); got != "LIVE" {
		t.Errorf("the handler of %s", got)
	}
	eventually(t, "the end of the reads", func() bool { return h.platform.times("alert") >= 2 })
	if n := h.platform.times("alert"); n != 2 || len(seen) > 0 {
		t.Errorf("%d reads and %d more handlers", n, len(seen))
	}
}

func TestASnapshotKeepsThePlatformsTime(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	read := h.clock.Now().Add(-time.Minute).UTC()
	h.platform.set(func(p *fakePlatform) { p.alerts["K"] = integration.AlertSnapshot{Key: "K", ReadAt: read} })
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("none")}
		if req.Facts.Alert != nil {
			o.Response = ok(req.Facts.Alert.ReadAt.Format(time.RFC3339Nano))
		}
		if req.Facts.Session == nil {
			o.Session = remember(1)
			o.Session.AlertKey = "K"
		}
		return o, nil
	}
	h.expect(t, "/c/K/x", "none", "the first request")
	h.expect(t, "/c/K/x", read.Format(time.RFC3339Nano), "a platform that says when it read the alert")
}

func TestAlertChangesReachTheHandlerOnceEach(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	seen := make(chan integration.AlertRequest, 10)
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		u := remember("holding")
		u.AlertKey = "alert-K"
		return integration.Outcome{Response: ok(""), Session: u}, nil
	}
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req
		return integration.Outcome{}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	snap := integration.AlertSnapshot{Key: "alert-K", Status: integration.AlertOpen, Layer: 1}
	h.platform.setAlert(h.id, snap)
	if got := wait(t, seen, "the open alert"); got.Facts.Alert.Status != integration.AlertOpen || got.Facts.Session == nil || got.Facts.SessionKey != "K" {
		t.Errorf("request %+v", got.Facts)
	}
	h.platform.setAlert(h.id, snap) // a doubled hint
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "nobody's", Status: integration.AlertOpen})
	snap.Status, snap.Acknowledgements = integration.AlertAcknowledged, []integration.Acknowledgement{{ID: "ack-1", User: "alice"}}
	h.platform.setAlert(h.id, snap)
	if got := wait(t, seen, "the acknowledgement"); got.Facts.Alert.Status != integration.AlertAcknowledged || got.Facts.Alert.Acknowledgements[0].User != "alice" {
		t.Errorf("after the doubled hint came %+v", got.Facts.Alert)
	}
	h.platform.mu.Lock()
	delete(h.platform.alerts, "alert-K")
	h.platform.mu.Unlock()
	h.platform.hints <- hint(h.id, "alert-K")
	if got := wait(t, seen, "the deletion"); got.Facts.Alert.Status != integration.AlertDeleted {
		t.Errorf("a deleted alert is seen as %s", got.Facts.Alert.Status)
	}
}

func TestAlertsThatChangedWhileNobodyWatchedAreSeenAtStart(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		u := remember("holding")
		u.AlertKey = "K"
		return integration.Outcome{Response: ok(""), Session: u}, nil
	}
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	h.platform.alerts["K"] = integration.AlertSnapshot{Key: "K", Status: integration.AlertAcknowledged}
	seen := make(chan integration.AlertStatus, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		seen <- req.Facts.Alert.Status
		return integration.Outcome{}, nil
	}
	h.start(t)
	if got := wait(t, seen, "the look at live calls"); got != integration.AlertAcknowledged {
		t.Errorf("saw %s", got)
	}
}
