package platforms_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/internal/freeport"
)

// voicemail are the options of a team whose callers may leave a message.
func voicemail(more map[string]any) map[string]any {
	o := map[string]any{"reach": "acknowledge", "voicemail": true}
	for k, v := range more {
		o[k] = v
	}
	return o
}

// leavesAMessageAtOnce calls, and leaves a message instead of waiting.
func (h *hotline) leavesAMessageAtOnce() *twiliosim.Call {
	h.t.Helper()
	c := h.waiting()
	c.Presses("*")
	h.leavesMessage(c)
	c.Ended(h.t)
	return c
}

// listens answers the phone that rings about a message, hears it and presses keys.
func (h *hotline) listens(phone string, keys string) *twiliosim.Call {
	h.t.Helper()
	leg := h.Sim.Phone(phone).RingsNext(h.t)
	leg.Answers()
	leg.Hears(h.t, "Press 1 to hear it, 2 to pass")
	leg.Presses("1")
	leg.Hears(h.t, "/call-media/")
	leg.Presses(keys)
	leg.Ended(h.t)
	return leg
}

// heard waits until a call whose caller left a message is over, and says who has heard it.
func (h *hotline) heard(c *twiliosim.Call) string {
	h.t.Helper()
	h.ended(c, "message_left")
	var got struct {
		Recordings []struct{ Heard []struct{ User string } }
	}
	if err := h.API(h.t.Context(), "GET", "/api/v1/calls/"+c.Sid, nil, &got); err != nil || len(got.Recordings) != 1 {
		h.t.Fatalf("%v, recordings %+v", err, got)
	}
	var users []string
	for _, x := range got.Recordings[0].Heard {
		users = append(users, x.User)
	}
	return strings.Join(users, " ")
}

// does what somebody does with an alert on the product's own pages.
func (p *product) does(id, action, user string) {
	p.t.Helper()
	if err := p.ask("POST", "/alerts/"+id+"/"+action, map[string]string{"user": user}, &alert{}); err != nil {
		p.t.Fatal(err)
	}
}

// rang is how often a phone was called.
func (h *hotline) rang(phone string) int { return len(h.Sim.Phone(phone).Calls()) }

// TestAMessageIsHeardOnThePhoneOnARemotePlatform: people are called layer by layer as the platform
// comes to them, since it does not page by itself, and whoever presses 2 has acknowledged there.
func TestAMessageIsHeardOnThePhoneOnARemotePlatform(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	p := newProduct(t, address)
	h := start(t, p.section(), []string{"devops"}, voicemail(nil), listenOn(address), p.secrets)
	c := h.leavesAMessageAtOnce()
	pass := h.Sim.Phone(alice).RingsNext(t)
	pass.Answers()
	pass.Hears(t, "Press 1 to hear it, 2 to pass")
	pass.Presses("2")
	pass.Ended(t)
	p.does(p.alert(h, c.Sid, "open").ID, "decline", "alice") // the second layer
	h.listens(bob, "2")
	if by := h.heard(c); by != "bob" {
		t.Errorf("heard by %q, want bob", by)
	}
	p.alert(h, c.Sid, "acknowledged")
	var there json.RawMessage
	if err := p.ask("GET", "/v1/alerts/"+c.Sid+"?integration="+h.ID, nil, &there); err != nil || !strings.Contains(string(there), "bob") {
		t.Errorf("the platform does not know who acknowledged: %v, %s", err, there)
	}
	if h.rang(alice) != 1 || h.rang(bob) != 1 {
		t.Errorf("Alice's phone rang %d times, Bob's %d; want once each", h.rang(alice), h.rang(bob))
	}
	if text := h.story(c.Sid); !strings.Contains(text, "heard the message") || strings.Contains(text, "call-media") {
		t.Errorf("the story:\n%s", text)
	}
}

// TestAMessageThatNobodyHasHeardWhenARemotePlatformResolvesItsAlertStaysMarked, and no phone rings
// any more.
func TestAMessageThatNobodyHasHeardWhenARemotePlatformResolvesItsAlertStaysMarked(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	p := newProduct(t, address)
	h := start(t, p.section(), []string{"devops"}, voicemail(nil), listenOn(address), p.secrets)
	h.Sim.Phone(alice).Busy()
	c := h.leavesAMessageAtOnce()
	h.eventually("Alice's phone is called", func() bool { return h.rang(alice) == 1 })
	p.does(p.alert(h, c.Sid, "open").ID, "resolve", "alice")
	if by := h.heard(c); by != "" || h.rang(bob) != 0 {
		t.Errorf("heard by %q, Bob's phone rang %d times", by, h.rang(bob))
	}
	var got struct{ Unheard int }
	if err := h.API(t.Context(), "GET", "/api/v1/calls/"+c.Sid, nil, &got); err != nil || got.Unheard != 1 {
		t.Errorf("%v, %d messages are marked as not heard", err, got.Unheard)
	}
}

// TestWhoeverAcknowledgedOnARemotePlatformHearsTheMessage, and nobody else is called.
func TestWhoeverAcknowledgedOnARemotePlatformHearsTheMessage(t *testing.T) {
	t.Parallel()
	address := freeport.Address(t)
	p := newProduct(t, address)
	h := start(t, p.section(), []string{"devops"}, voicemail(nil), listenOn(address), p.secrets)
	c := h.waiting()
	p.acknowledges(p.alert(h, c.Sid, "open").ID, "bob")
	h.Sim.Phone(bob).RingsNext(t)
	c.Presses("*")
	h.leavesMessage(c)
	c.Ended(t)
	h.listens(bob, "2")
	if by := h.heard(c); by != "bob" || h.rang(alice) != 0 {
		t.Errorf("heard by %q, Alice's phone rang %d times", by, h.rang(alice))
	}
}

// TestAMessageInFrontOfGoAlertIsLeftToItUnlessPeopleAreToBeCalled: GoAlert pages people by phone
// itself.
func TestAMessageInFrontOfGoAlertIsLeftToItUnlessPeopleAreToBeCalled(t *testing.T) {
	t.Parallel()
	g := newIncidents(t)
	h := start(t, g.section(), []string{g.id}, voicemail(nil))
	c := h.leavesAMessageAtOnce()
	if by := h.heard(c); by != "" || h.rang(alice)+h.rang(bob) != 0 {
		t.Errorf("heard by %q; phones rang %d times", by, h.rang(alice)+h.rang(bob))
	}
}

// TestAMessageIsHeardOnThePhoneInFrontOfGoAlert: the people of its steps are called, and whoever
// presses 2 has acknowledged there.
func TestAMessageIsHeardOnThePhoneInFrontOfGoAlert(t *testing.T) {
	t.Parallel()
	g := newIncidents(t)
	h := start(t, g.section(), []string{g.id}, voicemail(map[string]any{"deliver_messages": "on"}))
	c := h.waiting()
	number := g.alert(h)
	c.Presses("*")
	h.leavesMessage(c)
	c.Ended(t)
	h.listens(alice, "2")
	if by := h.heard(c); by != g.alice.ID {
		t.Errorf("heard by %q, want %s", by, g.alice.ID)
	}
	g.becomes(h, number, "StatusAcknowledged")
}
