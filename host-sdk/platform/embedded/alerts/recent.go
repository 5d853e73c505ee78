package alerts

import (
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// recent remembers the alerts that this process wrote last, as it wrote them, so that the next
// command of a call is decided without reading its alert. A copy that has been overtaken does no
// harm: every statement of a change names the version that it was decided on.
type recent struct {
	mu    sync.Mutex
	byKey *simplelru.LRU[platform.Hint, *alert]
}

// maxRecent bounds them: the one that was asked for or written longest ago gives way, which costs a
// reading. They are meant for as many callers as may be in the menu at a time.
const maxRecent = 500

func newRecent() *recent {
	// It fails for a size below 1 alone.
	byKey, _ := simplelru.NewLRU[platform.Hint, *alert](maxRecent, nil)
	return &recent{byKey: byKey}
}

func keyOf(a *alert) platform.Hint { return platform.Hint{Scope: a.scope, AlertKey: a.key} }

// put remembers what was written, and nothing that is older: changes may come out of order. The
// alert becomes this map's own: the caller must not change it afterwards.
func (r *recent) put(a *alert) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, known := r.byKey.Peek(keyOf(a)); known && old.id == a.id && old.version >= a.version {
		return
	}
	r.byKey.Add(keyOf(a), a)
}

// get returns a copy that may be changed, or nil. All of its lists are cloned, as a change may
// append to them and then fail.
func (r *recent) get(scope platform.Scope, key string) *alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, known := r.byKey.Get(platform.Hint{Scope: scope, AlertKey: key})
	if !known {
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
	r.byKey.Remove(platform.Hint{Scope: scope, AlertKey: key})
}

// clear forgets all alerts.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byKey.Purge()
}
