package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Who is on no call any more, or is not waited for any more, is free for others: whether the
// session lets go of them or ends.
func TestAnUpdateFreesWhomItLetsGo(t *testing.T) {
	t.Parallel()
	type update = integration.SessionUpdate
	old := &store.Session{Live: true, Occupies: []string{"alice", "bob"}, WaitsFor: []string{"carol", "dave"}}
	over := *old
	over.Live = false
	for name, tt := range map[string]struct {
		old  *store.Session
		u    *update
		want []string
	}{
		"a new session":               {nil, &update{Live: true, Occupies: []string{"alice"}}, nil},
		"a session left as it is":     {old, nil, nil},
		"one that was over":           {&over, &update{}, nil},
		"nobody is let go":            {old, &update{Live: true, Occupies: []string{"bob", "alice"}, WaitsFor: []string{"dave", "carol"}}, nil},
		"some are":                    {old, &update{Live: true, Occupies: []string{"bob"}, WaitsFor: []string{"dave"}}, []string{"alice", "carol"}},
		"who is waited for is on it":  {old, &update{Live: true, Occupies: []string{"alice", "bob", "carol"}, WaitsFor: []string{"dave"}}, nil},
		"who was on it is waited for": {old, &update{Live: true, Occupies: []string{"alice"}, WaitsFor: []string{"bob", "carol", "dave"}}, []string{"bob"}},
		"the end":                     {old, &update{Occupies: []string{"alice", "bob"}, WaitsFor: []string{"carol", "dave"}}, []string{"alice", "bob", "carol", "dave"}},
	} {
		if diff := cmp.Diff(tt.want, freed(tt.old, tt.u)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A call that begins to wait for somebody wants them; one that has ended takes nobody from others.
func TestAnUpdateWantsWhomItBeginsToWaitFor(t *testing.T) {
	t.Parallel()
	type update = integration.SessionUpdate
	old := &store.Session{Live: true, WaitsFor: []string{"alice"}}
	for name, tt := range map[string]struct {
		old  *store.Session
		u    *update
		want []string
	}{
		"a new call":              {nil, &update{Live: true, WaitsFor: []string{"alice"}}, []string{"alice"}},
		"a call left as it is":    {old, nil, nil},
		"one more":                {old, &update{Live: true, WaitsFor: []string{"alice", "bob"}}, []string{"bob"}},
		"the same":                {old, &update{Live: true, WaitsFor: []string{"alice"}}, nil},
		"a session that is over":  {old, &update{WaitsFor: []string{"bob"}}, nil},
		"a call that has ended":   {old, &update{Live: true, WaitsFor: []string{"bob"}, Call: &integration.CallView{Ended: "message_left"}}, nil},
		"a call that has not yet": {old, &update{Live: true, WaitsFor: []string{"bob"}, Call: &integration.CallView{}}, []string{"bob"}},
	} {
		if diff := cmp.Diff(tt.want, wanted(tt.old, tt.u)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
