package storetest

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var erasureChecks = []check{
	{"Erasures/a deleted recording leaves a line", recordingDeleted},
	{"Erasures/a deleted recording leaves the others", oneRecordingDeleted},
	{"Erasures/a live call keeps its recordings", recordingOfLive},
	{"Erasures/what was recorded is to be deleted elsewhere", erasureAsked},
	{"Erasures/one host has it at a time", erasureClaimed},
	{"Erasures/what cannot be deleted is listed", erasureFailed},
	{"Retention/what nobody has heard is kept", unheardKept},
	{"Retention/a record is one host's for a while", oldOnce},
	{"Retention/recordings go before their record", recordingsExpire},
	{"Forgetting/a caller is forgotten", callerForgotten},
}

// byAlice and byRetention are the usual deletions.
var (
	byAlice     = store.Deletion{By: "alice", At: base, Cause: store.CauseDeleted}
	byRetention = store.Deletion{At: base, Cause: store.CauseRetention}
)

// expireAll removes all records that ended at or before a time, page by page, and says how many.
func (r *run) expireAll(before time.Time) int {
	r.Helper()
	total := 0
	for {
		page, err := r.LookAtOld(r.ctx, store.OldCalls{Ended: before, Now: after(100), Until: after(200), Limit: 100})
		r.ok(err)
		if len(page) == 0 {
			return total
		}
		n, err := r.ExpireCalls(r.ctx, refs(page), before, byRetention)
		r.ok(err)
		total += n
	}
}

// refs names records.
func refs(calls []store.Call) []store.CallRef {
	var out []store.CallRef
	for _, c := range calls {
		out = append(out, store.CallRef{Integration: c.Integration, Key: c.Key})
	}
	return out
}

// recorded stores a medium and the record of an ended call that has it.
func (r *run) recorded(key, sound string, at int) store.Recording {
	r.Helper()
	m, err := r.PutMedium(r.ctx, medium(sound, false))
	r.ok(err)
	one := recording(m.Ref, at)
	r.record(inst, key, at, false, store.CallUpdate{
		View: &integration.CallView{ID: key, EndedAt: after(at)}, Recordings: []store.Recording{one},
		Fields: []integration.AlertField{{Label: "Caller", Value: "+12025550143"}, {Label: integration.LabelTranscription, Value: "the server is down"}},
	})
	return one
}

// recordingDeleted: the sound and what was said are gone, who deleted it and when stays.
func recordingDeleted(r *run) {
	one := r.recorded(call, "a", 0)
	r.ok(r.DeleteRecording(r.ctx, inst, call, one.Media.Ref, byAlice, store.StoryLine{At: base, Text: "deleted by alice"}))
	r.again()
	got, err := r.Call(r.ctx, inst, call)
	r.ok(err)
	one.DeletedAt, one.DeletedBy = base, "alice"
	r.same("recordings", got.Recordings, []store.Recording{one})
	r.same("fields", got.Fields, []integration.AlertField{{Label: "Caller", Value: "+12025550143"}})
	r.same("story", r.storyOf(call), []string{"deleted by alice"})
	if got.Unheard != 0 {
		r.Errorf("%d recordings are unheard, want none: it is deleted", got.Unheard)
	}
	_, err = r.MediumInfo(r.ctx, one.Media.Ref)
	r.kind("the sound", err, integration.KindNotFound)
	r.kind("again", r.DeleteRecording(r.ctx, inst, call, one.Media.Ref, byAlice, store.StoryLine{At: base, Text: "x"}), integration.KindNotFound)
	r.kind("of no call", r.DeleteRecording(r.ctx, inst, "CA9", one.Media.Ref, byAlice, store.StoryLine{At: base, Text: "x"}), integration.KindNotFound)
	calls, err := r.RecordingCalls(r.ctx, one.Media.Ref)
	r.ok(err)
	if len(calls) != 1 || calls[0].Key != call {
		r.Errorf("the calls of a deleted recording: %v", calls)
	}
}

// oneRecordingDeleted: of several recordings the one goes that was named, here and at the foreign
// service.
func oneRecordingDeleted(r *run) {
	one := r.recorded(call, "a", 0)
	m, err := r.PutMedium(r.ctx, medium("b", false))
	r.ok(err)
	other := recording(m.Ref, 1)
	r.record(inst, call, 1, false, store.CallUpdate{Recordings: []store.Recording{other}})
	r.ok(r.DeleteRecording(r.ctx, inst, call, one.Media.Ref, byAlice, store.StoryLine{At: base, Text: "x"}))
	r.again()
	got, err := r.Call(r.ctx, inst, call)
	r.ok(err)
	one.DeletedAt, one.DeletedBy = base, "alice"
	r.same("recordings", got.Recordings, []store.Recording{one, other})
	if _, err := r.MediumInfo(r.ctx, m.Ref); err != nil || got.Unheard != 1 {
		r.Errorf("the other recording: %v, %d unheard; want it kept", err, got.Unheard)
	}
	list, err := r.ListErasures(r.ctx, inst, 10)
	r.ok(err)
	if len(list) != 1 || len(list[0].Media) != 1 || list[0].Media[0].Ref != one.Media.Ref {
		r.Errorf("to be deleted at the foreign service: %+v, want the one recording", list)
	}
}

// recordingOfLive: a call in progress may still need what was recorded.
func recordingOfLive(r *run) {
	r.record(inst, call, 0, true, store.CallUpdate{Recordings: []store.Recording{recording("media:1", 0)}})
	r.kind("while it is live", r.DeleteRecording(r.ctx, inst, call, "media:1", byAlice, store.StoryLine{At: base, Text: "x"}), integration.KindConflict)
	r.kind("the record", r.DeleteCall(r.ctx, inst, call, byAlice), integration.KindConflict)
}

// erasureAsked: each deletion leaves what is to be done elsewhere, and one of nothing does not.
func erasureAsked(r *run) {
	one := r.recorded("CA1", "a", 0)
	r.recorded("CA2", "b", 0)
	r.record(inst, "CA3", 0, false, store.CallUpdate{})
	r.ok(r.DeleteRecording(r.ctx, inst, "CA1", one.Media.Ref, byAlice, store.StoryLine{At: base, Text: "x"}))
	for _, key := range []string{"CA1", "CA2", "CA3"} {
		r.ok(r.DeleteCall(r.ctx, inst, key, byAlice))
	}
	r.again()
	list, err := r.ListErasures(r.ctx, "", 10)
	r.ok(err)
	for i := range list {
		list[i].ID = 0 // of the database's choosing
	}
	r.same("erasures", list, []store.Erasure{
		{Integration: inst, Key: "CA1", Media: []integration.MediaRef{one.Media}, Cause: store.CauseDeleted, AskedAt: base, Due: base},
		{Integration: inst, Key: "CA2", Cause: store.CauseDeleted, AskedAt: base, Due: base},
	})
	other, err := r.ListErasures(r.ctx, "int_2", 10)
	r.ok(err)
	if len(other) != 0 {
		r.Errorf("erasures of another integration: %v", other)
	}
}

// erasureClaimed: what is claimed is left to its owner until its lease ends, and is done once.
func erasureClaimed(r *run) {
	one := r.recorded(call, "a", 0)
	r.ok(r.DeleteRecording(r.ctx, inst, call, one.Media.Ref, byAlice, store.StoryLine{At: base, Text: "x"}))
	mine, err := r.ClaimErasures(r.ctx, "one", after(1), time.Minute, 10)
	r.ok(err)
	theirs, err := r.ClaimErasures(r.ctx, "two", after(60), time.Minute, 10)
	r.ok(err)
	if len(mine) != 1 || mine[0].Attempt != 1 || len(theirs) != 0 {
		r.Fatalf("claimed %v, and %v during the lease", mine, theirs)
	}
	theirs, err = r.ClaimErasures(r.ctx, "two", after(61), time.Minute, 10)
	r.ok(err)
	if len(theirs) != 1 || theirs[0].Attempt != 2 {
		r.Fatalf("after the lease: %v", theirs)
	}
	r.ok(r.FinishErasure(r.ctx, mine[0], store.StoryLine{At: base, Text: "too late"}))
	r.ok(r.FinishErasure(r.ctx, theirs[0], store.StoryLine{At: base, Text: "done"}))
	r.same("story", r.storyOf(call), []string{"x", "done"})
	list, err := r.ListErasures(r.ctx, "", 10)
	r.ok(err)
	if len(list) != 0 {
		r.Errorf("what is left: %v", list)
	}
}

// erasureFailed: a failure is kept with its reason, tried again when it is due, or not at all.
func erasureFailed(r *run) {
	r.recorded(call, "a", 0)
	r.ok(r.DeleteCall(r.ctx, inst, call, byAlice))
	claim := func(at int) []store.Erasure {
		r.Helper()
		list, err := r.ClaimErasures(r.ctx, "one", after(at), time.Minute, 10)
		r.ok(err)
		return list
	}
	first := claim(0)
	r.ok(r.FailErasure(r.ctx, first[0], after(100), "credentials", false))
	if early := claim(99); len(early) != 0 {
		r.Errorf("claimed before it is due: %v", early)
	}
	second := claim(100)
	if len(second) != 1 || second[0].Reason != "credentials" || second[0].Attempt != 2 {
		r.Fatalf("claimed %v", second)
	}
	r.ok(r.FailErasure(r.ctx, second[0], after(200), "unknown", true))
	if never := claim(300); len(never) != 0 {
		r.Errorf("claimed although given up: %v", never)
	}
	list, err := r.ListErasures(r.ctx, inst, 10)
	r.ok(err)
	if len(list) != 1 || list[0].Reason != "unknown" || !list[0].GivenUp {
		r.Errorf("listed: %v", list)
	}
	early, err := r.ExpireErasures(r.ctx, base)
	r.ok(err)
	late, err := r.ExpireErasures(r.ctx, after(1))
	r.ok(err)
	if early != 0 || late != 1 {
		r.Errorf("%d expired too early, %d then", early, late)
	}
}

// unheardKept: retention passes over what nobody has heard, and counts it.
func unheardKept(r *run) {
	one := r.recorded(call, "a", 0)
	ref := []store.CallRef{{Integration: inst, Key: call}}
	count, err := r.UnheardRecordings(r.ctx, after(5))
	r.ok(err)
	r.same("unheard", count, []store.Unheard{{Integration: inst, Recordings: 1, Oldest: base}})
	n, err := r.ExpireCalls(r.ctx, ref, after(9), byRetention)
	r.ok(err)
	m, err := r.ExpireRecordings(r.ctx, ref, after(9), byRetention, store.StoryLine{At: base, Text: "old"})
	r.ok(err)
	if n != 0 || m != 0 {
		r.Errorf("%d records and %d recordings expired unheard", n, m)
	}
	r.ok(r.MarkHeard(r.ctx, inst, call, one.Media.Ref, store.Heard{By: "bob", At: base}))
	count, err = r.UnheardRecordings(r.ctx, after(5))
	r.ok(err)
	if len(count) != 0 {
		r.Errorf("still unheard: %v", count)
	}
	n, err = r.ExpireCalls(r.ctx, ref, after(9), byRetention)
	r.ok(err)
	if n != 1 {
		r.Errorf("%d records expired once heard, want 1", n)
	}
}

// oldOnce: of several who look for old records each gets others.
func oldOnce(r *run) {
	for i, key := range []string{"CA1", "CA2", "CA3"} {
		r.record(inst, key, i, false, store.CallUpdate{View: &integration.CallView{ID: key, EndedAt: after(i)}})
	}
	look := func(now, until, limit int) string {
		r.Helper()
		list, err := r.LookAtOld(r.ctx, store.OldCalls{Ended: after(1), Now: after(now), Until: after(until), Limit: limit})
		r.ok(err)
		return keysOf(list)
	}
	if got := look(50, 60, 1); got != "CA1" {
		r.Errorf("the first page: %s", got)
	}
	if got := look(50, 60, 5); got != "CA2" {
		r.Errorf("the second page: %s", got)
	}
	if got := look(59, 60, 5); got != "" {
		r.Errorf("while somebody looks at them: %s", got)
	}
	if got := look(60, 70, 5); got != "CA1 CA2" {
		r.Errorf("later: %s", got)
	}
}

// recordingsExpire: old recordings go, their record stays and says so.
func recordingsExpire(r *run) {
	old, young := r.recorded("CA1", "a", 0), r.recorded("CA2", "b", 5)
	r.record(inst, "CA3", 0, false, store.CallUpdate{})
	for key, one := range map[string]store.Recording{"CA1": old, "CA2": young} {
		r.ok(r.MarkHeard(r.ctx, inst, key, one.Media.Ref, store.Heard{By: "bob", At: base}))
	}
	page, err := r.LookAtOld(r.ctx, store.OldCalls{Ended: after(4), Recordings: true, Now: after(50), Until: after(60), Limit: 10})
	r.ok(err)
	if got := keysOf(page); got != "CA1" {
		r.Errorf("with old recordings: %s", got)
	}
	n, err := r.ExpireRecordings(r.ctx, append(refs(page), store.CallRef{Integration: inst, Key: "CA2"}), after(4), byRetention, store.StoryLine{At: base, Text: "old"})
	r.ok(err)
	if n != 1 {
		r.Errorf("%d recordings expired, want 1", n)
	}
	r.same("story", r.storyOf("CA1"), []string{"old"})
	if _, err := r.MediumInfo(r.ctx, young.Media.Ref); err != nil {
		r.Errorf("the younger recording: %v", err)
	}
	page, err = r.LookAtOld(r.ctx, store.OldCalls{Ended: after(4), Recordings: true, Now: after(100), Until: after(110), Limit: 10})
	r.ok(err)
	if len(page) != 0 {
		r.Errorf("once they are deleted: %s", keysOf(page))
	}
}

// callerForgotten: a caller's calls go whole, also one whose record was deleted, and the number
// goes out of what was written about others. A live call keeps everything.
func callerForgotten(r *run) {
	const number = "+12025550143"
	view := func(key string) store.CallUpdate {
		return store.CallUpdate{View: &integration.CallView{ID: key, From: number}, Story: []store.StoryLine{{At: base, Text: number + " called"}}}
	}
	r.record(inst, "CA1", 0, false, view("CA1"))
	r.record(inst, "CA2", 1, true, view("CA2"))
	r.record(inst, "CA3", 2, false, view("CA3"))
	r.record(inst, "CA4", 3, false, store.CallUpdate{Story: []store.StoryLine{{At: base, Text: "as " + number + " said"}}})
	r.ok(r.DeleteCall(r.ctx, inst, "CA3", byAlice))
	list, err := r.CallerCalls(r.ctx, number, 10)
	r.ok(err)
	if got := keysOf(list); got != "CA2 CA1 CA3" {
		r.Errorf("calls of the caller: %s", got)
	}
	_, err = r.ForgetCalls(r.ctx, refs(list), byAlice)
	r.kind("while one is live", err, integration.KindConflict)
	if story := r.storyOf("CA1"); len(story) != 1 {
		r.Errorf("the story after a refusal: %q", story)
	}
	r.record(inst, "CA2", 4, false, store.CallUpdate{View: &integration.CallView{ID: "CA2", From: number}})
	got, err := r.ForgetCalls(r.ctx, refs(list), byAlice)
	r.ok(err)
	r.same("forgotten", got, store.Forgotten{Calls: 2, Sessions: 3})
	n, err := r.ForgetText(r.ctx, number, "(forgotten)")
	r.ok(err)
	r.same("story of another call", r.storyOf("CA4"), []string{"as (forgotten) said"})
	if n != 1 {
		r.Errorf("%d texts were changed, want 1", n)
	}
	r.ok(r.Scrub(r.ctx))
	r.again()
	list, err = r.CallerCalls(r.ctx, number, 10)
	r.ok(err)
	pending, err2 := r.ListErasures(r.ctx, "", 10)
	r.ok(err2)
	if len(list) != 0 || len(pending) != 3 || !pending[0].Whole {
		r.Errorf("what is left: %v; to be deleted elsewhere: %v", list, pending)
	}
}
