package clock

import (
	"testing"
	"time"
)

// steps is a machine whose wall clock a test sets.
type steps struct {
	passed time.Duration // since the start, monotonic
	set    time.Duration // by how much the wall clock was set
	logged int
}

func TestAStepOfTheClockDoesNotMoveShortWaits(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, by := range []time.Duration{-2 * time.Minute, 2 * time.Minute} {
		m := &steps{}
		s := &steady{log: func(string, time.Duration) { m.logged++ }}
		s.at(start, start.Round(0))
		read := func() time.Time { return s.step(start.Add(m.passed), start.Round(0).Add(m.passed+m.set)) }
		if got := read(); !got.Equal(start) {
			t.Fatalf("begins at %v, want %v", got, start)
		}
		m.set = by
		before := read()
		m.passed += 3 * time.Second
		if took := read().Sub(before); took < 2700*time.Millisecond || took > 3300*time.Millisecond {
			t.Errorf("set by %v: three seconds took %v", by, took)
		}
		for range 100 {
			m.passed += 15 * time.Second
			read()
		}
		if got, want := read(), start.Add(m.passed+m.set); !got.Equal(want) {
			t.Errorf("set by %v: after 25 minutes the time is %v, want the machine's %v", by, got, want)
		}
		if m.logged != 1 {
			t.Errorf("set by %v: %d lines, want one", by, m.logged)
		}
	}
}

func TestALargeStepForwardIsFollowedAtOnce(t *testing.T) {
	t.Parallel()
	start, by, logged := time.Now(), time.Hour, 0
	s := &steady{log: func(string, time.Duration) { logged++ }}
	s.at(start, start.Round(0))
	for range 3 {
		if got, want := s.step(start, start.Round(0).Add(by)), start.Add(by); !got.Equal(want) {
			t.Errorf("the time is %v, want %v", got, want)
		}
	}
	if logged != 1 {
		t.Errorf("%d lines, want one", logged)
	}
}

func TestWaitsGoOnHoweverFarTheClockIsPutBack(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for _, by := range []time.Duration{time.Hour, 3 * time.Hour, 400 * 24 * time.Hour} {
		m := &steps{}
		s := &steady{log: func(string, time.Duration) { m.logged++ }}
		s.at(start, start.Round(0))
		read := func() time.Time { return s.step(start.Add(m.passed), start.Round(0).Add(m.passed+m.set)) }
		heard := read()
		m.set = -by
		// A caller who falls silent is missed after 90 s.
		for read().Sub(heard) < 90*time.Second {
			if m.passed += time.Second; m.passed > 110*time.Second {
				t.Fatalf("put back by %v: 90 seconds have not passed after %v", by, m.passed)
			}
		}
		for range 11 {
			m.passed += by
			read()
		}
		if got, want := read(), start.Add(m.passed+m.set); !got.Equal(want) {
			t.Errorf("put back by %v: after %v the time is %v, want the machine's %v", by, m.passed, got, want)
		}
		if m.logged != 1 {
			t.Errorf("put back by %v: %d lines, want one", by, m.logged)
		}
	}
}

func TestSmallCorrectionsOfTheClockAreNoSteps(t *testing.T) {
	t.Parallel()
	start := time.Now()
	s := &steady{log: func(string, time.Duration) { t.Error("reported") }}
	s.at(start, start.Round(0))
	for i := range 1000 { // a clock that is corrected by 500 ppm
		passed := time.Duration(i) * time.Second
		wall := start.Round(0).Add(passed + passed/2000)
		if got := s.step(start.Add(passed), wall); i > 0 && !got.Equal(wall) {
			t.Fatalf("after %v the time is off by %v", passed, got.Sub(wall))
		}
	}
}
