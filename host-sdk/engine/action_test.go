package engine_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestAnActionsQuestionsAreAnswered(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.platform.onCall = []integration.OnCallEntry{{Layer: 1, User: integration.User{ID: "alice", Name: "Alice Example"}}}
	runs := 0
	h.plugin.action = func(req integration.ActionRequest) (integration.ActionResult, error) {
		runs++
		switch len(req.Facts.Answers) {
		case 0:
			return integration.ActionResult{Need: []integration.Question{
				{ID: "1", Kind: integration.AskOnCall, Team: "devops"}, {ID: "2", Kind: integration.AskUser, User: "bob"},
			}, State: []byte("never kept")}, nil
		case 2:
			return integration.ActionResult{Need: []integration.Question{{ID: "3", Kind: integration.AskRoute, Router: "by-day"}}}, nil
		}
		a := req.Facts.Answers
		return integration.ActionResult{OK: true, Lines: []integration.ActionLine{
			{Level: "ok", Text: req.Values["v"] + ": " + a[0].OnCall[0].User.Name + ", " + a[1].User.Name + ", " + a[2].Route.Notes[0]},
		}}, nil
	}
	got, err := h.RunAction(context.Background(), h.id, "ask", map[string]string{"v": "one"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(integration.ActionResult{OK: true, Lines: []integration.ActionLine{{Level: "ok", Text: "one: Alice Example, User bob, by-day"}}}, got); diff != "" {
		t.Error(diff)
	}
	if runs != 3 {
		t.Errorf("run %d times", runs)
	}
	if _, err := h.store.Session(context.Background(), h.id, integration.IntegrationSessionKey); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("a round of questions left a session: %v", err)
	}
}

func TestAnActionThatNeverStopsAskingIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.action = func(req integration.ActionRequest) (integration.ActionResult, error) {
		return integration.ActionResult{OK: true, Need: []integration.Question{{ID: strconv.Itoa(len(req.Facts.Answers)), Kind: integration.AskUser, User: "bob"}}}, nil
	}
	got, err := h.RunAction(context.Background(), h.id, "ask", nil)
	if integration.KindOf(err) != integration.KindInternal || got.OK {
		t.Errorf("%+v, %v", got, err)
	}
	if n := h.platform.times("user"); n != integration.MaxActionRounds {
		t.Errorf("asked %d times", n)
	}
}

func TestMediaAreOfferedWholeAndInSlices(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := newHost(t, func(c *engine.Config) {
		c.MediaURL = func(m store.Medium) string { return "https://hotline.example.com/" + m.Name }
		c.MediaSlices = func(m store.Medium) []string {
			if m.Name == "short.mp3" {
				return nil
			}
			return []string{"https://hotline.example.com/1-of-2/" + m.Name, "https://hotline.example.com/2-of-2/" + m.Name}
		}
	})
	refs := map[string]string{}
	for _, name := range []string{"short.mp3", "long.mp3", "private.mp3"} {
		m, err := h.store.PutMedium(ctx, store.Medium{MediaRef: integration.MediaRef{Name: name}, Public: name != "private.mp3", Data: []byte(name)})
		if err != nil {
			t.Fatal(err)
		}
		refs[name] = m.Ref
	}
	in, _, err := h.Configure(ctx, "", 0, engine.Draft{
		Plugin: "fake", Name: "Music", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		Options: []byte(`{"greeting":"` + refs["short.mp3"] + `","music":"` + refs["long.mp3"] + `","other":"` + refs["private.mp3"] + `","none":"media:00"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	var seen integration.Instance
	h.plugin.action = func(req integration.ActionRequest) (integration.ActionResult, error) {
		seen = req.Facts.Instance
		return integration.ActionResult{OK: true}, nil
	}
	if _, err := h.RunAction(ctx, in.ID, "look", nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{refs["short.mp3"]: "https://hotline.example.com/short.mp3", refs["long.mp3"]: "https://hotline.example.com/long.mp3"}, seen.MediaURLs); diff != "" {
		t.Error(diff)
	}
	want := map[string][]string{refs["long.mp3"]: {"https://hotline.example.com/1-of-2/long.mp3", "https://hotline.example.com/2-of-2/long.mp3"}}
	if diff := cmp.Diff(want, seen.MediaSlices); diff != "" {
		t.Error(diff)
	}
}

func TestActionsRunOnTheIntegrationsOwnSession(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.action = func(req integration.ActionRequest) (integration.ActionResult, error) {
		n := "none"
		if req.Facts.Session != nil {
			n = string(req.Facts.Session.State)
		}
		return integration.ActionResult{OK: true, State: []byte(req.Values["v"]), Format: 1,
			Lines: []integration.ActionLine{{Level: "ok", Text: "before: " + n}}, Findings: []integration.Finding{{Code: "c", Severity: integration.FindingWarning, Message: "m"}}}, nil
	}
	for i, want := range []string{"before: none", "before: one"} {
		r, err := h.RunAction(context.Background(), h.id, "remember", map[string]string{"v": "one"})
		if err != nil || r.Lines[0].Text != want {
			t.Errorf("run %d: %+v, %v", i, r, err)
		}
	}
	if f, err := h.store.Findings(context.Background(), h.id); err != nil || len(f) != 1 || f[0].Code != "c" {
		t.Errorf("findings %+v, %v", f, err)
	}
	h.plugin.action = nil
	if _, err := h.RunAction(context.Background(), h.id, "nothing", nil); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("unknown action: %v", err)
	}
}
