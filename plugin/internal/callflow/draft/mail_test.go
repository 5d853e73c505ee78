package draft_test

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
)

// A message is dated when it was offered. One that came to light without the offer has the time at
// which it was found.
func TestAMailSaysWhenTheMessageWasLeft(t *testing.T) {
	t.Parallel()
	found := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		offered time.Time
		want    string
	}{
		"offered": {found.Add(-5 * time.Minute), "Sun 1 Mar 2026 12:25 UTC"},
		"found":   {time.Time{}, "Sun 1 Mar 2026 12:30 UTC"},
	} {
		s := call.State{Caller: call.Caller{Number: "+12025550143"}, Voicemail: call.Voicemail{OfferedAt: c.offered}}
		got := ""
		for _, f := range draft.Mail(&s, &call.Recording{Seconds: 7}, "", nil, found).Fields {
			if f.Label == "Time" {
				got = f.Value
			}
		}
		if got != c.want {
			t.Errorf("%s: the mail says %q, want %q", name, got, c.want)
		}
	}
}
