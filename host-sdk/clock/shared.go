package clock

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Shared is a clock that several machines have in common: each measures how far its own is from one
// that all of them can ask, such as a database's. Steps of the machine's own clock do not touch it.
// Those of the common one it treats as [System] those of the machine's, but takes over any step
// forward.
type Shared struct {
	Clock // the machine's own
	hands atomic.Pointer[hands]
	log   func(message string, by time.Duration)
}

// hands say what a Shared shows, by how much of the machine's time has passed.
type hands struct {
	wall  time.Duration // how far the common clock is ahead
	from  time.Time     // when it was measured
	ahead time.Duration // how far Now was ahead of the common clock then, which was set back
	// measured is false until the first measurement, which says nothing of a step.
	measured bool
}

// left is how far Now is ahead of the common clock still.
func (h *hands) left(passing time.Time) time.Duration {
	return max(0, h.ahead-max(0, passing.Sub(h.from))/stepShare)
}

// NewShared makes a clock that shows what the machine's own does until Measure is called.
func NewShared(own Clock) *Shared {
	s := &Shared{Clock: own, log: func(message string, by time.Duration) { slog.Warn(message, "by", by.Round(time.Millisecond).String()) }}
	from := passing(own)
	s.hands.Store(&hands{from: from, wall: own.Now().Sub(from)})
	return s
}

// Now implements Clock.
func (s *Shared) Now() time.Time {
	h, now := s.hands.Load(), passing(s.Clock)
	return now.Add(h.wall + h.left(now))
}

// Wall is what the common clock shows, as last measured.
func (s *Shared) Wall() time.Time { return passing(s.Clock).Add(s.hands.Load().wall) }

// Offset is how far the common clock, as last measured, is ahead of what the machine's own shows.
func (s *Shared) Offset() time.Duration { return s.Wall().Sub(Wall(s.Clock)).Round(time.Millisecond) }

// resume implements resumer.
func (s *Shared) resume(last time.Time) {
	h, now := s.hands.Load(), passing(s.Clock)
	if ahead := last.Sub(now.Add(h.wall)); ahead > h.left(now) {
		s.hands.Store(&hands{wall: h.wall, from: now, ahead: ahead, measured: h.measured})
	}
}

// measures is how often the common clock is asked at a time: the quickest answer tells most.
const measures = 3

// uncertain is what a difference must be greater than to be followed, beside half of the time that
// the answer took: a clock that jumps with each measure is worse than one that is a little off.
const uncertain = 20 * time.Millisecond

// Measure asks the common clock and follows it: Wall at once, Now slowly where that clock was set
// back. An error leaves the clock as it was. It must not be called by two at the same time.
func (s *Shared) Measure(ctx context.Context, ask func(context.Context) (time.Time, error)) error {
	var wall, took time.Duration
	for i := range measures {
		before := passing(s.Clock)
		common, err := ask(ctx)
		if err != nil {
			return err
		}
		// The answer was given some time between the two.
		if t := passing(s.Clock).Sub(before); i == 0 || t < took {
			wall, took = common.Sub(before.Add(t/2)), t
		}
	}
	h, now := s.hands.Load(), passing(s.Clock)
	step := wall - h.wall
	if h.measured && step.Abs() <= took/2+uncertain {
		return nil
	}
	ahead := h.left(now) - step
	switch {
	case h.measured && step <= -stepNoticed:
		s.log("the database's clock was set back; shifts follow it at once, waits go on as they were", -step)
	case !h.measured || ahead < stepNoticed:
		// The first difference is no step, and a small one is an ordinary correction.
		ahead = 0
	}
	s.hands.Store(&hands{wall: wall, from: now, ahead: ahead, measured: true})
	return nil
}
