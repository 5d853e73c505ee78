// Package garbage decides how often a process collects its garbage: by how fast it makes some, and
// not only by how much it keeps, as Go does by itself.
package garbage

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// interval is how far apart collections are to be. Under load, Go by itself collects a process
	// that keeps a few MiB many times a second, at an eighth of its CPU time. Much less often saves
	// little more, and costs the memory of what is not collected, which a process at rest would
	// keep from its busiest moment.
	interval = 500 * time.Millisecond
	// room is how much garbage there may be, however fast it is made, unless half of what the
	// process keeps is more.
	room = 44 << 20
	// least is allowed even to a process that makes hardly any, unless a quarter of what it keeps
	// is more.
	least = 4 << 20
)

// CollectAsNeeded makes the process collect its garbage about twice a second while it is busy, and
// keeps it small while it is not. An operator who sets GOGC or GOMEMLIMIT has decided otherwise.
func CollectAsNeeded() { watch() }

// Once for the process, however often hosts are started in it, as in tests.
var watch = sync.OnceFunc(func() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		figures := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(figures)
		// What the start has allocated says nothing of what follows.
		afterCollections(&collection{at: time.Now(), figures: figures, made: figures[1].Value.Uint64()})
	}
})

// collection is garbage itself: its finalizer runs after each collection.
type collection struct {
	at      time.Time // of the last one
	figures []metrics.Sample
	made    uint64 // bytes that were allocated until then
	percent int    // GOGC now; 0: as Go has it
}

// afterCollections adjusts the process now and after each collection, when it is known what is
// kept. The finalizer is set again, as each runs once.
func afterCollections(c *collection) {
	metrics.Read(c.figures)
	if c.ended(time.Now(), c.figures[0].Value.Uint64(), c.figures[1].Value.Uint64()) {
		debug.SetGCPercent(c.percent)
	}
	runtime.SetFinalizer(c, afterCollections)
}

// ended notes that a collection has ended, after which so many bytes are kept and before which so
// many were allocated, and reports whether the percentage is another. A tenth more or less is not,
// as to set it stops everything for a moment.
func (c *collection) ended(now time.Time, live, made uint64) bool {
	p := percent(live, made-c.made, now.Sub(c.at))
	c.at, c.made = now, made
	if max(p-c.percent, c.percent-p)*10 <= c.percent {
		return false
	}
	c.percent = p
	return true
}

// percent is GOGC for a process that keeps so many bytes and has allocated so many since the last
// collection, so long ago.
func percent(live, made uint64, since time.Duration) int {
	live = max(live, least) // Go collects no smaller heap
	most, few := max(room, live/2), max(least, live/4)
	// Of a moment after the last one nothing can be told.
	allowed := uint64(float64(made) * float64(interval) / float64(max(since, time.Millisecond)))
	return int(min(max(allowed, few), most) * 100 / live)
}
