package alerts

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

func TestOlderVersionsAreKnown(t *testing.T) {
	t.Parallel()
	v := versions{byID: map[string]int64{}}
	v.put("a", 5)
	v.put("a", 3) // the hint for an earlier commit, given late
	for version, want := range map[int64]bool{3: true, 5: true, 6: false} {
		if got := v.knows("a", version); got != want {
			t.Errorf("version %d is known: %v", version, got)
		}
	}
	if v.knows("b", 1) {
		t.Error("an alert without a hint is known")
	}
	for range 2 * maxVersions { // bounded
		v.put(string(rune('c'+len(v.byID))), 1)
	}
	if len(v.byID) > maxVersions {
		t.Errorf("%d versions are kept", len(v.byID))
	}
}

// A watcher that does not take its hints gets each alert once, in the order of their first change.
func TestHintsAreMerged(t *testing.T) {
	t.Parallel()
	h := newHub()
	w := &watcher{waiting: map[platform.Hint]struct{}{}, signal: make(chan struct{}, 1)}
	h.watchers[w] = struct{}{}
	for _, key := range []string{"x", "y", "x", "x"} {
		h.send(platform.Hint{AlertKey: key})
	}
	if got := w.take(); len(got) != 2 || got[0].AlertKey != "x" || got[1].AlertKey != "y" {
		t.Errorf("hints %v", got)
	}
	h.send(platform.Hint{AlertKey: "x"})
	if got := w.take(); len(got) != 1 {
		t.Errorf("after the first were taken: %v", got)
	}
}
