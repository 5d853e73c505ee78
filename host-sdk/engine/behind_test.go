package engine_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// ClaimLane can fail.
func (s *countingStore) ClaimLane(ctx context.Context, item store.Item, now time.Time, limit int) ([]store.Item, error) {
	if err := s.read("ClaimLane"); err != nil {
		return nil, err
	}
	return s.Store.ClaimLane(ctx, item, now, limit)
}

// waiting adds commands of one session to the outbox, in this order; a body may be unreadable.
func (h *host) waiting(t *testing.T, bodies ...any) {
	t.Helper()
	now := h.clock.Now()
	for _, body := range bodies {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.store.AddItem(t.Context(), store.Item{
			Integration: h.id, Key: "K", Kind: store.ItemCommand, Lane: "alert", Due: now, NotAfter: now.Add(24 * time.Hour), Phase: store.PhaseWaiting, Body: text,
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func command(kind integration.AlertCommandKind, alert string) integration.AlertCommand {
	return integration.AlertCommand{Kind: kind, AlertKey: alert}
}

// What is given together is of one alert; what is behind another's commands, or behind what nobody
// can read, waits for its turn. Nothing is overtaken or lost.
func TestCommandsOfAnotherAlertAreGivenApart(t *testing.T) {
	t.Parallel()
	h, p := together(t)
	h.session(t, "K", h.clock.Now(), store.Session{Live: true})
	h.waiting(t,
		command(integration.AlertCreate, "one"), command(integration.AlertLog, "one"),
		command(integration.AlertRoute, "two"),
		"no command",
		command(integration.AlertResolve, "one"), command(integration.AlertAttach, "one"))
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	h.given(t, "create log route resolve attach")
	h.platform.mu.Lock()
	defer h.platform.mu.Unlock()
	if want := []string{"create log", "route", "resolve attach"}; !slices.Equal(p.batches, want) {
		t.Errorf("given as %q, want %q", p.batches, want)
	}
}

// While the store cannot say what is behind a command, it is given alone.
func TestACommandIsGivenAloneWhileNobodyCanSayWhatIsBehindIt(t *testing.T) {
	t.Parallel()
	h, p := together(t)
	h.session(t, "K", h.clock.Now(), store.Session{Live: true})
	h.waiting(t, command(integration.AlertCreate, "one"), command(integration.AlertLog, "one"), command(integration.AlertRoute, "one"))
	h.store.failing("ClaimLane", errDown)
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	h.platform.mu.Lock()
	defer h.platform.mu.Unlock()
	if want := []string{"create", "log", "route"}; !slices.Equal(p.batches, want) {
		t.Errorf("given as %q, want %q", p.batches, want)
	}
}
