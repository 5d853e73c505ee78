package platform_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// row is one row of a database: when the next turn comes.
type row struct {
	next time.Time
	err  error
}

func (r *row) TakeTurn(_ context.Context, _ string, now time.Time, every time.Duration) (time.Time, error) {
	if r.err != nil || now.Before(r.next) {
		return r.next, r.err
	}
	r.next = now.Add(every)
	return time.Time{}, nil
}

// TestATurnStaysWithAHostUntilItDies asks for two hosts every tenth of a second, of which the one
// whose turn it is stops asking after a minute.
func TestATurnStaysWithAHostUntilItDies(t *testing.T) {
	t.Parallel()
	var shared row
	var one, two platform.Turn
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	death, successor := began.Add(time.Minute), time.Time{}
	for now := began; now.Before(began.Add(2 * time.Minute)); now = now.Add(100 * time.Millisecond) {
		first := false
		if now.Before(death) {
			first, _ = one.Ours(t.Context(), &shared, "key", now)
		}
		second, _ := two.Ours(t.Context(), &shared, "key", now)
		if first == second && (now.Before(death) || !successor.IsZero()) {
			t.Fatalf("after %v it is the turn of the first: %v, of the second: %v", now.Sub(began), first, second)
		}
		if second && successor.IsZero() {
			successor = now
		}
	}
	if gap := successor.Sub(death); gap < 0 || gap > platform.TurnTime+1100*time.Millisecond {
		t.Errorf("the second host began %v after the first had died, want the rest of a turn and a second", gap)
	}
}

// TestWithoutTheDatabaseItIsEveryHostsTurn has a database that fails, and then answers again.
func TestWithoutTheDatabaseItIsEveryHostsTurn(t *testing.T) {
	t.Parallel()
	shared := row{err: errors.New("away")}
	var one, two platform.Turn
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for i, turn := range []*platform.Turn{&one, &two} {
		if ours, _ := turn.Ours(t.Context(), &shared, "key", now); !ours {
			t.Errorf("host %d does not have the turn", i+1)
		}
	}
	shared.err = nil
	_, now = one.Ours(t.Context(), &shared, "key", now)
	first, _ := one.Ours(t.Context(), &shared, "key", now)
	second, _ := two.Ours(t.Context(), &shared, "key", now)
	if !first || second {
		t.Errorf("once the database answers it is the turn of the first: %v, of the second: %v", first, second)
	}
}
