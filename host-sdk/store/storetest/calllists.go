package storetest

import (
	"fmt"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// listed are the keys of the calls of a filter.
func (r *run) listed(f store.CallFilter) string {
	r.Helper()
	list, _, err := r.ListCalls(r.ctx, f)
	r.ok(err)
	return keysOf(list)
}

// callListByRecording: a call is over when its caller has gone, though its message may wait for
// somebody to hear it, and is found by that until somebody has.
func callListByRecording(r *run) {
	left := &integration.CallView{ID: "CA1", Team: "devops", Ended: "message_left", EndedAt: after(3)}
	r.record(inst, "CA1", 1, true, store.CallUpdate{View: left, Alert: store.CallAlert{Key: "a1"}, Recordings: []store.Recording{recording("media:1", 2), recording("media:2", 2)}})
	r.record(inst, "CA2", 2, true, store.CallUpdate{})
	r.record(inst, "CA3", 3, false, store.CallUpdate{View: &integration.CallView{ID: "CA3", Ended: "message_left"}, Recordings: []store.Recording{recording("media:3", 3)}})
	r.record(inst, "CA4", 4, false, store.CallUpdate{View: &integration.CallView{ID: "CA4", Ended: "hung_up"}, Alert: store.CallAlert{Key: "a4"}})
	want := func(f store.CallFilter, keys string) {
		r.Helper()
		if got := r.listed(f); got != keys {
			r.Errorf("%+v: %s, want %s", f, got, keys)
		}
	}
	want(store.CallFilter{LiveOnly: true}, "CA2")
	want(store.CallFilter{OverOnly: true}, "CA4 CA3 CA1")
	want(store.CallFilter{Alerts: true}, "CA4 CA1")
	want(store.CallFilter{Unheard: true}, "CA3 CA1")
	want(store.CallFilter{Unheard: true, Team: "devops", Since: after(1), Until: after(2), OverOnly: true, Alerts: true}, "CA1")
	want(store.CallFilter{Unheard: true, LiveOnly: true}, "")
	first, next, err := r.ListCalls(r.ctx, store.CallFilter{Unheard: true, Limit: 1})
	r.ok(err)
	if keysOf(first) != "CA3" || next == "" {
		r.Errorf("the first unheard one: %s, and the cursor %q", keysOf(first), next)
	}
	want(store.CallFilter{Unheard: true, After: next}, "CA1")
	if n, err := r.CountLiveCalls(r.ctx); err != nil || n != 1 {
		r.Errorf("%d callers are counted, want 1 (%v)", n, err)
	}
	heard := store.Heard{By: "alice", At: after(5)}
	r.ok(r.MarkHeard(r.ctx, inst, "CA1", "media:1", heard))
	want(store.CallFilter{Unheard: true}, "CA3 CA1")
	r.ok(r.MarkHeard(r.ctx, inst, "CA1", "media:2", heard))
	want(store.CallFilter{Unheard: true}, "CA3")
	r.commit(store.Commit{Integration: inst, Key: "CA3", Version: 1, Now: after(6), Call: &store.CallUpdate{Heard: []store.RecordingHeard{{Ref: "media:3", Heard: heard}}}})
	want(store.CallFilter{Unheard: true}, "")
}

// callSearch: calls are found by what people remember of them, whatever signs that has.
func callSearch(r *run) {
	view := func(key, from string) *integration.CallView {
		return &integration.CallView{ID: key, From: from, To: "+12025550100", TeamName: "DevOps", Legs: []integration.LegView{{ID: "l", Name: "Zoë Durand", Phone: "+12025550177"}}}
	}
	r.record(inst, "CA1", 1, false, store.CallUpdate{View: view("CA1", "+12025550143"), Fields: []integration.AlertField{{Label: "Caller City", Value: "BOGOTÁ"}}})
	r.record(inst, "CA2", 2, false, store.CallUpdate{View: view("CA2", "+12025550144"), Fields: []integration.AlertField{{Label: "Transcript", Value: "مرحبا من دبي"}}})
	r.record(inst, "CA3", 3, false, store.CallUpdate{View: &integration.CallView{ID: "CA3", From: "+12025550145"}})
	_, err := r.AddNote(r.ctx, inst, "CA3", store.Note{At: after(4), By: "alice", Text: `100 % of "web_01" is down`})
	r.ok(err)
	for text, want := range map[string]string{
		"(202) 555-0143": "CA1", "bogotá": "CA1", "zoë durand": "CA2 CA1", "DURAND devops 0144": "CA2", "دبي": "CA2",
		"%": "CA3", "_": "CA3", `"web_01"`: "CA3", "'": "", "web%01": "", "0100": "CA2 CA1", "+12025550177": "CA2 CA1",
	} {
		if got := r.listed(store.CallFilter{Text: text}); got != want {
			r.Errorf("searching %q finds %s, want %s", text, got, want)
		}
	}
	if got := r.listed(store.CallFilter{Text: "zoë", From: "+12025550144"}); got != "CA2" {
		r.Errorf("a search of one caller's finds %s", got)
	}
	// More than are read in one go: each page goes on where the last one ended.
	for i := range 520 {
		r.record(inst, fmt.Sprint("old", i), 0, false, store.CallUpdate{})
	}
	var found []string
	filter := store.CallFilter{Text: "202555", Limit: 1}
	for range 4 {
		list, next, err := r.ListCalls(r.ctx, filter)
		r.ok(err)
		if found = append(found, keysOf(list)); next == "" {
			break
		}
		filter.After = next
	}
	if got := strings.TrimSpace(strings.Join(found, " ")); got != "CA3 CA2 CA1" {
		r.Errorf("one at a time, %s are found", got)
	}
}

// callsByAlert: lists of alerts show what is known of their calls.
func callsByAlert(r *run) {
	r.record(inst, "CA1", 1, false, store.CallUpdate{Alert: store.CallAlert{Key: "a1"}, Fields: []integration.AlertField{{Label: "Caller City", Value: "Bogotá"}}, Recordings: []store.Recording{recording("media:1", 1)}})
	r.record(inst, "CA2", 2, false, store.CallUpdate{Alert: store.CallAlert{Key: "a2"}})
	r.record(inst, "CA3", 3, false, store.CallUpdate{})
	r.record("int_2", "CA4", 4, false, store.CallUpdate{Alert: store.CallAlert{Key: "a1"}})
	r.ok(r.MarkHeard(r.ctx, inst, "CA1", "media:1", store.Heard{By: "alice", At: after(2)}))
	list, err := r.CallsByAlert(r.ctx, inst, []string{"a1", "a2", "", "nothing"})
	r.ok(err)
	if keysOf(list) != "CA2 CA1" {
		r.Fatalf("found %s", keysOf(list))
	}
	one := recording("media:1", 1)
	one.Heard = []store.Heard{{By: "alice", At: after(2)}}
	r.same("fields", list[1].Fields, []integration.AlertField{{Label: "Caller City", Value: "Bogotá"}})
	r.same("recordings", list[1].Recordings, []store.Recording{one})
	list, err = r.CallsByAlert(r.ctx, inst, nil)
	r.ok(err)
	if len(list) != 0 {
		r.Errorf("of no alert: %s", keysOf(list))
	}
}
