package storetest

import (
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var sessionChecks = []check{
	{"Session/whole", sessionWhole},
	{"Session/found by alert and key", sessionFound},
	{"Session/list", sessionList},
	{"Session/occupied", sessionOccupied},
	{"Session/waiting", sessionWaiting},
	{"Session/after the call", sessionAfterCall},
	{"Session/earlier calls", sessionEarlier},
	{"Session/seen", sessionSeen},
	{"Session/expiry", sessionExpiry},
}

// A commit replaces all of a session but its creation and its pinned revision. Version, times and
// keys are the store's to set.
func sessionWhole(r *run) {
	_, err := r.Session(r.ctx, inst, call)
	r.kind("unknown", err, integration.KindNotFound)
	want := store.Session{
		Session:  integration.Session{State: []byte("{\"any\":\x00\xff}"), Format: 7},
		Revision: 5, AlertKey: "alert-1", Occupies: []string{"alice", "bob"}, WaitsFor: []string{"carol"}, Media: []string{"media:1"}, Live: true, ExpiresAt: after(3600),
		Call: &integration.CallView{
			ID: call, From: "+12025550143", To: "+12025550199", State: "talking", Team: "devops", TeamName: "Dev \"Ops\" ü", StartedAt: base,
			Legs: []integration.LegView{{ID: "1", Role: "responder", User: "alice", Name: "Alice Example", Phone: "+12025550101", State: "ended", Reason: "busy", StartedAt: base, EndedAt: after(4)}},
		},
		Told:  &store.Told{ID: "7", URL: "https://alerts.example.com/7", Status: integration.AlertOpen, Layer: 1, Round: 2, Acks: []string{"k1"}},
		Alert: &store.AlertMemory{Commands: store.CommandsGiven, Last: 7, Command: 6, Change: 12, Read: "r1"},
	}
	// What the store sets itself is ignored on the way in.
	in := want
	in.Key, in.Integration, in.Version, in.CreatedAt, in.UpdatedAt = "other", "other", 99, after(77), after(78)
	if v := r.commit(store.Commit{Session: &in}); v != 1 {
		r.Errorf("the first version is %d, want 1", v)
	}
	r.again()
	got, err := r.Session(r.ctx, inst, call)
	r.ok(err)
	want.Key, want.Integration, want.Version, want.CreatedAt, want.UpdatedAt = call, inst, 1, base, base
	r.same("first commit", got, want)

	later := store.Session{Session: integration.Session{State: []byte("2"), Format: 8}, Revision: 9, ExpiresAt: after(7200)}
	if v := r.commit(store.Commit{Version: 1, Session: &later, Now: after(9)}); v != 2 {
		r.Errorf("the second version is %d, want 2", v)
	}
	got, err = r.Session(r.ctx, inst, call)
	r.ok(err)
	later.Key, later.Integration, later.Version, later.CreatedAt, later.UpdatedAt, later.Revision = call, inst, 2, base, after(9), 5
	r.same("second commit, all replaced but revision and creation", got, later)

	if v := r.commit(store.Commit{Version: 2, Now: after(20)}); v != 2 {
		r.Errorf("a commit without session returns version %d, want 2", v)
	}
	got, err = r.Session(r.ctx, inst, call)
	r.ok(err)
	r.same("after a commit without session", got, later)

	r.commit(store.Commit{Version: 2, Session: &store.Session{}, Now: after(30)})
	got, err = r.Session(r.ctx, inst, call)
	r.ok(err)
	if want := after(30).Add(30 * 24 * time.Hour); !got.ExpiresAt.Equal(want) {
		r.Errorf("a session without a date expires at %v, want %v", got.ExpiresAt, want)
	}
	_, err = r.Commit(r.ctx, store.Commit{Integration: inst, Session: &store.Session{}, Now: base})
	r.kind("a session without key", err, integration.KindInvalid)
	_, err = r.Commit(r.ctx, store.Commit{Key: call, Session: &store.Session{}, Now: base})
	r.kind("a session without integration", err, integration.KindInvalid)
}

// session commits a session that must not exist yet.
func (r *run) session(integrationID, key string, now time.Time, s store.Session) {
	r.Helper()
	r.commit(store.Commit{Integration: integrationID, Key: key, Session: &s, Now: now})
}

func keys(list []store.Session) (out []string) {
	for _, s := range list {
		out = append(out, s.Integration+"/"+s.Key)
	}
	return out
}

// A hint about an alert finds its call by the alert's key, a page finds a call by its own; in case
// of doubt the newest.
func sessionFound(r *run) {
	r.session(inst, "CA1", base, store.Session{AlertKey: "a1"})
	r.session(inst, "CA2", base, store.Session{AlertKey: "a2"})
	r.session("int_2", "CA1", after(1), store.Session{AlertKey: "a2"})
	r.session(inst, "CA3", base, store.Session{})
	got, err := r.SessionByAlert(r.ctx, inst, "a2")
	r.ok(err)
	r.same("by alert", keys([]store.Session{got}), []string{"int_1/CA2"})
	_, err = r.SessionByAlert(r.ctx, "int_2", "a1")
	r.kind("another integration's alert", err, integration.KindNotFound)
	_, err = r.SessionByAlert(r.ctx, inst, "")
	r.kind("no alert", err, integration.KindNotFound)
	r.commit(store.Commit{Integration: inst, Key: "CA2", Version: 1, Session: &store.Session{AlertKey: "a3"}})
	_, err = r.SessionByAlert(r.ctx, inst, "a2")
	r.kind("an alert it no longer has", err, integration.KindNotFound)
	r.session(inst, "CA4", after(5), store.Session{AlertKey: "a1"})
	got, err = r.SessionByAlert(r.ctx, inst, "a1")
	r.ok(err)
	r.same("the newest session of an alert", keys([]store.Session{got}), []string{"int_1/CA4"})

	list, err := r.SessionsByKey(r.ctx, "CA1")
	r.ok(err)
	r.same("by key", keys(list), []string{"int_2/CA1", "int_1/CA1"})
	list, err = r.SessionsByKey(r.ctx, "CA9")
	r.ok(err)
	if len(list) != 0 {
		r.Errorf("an unknown key has %d sessions", len(list))
	}
}

// Lists are newest first by the beginning of the call, so that an entry keeps its place while the
// call goes on.
func sessionList(r *run) {
	view := &integration.CallView{ID: "x"}
	r.session("int_1", "CA1", after(1), store.Session{Live: true, Call: view})
	r.session("int_2", "CA2", after(3), store.Session{Live: true, Call: view})
	r.session("int_1", "CA3", after(2), store.Session{Call: view})
	r.session("int_1", "integration", after(4), store.Session{})
	// A later commit does not make a session newer.
	r.commit(store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Session: &store.Session{Live: true, Call: view}, Now: after(99)})
	for _, c := range []struct {
		filter store.SessionFilter
		want   []string
	}{
		{store.SessionFilter{}, []string{"int_1/integration", "int_2/CA2", "int_1/CA3", "int_1/CA1"}},
		{store.SessionFilter{Limit: 2}, []string{"int_1/integration", "int_2/CA2"}},
		{store.SessionFilter{Integration: "int_1"}, []string{"int_1/integration", "int_1/CA3", "int_1/CA1"}},
		{store.SessionFilter{LiveOnly: true}, []string{"int_2/CA2", "int_1/CA1"}},
		{store.SessionFilter{CallsOnly: true}, []string{"int_2/CA2", "int_1/CA3", "int_1/CA1"}},
		{store.SessionFilter{Integration: "int_1", LiveOnly: true, CallsOnly: true, Limit: 5}, []string{"int_1/CA1"}},
		{store.SessionFilter{Integration: "int_3"}, nil},
	} {
		list, err := r.ListSessions(r.ctx, c.filter)
		r.ok(err)
		r.same(fmt.Sprintf("%+v", c.filter), keys(list), c.want)
	}
	for i := range 110 {
		r.session("int_3", fmt.Sprint(i), after(100+i), store.Session{})
	}
	list, err := r.ListSessions(r.ctx, store.SessionFilter{})
	r.ok(err)
	if len(list) != 100 || list[0].Key != "109" {
		r.Errorf("without limit: %d sessions, the first %s; want the newest 100", len(list), list[0].Key)
	}
}

// A person counts as occupied by the live call that rings or holds them; if there are several, by
// the oldest. The asking call is left out, or it would find its own responders occupied.
func sessionOccupied(r *run) {
	r.session(inst, "CA1", after(1), store.Session{Live: true, Occupies: []string{"alice", "bob"}})
	r.session(inst, "CA2", after(2), store.Session{Live: true, Occupies: []string{"bob", "carol"}})
	r.session(inst, "CA3", after(0), store.Session{Live: false, Occupies: []string{"dave"}})
	r.session(inst, "CA4", after(0), store.Session{Live: true})
	r.session("int_2", "CA5", after(0), store.Session{Live: true, Occupies: []string{"erin"}})
	for except, want := range map[string]map[string]string{
		"":    {"alice": "CA1", "bob": "CA1", "carol": "CA2"},
		"CA1": {"bob": "CA2", "carol": "CA2"},
		"CA2": {"alice": "CA1", "bob": "CA1"},
	} {
		got, err := r.Occupied(r.ctx, inst, except)
		r.ok(err)
		r.same("without "+except, got, want)
	}
	r.commit(store.Commit{Integration: inst, Key: "CA1", Version: 1, Session: &store.Session{Live: true, Occupies: []string{"alice"}}})
	r.commit(store.Commit{Integration: inst, Key: "CA2", Version: 1, Session: &store.Session{Live: false, Occupies: []string{"bob"}}})
	got, err := r.Occupied(r.ctx, inst, "")
	r.ok(err)
	r.same("after they let go", got, map[string]string{"alice": "CA1"})
}

// Of several calls that wait for one person, the oldest is to ring them. For the others that person
// counts as occupied, so that exactly one call rings when they become free.
func sessionWaiting(r *run) {
	r.session(inst, "CA1", after(3), store.Session{Live: true, WaitsFor: []string{"alice", "bob"}})
	r.session(inst, "CA2", after(2), store.Session{Live: true, WaitsFor: []string{"alice", "carol"}})
	r.session(inst, "CA3", after(4), store.Session{Live: true, Occupies: []string{"bob"}, WaitsFor: []string{"alice"}})
	r.session(inst, "CA4", after(0), store.Session{Live: false, WaitsFor: []string{"alice"}})
	r.session("int_2", "CA5", after(0), store.Session{Live: true, WaitsFor: []string{"alice", "erin"}})
	for except, want := range map[string]map[string]string{
		"CA9": {"alice": "CA2", "bob": "CA3", "carol": "CA2"}, // who calls for the first time
		"CA1": {"alice": "CA2", "bob": "CA3", "carol": "CA2"},
		"CA2": {"bob": "CA3"}, // the oldest waits for nobody who is only waited for
		"CA3": {"alice": "CA2", "bob": "CA1", "carol": "CA2"},
	} {
		got, err := r.Occupied(r.ctx, inst, except)
		r.ok(err)
		r.same("occupied as "+except+" sees it", got, want)
	}
	for _, c := range []struct{ users, want []string }{
		{[]string{"alice"}, []string{"CA2", "CA1", "CA3"}},
		{[]string{"bob", "carol"}, []string{"CA2", "CA1"}},
		{[]string{"erin"}, nil},
		{nil, nil},
	} {
		got, err := r.WaitingFor(r.ctx, inst, c.users)
		r.ok(err)
		r.same(fmt.Sprint("waiting for ", c.users), got, c.want)
	}
	// Two that began in the same millisecond are not both older than the other.
	r.session(inst, "CB1", after(9), store.Session{Live: true, WaitsFor: []string{"frank"}})
	r.session(inst, "CB2", after(9), store.Session{Live: true, WaitsFor: []string{"frank"}})
	first, err := r.Occupied(r.ctx, inst, "CB1")
	r.ok(err)
	second, err := r.Occupied(r.ctx, inst, "CB2")
	r.ok(err)
	if first["frank"] != "" || second["frank"] != "CB1" {
		r.Errorf("of two of one age the first sees frank with %q, the second with %q; want nobody and CB1", first["frank"], second["frank"])
	}
	r.commit(store.Commit{Integration: inst, Key: "CA2", Version: 1, Session: &store.Session{Live: true}})
	got, err := r.WaitingFor(r.ctx, inst, []string{"alice"})
	r.ok(err)
	r.same("after the oldest has given up", got, []string{"CA1", "CA3"})
}

// A session whose call has ended only has something to tell people: whoever it waits for, the
// sessions of callers come first, however young they are.
func sessionAfterCall(r *run) {
	told := &integration.CallView{ID: "CA1", Ended: "message_left"}
	r.session(inst, "CA1", after(1), store.Session{Live: true, WaitsFor: []string{"alice", "bob"}, Call: told})
	r.session(inst, "CA2", after(2), store.Session{Live: true, WaitsFor: []string{"bob"}, Call: told})
	r.session(inst, "CA3", after(3), store.Session{Live: true, WaitsFor: []string{"alice"}, Call: &integration.CallView{ID: "CA3"}})
	for except, want := range map[string]map[string]string{
		"CA1": {"alice": "CA3"},
		"CA2": {"alice": "CA3", "bob": "CA1"},
		"CA3": {},
		"CA9": {"alice": "CA3", "bob": "CA1"},
	} {
		got, err := r.Occupied(r.ctx, inst, except)
		r.ok(err)
		r.same("occupied as "+except+" sees it", got, want)
	}
	got, err := r.WaitingFor(r.ctx, inst, []string{"alice", "bob"})
	r.ok(err)
	r.same("who hears that they are free", got, []string{"CA3", "CA1", "CA2"})
}

// Earlier calls of a number tell who calls again. A withheld number is nobody's.
func sessionEarlier(r *run) {
	from := func(number string) store.Session {
		return store.Session{Call: &integration.CallView{From: number}}
	}
	r.session(inst, "CA1", after(1), from("+12025550143"))
	r.session(inst, "CA2", after(3), from("+12025550143"))
	r.session(inst, "CA3", after(2), from("+12025550144"))
	r.session(inst, "CA4", after(4), from(""))
	r.session("int_2", "CA5", after(5), from("+12025550143"))
	for _, c := range []struct {
		filter store.SessionFilter
		want   []string
	}{
		{store.SessionFilter{Integration: inst, From: "+12025550143"}, []string{"int_1/CA2", "int_1/CA1"}},
		{store.SessionFilter{From: "+12025550143", Since: after(3)}, []string{"int_2/CA5", "int_1/CA2"}},
		{store.SessionFilter{Integration: inst, From: "+12025550143", Since: after(2), CallsOnly: true, Limit: 1}, []string{"int_1/CA2"}},
		{store.SessionFilter{Integration: inst, Since: after(3)}, []string{"int_1/CA4", "int_1/CA2"}},
		{store.SessionFilter{Integration: inst, From: "+1202555014"}, nil},
	} {
		list, err := r.ListSessions(r.ctx, c.filter)
		r.ok(err)
		r.same(fmt.Sprintf("%+v", c.filter), keys(list), c.want)
	}
}

// Expired sessions go with everything that is left of them in the outbox, however many there are.
// The key may be used again and begins anew.
func sessionExpiry(r *run) {
	const old = 250 // more than anybody deletes in one go
	for i := range old {
		r.commit(store.Commit{Integration: inst, Key: fmt.Sprint("old", i), Session: &store.Session{ExpiresAt: after(10)}, Items: []store.Item{command("l", fmt.Sprint("old", i))}})
	}
	r.commit(store.Commit{Integration: "int_2", Key: "old1", Session: &store.Session{ExpiresAt: after(11)}, Items: []store.Item{command("l", "kept")}})
	for _, c := range []struct{ now, want int }{{9, 0}, {10, old}, {10, 0}} {
		n, err := r.DeleteExpired(r.ctx, after(c.now))
		r.ok(err)
		if n != c.want {
			r.Errorf("after %d s %d sessions expired, want %d", c.now, n, c.want)
		}
	}
	_, err := r.Session(r.ctx, inst, "old1")
	r.kind("an expired session", err, integration.KindNotFound)
	_, err = r.Session(r.ctx, "int_2", "old1")
	r.ok(err)
	r.claims("after expiry", "me", after(20), `"kept"`)
	if v := r.commit(store.Commit{Integration: inst, Key: "old1", Session: &store.Session{ExpiresAt: after(99)}}); v != 1 {
		r.Errorf("a session of an expired one's key begins with version %d, want 1", v)
	}
}

// When callers were heard of is stored for all live sessions at once, the latest time counts, and
// no version changes for it. A session can be asked whether it has changed.
func sessionSeen(r *run) {
	seen := func(integrationID, key string) time.Time {
		r.Helper()
		s, err := r.Session(r.ctx, integrationID, key)
		r.ok(err)
		return s.SeenAt
	}
	r.session(inst, "CA1", base, store.Session{Live: true})
	r.session(inst, "CA2", base, store.Session{Live: true})
	r.session("int_2", "CA1", base, store.Session{Live: true})
	r.session(inst, "CA3", base, store.Session{})
	r.ok(r.StoreSeen(r.ctx, nil))
	r.ok(r.StoreSeen(r.ctx, []store.Seen{
		{Integration: inst, Key: "CA1", At: after(30)}, {Integration: inst, Key: "CA2", At: after(31)},
		{Integration: inst, Key: "CA3", At: after(32)}, {Integration: inst, Key: "CA \"4\"", At: after(33)},
	}))
	r.ok(r.StoreSeen(r.ctx, []store.Seen{{Integration: inst, Key: "CA1", At: after(60)}, {Integration: inst, Key: "CA2", At: after(29)}}))
	r.again()
	r.same("a later time", seen(inst, "CA1"), after(60))
	r.same("an earlier time", seen(inst, "CA2"), after(31))
	r.same("a call that is over", seen(inst, "CA3"), time.Time{})
	r.same("a call of another integration", seen("int_2", "CA1"), time.Time{})

	silent := func(from, to, limit int) (out []string) {
		r.Helper()
		list, err := r.SilentSessions(r.ctx, after(from), after(to), limit)
		r.ok(err)
		for _, n := range list {
			out = append(out, fmt.Sprint(n.Integration, "/", n.Key, " ", n.At.Sub(base)))
		}
		return out
	}
	r.same("silent", silent(31, 61, 9), []string{"int_1/CA2 31s", "int_1/CA1 1m0s"})
	r.same("the longest silent", silent(0, 61, 1), []string{"int_1/CA2 31s"})
	r.same("silent before and since", silent(32, 60, 9), []string(nil))

	unchanged := func(version int64) (time.Time, bool) {
		r.Helper()
		at, ok, err := r.SessionUnchanged(r.ctx, inst, "CA1", version)
		r.ok(err)
		return at, ok
	}
	if at, ok := unchanged(1); !ok || !at.Equal(after(60)) {
		r.Errorf("a session that was heard of only: unchanged %v, seen at %v; want true, %v", ok, at, after(60))
	}
	r.commit(store.Commit{Integration: inst, Key: "CA1", Version: 1, Session: &store.Session{Live: true}})
	if _, ok := unchanged(1); ok {
		r.Error("a session that was committed counts as unchanged")
	}
	r.same("after a commit", seen(inst, "CA1"), after(60))
	if _, ok, err := r.SessionUnchanged(r.ctx, inst, "CA9", 1); ok || err != nil {
		r.Errorf("a session that does not exist: unchanged %v, %v; want false", ok, err)
	}

	// With the call goes what was heard of it, but not from live ones, however long they say
	// nothing.
	r.commit(store.Commit{Integration: inst, Key: "CA1", Version: 2, Session: &store.Session{}})
	r.same("silent, and over", silent(0, 61, 9), []string{"int_1/CA2 31s"})
	_, err := r.DeleteExpired(r.ctx, after(7200))
	r.ok(err)
	r.same("an hour after the call", seen(inst, "CA1"), time.Time{})
	r.same("an hour into a call", seen(inst, "CA2"), after(31))
}
