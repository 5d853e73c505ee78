package backoff

import (
	"testing"
	"time"
)

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	t.Parallel()
	within := func(got, want time.Duration) bool { return got >= want*4/5 && got <= want*6/5+1 }
	for attempt, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 7: time.Minute, 29: time.Minute, 30: time.Minute, 1000: time.Minute} {
		for range 20 {
			if got := After(attempt, time.Second, time.Minute); !within(got, want) {
				t.Errorf("attempt %d waits %v, want about %v", attempt, got, want)
			}
		}
	}
}
