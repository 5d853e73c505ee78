package clock_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

func lead(t *testing.T, now time.Time, factor float64) (*clock.Leader, clock.Clock) {
	t.Helper()
	l, err := clock.Lead(filepath.Join(t.TempDir(), "clock"), now, factor)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c, err := clock.Parse(l.Followers())
	if err != nil {
		t.Fatal(err)
	}
	return l, c
}

func TestAFollowerShowsTheLeadersTime(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	l, c := lead(t, begin, 1)
	if d := c.Now().Sub(begin); d < 0 || d > time.Hour {
		t.Errorf("the clock begins %v after its begin", d)
	}
	if err := l.Step(-24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if d := c.Now().Sub(begin); d > -23*time.Hour {
		t.Errorf("put back by a day, the clock shows %v", c.Now())
	}
	if err := l.Factor(60); err != nil {
		t.Fatal(err)
	}
	if got := c.Real(time.Minute); got != time.Second {
		t.Errorf("Real(1m) at 60x = %v, want 1s", got)
	}
	if d := c.Now().Sub(begin); d > -22*time.Hour {
		t.Errorf("another speed put the clock to %v", c.Now())
	}
}

func TestAFollowersTimersKeepToTheClock(t *testing.T) {
	t.Parallel()
	l, c := lead(t, time.Unix(0, 0), 1)
	hour, stopped, longer := c.NewTimer(time.Hour), c.NewTimer(time.Hour), c.NewTimer(3*time.Hour)
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop reports wrongly whether the timer was live")
	}
	if err := l.Step(2 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if now := <-hour.C; now.Before(time.Unix(3600, 0)) {
		t.Errorf("a timer of an hour fired at %v", now)
	}
	select {
	case <-longer.C:
		t.Error("a timer fired early")
	case <-stopped.C:
		t.Error("a stopped timer fired")
	default:
	}
	if err := l.Factor(1_000_000); err != nil { // the wait has begun at another speed
		t.Fatal(err)
	}
	<-longer.C
	if err := clock.Sleep(context.Background(), c, time.Hour); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyALeadersFileIsFollowed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "clock")
	if _, err := clock.Parse("follow:" + file); err == nil {
		t.Error("a file that is not there is followed")
	}
	if err := os.WriteFile(file, make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := clock.Parse("follow:" + file); err == nil {
		t.Error("a file without a time is followed")
	}
}
