package lists_test

import (
	"errors"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// An empty list is a quiet night only if what it was narrowed to exists: here, at the platform, or
// in a call that is kept.
func TestAnEmptyListIsOneOfWhatExists(t *testing.T) {
	t.Parallel()
	w, source := newWorld()
	// Words, a team and an integration that are known by one old call alone.
	w.calls = append(w.calls, store.Call{Integration: "gone", View: integration.CallView{From: "+12", Ended: "chat_closed", Team: "night"}})
	for name, tt := range map[string]struct {
		filter store.CallFilter
		want   string
	}{
		"nothing":                     {store.CallFilter{}, ""},
		"an integration":              {store.CallFilter{Integration: "int"}, ""},
		"a deleted one with calls":    {store.CallFilter{Integration: "gone"}, ""},
		"no integration":              {store.CallFilter{Integration: "nope", Ended: "connected"}, `integration "nope" is unknown: use one of int (Hotline)`},
		"a team":                      {store.CallFilter{Team: "support"}, ""},
		"a team that was":             {store.CallFilter{Team: "night", Since: w.calls[0].StartedAt}, ""},
		"no team":                     {store.CallFilter{Team: "suport"}, `team "suport" is unknown: use one of devops, support`},
		"an end that nobody had yet":  {store.CallFilter{Ended: "told_goodbye"}, ""},
		"an end of another plugin":    {store.CallFilter{Ended: "chat_closed"}, ""},
		"no end":                      {store.CallFilter{Ended: "foo"}, `ended "foo" is unknown: use one of chat_closed, connected, hung_up, message_left, no_message, rejected, told_goodbye`},
		"a number that never called":  {store.CallFilter{From: "+12025550199"}, ""},
		"an address":                  {store.CallFilter{From: "sip:x@example.com"}, ""},
		"a short number that called":  {store.CallFilter{From: "+12"}, ""},
		"a part of a number":          {store.CallFilter{From: "+1 202"}, `the caller's number "+1 202" is too short for the country code +1; to find a part of a number, search for it as text`},
		"a number without a country":  {store.CallFilter{From: "0202 555"}, `the caller's number "0202 555" has no country code: write it as +12025550143, with + and the country code; to find a part of a number, search for it as text`},
		"several of which one is not": {store.CallFilter{Integration: "int", Team: "devops", Ended: "foo"}, `ended "foo" is unknown: use one of chat_closed, connected, hung_up, message_left, no_message, rejected, told_goodbye`},
	} {
		err := source.Known(t.Context(), tt.filter)
		got := ""
		if known := (*integration.Error)(nil); errors.As(err, &known) && known.Kind == integration.KindInvalid {
			got = known.Message
		}
		if (err == nil) != (tt.want == "") || got != tt.want {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
