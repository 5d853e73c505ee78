package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// lateFindings is a store that takes its time to save findings.
type lateFindings struct {
	store.Store
	begun, goOn chan struct{}
}

func (s lateFindings) Database() any { return s.Store.(store.InDatabase).Database() }

func (s lateFindings) SaveFindings(ctx context.Context, id string, list []integration.Finding) error {
	close(s.begun)
	<-s.goOn
	return s.Store.SaveFindings(ctx, id, list)
}

// TestAnEngineEndsWhenItsWorkBesideCallsHasEnded: whoever runs it closes the store next.
func TestAnEngineEndsWhenItsWorkBesideCallsHasEnded(t *testing.T) {
	t.Parallel()
	late := lateFindings{begun: make(chan struct{}), goOn: make(chan struct{})}
	h := newHost(t, func(c *engine.Config) {
		late.Store = c.Store
		c.Store = late
	})
	h.plugin.reads(1)
	h.plugin.webhook = answering(func(integration.Facts) string { return "served" })
	h.session(t, "K", h.clock.Now(), store.Session{Session: integration.Session{Format: 2, State: []byte("newer")}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	eventually(t, "a call in a newer format is refused", func() bool {
		_, err := h.post(t, "/c/K/x", "")
		return integration.KindOf(err) == integration.KindUnavailable
	})
	wait(t, late.begun, "a finding that is saved beside the call")
	cancel()
	// An engine that did not wait would end about now; one that is slow to end is not noticed.
	select {
	case <-done:
		t.Error("the engine has ended while a finding is being saved")
	case <-time.After(300 * time.Millisecond):
		close(late.goOn)
		if err := wait(t, done, "the end"); err != nil {
			t.Error(err)
		}
		if !h.hasFinding(t, engine.FindingNewerFormat, "") {
			t.Error("the finding is lost")
		}
	}
}

// TestAnEngineEndsWhenTheWorkThatItHasBegunIsDone, and stored: done again, it would ring people
// twice.
func TestAnEngineEndsWhenTheWorkThatItHasBegunIsDone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	begun, goOn := make(chan struct{}), make(chan struct{})
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		close(begun)
		<-goOn
		return integration.TaskResult{}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	h.expect(t, "/c/K/x", "done", "the request")
	wait(t, begun, "the task")
	cancel()
	select { // as above
	case <-done:
		close(goOn)
		t.Error("the engine has ended while a task is performed")
	case <-time.After(300 * time.Millisecond):
		close(goOn)
		if err := wait(t, done, "the end"); err != nil {
			t.Error(err)
		}
		counts, _, err := h.store.OutboxStats(t.Context())
		if left := counts[store.ItemTask]; err != nil || left[store.PhaseWaiting]+left[store.PhaseStarted] > 0 {
			t.Errorf("the task will be performed again: %v, %v", counts, err)
		}
	}
}
