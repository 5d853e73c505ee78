package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const forgottenNumber = "+12025550143"

// ForgetCalls notes how many calls one transaction removes.
func (s *countingStore) ForgetCalls(ctx context.Context, calls []store.CallRef, d store.Deletion) (store.Forgotten, error) {
	s.mu.Lock()
	s.expired = append(s.expired, len(calls))
	s.mu.Unlock()
	return s.Store.ForgetCalls(ctx, calls, d)
}

// called stores the record of a call from a number, which has ended unless it is live.
func (h *host) called(t *testing.T, key, from string, live bool, alert integration.AlertStatus) {
	t.Helper()
	now := h.clock.Now()
	u := &store.CallUpdate{
		New: true, Live: live, View: &integration.CallView{ID: key, From: from, To: "+12025550100", Ended: "hung_up", EndedAt: now},
		Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:" + key, Name: "voicemail.mp3"}, Label: "Voicemail", At: now}},
		Story:      []store.StoryLine{{At: now, Text: "The same as " + forgottenNumber + " says."}},
	}
	if live {
		u.View.Ended, u.View.EndedAt = "", time.Time{}
	}
	if alert != "" {
		u.Alert.Key = "alert of " + key
		h.platform.set(func(p *fakePlatform) {
			p.alerts[u.Alert.Key] = integration.AlertSnapshot{Key: u.Alert.Key, Status: alert}
		})
	}
	if _, err := h.store.Commit(t.Context(), store.Commit{Integration: h.id, Key: key, Now: now, Call: u}); err != nil {
		t.Fatal(err)
	}
}

func forgetting(h *host) store.Deletion {
	return store.Deletion{By: "alice", At: h.clock.Now(), Cause: store.CauseForgotten}
}

// A caller is forgotten: calls and alerts go, the number goes out of what was written about others,
// and the foreign service has deleted its part before the answer.
func TestACallerIsForgotten(t *testing.T) {
	t.Parallel()
	k := &keeper{}
	h := newHost(t, manual(newManual()), keeping(k))
	asked := h.erasures(erased(integration.Erased{Recordings: 1, Calls: 1}))
	h.called(t, "resolved", forgottenNumber, false, integration.AlertResolved)
	h.called(t, "dropped", forgottenNumber, false, integration.AlertDropped)
	h.called(t, "no alert", forgottenNumber, false, "")
	h.called(t, "gone alert", forgottenNumber, false, integration.AlertResolved)
	h.platform.set(func(p *fakePlatform) { delete(p.alerts, "alert of gone alert") })
	h.called(t, "other", "+12025550144", false, integration.AlertOpen)
	look, err := h.Forgettable(t.Context(), forgottenNumber)
	if err != nil || look.Number != forgottenNumber || len(look.Calls) != 4 || look.More || look.Refused != "" {
		t.Errorf("what would be forgotten: %+v, %v", look, err)
	}
	if len(h.kept(t)) != 5 || len(k.deleted()) > 0 {
		t.Error("looking at what would be forgotten has changed something")
	}
	got, err := h.Forget(t.Context(), forgottenNumber, forgetting(h))
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Forgotten{Forgotten: store.Forgotten{Calls: 4, Recordings: 4, Texts: 3}, Alerts: 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("forgotten (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"other": 1}, h.kept(t)); diff != "" {
		t.Errorf("what is kept (-want +got):\n%s", diff)
	}
	if story := h.story(t, "other"); strings.Contains(story[0], forgottenNumber) || !strings.Contains(story[0], "(forgotten number)") {
		t.Errorf("the story of another call: %q", story)
	}
	if done := k.deleted(); len(done) != 4 || done[3] != forgottenNumber+" is now (forgotten number)" {
		t.Errorf("asked of the platform: %q", done)
	}
	if n := len(asked()); n != 4 || len(h.left(t)) != 0 {
		t.Errorf("the foreign service was asked for %d of 4 calls, and %d are left", n, len(h.left(t)))
	}
	for _, x := range asked() {
		if !x.Whole {
			t.Errorf("asked for %+v, want the call itself deleted too", x)
		}
	}
	if out := got.Outside(); len(out) != 2 {
		t.Errorf("said to be left to people: %q", out)
	}
	again, err := h.Forget(t.Context(), "tel:+1-202-555-0143", forgetting(h))
	if diff := cmp.Diff(engine.Forgotten{Forgotten: store.Forgotten{Texts: 2}}, again); err != nil || diff != "" {
		t.Errorf("a number of which nothing is known: %v (-want +got):\n%s", err, diff)
	}
}

// Nothing is removed while somebody has to do with a call of the number, or while nobody can say.
func TestACallerIsNotForgottenHalf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		number string
		live   bool
		alert  integration.AlertStatus
		down   error
		want   integration.Kind
	}{
		"no number":       {number: "Alice", want: integration.KindInvalid},
		"callers dial it": {number: "+12025550100", want: integration.KindInvalid},
		"in progress":     {live: true, want: integration.KindConflict},
		"queued":          {alert: integration.AlertQueued, want: integration.KindConflict},
		"open":            {alert: integration.AlertOpen, want: integration.KindConflict},
		"acknowledged":    {alert: integration.AlertAcknowledged, want: integration.KindConflict},
		"nobody can say":  {alert: integration.AlertResolved, down: errDown, want: integration.KindUnavailable},
		"deleted":         {alert: integration.AlertDeleted},
		"no alert at all": {},
	} {
		k := &keeper{}
		h := newHost(t, keeping(k))
		h.erasures(erased(integration.Erased{}))
		h.called(t, "fine", forgottenNumber, false, "")
		h.called(t, "CA1", forgottenNumber, tt.live, tt.alert)
		h.platform.set(func(p *fakePlatform) { p.down = tt.down })
		number := tt.number
		if number == "" {
			number = forgottenNumber
		}
		look, lookErr := h.Forgettable(t.Context(), number)
		_, err := h.Forget(t.Context(), number, forgetting(h))
		if integration.KindOf(err) != tt.want {
			t.Errorf("%s: error %v, want kind %q", name, err, tt.want)
		}
		if tt.want == "" {
			continue
		}
		if len(h.kept(t)) != 2 || len(k.deleted()) > 0 {
			t.Errorf("%s: %d of 2 calls are left, and the platform has deleted %q", name, len(h.kept(t)), k.deleted())
		}
		if refused := tt.want == integration.KindConflict; refused != (look.Refused != "") || (lookErr != nil) == refused {
			t.Errorf("%s: before, people read %q and %v", name, look.Refused, lookErr)
		}
	}
}

// A platform may keep its alerts; one that fails in the middle keeps the calls, so that they are
// found again.
func TestForgettingSaysWhatThePlatformKeeps(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cannot, noAlert bool // the platform; the call
		fail            error
		kept            bool
		want            integration.Kind
	}{
		"cannot delete any":     {cannot: true, kept: true},
		"there is none":         {cannot: true, noAlert: true},
		"keeps its own":         {fail: integration.Errorf(integration.KindUnsupported, "elsewhere"), kept: true},
		"has none of that name": {fail: integration.Errorf(integration.KindNotFound, "none")},
		"fails":                 {fail: errDown, want: integration.KindUnavailable},
	} {
		k := &keeper{}
		change := keeping(k)
		if tt.cannot {
			change = func(*engine.Config) {}
		}
		h := newHost(t, change)
		h.erasures(erased(integration.Erased{}))
		status := integration.AlertResolved
		if tt.noAlert {
			status = ""
		}
		h.called(t, "CA1", forgottenNumber, false, status)
		k.failing(tt.fail)
		got, err := h.Forget(t.Context(), forgottenNumber, forgetting(h))
		if integration.KindOf(err) != tt.want || (len(h.kept(t)) == 0) != (tt.want == "") {
			t.Errorf("%s: %v, and %d calls are left", name, err, len(h.kept(t)))
		}
		if got.AlertsKept != tt.kept || got.Alerts != 0 {
			t.Errorf("%s: alerts are kept: %v, deleted: %d; want %v, none", name, got.AlertsKept, got.Alerts, tt.kept)
		}
		if said := strings.Contains(strings.Join(got.Outside(), " "), "The platform keeps its alerts"); said != tt.kept {
			t.Errorf("%s: people read %q", name, got.Outside())
		}
	}
}

// What the foreign service has not deleted yet is listed, of this caller alone, and tried again.
func TestForgettingListsWhatTheForeignServiceStillHas(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(newManual()))
	h.erasures(func(integration.Erasure) (integration.Erased, error) { return integration.Erased{}, errDown })
	h.called(t, "other", "+12025550144", false, "")
	if err := h.DeleteCall(t.Context(), h.id, "other", forgetting(h)); err != nil {
		t.Fatal(err)
	}
	h.called(t, "CA1", forgottenNumber, false, "")
	got, err := h.Forget(t.Context(), forgottenNumber, forgetting(h))
	if err != nil || len(got.Pending) != 1 || got.Pending[0].Key != "CA1" || got.Pending[0].Reason != "down" {
		t.Errorf("pending: %+v, %v; want the one call with the reason", got.Pending, err)
	}
	if n := len(h.left(t)); n != 2 {
		t.Errorf("%d are left to be deleted, want those of both callers", n)
	}
}

// Many calls go in pieces, between which other calls commit.
func TestACallerOfManyCallsIsForgottenInPieces(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.erasures(erased(integration.Erased{}))
	for i := range 60 {
		h.called(t, fmt.Sprint("CA", i), forgottenNumber, false, "")
	}
	got, err := h.Forget(t.Context(), forgottenNumber, forgetting(h))
	if err != nil || got.Calls != 60 || got.Recordings != 60 || got.More || len(got.Pending) != 0 {
		t.Errorf("forgotten: %+v, %v", got, err)
	}
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	if diff := cmp.Diff([]int{25, 25, 10}, h.store.expired); diff != "" {
		t.Errorf("calls removed by each transaction (-want +got):\n%s", diff)
	}
}
