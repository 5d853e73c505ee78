package storetest

import (
	"fmt"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var callChecks = []check{
	{"Calls/a record is written with its session", callWritten},
	{"Calls/many parts keep their order", callManyParts},
	{"Calls/a conflict adds nothing", callConflict},
	{"Calls/a line of a command is there once", callLinesOnce},
	{"Calls/a deleted record does not come back", callDeleted},
	{"Calls/it outlives session and integration", callOutlives},
	{"Calls/list", callList},
	{"Calls/pages of a list", callPages},
	{"Calls/list by what was recorded and is over for the caller", callListByRecording},
	{"Calls/search", callSearch},
	{"Calls/by the keys of alerts", callsByAlert},
	{"Calls/notes", callNotes},
	{"Calls/heard", callHeard},
	{"Calls/expire", callExpire},
	{"Calls/media go with the last record", callMedia},
	{"Calls/counts by end and team", countCalls},
	{"Calls/waits of answered calls", countWaits},
}

// record commits a session with a call and what is added to its record.
func (r *run) record(integrationID, key string, now int, live bool, u store.CallUpdate) {
	r.Helper()
	version := int64(0)
	if s, err := r.Session(r.ctx, integrationID, key); err == nil {
		version = s.Version
	} else if integration.KindOf(err) != integration.KindNotFound {
		r.Fatal(err)
	}
	if u.View == nil {
		u.View = &integration.CallView{ID: key}
	}
	u.New, u.Live = version == 0, live
	r.commit(store.Commit{Integration: integrationID, Key: key, Version: version, Now: after(now), Session: &store.Session{Live: live, Call: u.View}, Call: &u})
}

// recording is a recording of a medium.
func recording(ref string, at int) store.Recording {
	return store.Recording{Media: integration.MediaRef{Ref: ref, Name: "voicemail.mp3", ContentType: "audio/mpeg", Bytes: 9, Duration: 1500 * 1e6}, Label: "Voicemail", At: after(at)}
}

// storyOf is the texts of a record's story.
func (r *run) storyOf(key string) []string {
	r.Helper()
	c, err := r.Call(r.ctx, inst, key)
	r.ok(err)
	var list []string
	for _, l := range c.Story {
		list = append(list, l.Text)
	}
	return list
}

// callWritten: everything that commits add is read again, by each way to ask.
func callWritten(r *run) {
	_, err := r.Call(r.ctx, inst, call)
	r.kind("before the first commit", err, integration.KindNotFound)
	view := integration.CallView{ID: call, From: "+12025550143", To: "+12025550100", State: "holding", Team: "devops", TeamName: "DevOps", StartedAt: base,
		Legs: []integration.LegView{{ID: "l1", Role: integration.RoleCaller, StartedAt: base}}}
	r.record(inst, call, 0, true, store.CallUpdate{
		IntegrationName: "Hotline", View: &view, Alert: store.CallAlert{Key: "a1", Title: "Incoming call"},
		Fields: []integration.AlertField{{Label: "Caller", Value: "+12025550143", Format: integration.FieldPhone}},
		Story:  []store.StoryLine{{Command: 1, At: base, Text: "An alert was opened."}, {At: after(1), Actor: "alice", Text: "Acknowledged."}},
	})
	view.State, view.Ended, view.EndedAt = "ended", "message_left", after(9)
	// Later commits add, and replace what has a name: the view, the alert, a field.
	r.record(inst, call, 9, false, store.CallUpdate{
		View: &view, Alert: store.CallAlert{ID: "7", URL: "https://alerts.example.com/7"},
		Fields:     []integration.AlertField{{Label: "Transcript", Value: "hello"}, {Label: "Caller", Value: "+12025550144", Format: integration.FieldPhone}, {Label: "Transcript", Value: "help\x00"}},
		Story:      []store.StoryLine{{Command: 4, At: after(9), Text: "A message was left."}},
		Recordings: []store.Recording{recording("media:1", 9)},
	})
	r.commit(store.Commit{Version: r.version(), Now: after(10), Call: &store.CallUpdate{Story: []store.StoryLine{{Command: 5, At: after(10), Text: "Mailed."}}}})
	r.again()
	want := store.Call{
		Integration: inst, IntegrationName: "Hotline", Key: call, View: view, StartedAt: base, UpdatedAt: after(9), Unheard: 1,
		Alert:  store.CallAlert{Key: "a1", ID: "7", URL: "https://alerts.example.com/7", Title: "Incoming call"},
		Fields: []integration.AlertField{{Label: "Caller", Value: "+12025550144", Format: integration.FieldPhone}, {Label: "Transcript", Value: "help\uFFFD"}},
		Story: []store.StoryLine{
			{Command: 1, At: base, Text: "An alert was opened."}, {At: after(1), Actor: "alice", Text: "Acknowledged."},
			{Command: 4, At: after(9), Text: "A message was left."}, {Command: 5, At: after(10), Text: "Mailed."},
		},
		Recordings: []store.Recording{recording("media:1", 9)},
	}
	got, err := r.Call(r.ctx, inst, call)
	r.ok(err)
	r.same("by key", got, want)
	got, err = r.CallByAlert(r.ctx, inst, "a1")
	r.ok(err)
	r.same("by alert", got, want)
	list, err := r.CallsByKey(r.ctx, call)
	r.ok(err)
	r.same("in any integration", list, []store.Call{want})
	_, err = r.CallByAlert(r.ctx, inst, "")
	r.kind("of no alert", err, integration.KindNotFound)
	list, _, err = r.ListCalls(r.ctx, store.CallFilter{})
	r.ok(err)
	want.Fields, want.Story, want.Recordings = nil, nil, nil
	r.same("in the list", list, []store.Call{want})
}

// callManyParts: the lines and fields of one commit keep their order, however many they are.
func callManyParts(r *run) {
	var u store.CallUpdate
	for i := range 21 {
		u.Story = append(u.Story, store.StoryLine{Command: int64(i), At: after(i), Actor: fmt.Sprint("actor ", i), Text: fmt.Sprint("line ", i)})
		u.Fields = append(u.Fields, integration.AlertField{Label: fmt.Sprint("label ", i), Value: fmt.Sprint("value ", i), Format: integration.FieldPhone})
	}
	r.record(inst, call, 0, true, u)
	got, err := r.Call(r.ctx, inst, call)
	r.ok(err)
	r.same("lines", got.Story, u.Story)
	r.same("fields", got.Fields, u.Fields)
}

// callConflict: what a commit adds to a record follows from a state that must still be true.
func callConflict(r *run) {
	r.record(inst, call, 0, true, store.CallUpdate{})
	for _, c := range []store.Commit{
		{Version: 7, Session: &store.Session{}, Call: &store.CallUpdate{Story: []store.StoryLine{{Text: "bad"}}}},
		{Version: 7, Call: &store.CallUpdate{Story: []store.StoryLine{{Text: "bad"}}}},
		{Version: 1, Done: 99, Call: &store.CallUpdate{Story: []store.StoryLine{{Text: "bad"}}}},
	} {
		fill(&c)
		_, err := r.Commit(r.ctx, c)
		r.kind("a commit that comes too late", err, integration.KindConflict)
	}
	if story := r.storyOf(call); len(story) != 0 {
		r.Errorf("the story holds %q", story)
	}
	_, err := r.Commit(r.ctx, store.Commit{Integration: inst, Now: base, Call: &store.CallUpdate{New: true}})
	r.kind("a record without a key", err, integration.KindInvalid)
}

// callLinesOnce: a handler that runs again decides the same commands again. Lines without a command
// are what the engine has seen once; they may say the same twice.
func callLinesOnce(r *run) {
	for range 2 {
		r.record(inst, call, 0, true, store.CallUpdate{
			Story:      []store.StoryLine{{Command: 1, At: base, Text: "one"}, {Command: -1, At: base, Text: "old"}, {At: base, Text: "seen"}},
			Recordings: []store.Recording{recording("media:1", 1)},
		})
	}
	r.record(inst, "CA2", 0, true, store.CallUpdate{Story: []store.StoryLine{{Command: 1, At: base, Text: "of another call"}}})
	r.same("the story", r.storyOf(call), []string{"one", "old", "seen", "seen"})
	r.same("of the other call", r.storyOf("CA2"), []string{"of another call"})
	got, err := r.Call(r.ctx, inst, call)
	r.ok(err)
	r.same("the recordings", got.Recordings, []store.Recording{recording("media:1", 1)})
}

// callDeleted: a live call cannot be deleted. A late event of a call whose record was deleted
// writes its session, but no record.
func callDeleted(r *run) {
	r.record(inst, call, 0, true, store.CallUpdate{Story: []store.StoryLine{{Command: 1, At: base, Text: "one"}}})
	r.kind("while it is live", r.DeleteCall(r.ctx, inst, call, byAlice), integration.KindConflict)
	r.record(inst, call, 1, false, store.CallUpdate{})
	r.ok(r.DeleteCall(r.ctx, inst, call, byAlice))
	r.kind("again", r.DeleteCall(r.ctx, inst, call, byAlice), integration.KindNotFound)
	r.record(inst, call, 2, false, store.CallUpdate{Story: []store.StoryLine{{Command: 2, At: base, Text: "two"}}})
	_, err := r.Call(r.ctx, inst, call)
	r.kind("after a late event", err, integration.KindNotFound)
	// The key may be used again, and nothing of the earlier call is found.
	r.commit(store.Commit{Version: 3, Session: &store.Session{}, Call: &store.CallUpdate{New: true, View: &integration.CallView{ID: call}}})
	if story := r.storyOf(call); len(story) != 0 {
		r.Errorf("the story of the deleted call came back: %q", story)
	}
}

// callOutlives: a record is nobody's but its own retention's. A session that expires while its call
// is in progress ends it: nothing else would.
func callOutlives(r *run) {
	_, err := r.SaveIntegration(r.ctx, store.Integration{ID: inst, Plugin: "p", Name: "Hotline", Options: []byte("{}")})
	r.ok(err)
	u := store.CallUpdate{New: true, Live: true, IntegrationName: "Hotline", View: &integration.CallView{ID: call}}
	r.commit(store.Commit{Session: &store.Session{Live: true, ExpiresAt: after(5)}, Call: &u})
	r.ok(r.DeleteIntegration(r.ctx, inst))
	_, err = r.DeleteExpired(r.ctx, after(5))
	r.ok(err)
	r.again()
	got, err := r.Call(r.ctx, inst, call)
	r.ok(err)
	if got.Live || got.IntegrationName != "Hotline" {
		r.Errorf("live %v, of integration %q", got.Live, got.IntegrationName)
	}
	n, err := r.ExpireCalls(r.ctx, []store.CallRef{{Integration: inst, Key: call}}, after(4), byRetention)
	r.ok(err)
	m, err := r.ExpireCalls(r.ctx, []store.CallRef{{Integration: inst, Key: call}}, after(5), byRetention)
	r.ok(err)
	if n != 0 || m != 1 {
		r.Errorf("%d calls expired before its end, then %d; want 0 and 1", n, m)
	}
}

// callList: each way to narrow a list, the newest first.
func callList(r *run) {
	add := func(id, key string, at int, live bool, v integration.CallView) {
		v.ID = key
		r.record(id, key, at, live, store.CallUpdate{View: &v})
	}
	add("int_1", "CA1", 1, true, integration.CallView{From: "+12025550143", Team: "devops"})
	add("int_1", "CA2", 3, false, integration.CallView{From: "+12025550143", Team: "support", Ended: "hung_up"})
	add("int_2", "CA3", 2, false, integration.CallView{From: "", Team: "devops", Ended: "connected"})
	add("int_1", "CA4", 4, false, integration.CallView{From: "+12025550144", Ended: "hung_up"})
	for _, c := range []struct {
		filter store.CallFilter
		want   string
	}{
		{store.CallFilter{}, "CA4 CA2 CA3 CA1"},
		{store.CallFilter{Limit: 2}, "CA4 CA2"},
		{store.CallFilter{Integration: "int_1"}, "CA4 CA2 CA1"},
		{store.CallFilter{Team: "devops"}, "CA3 CA1"},
		{store.CallFilter{From: "+12025550143"}, "CA2 CA1"},
		{store.CallFilter{From: "+1202555014"}, ""},
		{store.CallFilter{Ended: "hung_up"}, "CA4 CA2"},
		{store.CallFilter{Since: after(3)}, "CA4 CA2"},
		{store.CallFilter{Until: after(3)}, "CA3 CA1"},
		{store.CallFilter{Since: after(2), Until: after(4)}, "CA2 CA3"},
		{store.CallFilter{Since: after(4), Until: after(2)}, ""},
		{store.CallFilter{LiveOnly: true}, "CA1"},
		{store.CallFilter{LiveOnly: true, Integration: "int_2"}, ""},
		{store.CallFilter{OverOnly: true, Integration: "int_1"}, "CA4 CA2"},
		{store.CallFilter{Integration: "int_1", Team: "support", From: "+12025550143", Ended: "hung_up", Since: after(1), OverOnly: true}, "CA2"},
	} {
		list, next, err := r.ListCalls(r.ctx, c.filter)
		r.ok(err)
		if got := keysOf(list); got != c.want {
			r.Errorf("%+v: %s, want %s", c.filter, got, c.want)
		}
		if more := c.filter.Limit == 2; (next != "") != more {
			r.Errorf("%+v: the cursor for the next ones is %q", c.filter, next)
		}
	}
	live, err := r.CountLiveCalls(r.ctx)
	r.ok(err)
	if live != 1 {
		r.Errorf("%d calls are counted as live, want 1", live)
	}
}

func keysOf(list []store.Call) string {
	keys := make([]string, len(list))
	for i, c := range list {
		keys[i] = c.Key
	}
	return strings.Join(keys, " ")
}

// callPages: the cursor leads through all records, each once, also those that began in the same
// millisecond, and whatever begins meanwhile.
func callPages(r *run) {
	var want []string
	for i := range 25 {
		key := fmt.Sprintf("CA%02d", i)
		r.record(inst, key, i/10, false, store.CallUpdate{View: &integration.CallView{ID: key, Ended: "hung_up"}})
		want = append([]string{key}, want...)
	}
	var got []string
	filter := store.CallFilter{Integration: inst, Limit: 7}
	for range 4 {
		list, next, err := r.ListCalls(r.ctx, filter)
		r.ok(err)
		got = append(got, strings.Fields(keysOf(list))...)
		filter.After = next
		r.record(inst, "new"+next, 100, true, store.CallUpdate{})
	}
	r.same("all pages", got, want)
	if filter.After != "" {
		r.Errorf("after the last page the cursor is %q", filter.After)
	}
	for _, cursor := range []string{"x", "1.", "1.2.3", "'"} {
		_, _, err := r.ListCalls(r.ctx, store.CallFilter{After: cursor})
		r.kind("cursor "+cursor, err, integration.KindInvalid)
	}
}

// callNotes: what people write is kept apart from what commits write.
func callNotes(r *run) {
	_, err := r.AddNote(r.ctx, inst, call, store.Note{Text: "x"})
	r.kind("of no call", err, integration.KindNotFound)
	r.record(inst, call, 0, true, store.CallUpdate{})
	one, err := r.AddNote(r.ctx, inst, call, store.Note{At: after(1), By: "alice", Text: "She will call again."})
	r.ok(err)
	two, err := r.AddNote(r.ctx, inst, call, store.Note{At: after(2), By: "bob", Text: "Done."})
	r.ok(err)
	for what, text := range map[string]string{"empty": " \n", "too long": strings.Repeat("x", store.MaxNote+1)} {
		_, err := r.AddNote(r.ctx, inst, call, store.Note{Text: text})
		r.kind(what, err, integration.KindInvalid)
	}
	r.record(inst, call, 3, false, store.CallUpdate{})
	r.again()
	got, err := r.Call(r.ctx, inst, call)
	r.ok(err)
	r.same("notes", got.Notes, []store.Note{one, two})
	r.kind("an unknown note", r.DeleteNote(r.ctx, inst, call, "x"), integration.KindNotFound)
	r.record(inst, "CA2", 0, true, store.CallUpdate{})
	r.kind("of another call", r.DeleteNote(r.ctx, inst, "CA2", one.ID), integration.KindNotFound)
	r.ok(r.DeleteNote(r.ctx, inst, call, one.ID))
	got, err = r.Call(r.ctx, inst, call)
	r.ok(err)
	r.same("the other note", got.Notes, []store.Note{two})
}

// callHeard: the first time counts, for each person.
func callHeard(r *run) {
	r.record(inst, call, 0, false, store.CallUpdate{Recordings: []store.Recording{recording("media:1", 0), recording("media:2", 0)}})
	heard := func(by string, at int) {
		r.ok(r.MarkHeard(r.ctx, inst, call, "media:1", store.Heard{By: by, At: after(at)}))
	}
	heard("alice", 1)
	heard("bob", 2)
	heard("alice", 3)
	// A commit says so too; of what the record does not have nothing is kept.
	r.commit(store.Commit{Version: r.version(), Now: after(4), Call: &store.CallUpdate{Heard: []store.RecordingHeard{
		{Ref: "media:1", Heard: store.Heard{By: "bob", At: after(4)}}, {Ref: "media:1", Heard: store.Heard{By: "carol", At: after(4)}},
		{Ref: "media:3", Heard: store.Heard{By: "carol", At: after(4)}},
	}}})
	r.kind("no such recording", r.MarkHeard(r.ctx, inst, call, "media:3", store.Heard{By: "alice", At: base}), integration.KindNotFound)
	r.kind("no such call", r.MarkHeard(r.ctx, inst, "CA9", "media:1", store.Heard{By: "alice", At: base}), integration.KindNotFound)
	r.again()
	got, err := r.Call(r.ctx, inst, call)
	r.ok(err)
	one := recording("media:1", 0)
	one.Heard = []store.Heard{{By: "alice", At: after(1)}, {By: "bob", At: after(2)}, {By: "carol", At: after(4)}}
	r.same("recordings", got.Recordings, []store.Recording{one, recording("media:2", 0)})
	if got.Unheard != 1 {
		r.Errorf("%d recordings are unheard, want 1", got.Unheard)
	}
}

// callExpire: retention counts from the end of a call, and a live one is kept however old it is.
func callExpire(r *run) {
	const old = 230 // more than anybody deletes in one go
	for i := range old {
		r.record(inst, fmt.Sprint("old", i), i%9, false, store.CallUpdate{})
	}
	r.record(inst, "young", 1, false, store.CallUpdate{View: &integration.CallView{ID: "young", EndedAt: after(10)}})
	r.record(inst, "live", 0, true, store.CallUpdate{})
	n := r.expireAll(after(9))
	if n != old {
		r.Errorf("%d calls expired, want %d", n, old)
	}
	list, _, err := r.ListCalls(r.ctx, store.CallFilter{})
	r.ok(err)
	if got := keysOf(list); got != "young live" {
		r.Errorf("what is left: %s", got)
	}
}

// callMedia: a recording is removed with the last record that has it. What is public is a prompt of
// somebody's, and stays.
func callMedia(r *run) {
	refs := map[string]string{}
	for _, name := range []string{"mine", "shared", "prompt"} {
		m, err := r.PutMedium(r.ctx, medium(name, name == "prompt"))
		r.ok(err)
		refs[name] = m.Ref
	}
	r.record(inst, "CA1", 0, false, store.CallUpdate{Recordings: []store.Recording{recording(refs["mine"], 0), recording(refs["shared"], 0), recording(refs["prompt"], 0)}})
	r.record(inst, "CA2", 0, false, store.CallUpdate{Recordings: []store.Recording{recording(refs["shared"], 0)}})
	there := func(what string, want ...string) {
		r.Helper()
		var got []string
		for _, name := range []string{"mine", "shared", "prompt"} {
			switch _, err := r.MediumInfo(r.ctx, refs[name]); integration.KindOf(err) {
			case "":
				got = append(got, name)
			case integration.KindNotFound:
			default:
				r.Fatal(err)
			}
		}
		r.same(what, got, want)
	}
	r.ok(r.DeleteCall(r.ctx, inst, "CA1", byAlice))
	there("after the first record", "shared", "prompt")
	r.ok(r.DeleteRecording(r.ctx, inst, "CA2", refs["shared"], byAlice, store.StoryLine{At: base, Text: "deleted"}))
	there("after the last record", "prompt")
}
