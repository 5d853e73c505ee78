package process

import (
	"os"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync"
)

const (
	// heapRoom is how many bytes there may be, with garbage, before it is collected. A host with
	// few calls keeps ten MiB. Go by itself lets it grow to twenty, so that under load it would
	// collect many times a second.
	heapRoom = 64 << 20
	// leastGarbage is for a host that keeps most of heapRoom: half as much garbage as it keeps. Go
	// allows as much as is kept. With thousands of callers on hold that is the larger part of the
	// host's memory, and saves less than a per cent of a processor.
	leastGarbage = 50
	mostGarbage  = 1000
)

// CollectLess makes the process collect its garbage less often while it keeps little. An operator
// who sets GOGC or GOMEMLIMIT has decided otherwise.
func CollectLess() { watchGarbage() }

// Once for the process, however often hosts are started in it, as in tests.
var watchGarbage = sync.OnceFunc(func() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		afterCollections(&garbageWatch{live: []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}}})
	}
})

// garbageWatch is garbage itself: its finalizer runs after each collection.
type garbageWatch struct {
	live    []runtimemetrics.Sample
	percent int
}

// afterCollections adjusts the process now and after each collection, when it is known what is
// kept. The finalizer is set again, as each runs once.
func afterCollections(w *garbageWatch) {
	runtimemetrics.Read(w.live)
	if p := garbagePercent(w.live[0].Value.Uint64()); p != w.percent {
		w.percent = p
		debug.SetGCPercent(p)
	}
	runtime.SetFinalizer(w, afterCollections)
}

// garbagePercent is GOGC for a process that keeps so many bytes. It is between leastGarbage and
// mostGarbage.
func garbagePercent(live uint64) int {
	live = max(live, 1)
	return int(min(max((heapRoom-min(live, heapRoom))*100/live, leastGarbage), mostGarbage))
}
