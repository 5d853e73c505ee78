package moment

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the cases name zones
)

// TestAgreesWithMoment compares with what moment-timezone answers; router/testdata/make.mjs asks
// it.
func TestAgreesWithMoment(t *testing.T) {
	t.Parallel()
	var file struct {
		Format []struct{ At, Zone, Format, Want string }
		Parse  []struct {
			Format, Text string
			Ms           int64
		}
	}
	data, err := os.ReadFile("testdata/moment.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Format {
		at, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			t.Fatal(err)
		}
		zone, err := time.LoadLocation(c.Zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := Parse(c.Format).Write(at.In(zone)); got != c.Want {
			t.Errorf("%s in %s as %q: got %q, moment says %q", c.At, c.Zone, c.Format, got, c.Want)
		}
	}
	for _, c := range file.Parse {
		format := Parse(c.Format)
		if err := format.CheckTimeOfDay(); err != nil {
			t.Fatalf("%q: %v", c.Format, err)
		}
		got := int64(-1)
		if at, ok := format.ParseTimeOfDay(c.Text); ok {
			got = at.Milliseconds()
		}
		if got != c.Ms {
			t.Errorf("%q as %q: got %d, moment says %d", c.Text, c.Format, got, c.Ms)
		}
	}
}

// TestLenientTimes is the table of how times of day are read.
func TestLenientTimes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ texts, twelve, full string }{
		{"12:00 am", "00:00", "12:00"},
		{"00:00 am", "00:00", "00:00"},
		{"12:00 pm|12 pm|12:00", "12:00", "12:00"},
		{"8:00 am|08:00am|08:00 AM", "08:00", "08:00"},
		{"17:00|17:00 pm", "17:00", "17:00"},
		{"05:00 PM|5pm", "17:00", "05:00"},
		{"24:00", "00:00", "00:00"},
		{"25:00 pm|", "invalid", "invalid"},
	} {
		for text := range strings.SplitSeq(row.texts, "|") {
			for format, want := range map[string]string{"hh:mm a": row.twelve, "HH:mm": row.full} {
				got := "invalid"
				if at, ok := Parse(format).ParseTimeOfDay(text); ok {
					got = time.Time{}.Add(at).Format("15:04")
				}
				if got != want {
					t.Errorf("%q as %q: got %s, want %s", text, format, got, want)
				}
			}
		}
	}
}
