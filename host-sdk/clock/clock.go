// Package clock is the one clock of a host: injectable, so that tests step it, and scalable, so
// that several processes (host and simulator) live through ten minutes together in seconds.
//
//	clock.go   Clock, System, Scaled, Parse, Sleep
//	steady.go  the machine's clock without its steps
//	wall.go    what the machine's clock shows, with its steps
//	manual.go  Manual: a clock that a test moves by hand
//	led.go     Lead: a clock that several processes follow, whose speed may change
//	shared.go  Shared: one clock of several machines
package clock

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Clock tells the time and wakes sleepers.
type Clock interface {
	// Now returns the time by which waits are measured, in UTC. It never goes back. See [Wall] for
	// the time by which people live.
	Now() time.Time
	// NewTimer fires once, d from now; d ≤ 0 fires at once.
	NewTimer(d time.Duration) *Timer
	// Real converts a duration of this clock to one of the wall clock, for deadlines of real I/O.
	Real(d time.Duration) time.Duration
}

// Timer fires once on C.
type Timer struct {
	C    <-chan time.Time
	stop func() bool
}

// Stop prevents the timer from firing; false if it already has or was stopped.
func (t *Timer) Stop() bool { return t.stop() }

// Sleep waits d of the clock's time, or returns ctx's error.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// System is the machine's clock, in UTC, without its steps: one that was set forward by less than
// ten minutes, or back, is approached slowly, so that waits last as long as they should. [Wall]
// follows it at once.
func System() Clock { return scaled{machine: newSteady(time.Now()), factor: 1} }

// Scaled runs factor times as fast as the machine's clock and agrees with it at origin. Processes
// that are given the same origin and factor share one time.
func Scaled(origin time.Time, factor float64) Clock {
	return scaled{machine: newSteady(time.Now()), origin: origin, factor: factor}
}

// scaled is the machine's clock, stretched by a factor from an origin.
type scaled struct {
	machine *steady
	origin  time.Time
	factor  float64
}

// Now implements Clock.
func (s scaled) Now() time.Time { return s.at(s.machine.Now()) }

// at is what the clock shows when the machine's shows a time.
func (s scaled) at(now time.Time) time.Time {
	if s.factor == 1 {
		return now.UTC()
	}
	return s.origin.Add(time.Duration(float64(now.Sub(s.origin)) * s.factor)).UTC()
}

// Real implements Clock.
func (s scaled) Real(d time.Duration) time.Duration { return time.Duration(float64(d) / s.factor) }

// Wall is what the machine's clock shows.
func (s scaled) Wall() time.Time { return s.at(time.Now().Round(0)) }

// passing is the time since the start, by a clock that is never set.
func (s scaled) passing() time.Time { return s.at(began.Round(0).Add(time.Since(began))) }

// resume implements resumer.
func (s scaled) resume(last time.Time) {
	if s.factor != 1 {
		last = s.origin.Add(time.Duration(float64(last.Sub(s.origin)) / s.factor))
	}
	s.machine.resume(last)
}

// NewTimer implements Clock.
func (s scaled) NewTimer(d time.Duration) *Timer {
	c := make(chan time.Time, 1)
	t := time.AfterFunc(s.Real(d), func() { c <- s.Now() })
	return &Timer{C: c, stop: t.Stop}
}

// Parse reads "FACTOR@UNIX_MILLISECONDS", such as "20@1767225600000", or what Leader.Followers
// returns; "" is the system clock. It exists for tests of real binaries.
func Parse(text string) (Clock, error) {
	if text == "" {
		return System(), nil
	}
	if path, ok := strings.CutPrefix(text, followPrefix); ok {
		return follow(path)
	}
	f, at, ok := strings.Cut(text, "@")
	factor, err := strconv.ParseFloat(f, 64)
	ms, err2 := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || err2 != nil || factor <= 0 || factor > 10000 {
		return nil, fmt.Errorf("clock %q: want FACTOR@UNIX_MILLISECONDS, such as 20@1767225600000", text)
	}
	return Scaled(time.UnixMilli(ms), factor), nil
}
