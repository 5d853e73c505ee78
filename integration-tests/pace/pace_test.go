package pace

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

func TestAClockIsSlowerInACrowd(t *testing.T) {
	t.Parallel()
	for crowd, want := range map[float64]float64{1: Fastest, 2: Fastest, 4: Fastest / 2, 10: Fastest / 5, 100: Fastest / 10} {
		if got := factorFor(crowd, Fastest); got != want {
			t.Errorf("crowding %v: factor %v, want %v", crowd, got, want)
		}
	}
	if got := factorFor(1, 4); got != 4 {
		t.Errorf("a clock that may be 4 times as fast is %v times as fast", got)
	}
}

func TestAClockIsNeverTakenForTheMachines(t *testing.T) {
	t.Parallel()
	for _, most := range []float64{1, 4, 10, Fastest} {
		for crowd := 1.0; crowd < 100; crowd += 0.5 {
			if factorFor(crowd, most) == 1 {
				t.Errorf("a clock that may be %v times as fast is as fast as the wall at crowding %v", most, crowd)
			}
		}
	}
}

func TestTheSpeedFollowsTheCrowd(t *testing.T) {
	t.Parallel()
	p := Start(t.TempDir())
	t.Cleanup(p.Close)
	begin := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	l, err := p.Clock(begin, Fastest)
	if err != nil {
		t.Fatal(err)
	}
	c, err := clock.Parse(l.Followers())
	if err != nil {
		t.Fatal(err)
	}
	if now := c.Now(); now.Before(begin) {
		t.Errorf("the clock shows %v, which is before %v", now, begin)
	}
	p.set(1000)
	if got := c.Real(time.Minute); got < time.Minute/Fastest {
		t.Errorf("in a crowd a minute takes %v", got)
	}
	release := p.Hold(l)
	if got := c.Real(time.Second); got < time.Hour {
		t.Errorf("on a clock that is held a second takes %v", got)
	}
	p.set(1)
	if got := c.Real(time.Second); got < time.Hour {
		t.Errorf("a clock that is held runs again with the crowd: a second takes %v", got)
	}
	release()
	if got := c.Real(time.Minute); got > time.Minute {
		t.Errorf("after the hold a minute takes %v", got)
	}
	if c := crowding(); c < 1 {
		t.Errorf("crowding %v", c)
	}
}
