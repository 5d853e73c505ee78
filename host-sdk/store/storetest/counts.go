package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// countCalls: each call that has ended is counted once, by its end, for its team and for all; a
// call in progress is not, and one whose caller has gone is, while its session still has work.
func countCalls(r *run) {
	n := 0
	play := func(at int, team, ended string, live bool) {
		n++
		r.record(inst, fmt.Sprint("CA", n), at, live, store.CallUpdate{View: &integration.CallView{Team: team, Ended: ended}})
	}
	r.talks(10, "devops", 3, true)
	r.talks(20, "devops", 9, true)
	r.talks(30, "web", 6, true)
	// A conversation that proves to have been none: the caller hangs up.
	r.talks(40, "devops", 5, false)
	play(50, "devops", store.EndMessageLeft, true)
	play(60, "web", store.EndMessageLeft, false)
	play(70, "devops", "no_message", false)
	play(80, "devops", "a word of another plugin", false)
	play(90, "", store.EndHungUp, false)
	play(100, "devops", store.EndConnected, false) // nobody saw the conversation begin
	play(110, "", store.EndRejected, false)
	play(120, "devops", "", true) // in progress
	play(9, "devops", store.EndMessageLeft, false)
	play(200, "devops", store.EndMessageLeft, false)
	r.again()

	counts := func(f store.CountFilter, want ...store.CallCounts) {
		r.Helper()
		f.From, f.To = after(10), after(200)
		got, err := r.CountCalls(r.ctx, f)
		r.ok(err)
		if !slices.Equal(got, want) {
			r.Errorf("%+v:\n%+v, want\n%+v", f, got, want)
		}
		for _, c := range got {
			if c.Answered+c.Messages+c.HangUps+c.Missed != c.Calls {
				r.Errorf("the parts of %+v are not its calls", c)
			}
		}
	}
	none := store.CallCounts{Calls: 1, HangUps: 1, Rejected: 1}
	devops := store.CallCounts{Team: "devops", Calls: 7, Answered: 3, Messages: 1, HangUps: 1, Missed: 2, Timed: 2, Median: 3 * time.Second, P90: 9 * time.Second}
	web := store.CallCounts{Team: "web", Calls: 2, Answered: 1, Messages: 1, Timed: 1, Median: 6 * time.Second, P90: 6 * time.Second}
	counts(store.CountFilter{ByTeam: true}, none, devops, web)
	counts(store.CountFilter{Team: "web", ByTeam: true}, web)
	all := store.CallCounts{Calls: 10, Answered: 4, Messages: 2, HangUps: 2, Missed: 2, Rejected: 1, Timed: 3, Median: 6 * time.Second, P90: 9 * time.Second}
	counts(store.CountFilter{}, all)
	devops.Team = ""
	counts(store.CountFilter{Team: "devops"}, devops)
	counts(store.CountFilter{Team: "nobody"})
}

// talks is a call that begins at a time and reaches a person seconds later. Without ending in it,
// the person is lost and the caller hangs up.
func (r *run) talks(at int, team string, seconds int, ends bool) {
	r.Helper()
	key := fmt.Sprint("TALK", at)
	leg := integration.LegView{ID: "1", Role: integration.RoleResponder, State: "ringing"}
	view := func(now int, live bool) {
		r.Helper()
		v := integration.CallView{Team: team, Legs: []integration.LegView{{Role: integration.RoleCaller}, leg}}
		if !live {
			v.Ended = store.EndConnected
			if !ends {
				v.Ended = store.EndHungUp
			}
		}
		r.record(inst, key, now, live, store.CallUpdate{View: &v})
	}
	view(at, true)
	leg.State = integration.LegTalking
	view(at+seconds, true)
	view(at+seconds+1, true) // another commit in the conversation
	leg.State, leg.Reason = "ended", integration.LegTalked
	if !ends {
		leg.State, leg.Reason = "unreached", "lost"
	}
	view(at+seconds+2, false)
}

// countWaits: the median and the ninth of ten are waits that callers had.
func countWaits(r *run) {
	for i := range 10 {
		r.talks(1000*i, "devops", 10*(i+1), true)
	}
	got, err := r.CountCalls(r.ctx, store.CountFilter{From: base, To: after(100_000)})
	r.ok(err)
	want := []store.CallCounts{{Calls: 10, Answered: 10, Timed: 10, Median: 50 * time.Second, P90: 90 * time.Second}}
	if !slices.Equal(got, want) {
		r.Errorf("%+v, want\n%+v", got, want)
	}
}
