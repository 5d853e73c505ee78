package goalert_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

func TestServicesArePolledOnlyWhileTheyHaveACall(t *testing.T) {
	t.Parallel()
	w, _, s, alice, _ := ordinary(t)
	other := w.service(0, []admin.Dest{admin.User(alice.ID)})
	h := w.platform(t, s, other)
	h.onCall(t, other.ID, 1)
	c := h.open(t, s.ID)
	w.Await("polls", func() bool { return h.sent("Poll") > 2 })
	if n := h.sent("Poll " + other.ID); n != 0 {
		t.Errorf("%d polls of a service without a call", n)
	}
	c.apply(integration.AlertCommand{Kind: integration.AlertResolve})
	c.snapshot() // which says that it is closed
	var before int
	w.Await("the end of polls", func() bool { // one may be under way
		before = h.sent("Poll")
		time.Sleep(2500 * time.Millisecond)
		return h.sent("Poll") == before
	})
	d := h.open(t, s.ID)
	w.Await("polls for the next call", func() bool { return h.sent("Poll") > before })
	d.apply(integration.AlertCommand{Kind: integration.AlertResolve})
}

func TestNobodyIsPolledBeforeACall(t *testing.T) {
	t.Parallel()
	_, h, _, _, _ := ordinary(t)
	time.Sleep(2500 * time.Millisecond)
	if n := h.sent("Poll"); n != 0 {
		t.Errorf("%d polls", n)
	}
}

func TestPollingAndCallsHaveKeysOfTheirOwn(t *testing.T) {
	t.Parallel()
	w, h, s, alice, _ := ordinary(t)
	c := h.open(t, s.ID)
	c.snapshot()
	c.apply(acknowledge(alice.ID))
	w.Await("polls", func() bool { return h.sent("Poll") > 0 })
	h.mu.Lock()
	defer h.mu.Unlock()
	for operation, want := range map[string]string{"Poll": w.poll.Token, "OnCall": w.calls.Token, "People": w.calls.Token, "Acknowledge": w.calls.Token} {
		if got := slices.Collect(maps.Keys(h.keys[operation])); !slices.Equal(got, []string{"Bearer " + want}) {
			t.Errorf("%s goes by %d keys, or by the wrong one", operation, len(got))
		}
	}
	if h.query != "" {
		t.Error("an address has parameters, as if a key were in it")
	}
}

func TestAChangeDuringAnOutageIsHintedAtAfterIt(t *testing.T) {
	t.Parallel()
	w, h, s, alice, _ := ordinary(t)
	hints := h.hints(t)
	c := h.open(t, s.ID)
	w.Await("polls", func() bool { return h.sent("Poll") > 0 })
	id := c.alert()
	h.failing(func(operation string) error {
		if operation == "Poll" {
			return errLost
		}
		return nil
	})
	must[bool](w)(alice.Session().Acknowledge(t.Context(), id))
	before := h.sent("Poll")
	w.Await("a failed poll", func() bool { return h.sent("Poll") > before+1 })
	h.failing(nil)
	c.hinted(t, hints, "the acknowledgement", acknowledged)
}

func TestAfterARestartOneQuestionIsEnoughToGetHints(t *testing.T) {
	t.Parallel()
	w, h, s, alice, _ := ordinary(t)
	c := h.open(t, s.ID)
	h.start(t)
	c.host = h
	hints := h.hints(t)
	id := c.alert() // the engine asks about every call in progress when it starts
	must[bool](w)(alice.Session().Acknowledge(t.Context(), id))
	if got := c.hinted(t, hints, "the acknowledgement", acknowledged); got.Acknowledgements[0].User != alice.ID {
		t.Errorf("%+v", got)
	}
}

// A post is a hint and nothing else: what it says may be anybody's invention.
func TestPostsAreHints(t *testing.T) {
	t.Parallel()
	_, h, s, _, _ := ordinary(t)
	c := h.open(t, s.ID)
	id := c.alert()
	hints := h.hints(t)
	w := h.w
	w.Await("a watcher", func() bool {
		c.apply(integration.AlertCommand{Kind: integration.AlertLog, Text: "x"})
		return len(hints) > 0
	})
	// Hints by polling would be mistaken for those of posts.
	h.failing(func(operation string) error {
		if operation == "Poll" {
			return errLost
		}
		return nil
	})
	before := h.sent("Poll")
	w.Await("a failed poll", func() bool { return h.sent("Poll") > before+1 })
	h.drain(hints)
	for _, one := range []struct {
		token, body string
		status      int
		hint        bool
	}{
		{"let me in", fmt.Sprintf(`{"AppName":"GoAlert","Type":"AlertStatus","AlertID":%d,"LogEntry":"Acknowledged by Alice Example (Web)"}`, id), 204, true},
		{"let me in", `{"AppName":"GoAlert","Type":"AlertBundle","Count":5}`, 204, true},
		{"let me in", `{"AppName":"GoAlert","Type":"AlertStatus","AlertID":2147483000}`, 204, false},
		{"let me in", `acknowledged`, 400, false},
		{"guess", fmt.Sprintf(`{"Type":"AlertStatus","AlertID":%d}`, id), 404, false},
		{"", fmt.Sprintf(`{"Type":"AlertStatus","AlertID":%d}`, id), 404, false},
	} {
		r := httptest.NewRequest(http.MethodPost, "/goalert?token="+strings.ReplaceAll(one.token, " ", "%20"), strings.NewReader(one.body))
		got := httptest.NewRecorder()
		h.Webhook().ServeHTTP(got, r)
		if got.Code != one.status {
			t.Errorf("%s: status %d, want %d", one.body, got.Code, one.status)
		}
		if one.hint {
			c.hinted(t, hints, one.body, func(s integration.AlertSnapshot) bool { return s.Status == integration.AlertOpen })
		} else if len(hints) > 0 {
			t.Errorf("%s: a hint", one.body)
		}
	}
}

func TestGoAlertsOwnPostsAreUnderstood(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]goalertsim.Version{"v0.34.1": goalertsim.V0341, "HEAD": goalertsim.Head} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, version)
			var handler http.Handler
			codes := make(chan int, 100)
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				got := httptest.NewRecorder()
				handler.ServeHTTP(got, r)
				codes <- got.Code
			}))
			t.Cleanup(server.Close)
			s := w.service(0, []admin.Dest{admin.User(w.Person("Alice Example", "").ID), admin.Webhook(server.URL + "?token=let%20me%20in")})
			h := w.platform(t, s)
			handler = h.Webhook()
			h.onCall(t, s.ID, 1)
			h.open(t, s.ID)
			w.Await("a post", func() bool { return len(codes) > 0 })
			if code := <-codes; code != http.StatusNoContent {
				t.Errorf("answered %d", code)
			}
		})
	}
}
