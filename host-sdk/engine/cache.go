package engine

import (
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// cache keeps the last known value of each key with the time it was read. It never drops a value
// for its age alone: how old a value may be is the reader's question, since a call is better served
// by an old copy than by none.
type cache[K comparable, V any] struct {
	// Values beyond which those read keep ago or earlier are dropped; 0 = no limit.
	limit int
	keep  time.Duration // see limit

	mu     sync.Mutex
	m      map[K]*known[V]
	tidyAt int // values at which those that are too old are looked for next
}

// known is a value and when it was read, on the engine's clock.
type known[V any] struct {
	value V
	at    time.Time
}

// get returns the last known value, however old. The second result is false if there is none.
func (c *cache[K, V]) get(key K) (known[V], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.m[key]
	if !ok {
		return known[V]{}, false
	}
	return *got, true
}

// fresh returns the last known value, and whether there is one younger than ttl.
func (c *cache[K, V]) fresh(key K, now time.Time, ttl time.Duration) (V, bool) {
	got, ok := c.get(key)
	return got.value, ok && now.Sub(got.at) < ttl
}

// put remembers a value as read at now, and makes room for it if the cache is full.
func (c *cache[K, V]) put(key K, value V, now time.Time) {
	c.putIf(key, value, now, func(V) bool { return true })
}

// putIf is put if there is no value yet or replaces says so of the one that there is. It returns
// the value that there is then.
func (c *cache[K, V]) putIf(key K, value V, now time.Time, replaces func(old V) bool) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.m[key]; ok {
		if !replaces(old.value) {
			return old.value
		}
		// In its place: the map would keep the new key, which may be a part of a whole request.
		*old = known[V]{value, now}
		return value
	}
	if c.m == nil {
		c.m = map[K]*known[V]{}
	}
	if c.limit > 0 && len(c.m) >= max(c.limit, c.tidyAt) {
		for k, v := range c.m {
			if now.Sub(v.at) >= c.keep {
				delete(c.m, k)
			}
		}
		// Those that are left are young: to look at all of them at each put takes too long.
		c.tidyAt = 2 * len(c.m)
	}
	c.m[key] = &known[V]{value, now}
	return value
}

// forget makes the next reader ask again.
func (c *cache[K, V]) forget(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.m, key)
}

// caches holds what the engine remembers, so that the common request costs one read of its session
// and nothing else.
type caches struct {
	instances    cache[string, store.Integration]
	findings     cache[string, []integration.Finding]
	capabilities cache[string, integration.Capabilities]
	destinations cache[string, resolved]

	destinationsFailed cache[string, struct{}] // since when the platform cannot say them

	onCall       cache[onCallKey, []integration.OnCallEntry] // now
	users        cache[userKey, integration.User]
	descriptions cache[string, integration.Description] // by plugin id
	formats      cache[string, integration.Formats]     // that plugins write, by plugin id
	ownFormats   cache[string, formatsSince]            // that plugins read, by plugin id
	pinned       cache[pinKey, pinnedOptions]
	snapshots    cache[platform.Hint, reading]
	// Since when alerts that were there are not found.
	missing cache[platform.Hint, struct{}]
	// The last one that HandleAlert has seen.
	handled cache[platform.Hint, *integration.AlertSnapshot]
	// Live ones; used only while the store has that version.
	sessions cache[sessionRef, store.Session]
	// Sessions whose last commit failed; see Engine.unchanged.
	doubted cache[sessionRef, struct{}]
}

// copiesKept is how many answers of the platform are kept before those too old to be used are
// dropped.
const copiesKept = 4096

// sessionsKept is how many live sessions are kept at least; beyond it those go that were not read
// for sessionsForget, which is longer than a caller on hold takes from one request to the next.
const (
	sessionsKept   = 1000
	sessionsForget = time.Minute
)

// doubtedKeep is how long a failed commit of a session is remembered at least: longer than a commit
// that was given up can still be on its way to the disk.
const doubtedKeep = time.Hour

// resolved is an integration's destinations as of one revision of it.
type resolved struct {
	list     []integration.Destination
	revision int64
}

// pinKey names an options document: the pinned revision's, with the secrets of the newest.
type pinKey struct {
	integration      string
	revision, newest int64
}

// pinnedOptions is an options document with the secrets filled in.
type pinnedOptions struct {
	options []byte
	format  int
}

// newCaches returns empty caches with their limits.
func newCaches() caches {
	return caches{
		// Old revisions in use at once are few; with keep 0 a full cache starts over rather than
		// grow.
		pinned: cache[pinKey, pinnedOptions]{limit: 256},
		onCall: cache[onCallKey, []integration.OnCallEntry]{limit: copiesKept, keep: onCallCopy},
		users:  cache[userKey, integration.User]{limit: copiesKept, keep: userCopy},
		// No call is slowed down for its alert's snapshot having been dropped while the call runs.
		snapshots: cache[platform.Hint, reading]{limit: snapshotsKept, keep: snapshotsForget},
		missing:   cache[platform.Hint, struct{}]{limit: snapshotsKept, keep: snapshotsForget},
		handled:   cache[platform.Hint, *integration.AlertSnapshot]{limit: snapshotsKept, keep: snapshotsForget},
		sessions:  cache[sessionRef, store.Session]{limit: sessionsKept, keep: sessionsForget},
		doubted:   cache[sessionRef, struct{}]{limit: sessionsKept, keep: doubtedKeep},
	}
}
