package wording

import (
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestLengthsAreSpelledAsOnPages(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 1400 * time.Millisecond: "1 s", 59*time.Second + 499*time.Millisecond: "59 s", 59*time.Second + 500*time.Millisecond: "1 min",
		65 * time.Second: "1 min 5 s", 59*time.Minute + 59*time.Second: "59 min 59 s", time.Hour: "1 h", 2*time.Hour + 3*time.Minute + 4*time.Second: "2 h 3 min",
	} {
		if got := Lasting(d); got != want {
			t.Errorf("%v is spelled %q, want %q", d, got, want)
		}
	}
}

func TestOrdinals(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{2: "second", 3: "third", 10: "tenth", 11: "11th", 12: "12th", 21: "21st", 22: "22nd", 33: "33rd", 100: "100th", 111: "111th"} {
		if got := Ordinal(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// Somebody may listen to a message to its end before they are rung: nothing says that a phone rings
// already.
func TestOccupiedPeopleAreNotSaidToBeRungNow(t *testing.T) {
	t.Parallel()
	for _, how := range []string{integration.OccupiedTalking, integration.OccupiedRinging, integration.OccupiedWaiting, integration.OccupiedTelling, ""} {
		if got := Occupied(how); strings.Contains(got, " now") || !strings.Contains(got, "is rung ") {
			t.Errorf("%q: %s", how, got)
		}
	}
}
