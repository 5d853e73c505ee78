package wire

import (
	"slices"
	"testing"
	"time"
)

// After a flood as many streams stay as are needed, and no more than the limit at any time.
func TestStreamsThatNobodyNeedsEnd(t *testing.T) {
	t.Parallel()
	var p streams
	var ended []int
	var all []*stream
	for i := range maxIdleStreams + 2 {
		all = append(all, p.take(time.Hour))
		all[i].end = func() { ended = append(ended, i) }
	}
	for _, s := range all {
		p.put(s)
	}
	if want := []int{maxIdleStreams, maxIdleStreams + 1}; !slices.Equal(ended, want) {
		t.Fatalf("of a flood's streams %v ended, want %v", ended, want)
	}
	// From here on two are in use at a time, while the others grow old.
	ended = nil
	for range 3 * maxIdleStreams {
		one, other := p.take(time.Hour), p.take(time.Hour)
		for _, s := range p.idle {
			s.used = s.used.Add(-idleTime)
		}
		p.put(other)
		p.put(one)
	}
	want := make([]int, 0, maxIdleStreams)
	for i := range maxIdleStreams - 2 {
		want = append(want, i)
	}
	if !slices.Equal(ended, want) {
		t.Errorf("%v ended in this order, want %v", ended, want)
	}
}
