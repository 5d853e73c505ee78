package hosttest

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// Skipping returns a clock on which time passes in waits alone, and these are over at once. So what
// looks again and again does so without a pause, and nothing comes too late where the machine is
// slow.
func Skipping() clock.Clock { return skipping{clock.NewManual(time.Now())} }

type skipping struct{ *clock.Manual }

// NewTimer implements clock.Clock.
func (s skipping) NewTimer(d time.Duration) *clock.Timer {
	t := s.Manual.NewTimer(d)
	s.Advance(max(0, d))
	return t
}
