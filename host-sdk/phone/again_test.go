package phone

import (
	"fmt"
	"strings"
	"testing"
)

// TestANumberIsReadAsBefore reads each number twice, and again after many others: what is
// remembered of a reading is that reading's, with its country.
func TestANumberIsReadAsBefore(t *testing.T) {
	t.Parallel()
	type reading struct{ text, country, number, problem string }
	readings := []reading{
		{"020 7946 0123", "GB", "+442079460123", ""},
		{"020 7946 0123", "US", "", "is too long for the country code +1"},
		{"020 7946 0123", "", "", "has no country code"},
		{"+12025550143", "", "+12025550143", ""},
		{"+12025550143", "GB", "+12025550143", ""},
		{"+1202555", "", "", "is too short for the country code +1"},
		{strings.Repeat("1", maxLength+1), "", "", "is too long for a telephone number"},
	}
	read := func(when string) {
		t.Helper()
		for _, want := range readings {
			number, err := Read(want.text, want.country)
			if number != want.number || (err != nil) != (want.problem != "") || err != nil && !strings.HasPrefix(err.Error(), want.problem) {
				t.Errorf("%s: %s in %q is read as %q, %v; want %q, %q", when, want.text, want.country, number, err, want.number, want.problem)
			}
		}
	}
	read("at first")
	read("again")
	for i := range 300 {
		if _, err := Read(fmt.Sprintf("+1202555%04d", i), ""); err != nil {
			t.Fatal(err)
		}
	}
	read("after many others")
	if n := lately.Len(); n > 256 {
		t.Errorf("%d readings are remembered", n)
	}
}
