package oncall

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
)

// A time without a zone is what the machine's clock shows; one that the change of clocks skips, or
// that comes twice, is the one of the switchboard file and of the pages. Not parallel: the
// machine's zone is one for all.
func TestTimesAreThoseOfTheMachinesClock(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	before := time.Local
	time.Local = zone
	defer func() { time.Local = before }()
	for text, want := range map[string]string{
		"2026-01-05T09:00":          "2026-01-05T08:00:00Z",
		"2026-01-05 09:00":          "2026-01-05T08:00:00Z",
		"2026-07-05T09:00:30":       "2026-07-05T07:00:30Z",
		"2026-07-05":                "2026-07-04T22:00:00Z",
		"2026-03-29T02:30":          "2026-03-29T01:00:00Z", // skipped
		"2026-10-25T02:30":          "2026-10-25T00:30:00Z", // comes twice
		"2026-10-25T02:30:00+01:00": "2026-10-25T01:30:00Z",
		"2026-03-29T02:30:00Z":      "2026-03-29T02:30:00Z",
	} {
		got, err := parseTime("--from", text)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s is %v, %v; want %s", text, got.UTC(), err, want)
		}
	}
	skipped := OverrideAdd{From: "2026-03-29T02:10", To: "2026-03-29T02:50"}
	if err := skipped.times(new(api.Override)); err == nil || err.Error() != "--from and --to: clocks in this machine's time zone are put forward over all the time from 2026-03-29 02:10 to 2026-03-29 02:50, so it never comes: choose other times" {
		t.Errorf("a time that clocks skip: %v", err)
	}
	for _, right := range []OverrideAdd{{From: "2026-03-29T01:59", To: "2026-03-29T02:50"}, {From: "2026-03-29T02:10:00Z", To: "2026-03-29T02:50:00Z"}, {To: "2026-03-29T02:50"}} {
		if err := right.times(new(api.Override)); err != nil {
			t.Errorf("from %s to %s: %v", right.From, right.To, err)
		}
	}
	for _, text := range []string{"", "soon", "2026-02-30", "9999-12-31", "2026-01-05T25:00", "2026-01-05T09:00+01:00", "1969-12-31"} {
		if got, err := parseTime("--from", text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
