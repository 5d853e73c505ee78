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
	if d := clock.Wall(c).Sub(begin); d < -24*time.Hour || d > -23*time.Hour {
		t.Errorf("put back by a day, the clock on the wall shows %v", clock.Wall(c))
	}
	if d := clock.OnWall(c, begin).Sub(begin); d < -25*time.Hour || d > -23*time.Hour {
		t.Errorf("put back by a day, the begin is %v on the wall", clock.OnWall(c, begin))
	}
	if err := l.Factor(60); err != nil {
		t.Fatal(err)
	}
	if got := c.Real(time.Minute); got != time.Second {
		t.Errorf("Real(1m) at 60x = %v, want 1s", got)
	}
	if d := c.Now().Sub(begin); d < 0 || d > 2*time.Hour {
		t.Errorf("another speed put the clock to %v", c.Now())
	}
}

func TestAFollowersTimersKeepToTheClocksSpeed(t *testing.T) {
	t.Parallel()
	l, c := lead(t, time.Unix(0, 0), 1)
	hour, stopped, longer := c.NewTimer(time.Hour), c.NewTimer(time.Hour), c.NewTimer(3*time.Hour)
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop reports wrongly whether the timer was live")
	}
	if err := l.Factor(1_000_000); err != nil { // the wait has begun at another speed
		t.Fatal(err)
	}
	if now := <-hour.C; now.Before(time.Unix(3600, 0)) {
		t.Errorf("a timer of an hour fired at %v", now)
	}
	<-longer.C
	select {
	case <-stopped.C:
		t.Error("a stopped timer fired")
	default:
	}
	if err := clock.Sleep(context.Background(), c, time.Hour); err != nil {
		t.Fatal(err)
	}
}

// A host under test must behave as one whose machine's clock is set.
func TestAFollowerThatRunsKeepsItsWaitsWhenTheClockIsSet(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for _, by := range []time.Duration{time.Minute, -time.Minute, time.Hour, -time.Hour, -24 * time.Hour} {
		l, c := lead(t, begin, 1)
		long := c.NewTimer(30 * time.Minute)
		before := c.Now()
		if err := l.Step(by); err != nil {
			t.Fatal(err)
		}
		after, want := c.Now(), time.Duration(0)
		if by >= 10*time.Minute { // the machine was suspended
			want = by
		}
		if d := after.Sub(before) - want; d < 0 || d > 30*time.Second {
			t.Errorf("set by %v, the clock of a follower that runs goes on by %v, want %v", by, after.Sub(before), want)
		}
		started, err := clock.Parse(l.Followers())
		if err != nil {
			t.Fatal(err)
		}
		if d := started.Now().Sub(before) - by; d < 0 || d > 30*time.Second {
			t.Errorf("set by %v, a follower that starts then shows %v more than before", by, started.Now().Sub(before))
		}
		if !long.Stop() {
			t.Errorf("set by %v, a timer of half an hour fired at once", by)
		}
	}
}

// A host that is started again must go on with what waits in its database.
func TestAClockGoesOnFromWhatItShowedInAnEarlierProcess(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	_, led := lead(t, begin, 1)
	for name, c := range map[string]clock.Clock{"system": clock.System(), "twice as fast": clock.Scaled(time.Now(), 2), "led": led, "shared": clock.NewShared(clock.System())} {
		last, wall := c.Now().Add(3*time.Hour), clock.Wall(c)
		clock.Resume(c, last)
		if d := c.Now().Sub(last); d < 0 || d > time.Minute {
			t.Errorf("%s: goes on %v after what it showed", name, d)
		}
		if d := clock.Wall(c).Sub(wall); d < 0 || d > time.Minute {
			t.Errorf("%s: the clock on the wall went on by %v", name, d)
		}
		clock.Resume(c, begin)
		if c.Now().Before(last) {
			t.Errorf("%s: an earlier time put it back to %v", name, c.Now())
		}
	}
}

func TestOnlyALeadersFileIsFollowed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "clock")
	if _, err := clock.Parse("follow:" + file); err == nil {
		t.Error("a file that is not there is followed")
	}
	if err := os.WriteFile(file, make([]byte, 40), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := clock.Parse("follow:" + file); err == nil {
		t.Error("a file without a time is followed")
	}
}
