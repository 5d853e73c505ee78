package textmatch_test

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/internal/textmatch"
)

func TestWhatPeopleTypeIsFound(t *testing.T) {
	t.Parallel()
	texts := []string{"Incoming call from +12025550143", "Élodie Durand", "The disk is at 100 % on web_01", `She said "again"`, "مكالمة من دبي"}
	for search, want := range map[string]bool{
		"": true, "  ": true, "incoming": true, "INCOMING CALL": true, "call durand": true, "élodie": true, "ÉLODIE": true,
		"+1 202-555-0143": true, "(202) 555 0143": true, "0143": true, "555.0144": false, "+12": true,
		"%": true, "100 %": true, "_": true, "web_01": true, "web%01": false, "web.01": false, `"again"`: true, "'": false,
		"دبي": true, "من دبي": true, "durand nobody": false, "c": true, "\x00": false,
	} {
		if got := textmatch.New(search).In(texts...); got != want {
			t.Errorf("%q is found: %v, want %v", search, got, want)
		}
	}
}
