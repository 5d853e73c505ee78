package answers

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Limits of what is remembered of callers.
const (
	// callersKept is how far back, longer than the hour that a plugin asks about.
	callersKept = 2 * time.Hour
	// callersMost bounds how many; beyond it they are forgotten, and the store is asked for a
	// while.
	callersMost = 50_000
	// callersLearnt is how many calls from before this process are read.
	callersLearnt = 5_000
	callersPage   = 500
)

// Callers knows who has called lately, where this process alone writes to the store: most callers
// have not, and of those nobody is asked. Numbers are kept as hashes, so one that is forgotten
// stands nowhere; of two with the same hash both are looked up. Use NewCallers.
type Callers struct {
	seed maphash.Seed

	mu     sync.Mutex
	since  time.Time        // whoever has called since then is among last
	last   map[uint64]int64 // when they were last heard of, in milliseconds since 1970
	newest time.Time        // of the times that were said
	tidyAt int              // callers at which those of long ago are looked for next
}

// NewCallers knows of no call before now.
func NewCallers(now time.Time) *Callers {
	return &Callers{seed: maphash.MakeSeed(), since: now, newest: now, last: map[uint64]int64{}, tidyAt: callersMost / 10}
}

// hash names a caller of an integration.
func (c *Callers) hash(integrationID, from string) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	_, _ = h.WriteString(integrationID)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(from)
	return h.Sum64()
}

// Called says that a call from this number is about to be written, or to be changed.
func (c *Callers) Called(integrationID, from string, now time.Time) {
	if from == "" {
		return
	}
	of := c.hash(integrationID, from)
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.newest) {
		c.newest = now
	}
	if len(c.last) >= c.tidyAt {
		c.tidy()
	}
	c.last[of] = max(c.last[of], now.UnixMilli())
}

// tidy forgets those of long ago; c.mu is held.
func (c *Callers) tidy() {
	end := c.newest.Add(-callersKept)
	for of, at := range c.last {
		if at < end.UnixMilli() {
			delete(c.last, of)
		}
	}
	if end.After(c.since) {
		c.since = end
	}
	if len(c.last) >= callersMost {
		clear(c.last)
		c.since = c.newest
	}
	// Those that are left are young: to look at all of them at each call takes too long.
	c.tidyAt = min(callersMost, max(callersMost/10, 2*len(c.last)))
}

// Not reports whether this number has surely not called since then.
func (c *Callers) Not(integrationID, from string, since time.Time) bool {
	if c == nil {
		return false
	}
	of := c.hash(integrationID, from)
	c.mu.Lock()
	defer c.mu.Unlock()
	at, called := c.last[of]
	return !since.Before(c.since) && (!called || at < since.UnixMilli())
}

// Learn reads who has called before this process began. Until it returns the store is asked about
// times before that, and after an error as well.
func (c *Callers) Learn(ctx context.Context, calls store.Calls) error {
	c.mu.Lock()
	f := store.CallFilter{Since: c.since.Add(-callersKept), Limit: callersPage}
	c.mu.Unlock()
	from := f.Since
	for read := 0; ; {
		list, next, err := calls.ListCalls(ctx, f)
		if err != nil {
			return err
		}
		for _, call := range list {
			c.Called(call.Integration, call.View.From, call.StartedAt)
		}
		if next == "" {
			break
		}
		if read += len(list); read >= callersLearnt {
			from = list[len(list)-1].StartedAt.Add(time.Millisecond) // the newest came first
			break
		}
		f.After = next
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Unless so many have called meanwhile that they were forgotten.
	if c.since.Sub(f.Since) <= callersKept {
		c.since = from
	}
	return nil
}
