package clock

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// stepNoticed is the difference from the machine's clock above which a step of that clock is
	// reported. Ordinary corrections of a clock are smaller by far.
	stepNoticed = time.Second
	// stepFollowed is the size of a step forward above which it is followed at once: the machine
	// was suspended, or the clock plainly wrong. A step back is never followed at once, as
	// everything that waits for a time would wait that much longer: nobody would be rung for
	// callers on hold, and alerts would not escalate.
	stepFollowed = 10 * time.Minute
	// stepShare is the share of the time passing by which any other step is approached. It changes
	// no wait by more than a tenth. What is decided by the hour of the day goes by [Wall]
	// meanwhile.
	stepShare = 10
)

// steady reads the machine's clock without its steps: between two readings as much time passes as
// on the monotonic clock, which no step touches. So a wait of three seconds that is stored as a
// time takes three seconds, and not two minutes longer after the clock was put back. A difference
// to the machine's clock is made up slowly, by a tenth of the time passing; a large one forward at
// once (see stepFollowed).
type steady struct {
	log func(message string, by time.Duration)

	mu      sync.Mutex
	last    time.Time // the last reading of the machine's clock
	now     time.Time // what was returned for it
	stepped bool      // a step is being made up
}

// newSteady makes a steady clock that agrees with the machine's at a reading of it.
func newSteady(reading time.Time) *steady {
	s := &steady{log: func(message string, by time.Duration) { slog.Warn(message, "by", by.Round(time.Millisecond).String()) }}
	s.at(reading, reading.Round(0))
	return s
}

// Now returns the time, without a monotonic reading.
func (s *steady) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	reading := time.Now()
	return s.step(reading, reading.Round(0))
}

// resume goes on from a time that an earlier process showed, where that is later.
func (s *steady) resume(last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last.After(s.now) {
		s.now = last
	}
}

// at makes it agree with the machine's clock. reading counts by its monotonic part, wall is the
// time the machine shows.
func (s *steady) at(reading, wall time.Time) { s.last, s.now = reading, wall }

// step goes on to the next reading, and returns the time at it. s.mu is held.
func (s *steady) step(reading, wall time.Time) time.Time {
	passed := max(0, reading.Sub(s.last)) // monotonic
	s.at(reading, s.now.Add(passed))
	behind := wall.Sub(s.now)
	switch off := behind.Abs(); {
	case behind >= stepFollowed:
		s.log("the machine's clock was set; its time is taken over", behind)
		s.now, s.stepped = wall, false
		return s.now
	case off >= stepNoticed && !s.stepped:
		s.log("the machine's clock was set; shifts follow it at once; waits go on as they were, and times of calls approach it slowly", behind)
		s.stepped = true
	case off < stepNoticed/2:
		s.stepped = false
	}
	share := passed / stepShare
	s.now = s.now.Add(min(max(behind, -share), share))
	return s.now
}
