package engine_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestWhatAnotherCallDoesWithAPersonIsSaid(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.platform.onCall = []integration.OnCallEntry{{Layer: 1, User: integration.User{ID: "alice", OccupiedHow: "an invention"}}}
	var other *integration.SessionUpdate
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		switch {
		case req.Path == "/c/other/x":
			return integration.Outcome{Response: ok(""), Session: other}, nil
		case len(req.Facts.Answers) == 0:
			return integration.Outcome{Need: []integration.Question{{ID: "who", Kind: integration.AskOnCall, Team: "devops"}, {ID: "user", Kind: integration.AskUser, User: "alice"}}}, nil
		}
		u, one := req.Facts.Answers[0].OnCall[0].User, req.Facts.Answers[1].User
		return integration.Outcome{Response: ok(u.OccupiedBy + " " + u.OccupiedHow + ", " + one.OccupiedHow)}, nil
	}
	view := func(user, state string) *integration.CallView {
		return &integration.CallView{ID: "other", Legs: []integration.LegView{{ID: "1", User: user, State: state}}}
	}
	for _, step := range []struct {
		update integration.SessionUpdate
		want   string
	}{
		{integration.SessionUpdate{Occupies: []string{"alice"}, Call: view("alice", "ringing")}, "other ringing, ringing"},
		{integration.SessionUpdate{Occupies: []string{"alice"}, Call: view("alice", integration.LegTalking)}, "other talking, talking"},
		{integration.SessionUpdate{Occupies: []string{"alice"}, Call: view("bob", integration.LegTalking)}, "other ringing, ringing"},
		{integration.SessionUpdate{Occupies: []string{"alice"}}, "other ringing, ringing"},
		{integration.SessionUpdate{WaitsFor: []string{"alice"}}, "other waiting, waiting"},
		{integration.SessionUpdate{Occupies: []string{"alice"}, Call: &integration.CallView{ID: "other", Ended: "message_left"}}, "other telling, telling"},
		{integration.SessionUpdate{WaitsFor: []string{"alice"}, Call: &integration.CallView{ID: "other", Ended: "message_left"}}, "other telling, telling"},
		{integration.SessionUpdate{}, " , "},
	} {
		step.update.State, step.update.Live = []byte("s"), true
		other = &step.update
		if _, err := h.post(t, "/c/other/x", ""); err != nil {
			t.Fatal(err)
		}
		resp, err := h.post(t, "/c/K/x", "")
		if err != nil || string(resp.Body) != step.want {
			t.Errorf("%+v: %q, %v; want %q", step.update, resp.Body, err, step.want)
		}
	}
}

// TestTwoCallsThatDecideAtOnceDoNotOccupyOnePerson: both handlers are told that she is free before
// either commits.
func TestTwoCallsThatDecideAtOnceDoNotOccupyOnePerson(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.platform.onCall = []integration.OnCallEntry{{Layer: 1, User: integration.User{ID: "alice", Phones: []string{"+12025550143"}}}}
	var both sync.WaitGroup
	both.Add(2)
	var first sync.Map // sessions that have met the other
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{{ID: "who", Kind: integration.AskOnCall, Team: "devops", Layer: 1}}}, nil
		}
		if _, met := first.LoadOrStore(req.Path, true); !met {
			both.Done()
			both.Wait()
		}
		if by := req.Facts.Answers[0].OnCall[0].User.OccupiedBy; by != "" {
			return integration.Outcome{Response: ok("waits for " + by)}, nil
		}
		u := remember("rings")
		u.Occupies = []string{"alice"}
		return integration.Outcome{Response: ok("rings"), Session: u}, nil
	}
	var said [2]string
	var calls sync.WaitGroup
	for i, key := range []string{"K1", "K2"} {
		calls.Go(func() {
			resp, err := h.post(t, "/c/"+key+"/x", "")
			if err != nil {
				t.Error(err)
			}
			said[i] = string(resp.Body)
		})
	}
	calls.Wait()
	if said != [2]string{"rings", "waits for K1"} && said != [2]string{"waits for K2", "rings"} {
		t.Errorf("the two calls say %q, want one to ring and the other to wait for it", said)
	}
}

// Of the sessions that wait for a person, those whose calls have ended are named: they have a
// message for them, too.
func TestMessagesThatWaitForAPersonAreNamed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	told := &integration.CallView{ID: "x", Ended: "message_left"}
	now := h.clock.Now()
	h.session(t, "second", now.Add(time.Second), store.Session{Live: true, WaitsFor: []string{"alice"}, Call: told})
	h.session(t, "first", now, store.Session{Live: true, WaitsFor: []string{"bob", "alice"}, Call: told})
	h.session(t, "caller", now, store.Session{Live: true, WaitsFor: []string{"alice"}, Call: &integration.CallView{ID: "x"}})
	h.session(t, "other", now, store.Session{Live: true, WaitsFor: []string{"bob"}, Call: told})
	h.session(t, "K", now, store.Session{Live: true, WaitsFor: []string{"alice"}, Call: told})
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{{ID: "user", Kind: integration.AskUser, User: "alice"}}}, nil
		}
		return integration.Outcome{Response: ok(strings.Join(req.Facts.Answers[0].User.AwaitedBy, " "))}, nil
	}
	h.expect(t, "/c/K/x", "first second", "who has a message for Alice")
}
