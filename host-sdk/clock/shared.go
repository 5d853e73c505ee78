package clock

import (
	"context"
	"sync/atomic"
	"time"
)

// Shared is a clock that several machines have in common: each has its own, and measures how far that is
// from one that all of them can ask, such as a database's.
type Shared struct {
	Clock  // the machine's own
	offset atomic.Int64
}

// NewShared makes a clock that shows what the machine's own does until Measure is called.
func NewShared(own Clock) *Shared { return &Shared{Clock: own} }

// Now implements Clock.
func (s *Shared) Now() time.Time { return s.Clock.Now().Add(s.Offset()) }

// Offset is how far the common clock is ahead of the machine's own, as last measured.
func (s *Shared) Offset() time.Duration { return time.Duration(s.offset.Load()) }

// measures is how often the common clock is asked at a time: the quickest answer tells most.
const measures = 3

// uncertain is what a difference must be greater than to be followed, beside half of the time that the
// answer took: a clock that jumps with each measure is worse than one that is a little off.
const uncertain = 20 * time.Millisecond

// Measure asks the common clock and follows it. An error leaves the clock as it was.
func (s *Shared) Measure(ctx context.Context, ask func(context.Context) (time.Time, error)) error {
	var offset, took time.Duration
	for i := range measures {
		before := s.Clock.Now()
		common, err := ask(ctx)
		if err != nil {
			return err
		}
		// The answer was given some time between the two.
		if t := s.Clock.Now().Sub(before); i == 0 || t < took {
			offset, took = common.Sub(before.Add(t/2)), t
		}
	}
	if (offset - s.Offset()).Abs() > took/2+uncertain {
		s.offset.Store(int64(offset))
	}
	return nil
}
