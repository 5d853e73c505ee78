package cache

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCacheKeepsTheLastKnownValue(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_800_000_000, 0)
	var c Cache[string, int]
	if _, ok := c.Get("a"); ok {
		t.Error("an empty cache has a value")
	}
	c.Put("a", 1, start)
	for age, want := range map[time.Duration]bool{0: true, 999 * time.Millisecond: true, time.Second: false, time.Hour: false} {
		if v, fresh := c.Fresh("a", start.Add(age), time.Second); v != 1 || fresh != want {
			t.Errorf("at the age of %v: %d, fresh %v; want 1, %v", age, v, fresh, want)
		}
	}
	c.Put("a", 2, start.Add(time.Hour))
	if got, ok := c.Get("a"); !ok || got.Value != 2 || !got.At.Equal(start.Add(time.Hour)) {
		t.Errorf("got %+v, %v", got, ok)
	}
	c.Forget("a")
	if v, fresh := c.Fresh("a", start, time.Hour); fresh || v != 0 {
		t.Errorf("a forgotten value is still there: %d", v)
	}
}

func TestAFullCacheDropsWhatIsOld(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_800_000_000, 0)
	keys := func(c *Cache[int, string]) []int {
		var out []int
		for k := range 10 {
			if _, ok := c.Get(k); ok {
				out = append(out, k)
			}
		}
		return out
	}
	aged := Cache[int, string]{limit: 3, keep: time.Hour}
	whole := Cache[int, string]{limit: 3}
	endless := Cache[int, string]{}
	for k := range 6 {
		at := start.Add(time.Duration(k) * 30 * time.Minute)
		aged.Put(k, "", at)
		whole.Put(k, "", at)
		endless.Put(k, "", at)
	}
	if diff := cmp.Diff([]int{4, 5}, keys(&aged)); diff != "" {
		t.Errorf("when it is full those of the last hour are kept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{3, 4, 5}, keys(&whole)); diff != "" {
		t.Errorf("without an age it starts over (-want +got):\n%s", diff)
	}
	if got := len(keys(&endless)); got != 6 {
		t.Errorf("without a limit %d of 6 are kept", got)
	}
}

// A full cache of values that are all in use grows without being looked through at every put.
func TestAFullCacheIsNotLookedThroughAtEveryPut(t *testing.T) {
	t.Parallel()
	c := Cache[int, int]{limit: 4, keep: time.Hour}
	now := time.Now()
	tidied := 0
	for i := range 1000 {
		before := c.tidyAt
		c.Put(i, i, now)
		if c.tidyAt != before {
			tidied++
		}
	}
	if len(c.m) != 1000 || tidied < 1 || tidied > 10 {
		t.Errorf("%d values, looked through %d times", len(c.m), tidied)
	}
	for i := range 2000 {
		c.Put(-i, i, now.Add(2*time.Hour))
	}
	if _, ok := c.Get(999); ok {
		t.Error("an old value is never dropped")
	}
}
