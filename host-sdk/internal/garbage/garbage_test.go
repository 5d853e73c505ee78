package garbage

import (
	"testing"
	"time"
)

func TestGarbageIsCollectedTwiceASecondWithinBounds(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, of := range map[string]struct {
		live, made uint64
		since      time.Duration
		want       int
	}{
		"half a second's worth":       {20 * mib, 10 * mib, 500 * time.Millisecond, 50},
		"made faster":                 {20 * mib, 10 * mib, 250 * time.Millisecond, 100},
		"made slower":                 {20 * mib, 20 * mib, 2 * time.Second, 25},
		"hardly any, little kept":     {8 * mib, mib, time.Minute, 50},
		"hardly any, much kept":       {200 * mib, mib, time.Minute, 25},
		"in a flood, little kept":     {11 * mib, 400 * mib, 500 * time.Millisecond, 400},
		"in a flood, much kept":       {200 * mib, 4000 * mib, 500 * time.Millisecond, 50},
		"nothing kept, nothing made":  {0, 0, 0, 100},
		"two collections in a moment": {4 * mib, 1, 0, 100},
	} {
		if got := percent(of.live, of.made, of.since); got != of.want {
			t.Errorf("%s: GOGC %d, want %d", name, got, of.want)
		}
	}
}

// TestThePercentageFollowsTheLoad and not what was allocated before the first collection that is
// looked at; small differences leave it as it is.
func TestThePercentageFollowsTheLoad(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	now := time.Unix(1_800_000_000, 0)
	c := &collection{at: now, made: 300 * mib}
	for _, step := range []struct {
		what string
		made uint64 // since the step before, in half a second
		want int
	}{
		{"the start", 0, 40},
		{"busy", 20 * mib, 200},
		{"a little busier", 21 * mib, 200},
		{"much busier", 30 * mib, 300},
		{"at rest", 1 * mib, 40},
	} {
		now = now.Add(interval)
		before := c.percent
		changed := c.ended(now, 10*mib, c.made+step.made)
		if c.percent != step.want || changed != (before != step.want) {
			t.Errorf("%s: GOGC %d, changed %v; want %d", step.what, c.percent, changed, step.want)
		}
	}
}
