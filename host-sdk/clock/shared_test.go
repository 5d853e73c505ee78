package clock

import (
	"context"
	"errors"
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
