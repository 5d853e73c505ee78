package engine_test

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// layerPaged lets the handler remember that a layer is paged, order a task, and say so.
func layerPaged(h *host, commands ...integration.AlertCommand) func(integration.AlertRequest) (integration.Outcome, error) {
	return func(req integration.AlertRequest) (integration.Outcome, error) {
		var before int64
		if err := json.Unmarshal(req.Facts.Session.State, &before); err != nil || req.Facts.Alert.Layer != 1 {
			return integration.Outcome{}, integration.Errorf(integration.KindInternal, "state %s, alert %+v", req.Facts.Session.State, req.Facts.Alert)
		}
		u := remember(before + 100)
		u.AlertKey, u.Call = req.Facts.SessionKey, &integration.CallView{From: "+12025550100", State: "paged"}
		return integration.Outcome{
			Session: u, Alert: commands, Tasks: []integration.Task{{Name: "later", Timer: true, At: h.clock.Now().Add(time.Hour)}},
			Log:      []integration.LogLine{{Level: "info", Message: "paged"}},
			Findings: []integration.Finding{{Code: "paged", Severity: integration.FindingWarning, Message: "A layer is paged."}},
		}, nil
	}
}

// What the call makes of its own change of the alert is in the commit of the request that caused
// it.
func TestWhatACallMakesOfItsOwnChangeIsOneCommitWithIt(t *testing.T) {
	t.Parallel()
	m := engine.NewMetrics()
	h, p, _ := newTogether(t, func() []integration.AlertCommand { return slices.Clone(toDevOps) }, func(c *engine.Config) { c.Metrics = m })
	h.plugin.alert = layerPaged(h)
	commits := h.store.count()
	if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
		t.Fatal(err)
	}
	if n := h.store.count() - commits; n != 1 {
		t.Errorf("%d commits", n)
	}
	s, err := h.store.Session(t.Context(), h.id, "call-1")
	if err != nil || string(s.State) != "103" || s.Call.State != "paged" || s.Version != 2 || s.Alert.Command != 3 {
		t.Errorf("state %s of version %d, %+v, alert %+v, %v", s.State, s.Version, s.Call, s.Alert, err)
	}
	if !h.hasFinding(t, "paged", "A layer is paged.") {
		t.Error("what the call finds about its own change is not recorded")
	}
	if a := p.alertOf(t, h); a.LastCommand != 3 || a.Layer != 1 {
		t.Errorf("alert %+v", a)
	}
	p.mu.Lock()
	if diff := cmp.Diff([]int64{1, 3}, p.written); diff != "" {
		t.Errorf("the changes that the platform was told are written, so that it pages people (-want +got):\n%s", diff)
	}
	p.mu.Unlock()
	record, err := h.store.Call(t.Context(), h.id, "call-1")
	if err != nil {
		t.Fatal(err)
	}
	var story []string
	for _, l := range record.Story {
		story = append(story, l.Text)
	}
	want := []string{"An alert was created.", "The alert was routed to Team devops.", "The caller chose DevOps.", "The alert waits for layer 1."}
	if diff := cmp.Diff(want, story); diff != "" || record.View.State != "paged" {
		t.Errorf("the view is %+v; the story (-want +got):\n%s", record.View, diff)
	}
	if n := counted(t, m, "handler_runs_total", "alert", "ok"); n != 1 {
		t.Errorf("%v runs of the alert's handler are counted", n)
	}
	// The timer is in the outbox, and the next request decides upon all of it.
	if stats, _, err := h.store.OutboxStats(t.Context()); err != nil || len(stats) != 1 || stats[store.ItemTimer][store.PhaseWaiting] != 1 {
		t.Errorf("in the outbox: %+v, %v", stats, err)
	}
	h.plugin.webhook = answering(func(f integration.Facts) string { return string(f.Session.State) })
	h.expect(t, "/c/call-1/x", "103", "the next request")
}

// A person whom what follows wants to ring may have been taken by another call meanwhile: nobody is
// rung by two calls.
func TestWhatFollowsOccupiesNobodyWhomAnotherCallHasTaken(t *testing.T) {
	t.Parallel()
	h, _, _ := newTogether(t, func() []integration.AlertCommand { return slices.Clone(toDevOps) })
	var once sync.Once
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{{ID: "user", Kind: integration.AskUser, User: "alice"}}}, nil
		}
		u := remember("waits")
		u.AlertKey = req.Facts.SessionKey
		if req.Facts.Answers[0].User.OccupiedBy == "" {
			once.Do(func() { h.session(t, "other", h.clock.Now(), store.Session{Live: true, Occupies: []string{"alice"}}) })
			u = remember("rings")
			u.AlertKey, u.Occupies = req.Facts.SessionKey, []string{"alice"}
		}
		return integration.Outcome{Session: u}, nil
	}
	if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
		t.Fatal(err)
	}
	s, err := h.store.Session(t.Context(), h.id, "call-1")
	if err != nil || string(s.State) != `"waits"` || len(s.Occupies) > 0 {
		t.Errorf("the call %s and occupies %v, %v", s.State, s.Occupies, err)
	}
}

// A handler that fails, or has commands for the alert, sees the change once it is written.
func TestACallSeesItsOwnChangeLaterIfNotAtOnce(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]bool{"it fails": true, "it commands": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, p, _ := newTogether(t, func() []integration.AlertCommand { return slices.Clone(toDevOps) })
			decide, first := layerPaged(h, integration.AlertCommand{Kind: integration.AlertLog, AlertKey: "call-1", Number: 4, Text: "paged"}), make(chan struct{}, 1)
			first <- struct{}{}
			h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
				select {
				case <-first:
					if s, err := h.store.Session(t.Context(), h.id, "call-1"); err != nil || s.Version != 1 {
						t.Errorf("version %d was written first, %v", s.Version, err)
					}
					if fails {
						return integration.Outcome{}, errDown
					}
				default:
					if a := p.alertOf(t, h); a.LastCommand < 3 {
						t.Errorf("command %d was written first", a.LastCommand)
					}
				}
				if req.Facts.Alert.LastCommand > 3 {
					return integration.Outcome{}, nil
				}
				return decide(req)
			}
			if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the handler sees the change", func() bool { return p.alertOf(t, h).LastCommand == 4 })
			eventually(t, "its decision is stored", func() bool {
				s, err := h.store.Session(t.Context(), h.id, "call-1")
				return err == nil && string(s.State) == "103" && s.Version >= 3
			})
		})
	}
}

// A handler may have waited for another plugin process: what follows is decided at the time that it
// is by then, so that nobody has less time to be called.
func TestWhatFollowsIsDecidedAtTheTimeThatItIs(t *testing.T) {
	t.Parallel()
	var decided atomic.Pointer[time.Time]
	var h *host
	h, _, _ = newTogether(t, func() []integration.AlertCommand {
		now := h.clock.Now()
		decided.Store(&now)
		return slices.Clone(toDevOps)
	})
	follows := make(chan time.Time, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		follows <- req.Facts.Now
		return integration.Outcome{}, nil
	}
	if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
		t.Fatal(err)
	}
	if at := wait(t, follows, "what follows"); at.Before(*decided.Load()) {
		t.Errorf("what follows is decided at %v, but the request was decided at %v", at, *decided.Load())
	}
}
