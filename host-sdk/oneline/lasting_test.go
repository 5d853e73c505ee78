package oneline_test

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

func TestLasting(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 1499 * time.Millisecond: "1 s", 59 * time.Second: "59 s",
		time.Minute: "1 min", 61 * time.Second: "1 min 1 s", 59*time.Minute + 59*time.Second: "59 min 59 s",
		time.Hour: "1 h", 90 * time.Minute: "1 h 30 min", 47*time.Hour + 59*time.Minute: "47 h 59 min", 49 * time.Hour: "2 days",
	} {
		if got := oneline.Lasting(d); got != want {
			t.Errorf("Lasting(%v) = %q, want %q", d, got, want)
		}
	}
}
