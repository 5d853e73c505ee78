package alerts

import (
	"slices"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// recent remembers alerts as this process wrote them last, so that the next command of a call is
// decided without reading its alert. A copy that has been overtaken does no harm: every statement
// of a change names the version that it was decided on. It is bounded: a forgotten alert costs one
// reading.
type recent struct {
	mu    sync.Mutex
	byKey map[platform.Hint]*alert
}

// Beyond this the map starts over.
const maxRecent = 2000

func keyOf(a *alert) platform.Hint { return platform.Hint{Scope: a.scope, AlertKey: a.key} }

// put remembers what was written, and nothing that is older: changes may come out of order. The
// alert becomes this map's own: the caller must not change it afterwards.
func (r *recent) put(a *alert) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.byKey[keyOf(a)]; old != nil && old.id == a.id && old.version >= a.version {
		return
	}
	// A new map and no clearing of the old one, which would take as long as it is large.
	if r.byKey == nil || len(r.byKey) >= maxRecent {
		r.byKey = map[platform.Hint]*alert{}
	}
	r.byKey[keyOf(a)] = a
}

// get returns a copy that may be changed, or nil. All of its lists are cloned, as a change may
// append to them and then fail.
func (r *recent) get(scope platform.Scope, key string) *alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.byKey[platform.Hint{Scope: scope, AlertKey: key}]
	if a == nil {
		return nil
	}
	c := *a
	c.fields, c.attachments, c.teams = slices.Clone(a.fields), slices.Clone(a.attachments), slices.Clone(a.teams)
	c.paged, c.rejected, c.acks = slices.Clone(a.paged), slices.Clone(a.rejected), slices.Clone(a.acks)
	return &c
}

// forget makes the next command read the alert.
func (r *recent) forget(scope platform.Scope, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byKey, platform.Hint{Scope: scope, AlertKey: key})
}

// clear forgets all alerts.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.byKey)
}
