package clock

import "time"

// began is a reading of the machine's clock with its monotonic part, from which no step is seen.
var began = time.Now()

// Wall returns the time that the clock on the wall shows, in UTC. It follows a clock that is set,
// at once, and may go back. Whose shift it is, what a calendar shows and what others have signed
// goes by it. Waits and stored times go by [Clock.Now], which keeps their distances: the two differ
// after the clock was set.
func Wall(c Clock) time.Time {
	if w, ok := c.(interface{ Wall() time.Time }); ok {
		return w.Wall()
	}
	return c.Now()
}

// OnWall converts a time of [Clock.Now] to what the clock on the wall shows then, unless it is set
// until then.
func OnWall(c Clock, t time.Time) time.Time { return t.Add(Wall(c).Sub(c.Now())) }

// OfWall is the clock on the wall: its Now is the [Wall] of c.
func OfWall(c Clock) Clock { return ofWall{c} }

type ofWall struct{ Clock }

// Now implements Clock.
func (w ofWall) Now() time.Time { return Wall(w.Clock) }

// Resume lets a clock go on from a time that it showed in an earlier process. It does nothing
// unless that time is later than what it shows: then the machine's clock was set back meanwhile,
// and whatever waits for a time would wait for so much longer.
func Resume(c Clock, last time.Time) {
	if r, ok := c.(resumer); ok {
		r.resume(last)
	}
}

// resumer is a clock that can go on from a later time.
type resumer interface{ resume(last time.Time) }

// passing is the time by a clock that is never set: only how much of it passes means anything.
func passing(c Clock) time.Time {
	if p, ok := c.(interface{ passing() time.Time }); ok {
		return p.passing()
	}
	return c.Now()
}
