package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "1w": 168 * time.Hour, "2d": 48 * time.Hour, "90s": 90 * time.Second} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "m", "-5m", "1.5h", "5 m", "0s", "99999999999s", "4000d", "520w521w", "5x", "٣m",
		strings.Repeat("520w", 60), strings.Repeat("520w", 59)} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v", text, got)
		}
	}
	for want, d := range map[string]time.Duration{"5 minutes": 5 * time.Minute, "1 hour 30 minutes": 90 * time.Minute, "1 minute": time.Minute, "0 seconds": 0, "2 days 1 second": 48*time.Hour + time.Second} {
		if got := Spoken(d); got != want {
			t.Errorf("Spoken(%v) = %q", d, got)
		}
	}
}
