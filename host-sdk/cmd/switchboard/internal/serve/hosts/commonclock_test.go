package hosts

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// keptTime is a store that holds what a clock showed, and whether a call is in progress.
type keptTime struct {
	store.Store
	value string
	live  bool
}

func (k *keptTime) Setting(context.Context, string) (string, error) {
	if k.value == "" {
		return "", integration.Errorf(integration.KindNotFound, "none")
	}
	return k.value, nil
}

func (k *keptTime) SetSetting(_ context.Context, _, value string) error {
	k.value = value
	return nil
}

func (k *keptTime) ListSessions(context.Context, store.SessionFilter) ([]store.Session, error) {
	if k.live {
		return make([]store.Session, 1), nil
	}
	return nil, nil
}

// TestAStartAfterTheClockWasSetBackLetsNothingWaitForTheStep: what the last process stored to be
// due in a moment is due in a moment.
func TestAStartAfterTheClockWasSetBackLetsNothingWaitForTheStep(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		ahead   time.Duration // of what the last process showed
		earlier time.Duration // how long ago it kept that, by the clock on the wall
		live    bool
		shared  bool
		want    time.Duration // how far the clock is ahead then
	}{
		"not set":             {ahead: -time.Minute, want: 0},
		"set back by seconds": {ahead: 10 * time.Second, earlier: -10 * time.Second, want: 10 * time.Second},
		"set back by an hour": {ahead: time.Hour, earlier: -time.Hour, want: time.Hour},
		"set back by days, a call is in progress":      {ahead: 3 * day, earlier: -3 * day, live: true, want: 3 * day},
		"set back by days, no call is in progress":     {ahead: 3 * day, earlier: -3 * day, want: 0},
		"another host runs whose clock is ahead":       {ahead: time.Hour, earlier: time.Minute, shared: true, want: time.Hour + time.Minute},
		"other hosts ran, whose clocks were far ahead": {ahead: 3 * day, earlier: -3 * day, shared: true, want: 3 * day},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := clock.NewManual(time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC))
			wall := own.Now()
			k := Timekeeper{clock: own, log: slog.New(slog.DiscardHandler)}
			if c.shared {
				k.clock, k.common = clock.NewShared(own), func(context.Context) (time.Time, error) { return wall, nil }
			}
			text, err := json.Marshal(shown{Now: wall.Add(c.ahead), Wall: wall.Add(-c.earlier)})
			if err != nil {
				t.Fatal(err)
			}
			k.store = &keptTime{value: string(text), live: c.live}
			if err := k.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := k.clock.Now().Sub(wall); got != c.want {
				t.Errorf("the clock is %v ahead, want %v", got, c.want)
			}
			if got := clock.Wall(k.clock); !got.Equal(wall) {
				t.Errorf("the clock on the wall shows %v, want %v", got, wall)
			}
		})
	}
}
