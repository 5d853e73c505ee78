package vitals

import (
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// gapCache remembers the gaps of all schedules for gapsKept: they are the same from one scrape to
// the next, and the file may be large. Two scrapes at once wait for one reckoning.
type gapCache struct {
	mu sync.Mutex
	// What the answer is of: the file's hash, and when it was worked out.
	hash    string
	at      time.Time
	seconds map[string]float64
}

// of returns, by team, the seconds within gapsAhead in which nobody is on call in any layer. A
// clock that was set back makes it reckon anew.
func (c *gapCache) of(f *switchboardfile.File, now time.Time) map[string]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.at); c.seconds != nil && c.hash == f.Hash && age >= 0 && age < gapsKept {
		return c.seconds
	}
	c.hash, c.at, c.seconds = f.Hash, now, map[string]float64{}
	for i := range f.Teams {
		t := &f.Teams[i]
		total := 0.0
		for _, g := range t.Schedule.Gaps(now, now.Add(gapsAhead)) {
			// Layer 0 stands for the whole team: the gaps of single layers are covered by the next
			// one.
			if g.Layer == 0 {
				total += g.To.Sub(g.From).Seconds()
			}
		}
		c.seconds[t.ID] = total
	}
	return c.seconds
}
