package clock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestASharedClockFollowsTheCommonOne(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	own := NewManual(start)
	s := NewShared(own)
	ahead := 30 * time.Second
	answers := 0
	// The first answer of each three takes 4 s of which the way there takes all, the others none.
	ask := func(context.Context) (time.Time, error) {
		if answers++; answers%measures == 1 {
			own.Advance(4 * time.Second)
		}
		return own.Now().Add(ahead), nil
	}
	if err := s.Measure(t.Context(), ask); err != nil || s.Offset() != ahead || !s.Now().Equal(own.Now().Add(ahead)) {
		t.Errorf("the clock is %v ahead, want %v; %v", s.Offset(), ahead, err)
	}
	ahead += uncertain / 2
	if err := s.Measure(t.Context(), ask); err != nil || s.Offset() != 30*time.Second {
		t.Errorf("a difference that may be the network's is followed: %v, %v", s.Offset(), err)
	}
	ahead = -time.Minute
	if err := s.Measure(t.Context(), ask); err != nil || s.Offset() != -time.Minute {
		t.Errorf("the clock is %v ahead, want a minute behind; %v", s.Offset(), err)
	}
	away := errors.New("away")
	if err := s.Measure(t.Context(), func(context.Context) (time.Time, error) { return time.Time{}, away }); !errors.Is(err, away) || s.Offset() != -time.Minute {
		t.Errorf("without an answer the clock is %v ahead, %v", s.Offset(), err)
	}
}

func TestASharedClockGoesOnHoweverFarTheCommonOneIsSetBack(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{time.Minute, 5 * time.Hour} {
		own, logged := NewManual(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)), 0
		s := NewShared(own)
		s.log = func(string, time.Duration) { logged++ }
		ahead := time.Duration(0)
		measure := func() {
			t.Helper()
			if err := s.Measure(t.Context(), func(context.Context) (time.Time, error) { return own.Now().Add(ahead), nil }); err != nil {
				t.Fatal(err)
			}
		}
		measure()
		before := s.Now()
		ahead = -by
		measure()
		if !s.Now().Equal(before) || !s.Wall().Equal(before.Add(-by)) {
			t.Errorf("set back by %v: shows %v and on the wall %v, want %v and %v", by, s.Now(), s.Wall(), before, before.Add(-by))
		}
		for range 90 {
			last := s.Now()
			own.Advance(time.Second)
			if passed := s.Now().Sub(last); passed < 900*time.Millisecond || passed > time.Second {
				t.Fatalf("set back by %v: %v have passed after a second", by, passed)
			}
			measure()
		}
		own.Advance(11 * by)
		if measure(); !s.Now().Equal(s.Wall()) {
			t.Errorf("set back by %v: it is still %v ahead after eleven times as long", by, s.Now().Sub(s.Wall()))
		}
		if logged != 1 {
			t.Errorf("set back by %v: %d lines, want one", by, logged)
		}
	}
}

func TestASharedClockIsNotMovedByAStepOfTheMachinesOwn(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	l, err := Lead(filepath.Join(t.TempDir(), "clock"), start, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	own, err := Parse(l.Followers())
	if err != nil {
		t.Fatal(err)
	}
	s := NewShared(own)
	for _, by := range []time.Duration{time.Hour, -3 * time.Hour} {
		before := s.Now()
		if err := l.Step(by); err != nil {
			t.Fatal(err)
		}
		if d := s.Now().Sub(before); d < 0 || d > time.Minute {
			t.Errorf("set by %v, it goes on by %v", by, d)
		}
		if d := s.Wall().Sub(before); d < 0 || d > time.Minute {
			t.Errorf("set by %v, its clock on the wall goes on by %v", by, d)
		}
	}
}
