package goalert_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// alerts are the numbers of all alerts of a service.
func (w *world) alerts(s admin.Service) map[int]bool {
	w.t.Helper()
	var out struct {
		Service struct {
			RecentEvents struct{ Nodes []struct{ AlertID int } }
		}
	}
	w.ok(w.Admin.Query(w.t.Context(), fmt.Sprintf(`{service(id:%q){recentEvents(input:{limit:100}){nodes{id alertID timestamp message}}}}`, s.ID), &out))
	all := map[int]bool{}
	for _, n := range out.Service.RecentEvents.Nodes {
		all[n.AlertID] = true
	}
	return all
}

func TestWhatComesBeforeTheRouteBecomesOneAlert(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	var mu sync.Mutex
	var posts []map[string]any
	box := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var post map[string]any
		_ = json.NewDecoder(r.Body).Decode(&post)
		mu.Lock()
		defer mu.Unlock()
		posts = append(posts, post)
	}))
	t.Cleanup(box.Close)
	alice := w.Person("Alice Example", "")
	s := w.service(0, []admin.Dest{admin.User(alice.ID), admin.Webhook(box.URL)})
	h := w.platform(t, s)
	h.onCall(t, s.ID, 1)
	c := h.call(t)
	c.apply(create("Live call from +12025550199"))
	c.apply(integration.AlertCommand{Kind: integration.AlertLog, Text: "The caller chose Payments."})
	c.apply(integration.AlertCommand{Kind: integration.AlertAddField, Field: &integration.AlertField{Label: "City", Value: "Arlington"}})
	h.start(t) // as after a crash
	c.apply(integration.AlertCommand{Kind: integration.AlertAddField, Field: &integration.AlertField{Label: "City", Value: "Alexandria"}})
	if n := h.sent("event "); n != 0 {
		t.Errorf("%d alerts before the route", n)
	}
	c.apply(route(s.ID))
	w.Await("the post of the step", func() bool { mu.Lock(); defer mu.Unlock(); return len(posts) > 0 })
	mu.Lock()
	defer mu.Unlock()
	if got := posts[0]["Summary"]; got != "Live call from +12025550199" {
		t.Errorf("summary %v", got)
	}
	details, _ := posts[0]["Details"].(string)
	for _, want := range []string{"A caller waits.", "The caller chose Payments.", "City: Alexandria"} {
		if !strings.Contains(details, want) {
			t.Errorf("details %q have no %q", details, want)
		}
	}
	if strings.Contains(details, "Arlington") {
		t.Errorf("details %q have both values of a field", details)
	}
	if h.sent("event ") != 1 || len(w.alerts(s)) != 1 {
		t.Errorf("%d requests, alerts %v", h.sent("event "), w.alerts(s))
	}
}

func TestAnAlertWhoseCreationWasNotAnsweredIsNotCreatedTwice(t *testing.T) {
	t.Parallel()
	w, h, s, _, _ := ordinary(t)
	c := h.call(t)
	c.apply(create("Live call"))
	h.loseNext("event ")
	cmd := c.number(route(s.ID))
	if err := c.Apply(t.Context(), c.scope, cmd); integration.KindOf(err) != integration.KindUnavailable {
		t.Fatalf("the lost answer: %v", err)
	}
	w.ok(c.Apply(t.Context(), c.scope, cmd))
	if all := w.alerts(s); len(all) != 1 || !all[c.alert()] {
		t.Errorf("alerts %v", all)
	}
}

func TestAnotherTeamGetsAnAlertOfItsOwnAndTheFirstIsClosed(t *testing.T) {
	t.Parallel()
	w, _, s, _, bob := ordinary(t)
	other := w.service(0, []admin.Dest{admin.User(bob.ID)})
	h := w.platform(t, s, other)
	h.onCall(t, other.ID, 1)
	c := h.open(t, s.ID)
	first := c.alert()
	c.apply(route(other.ID))
	if second := c.alert(); second == first || !w.alerts(other)[second] {
		t.Errorf("the second team has the alert %d", second)
	}
	if got := must[*admin.Status](w)(w.Admin.AlertStatus(t.Context(), first)); got.Status != "StatusClosed" {
		t.Errorf("the first is %s", got.Status)
	}
}

func TestOfSeveralTeamsTheFirstWithSomebodyOnCallGetsTheAlert(t *testing.T) {
	t.Parallel()
	w, _, s, _, _ := ordinary(t)
	idle := w.service(0, []admin.Dest{admin.Webhook("http://127.0.0.1:9/x")})
	h := w.platform(t, idle, s)
	c := h.open(t, s.ID)
	d := h.call(t)
	d.apply(create("Live call"))
	d.apply(route(idle.ID, s.ID))
	if got := d.snapshot(); got.Teams[0] != s.ID || c.alert() == d.alert() {
		t.Errorf("%+v", got)
	}
}

func TestATeamThatIsGoneKeepsAnAlertFromNoOtherTeam(t *testing.T) {
	t.Parallel()
	w, _, s, _, _ := ordinary(t)
	h := w.platform(t, s)
	d := h.call(t)
	d.apply(create("Live call"))
	d.apply(route("00000000-0000-0000-0000-000000000000", s.ID))
	if got := d.snapshot(); len(got.Teams) != 1 || got.Teams[0] != s.ID {
		t.Errorf("%+v", got)
	}
}

func TestEscalatingPassesStepsWithNobodyOnCall(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
	s := w.service(0, []admin.Dest{admin.User(alice.ID)}, []admin.Dest{admin.Webhook("http://127.0.0.1:9/x")}, []admin.Dest{admin.User(bob.ID)})
	h := w.platform(t, s)
	h.onCall(t, s.ID, 2)
	c := h.open(t, s.ID)
	c.apply(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	if got := c.snapshot(); got.Layer != 3 || got.Round != 1 || c.status().State.StepNumber != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAnEscalationWhoseAnswerWasLostHappensOnce(t *testing.T) {
	t.Parallel()
	w, h, s, _, _ := ordinary(t)
	c := h.open(t, s.ID)
	h.loseNext("Escalate")
	cmd := c.number(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: 1, Round: 1})
	if err := c.Apply(t.Context(), c.scope, cmd); integration.KindOf(err) != integration.KindUnavailable {
		t.Fatalf("the lost answer: %v", err)
	}
	w.ok(c.Apply(t.Context(), c.scope, cmd))
	if got := c.snapshot(); got.Layer != 2 || got.Round != 1 || h.sent("Escalate") != 1 {
		t.Errorf("%+v after %d requests", got, h.sent("Escalate"))
	}
}

func TestReopeningPagesTheNextStepAndAfterTheLastTheFirst(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]goalertsim.Config{"newest first": {}, "oldest first": {OldestFirst: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, h, s, alice, bob := ordinaryWith(t, cfg)
			c := h.open(t, s.ID)
			ids := map[string]bool{}
			for _, one := range []struct {
				user         string
				round, layer int
			}{{alice.ID, 1, 2}, {bob.ID, 2, 1}, {alice.ID, 2, 2}} {
				c.apply(acknowledge(one.user))
				ack := c.snapshot().Acknowledgements[0]
				if ack.User != one.user || ack.Command != c.last {
					t.Errorf("acknowledged by %+v, want %s", ack, one.user)
				}
				if ids[ack.ID] {
					t.Errorf("two acknowledgements have the id %s", ack.ID)
				}
				ids[ack.ID] = true
				c.apply(integration.AlertCommand{Kind: integration.AlertReopen, Ack: ack.ID})
				got := c.snapshot()
				if got.Status != integration.AlertOpen || got.Round != one.round || got.Layer != one.layer || c.status().Status != "StatusUnacknowledged" {
					t.Errorf("%+v, want round %d, layer %d", got, one.round, one.layer)
				}
			}
		})
	}
}

func TestAClosedAlertIsOpenedByASecondOne(t *testing.T) {
	t.Parallel()
	w, h, s, _, _ := ordinary(t)
	c := h.open(t, s.ID)
	first := c.alert()
	must[bool](w)(w.Admin.CloseAlert(t.Context(), first))
	if got := c.snapshot(); got.Status != integration.AlertResolved || got.Layer != 0 {
		t.Errorf("closed in GoAlert: %+v", got)
	}
	c.apply(integration.AlertCommand{Kind: integration.AlertReopen})
	if got := c.snapshot(); got.Status != integration.AlertOpen || c.alert() == first {
		t.Errorf("%+v", got)
	}
	c.apply(integration.AlertCommand{Kind: integration.AlertResolve})
	if c.status().Status != "StatusClosed" {
		t.Error("the second is not closed")
	}
}

// ahead is a clock some minutes ahead.
type ahead struct {
	clock.Clock
	by time.Duration
}

func (a ahead) Now() time.Time { return a.Clock.Now().Add(a.by) }

// An hour ahead, the only step of an hour is over.
func TestAnExhaustedPolicyDropsTheAlert(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	alice := w.Person("Alice Example", "")
	for repeat, want := range map[int]integration.AlertStatus{0: integration.AlertDropped, 1: integration.AlertOpen, -1: integration.AlertOpen} {
		s := w.service(repeat, []admin.Dest{admin.User(alice.ID)})
		h := w.platform(t, s)
		h.onCall(t, s.ID, 1)
		c := h.open(t, s.ID)
		w.Await("the first step", func() bool {
			state := c.status().State
			return state != nil && state.LastEscalation != nil
		})
		if got := c.snapshot(); got.Status != integration.AlertOpen {
			t.Errorf("repeat %d, within the step: %+v", repeat, got)
		}
		h.cfg.Clock = ahead{clock.System(), time.Hour + time.Minute}
		h.start(t)
		if got := c.snapshot(); got.Status != want {
			t.Errorf("repeat %d, after the step: %s, want %s", repeat, got.Status, want)
		}
	}
}
