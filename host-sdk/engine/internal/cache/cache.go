// Package cache keeps last known values.
package cache

import (
	"sync"
	"time"
)

// Cache keeps the last known value of each key with the time it was read. It never drops a value
// for its age alone: how old a value may be is the reader's question, since a call is better served
// by an old copy than by none.
//
// Its zero value has no limit.
type Cache[K comparable, V any] struct {
	// Values beyond which those read keep ago or earlier are dropped; 0 = no limit.
	limit int
	keep  time.Duration // see limit

	mu     sync.Mutex
	m      map[K]*Known[V]
	tidyAt int // values at which those that are too old are looked for next
}

// New makes a cache that drops, when it holds limit values or more, those that were read keep ago
// or earlier. With a keep of 0 a full cache starts over rather than grow.
func New[K comparable, V any](limit int, keep time.Duration) *Cache[K, V] {
	return &Cache[K, V]{limit: limit, keep: keep}
}

// Known is a value and when it was read, on the engine's clock.
type Known[V any] struct {
	Value V
	At    time.Time
}

// Get returns the last known value, however old. The second result is false if there is none.
func (c *Cache[K, V]) Get(key K) (Known[V], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.m[key]
	if !ok {
		return Known[V]{}, false
	}
	return *got, true
}

// Fresh returns the last known value, and whether there is one younger than ttl.
func (c *Cache[K, V]) Fresh(key K, now time.Time, ttl time.Duration) (V, bool) {
	got, ok := c.Get(key)
	return got.Value, ok && now.Sub(got.At) < ttl
}

// Put remembers a value as read at now, and makes room for it if the cache is full.
func (c *Cache[K, V]) Put(key K, value V, now time.Time) {
	c.PutIf(key, value, now, func(V) bool { return true })
}

// PutIf is Put if there is no value yet or replaces says so of the one that there is. It returns
// the value that there is then.
func (c *Cache[K, V]) PutIf(key K, value V, now time.Time, replaces func(old V) bool) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.m[key]; ok {
		if !replaces(old.Value) {
			return old.Value
		}
		// In its place: the map would keep the new key, which may be a part of a whole request.
		*old = Known[V]{value, now}
		return value
	}
	if c.m == nil {
		c.m = map[K]*Known[V]{}
	}
	if c.limit > 0 && len(c.m) >= max(c.limit, c.tidyAt) {
		for k, v := range c.m {
			if now.Sub(v.At) >= c.keep {
				delete(c.m, k)
			}
		}
		// Those that are left are young: to look at all of them at each put takes too long.
		c.tidyAt = 2 * len(c.m)
	}
	c.m[key] = &Known[V]{value, now}
	return value
}

// Forget makes the next reader ask again.
func (c *Cache[K, V]) Forget(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.m, key)
}
