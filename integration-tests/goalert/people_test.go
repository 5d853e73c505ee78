package goalert_test

import (
	"slices"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/goalertsim"
	"github.com/livecallrouting/livecall/integration-tests/goalertsim/admin"
)

// onCall waits until so many are on call, and returns their names by layer.
func (h *host) onCall(t *testing.T, team string, n int) (names []string, layers []int) {
	t.Helper()
	h.w.Await("people on call", func() bool {
		all, err := h.OnCall(t.Context(), h.scope, team, 0, time.Now())
		names, layers = nil, nil
		for _, e := range all {
			names, layers = append(names, e.User.Name), append(layers, e.Layer)
		}
		return err == nil && len(all) == n
	})
	return names, layers
}

func TestEachStepIsALayer(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	alice, bob := w.Person("Alice Example", ""), w.Person("Bob Example", "")
	s := w.service(0, []admin.Dest{admin.User(alice.ID)}, []admin.Dest{admin.Webhook("http://127.0.0.1:9/x")}, []admin.Dest{admin.User(bob.ID), admin.User(alice.ID)})
	names, layers := w.platform(t, s).onCall(t, s.ID, 3)
	if names[0] != alice.Name || !slices.Equal(layers, []int{1, 3, 3}) {
		t.Errorf("on call: %v in layers %v", names, layers)
	}
}

func TestMorePeopleThanOneRequestAsksForAreRead(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	var actions []admin.Dest
	for range 11 {
		actions = append(actions, admin.User(w.Person("Alice Example", "").ID))
	}
	s := w.service(0, actions)
	h := w.platform(t, s)
	h.onCall(t, s.ID, 11)
	all, err := h.OnCall(t.Context(), h.scope, s.ID, 0, time.Now())
	w.ok(err)
	for _, e := range all {
		if u, err := h.User(t.Context(), h.scope, e.User.ID); err != nil || u.ID != e.User.ID {
			t.Errorf("%+v, %v", u, err)
		}
	}
	if n := h.sent("People"); n != 2 {
		t.Errorf("%d requests for eleven people, want 2 and none for what is known", n)
	}
}

func TestTelephonesAreTheVerifiedOnesVoiceFirst(t *testing.T) {
	t.Parallel()
	w := open(t, goalertsim.V0341)
	w.NeedsTelephones()
	alice := w.Person("Alice Example", "+12025550143")
	_, err := w.Admin.AddContactMethod(t.Context(), alice.ID, "not verified", admin.Voice("+12025550144"))
	w.ok(err)
	texts, err := w.Admin.AddContactMethod(t.Context(), alice.ID, "texts", admin.SMS("+12025550145"))
	w.ok(err)
	w.ok(w.Admin.SendVerification(t.Context(), texts.ID))
	w.Await("the code", func() bool { return w.Twilio.Code("+12025550145") != "" })
	w.ok(w.Admin.Verify(t.Context(), texts.ID, w.Twilio.Code("+12025550145")))
	s := w.service(0, []admin.Dest{admin.User(alice.ID)})
	h := w.platform(t, s)
	h.onCall(t, s.ID, 1)
	u, err := h.User(t.Context(), h.scope, alice.ID)
	if err != nil || !slices.Equal(u.Phones, []string{"+12025550143", "+12025550145"}) {
		t.Errorf("telephones %v, %v", u.Phones, err)
	}
}
