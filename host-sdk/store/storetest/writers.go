package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// WritersTime is when everything that Writers write happens.
var WritersTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// Start is what Writers begin with: items that the owner "one" has claimed, the head of a lane, a
// task, and one whose result waits for its handler.
type Start struct{ head, task, result store.Item }

// Writers are the ways to write into a store, but for ReleaseLeases, which only a process that is
// alone may use. by tells two of the same apart.
var Writers = map[string]func(ctx context.Context, s store.Store, at Start, by string) error{
	"commit": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: WritersTime, Session: &store.Session{Session: integration.Session{State: []byte(by)}, Live: true},
			Items: []store.Item{inLane("commit " + by), {Kind: store.ItemTask, Lane: "task/t", Name: "t", Generation: 2, Due: WritersTime}}})
		return err
	},
	"commit of a result": func(ctx context.Context, s store.Store, at Start, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: WritersTime, Done: at.result.ID, Items: []store.Item{inLane("consumed " + by)},
			Session: &store.Session{Session: integration.Session{State: []byte(by)}, Live: true}})
		return err
	},
	"commit of items": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: WritersTime, Items: []store.Item{inLane("items " + by)}})
		return err
	},
	"cancel": func(ctx context.Context, s store.Store, _ Start, _ string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: WritersTime, Items: []store.Item{{Kind: store.ItemTask, Name: "t", Generation: 5, Cancel: true}}})
		return err
	},
	"release": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: WritersTime, Release: "held", Session: &store.Session{Session: integration.Session{State: []byte(by)}, Live: true}})
		return err
	},
	"drop": func(ctx context.Context, s store.Store, _ Start, _ string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: WritersTime, Drop: "held"})
		return err
	},
	"occupy": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA-" + by, Now: WritersTime, Free: []string{"alice"}, Session: &store.Session{Live: true, Occupies: []string{"alice"}}})
		return err
	},
	"commit of the record": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: WritersTime, Session: &store.Session{Session: integration.Session{State: []byte(by)}, Live: true},
			Call: &store.CallUpdate{Live: false, View: &integration.CallView{From: by}, Fields: []integration.AlertField{{Label: "a", Value: by}, {Label: "b", Value: by}},
				Story: []store.StoryLine{{Command: 7, At: WritersTime, Text: by}}, Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:1"}, At: WritersTime}}}})
		return err
	},
	"claim": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, _, err := s.Claim(ctx, store.Claim{Owner: by, Now: WritersTime, Lease: time.Minute, Limit: 10})
		return err
	},
	"claim a lane": func(ctx context.Context, s store.Store, at Start, _ string) error {
		_, err := s.ClaimLane(ctx, at.head, WritersTime, 5)
		return err
	},
	"start": func(ctx context.Context, s store.Store, at Start, _ string) error {
		return s.StartItem(ctx, at.task)
	},
	"retry": func(ctx context.Context, s store.Store, at Start, _ string) error {
		return s.RetryItem(ctx, at.head, WritersTime.Add(time.Second))
	},
	"finish": func(ctx context.Context, s store.Store, at Start, _ string) error {
		return s.FinishItem(ctx, at.head, []byte("done"))
	},
	"finish the task": func(ctx context.Context, s store.Store, at Start, _ string) error {
		return s.FinishItem(ctx, at.task, []byte("done"))
	},
	"delete": func(ctx context.Context, s store.Store, at Start, _ string) error {
		return s.DeleteItem(ctx, at.head)
	},
	"add": func(ctx context.Context, s store.Store, _ Start, by string) error {
		it := inLane("added " + by)
		it.Integration, it.Key = "int_1", "CA1"
		return s.AddItem(ctx, it)
	},
	"add to a new lane": func(ctx context.Context, s store.Store, _ Start, by string) error {
		return s.AddItem(ctx, store.Item{Integration: "int_1", Key: "CA1", Lane: "new", Kind: store.ItemCommand, Due: WritersTime, Body: []byte(by)})
	},
	"expire sessions": func(ctx context.Context, s store.Store, _ Start, _ string) error {
		_, err := s.DeleteExpired(ctx, WritersTime.Add(time.Hour))
		return err
	},
	"save": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, err := s.SaveIntegration(ctx, store.Integration{ID: "int_1", Plugin: "livecall", Name: by, Revision: 1})
		return err
	},
	"delete the integration": func(ctx context.Context, s store.Store, _ Start, _ string) error {
		return s.DeleteIntegration(ctx, "int_1")
	},
	"findings": func(ctx context.Context, s store.Store, _ Start, by string) error {
		return s.SaveFindings(ctx, "int_1", []integration.Finding{{Code: "a", Severity: "warning", Message: by}, {Code: "b", Severity: "warning", Message: by}})
	},
	"note": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, err := s.AddNote(ctx, "int_1", "CA0", store.Note{At: WritersTime, By: by, Text: "x"})
		return err
	},
	"heard": func(ctx context.Context, s store.Store, _ Start, by string) error {
		return s.MarkHeard(ctx, "int_1", "CA0", "media:0", store.Heard{By: by, At: WritersTime})
	},
	"delete the record": func(ctx context.Context, s store.Store, _ Start, _ string) error {
		return s.DeleteCall(ctx, "int_1", "CA0", byAlice)
	},
	"expire records": func(ctx context.Context, s store.Store, _ Start, _ string) error {
		_, err := s.ExpireCalls(ctx, []store.CallRef{{Integration: "int_1", Key: "CA0"}}, WritersTime.Add(time.Hour), byRetention)
		return err
	},
	"delete a recording": func(ctx context.Context, s store.Store, _ Start, by string) error {
		return s.DeleteRecording(ctx, "int_1", "CA0", "media:0", store.Deletion{By: by, At: WritersTime}, store.StoryLine{At: WritersTime, Text: "deleted"})
	},
	"look at old records": func(ctx context.Context, s store.Store, _ Start, _ string) error {
		_, err := s.LookAtOld(ctx, store.OldCalls{Ended: WritersTime.Add(time.Hour), Now: WritersTime, Until: WritersTime.Add(time.Hour), Limit: 5})
		return err
	},
	"add to an ended record": func(ctx context.Context, s store.Store, _ Start, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA0", Now: WritersTime, Call: &store.CallUpdate{
			Fields: []integration.AlertField{{Label: "a", Value: by}}, Story: []store.StoryLine{{Command: 7, At: WritersTime, Text: by}},
			Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:1"}, At: WritersTime}}}})
		return err
	},
	"seen": func(ctx context.Context, s store.Store, _ Start, by string) error {
		return s.StoreSeen(ctx, []store.Seen{
			{Integration: "int_1", Key: "CA1", At: WritersTime.Add(time.Duration(by[0]) * time.Second)}, {Integration: "int_1", Key: "CA" + by, At: WritersTime},
		})
	},
	"turn": func(ctx context.Context, s store.Store, _ Start, _ string) error {
		_, err := s.TakeTurn(ctx, "account", WritersTime, time.Second)
		return err
	},
}

func inLane(body string) store.Item {
	return store.Item{Kind: store.ItemCommand, Lane: "lane", Due: WritersTime, Body: []byte(body)}
}

// Begin makes what Writers begin with in an empty store: a call in progress, and one that has
// ended. The session of the latter is still there: remove it to have its record alone.
func Begin(ctx context.Context, s store.Store) (Start, error) {
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	_, err := s.SaveIntegration(ctx, store.Integration{ID: "int_1", Plugin: "livecall", Name: "Hotline"})
	check(err)
	_, err = s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Now: WritersTime, Session: &store.Session{Live: true, ExpiresAt: WritersTime.Add(time.Minute)},
		Call:  &store.CallUpdate{New: true, Live: true, View: &integration.CallView{From: "x"}},
		Items: []store.Item{inLane("first"), {Kind: store.ItemTask, Lane: "task/t", Name: "t", Generation: 1, Due: WritersTime}, {Kind: store.ItemCommand, Lane: "result", Due: WritersTime}}})
	check(err)
	items, _, err := s.Claim(ctx, store.Claim{Owner: "one", Now: WritersTime, Lease: time.Minute, Limit: 10})
	check(err)
	var at Start
	for _, it := range items {
		switch it.Lane {
		case "lane":
			at.head = it
		case "result":
			at.result = it
			check(s.FinishItem(ctx, it, []byte("done")))
		default:
			at.task = it
		}
	}
	_, err = s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: WritersTime, Items: []store.Item{
		inLane("second"), inLane("third"), {Kind: store.ItemCommand, Lane: "held", Phase: store.PhaseHeld, Due: WritersTime.Add(time.Hour)},
		{Kind: store.ItemTask, Lane: "task/t", Name: "u", Generation: 1, Due: WritersTime}, {Kind: store.ItemTimer, Name: "v", Generation: 1, Due: WritersTime}}})
	check(err)
	_, err = s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA0", Now: WritersTime, Session: &store.Session{},
		Call: &store.CallUpdate{New: true, View: &integration.CallView{From: "y", EndedAt: WritersTime}, Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:0"}, At: WritersTime}}}})
	check(err)
	return at, errors.Join(errs...)
}
