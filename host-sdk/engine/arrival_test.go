package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// arrive sends a request that names its call K in the form, as the first one of a call does.
func arrive(t *testing.T, e *engine.Engine, id string) (integration.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return e.Webhook(ctx, id, integration.WebhookRequest{
		Method: "POST", URL: "https://hotline.example.com/integrations/" + id + "/arrival", Path: "/arrival", Body: []byte("CallKey=K"),
	})
}

// saysWhatItSees makes the plugin answer with the session's state, which it counts up if it is to
// commit anything, and returns the states that its handlers were shown; "": no session.
func saysWhatItSees(h *host, commits bool) *[]string {
	seen := &[]string{}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		state := ""
		if s := req.Facts.Session; s != nil {
			state = string(s.State)
		}
		*seen = append(*seen, state)
		o := integration.Outcome{Response: ok("state " + state)}
		if commits {
			o.Session = remember(len(*seen))
		}
		return o, nil
	}
	return seen
}

func TestTheStoreIsNotAskedForACallThatBegins(t *testing.T) {
	t.Parallel()
	h := newHost(t, exclusive, manual(clock.NewManual(presenceStart)))
	seen := saysWhatItSees(h, true)
	if got, err := arrive(t, h.Engine, h.id); err != nil || string(got.Body) != "state " {
		t.Errorf("answer %q, %v", got.Body, err)
	}
	if n := h.store.times("Session"); n != 0 || len(*seen) != 1 {
		t.Errorf("the session was looked for %d times, and the handler ran %d times; want never and once", n, len(*seen))
	}
	h.expect(t, "/c/K/x", "state 1", "the next request")
}

// TestACallThatSeemsToBeginAndExistsIsNotBegunAgain: a provider repeats the first request of a
// call, and the host has begun anew meanwhile, so that it knows of no call.
func TestACallThatSeemsToBeginAndExistsIsNotBegunAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ commits, ended bool }{{true, false}, {false, false}, {true, true}, {false, true}} {
		what, commits := fmt.Sprintf("%+v", test), test.commits
		h := newHost(t, exclusive, manual(clock.NewManual(presenceStart)))
		h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
			o := integration.Outcome{Response: ok(""), Session: remember(1)}
			o.Session.Live = !test.ended
			return o, nil
		}
		if _, err := arrive(t, h.Engine, h.id); err != nil {
			t.Fatal(err)
		}
		again := h.another(t, exclusive)
		seen := saysWhatItSees(h, commits)
		got, err := arrive(t, again, h.id)
		if err != nil || string(got.Body) != "state 1" {
			t.Errorf("%s: answer %q, %v; want that of the call as it is", what, got.Body, err)
		}
		if d := cmp.Diff([]string{"", "1"}, *seen); d != "" {
			t.Errorf("%s: the handler was shown (-want +got):\n%s", what, d)
		}
		want := int64(1)
		if commits {
			want = 2
		}
		if s, err := h.store.Session(t.Context(), h.id, "K"); err != nil || s.Version != want {
			t.Errorf("%s: the session has version %d, %v; want %d", what, s.Version, err, want)
		}
	}
}

// TestARequestOfNoCallIsAnsweredOnceThatIsSure: the handler begins no call, and the store says that
// there is none.
func TestARequestOfNoCallIsAnsweredOnceThatIsSure(t *testing.T) {
	t.Parallel()
	h := newHost(t, exclusive, manual(clock.NewManual(presenceStart)))
	seen := saysWhatItSees(h, false)
	if got, err := arrive(t, h.Engine, h.id); err != nil || string(got.Body) != "state " || len(*seen) != 1 {
		t.Errorf("answer %q, %v, after %d runs; want one", got.Body, err, len(*seen))
	}
	if n := h.store.times("Session"); n != 1 {
		t.Errorf("the session was looked for %d times, want once", n)
	}
	h.store.failing("Session", errDown)
	if got, err := arrive(t, h.Engine, h.id); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("while the store cannot say: answer %q, %v", got.Body, err)
	}
	// One that begins a call needs nothing that the store cannot do.
	saysWhatItSees(h, true)
	if got, err := arrive(t, h.Engine, h.id); err != nil || string(got.Body) != "state " {
		t.Errorf("a call that begins while nothing can be read: answer %q, %v", got.Body, err)
	}
}

// TestOfSeveralHostsEachAsksWhetherACallBegins: what another has begun this one cannot know.
func TestOfSeveralHostsEachAsksWhetherACallBegins(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(clock.NewManual(presenceStart)))
	seen := saysWhatItSees(h, true)
	for range 2 {
		if _, err := arrive(t, h.another(t), h.id); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]string{"", "1"}, *seen); d != "" {
		t.Errorf("the handlers were shown (-want +got):\n%s", d)
	}
}

func TestOfWhomHasNotCalledTheStoreIsNotAsked(t *testing.T) {
	t.Parallel()
	h := newHost(t, exclusive, manual(clock.NewManual(presenceStart)))
	h.plugin.describe = func(d integration.Description) (integration.Description, error) {
		d.Webhook.RecentCalls = integration.RecentCallsQuestion{Field: "Number", IDPrefix: "earlier/", Window: time.Minute}
		return d, nil
	}
	if err := h.DescribeAgain(t.Context(), "fake"); err != nil {
		t.Fatal(err)
	}
	var earlier []string
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		earlier = nil
		for _, c := range req.Facts.Answers[0].Calls {
			earlier = append(earlier, c.ID)
		}
		o := integration.Outcome{Response: ok("")}
		o.Session = remember("x")
		o.Session.Call = &integration.CallView{ID: req.Facts.SessionKey, From: "+12025550143", StartedAt: req.Facts.Now}
		return o, nil
	}
	call := func(key string) {
		t.Helper()
		h.clock.(*clock.Manual).Advance(time.Second)
		if _, err := h.post(t, "/c/"+key+"/x", "Number=%2B12025550143"); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.(*clock.Manual).Advance(time.Hour) // long after the host began
	call("A")
	if n := h.store.times("ListCalls"); n != 0 || earlier != nil {
		t.Errorf("the first call: asked %d times, earlier calls %v; want neither", n, earlier)
	}
	call("B")
	if d := cmp.Diff([]string{"A"}, earlier); d != "" {
		t.Errorf("the second call: earlier calls (-want +got):\n%s", d)
	}
	// One that begins knows nobody until it has looked.
	h.Engine = h.another(t, exclusive)
	if err := h.DescribeAgain(t.Context(), "fake"); err != nil {
		t.Fatal(err)
	}
	call("C")
	if d := cmp.Diff([]string{"B", "A"}, earlier); d != "" {
		t.Errorf("after a new start: earlier calls (-want +got):\n%s", d)
	}
}
