package clock_test

import (
	"context"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

func TestScaledClocksOfOneOriginAgree(t *testing.T) {
	origin := time.Now()
	a, b := clock.Scaled(origin, 60), clock.Scaled(origin, 60)
	first, second := a.Now(), b.Now()
	if d := second.Sub(first); d < 0 || d > 10*time.Minute {
		t.Errorf("two clocks of one origin differ by %v", d)
	}
	if got := a.Real(time.Minute); got != time.Second {
		t.Errorf("Real(1m) at 60x = %v, want 1s", got)
	}
	start := a.Now()
	if err := clock.Sleep(context.Background(), a, 6*time.Second); err != nil {
		t.Fatal(err)
	}
	if d := a.Now().Sub(start); d < 6*time.Second {
		t.Errorf("slept %v of the clock's time, want at least 6s", d)
	}
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"20", "x@1", "20@x", "0@1", "-1@1", "20000@1"} {
		if _, err := clock.Parse(bad); err == nil {
			t.Errorf("Parse(%q) is accepted", bad)
		}
	}
	c, err := clock.Parse("20@1767225600000")
	if err != nil || c.Real(20*time.Second) != time.Second {
		t.Errorf("Parse(20@…): %v", err)
	}
}

func TestManual(t *testing.T) {
	m := clock.NewManual(time.Unix(0, 0))
	early, late, stopped := m.NewTimer(time.Second), m.NewTimer(time.Minute), m.NewTimer(time.Second)
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop reports wrongly whether the timer was live")
	}
	m.Advance(2 * time.Second)
	select {
	case <-early.C:
	default:
		t.Error("a due timer did not fire")
	}
	select {
	case <-late.C:
		t.Error("a timer fired early")
	default:
	}
	if m.Waiting() != 1 {
		t.Errorf("%d timers wait, want 1", m.Waiting())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if clock.Sleep(ctx, m, time.Hour) == nil {
		t.Error("Sleep ignores a cancelled context")
	}
}
