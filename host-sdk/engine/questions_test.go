package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestQuestionsWhoseAnswerFailsSaySo(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{
				{ID: "1", Kind: integration.AskOnCall}, {ID: "2", Kind: integration.AskUser}, {ID: "3", Kind: integration.AskRoute},
			}}, nil
		}
		var said []string
		for _, a := range req.Facts.Answers {
			kind := integration.Kind("")
			if a.Err != nil {
				kind = a.Err.Kind
			}
			if a.Err != nil && (a.User != nil || a.OnCall != nil || a.Route != nil) {
				said = append(said, "half an answer")
			}
			said = append(said, a.ID+":"+string(kind))
		}
		return integration.Outcome{Response: ok(strings.Join(said, " "))}, nil
	}
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	h.expect(t, "/c/K/x", "1:unavailable 2:unavailable 3:unavailable", "the platform is down")
	h.platform.set(func(p *fakePlatform) {
		p.down = nil
		p.onCall = []integration.OnCallEntry{{User: integration.User{ID: "alice"}}}
	})
	h.store.failing("Occupied", errors.New("disk"))
	h.expect(t, "/c/K/x", "1:internal 2:internal 3:", "who is occupied cannot be read")
}

func TestQuestionsAreAskedForTheirTime(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	then := clk.Now().Add(-time.Hour)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{{ID: "1", Kind: integration.AskOnCall, At: then}, {ID: "2", Kind: integration.AskOnCall}}}, nil
		}
		return integration.Outcome{Response: ok("")}, nil
	}
	h.expect(t, "/c/K/x", "", "the request")
	got := h.platform.onCallAt()
	slices.SortFunc(got, time.Time.Compare)
	if len(got) != 2 || !got[0].Equal(then) || !got[1].Equal(clk.Now()) {
		t.Errorf("asked for %v, want %v and now", got, then)
	}
}

func TestQuestionsAreAnsweredAndTheHandlerRunsAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.platform.onCall = []integration.OnCallEntry{{Layer: 1, User: integration.User{ID: "alice", Phones: []string{"+12025550143"}}}}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if req.Path == "/c/other/x" {
			u := remember("talking")
			u.Occupies = []string{"alice"}
			return integration.Outcome{Response: ok(""), Session: u}, nil
		}
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{
				{ID: "who", Kind: integration.AskOnCall, Team: "devops", Layer: 1},
				{ID: "user", Kind: integration.AskUser, User: "bob"},
				{ID: "route", Kind: integration.AskRoute, Router: "by-day"},
				{ID: "odd", Kind: "weather"},
			}}, nil
		}
		var said []string
		for _, a := range req.Facts.Answers {
			switch {
			case a.Err != nil:
				said = append(said, a.ID+":"+string(a.Err.Kind))
			case a.User != nil:
				said = append(said, a.ID+":"+a.User.Name)
			case a.Route != nil:
				said = append(said, a.ID+":"+a.Route.Notes[0])
			default:
				said = append(said, a.ID+":"+a.OnCall[0].User.ID+" occupied by "+a.OnCall[0].User.OccupiedBy)
			}
		}
		return integration.Outcome{Response: ok(strings.Join(said, ", "))}, nil
	}
	if _, err := h.post(t, "/c/other/x", ""); err != nil {
		t.Fatal(err)
	}
	resp, err := h.post(t, "/c/K/x", "")
	if want := "who:alice occupied by other, user:User bob, route:by-day, odd:unsupported"; err != nil || string(resp.Body) != want {
		t.Errorf("%q, %v; want %q", resp.Body, err, want)
	}
	rounds := 0
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		rounds++
		return integration.Outcome{Need: []integration.Question{{ID: "again", Kind: integration.AskUser, User: "bob"}}}, nil
	}
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindInternal || rounds != integration.MaxNeedRounds+1 {
		t.Errorf("endless questions: %v after %d runs", err, rounds)
	}
}
