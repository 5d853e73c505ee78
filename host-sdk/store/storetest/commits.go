package storetest

import (
	"errors"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var commitChecks = []check{
	{"Commit/a conflict writes nothing", commitConflict},
	{"Commit/an invalid commit writes nothing", commitInvalid},
	{"Commit/an item is consumed once", commitDone},
	{"Commit/items belong to the session", commitItems},
	{"Commit/generations", commitGenerations},
	{"Commit/a started task is left alone", commitStarted},
	{"Commit/cancel", commitCancel},
	{"Commit/an item is claimed with the commit", commitClaims},
}

// nothing wants the store to be as it was: no items, no findings, the session at version.
func (r *run) nothing(what string, version int64) {
	r.Helper()
	if v := r.version(); v != version {
		r.Errorf("%s: the session is at version %d, want %d", what, v, version)
	}
	counts, _, err := r.OutboxStats(r.ctx)
	r.ok(err)
	if len(counts) != 0 {
		r.Errorf("%s: items were written: %v", what, counts)
	}
	findings, err := r.Findings(r.ctx, inst)
	r.ok(err)
	if len(findings) != 0 {
		r.Errorf("%s: findings were written", what)
	}
}

// conflict wants a conflict with this code. The engine acts on the code: after "session moved" it
// runs the handler again, after "item gone" it gives the item up.
func (r *run) conflict(what string, err error, code string) {
	r.Helper()
	r.kind(what, err, integration.KindConflict)
	var e *integration.Error
	if errors.As(err, &e) && e.Code != code {
		r.Errorf("%s: code %q, want %q", what, e.Code, code)
	}
}

// A commit names the version it has read. If the session has another version, or none, nothing of
// the commit may be seen, whether or not it would have written the session: its items and findings
// follow from a state that is no longer true.
func commitConflict(r *run) {
	full := func(version int64, withSession bool) store.Commit {
		c := store.Commit{
			Integration: inst, Key: call, Version: version, Now: after(5), Items: []store.Item{command("l", "x"), timer("t", 1, base)},
			Findings: []integration.Finding{{Code: "x", Severity: integration.FindingError}},
		}
		if withSession {
			c.Session = &store.Session{Session: integration.Session{State: []byte("bad")}, Live: true}
		}
		return c
	}
	for _, withSession := range []bool{true, false} {
		_, err := r.Commit(r.ctx, full(1, withSession))
		r.conflict("a version of no session", err, store.CodeSessionMoved)
		r.nothing("a version of no session", 0)
	}
	r.commit(store.Commit{Session: &store.Session{Session: integration.Session{State: []byte("1")}}})
	r.commit(store.Commit{Version: 1, Session: &store.Session{Session: integration.Session{State: []byte("2")}}})
	for _, version := range []int64{0, 1, 3} {
		for _, withSession := range []bool{true, false} {
			_, err := r.Commit(r.ctx, full(version, withSession))
			r.conflict("another version", err, store.CodeSessionMoved)
			r.nothing("another version", 2)
		}
	}
	got, err := r.Session(r.ctx, inst, call)
	r.ok(err)
	if string(got.State) != "2" {
		r.Errorf("the state is %s", got.State)
	}
}

// What cannot be meant is refused before anything is written.
func commitInvalid(r *run) {
	for what, change := range map[string]func(*store.Commit){
		"a negative version":            func(c *store.Commit) { c.Version = -1 },
		"no integration":                func(c *store.Commit) { c.Integration = "" },
		"a session without key":         func(c *store.Commit) { c.Key = "" },
		"neither integration nor state": func(c *store.Commit) { c.Integration, c.Session = "", nil },
	} {
		c := store.Commit{Integration: inst, Key: call, Now: base, Session: &store.Session{}, Items: []store.Item{command("", "x")}}
		change(&c)
		_, err := r.Commit(r.ctx, c)
		r.kind(what, err, integration.KindInvalid)
		r.nothing(what, 0)
	}
}

// A result is handed to the handler in the commit that consumes its item. If two workers hand on
// the same result, one commit succeeds and the other writes nothing; an id is never used again, or
// the loser could consume somebody else's item.
func commitDone(r *run) {
	r.add(command("l", "one"))
	it := r.claims("first", "me", base, `"one"`)[`"one"`]
	// A conflict of versions leaves the item too.
	_, err := r.Commit(r.ctx, store.Commit{Integration: inst, Key: call, Version: 7, Done: it.ID, Now: base})
	r.conflict("a version of no session", err, store.CodeSessionMoved)
	r.commit(store.Commit{Done: it.ID, Session: &store.Session{}})
	r.nothing("consumed", 1)
	c := store.Commit{
		Integration: inst, Key: call, Version: 1, Done: it.ID, Now: base, Session: &store.Session{},
		Items: []store.Item{command("l", "again")}, Findings: []integration.Finding{{Code: "x", Severity: integration.FindingInfo}},
	}
	_, err = r.Commit(r.ctx, c)
	r.conflict("consumed again", err, store.CodeItemGone)
	r.nothing("consumed again", 1)
	r.add(command("l", "next")) // its id must not be the consumed one
	_, err = r.Commit(r.ctx, c)
	r.conflict("consumed again, later", err, store.CodeItemGone)
	r.claims("at the end", "me", base, `"next"`)

	// An item of a request that names no session.
	r.ok(r.AddItem(r.ctx, store.Item{Integration: inst, Kind: store.ItemWebhook, Due: base, Body: body("keyless")}))
	it = r.claims("keyless", "me", base, `"keyless"`)[`"keyless"`]
	_, err = r.Commit(r.ctx, store.Commit{Integration: inst, Done: it.ID, Now: base})
	r.ok(err)
}

// An item belongs to the session of its commit and begins its life there: what a caller fills in of
// phase, owner, lease or id is ignored. Bodies are bytes of any kind.
func commitItems(r *run) {
	in := store.Item{
		ID: 99, Integration: "other", Key: "other", Kind: store.ItemTask, Lane: "l", Name: "fetch", Generation: 3, Due: after(1), NotAfter: after(100),
		Phase: store.PhaseResult, Attempt: 5, Body: []byte("{\"x\":\x00}"), Result: []byte("x"), Owner: "somebody", Lease: after(50),
	}
	r.commit(store.Commit{Session: &store.Session{}, Items: []store.Item{in}})
	r.again()
	items, _ := r.claim("me", after(1))
	if len(items) != 1 {
		r.Fatalf("%d items, want 1", len(items))
	}
	if items[0].ID <= 0 || len(items[0].Result) != 0 {
		r.Errorf("id %d, result %q", items[0].ID, items[0].Result)
	}
	want := in
	want.Work = store.WorkTask
	want.ID, want.Integration, want.Key, want.Phase, want.Attempt, want.Owner, want.Lease, want.Result = items[0].ID, inst, call, store.PhaseStarted, 1, "me", after(61), items[0].Result
	r.same("as claimed", items[0], want)
}

// Tasks and timers of one name in one session follow the generation rule of [integration.Task]:
// handlers are repeated, so a task commanded twice must not be run twice, and a late commit must
// not bring back a timer that was already replaced.
func commitGenerations(r *run) {
	r.add(task("a", 2), timer("b", 2, base), task("c", 1))
	r.add(task("a", 1), task("a", 2), timer("b", 1, base)) // known, or lower than known
	r.add(timer("b", 3, base))                             // replaces
	r.commit(store.Commit{Integration: inst, Key: "CA2", Items: []store.Item{task("a", 1)}})
	r.commit(store.Commit{Integration: "int_2", Key: call, Items: []store.Item{timer("b", 1, base)}})
	r.add(timer("e", 1, base))
	twice := timer("e", 1, base)
	twice.Body = body("e-1 once more")
	r.add(twice)
	// Within one commit the order counts.
	r.add(task("d", 1), task("d", 3), task("d", 2))
	// Commands and mails know no generations, whatever their names.
	plain := func(kind store.ItemKind, text string) store.Item {
		return store.Item{Kind: kind, Name: "a", Generation: 1, Due: base, Body: body("%s", text)}
	}
	r.add(plain(store.ItemCommand, "cmd1"), plain(store.ItemCommand, "cmd2"), plain(store.ItemMail, "mail1"), plain(store.ItemMail, "mail2"))
	r.claims("generations", "me", base, `"a-2"`, `"b-3"`, `"c-1"`, `"a-1"`, `"b-1"`, `"d-3"`, `"e-1"`, `"cmd1"`, `"cmd2"`, `"mail1"`, `"mail2"`)
}

// Work that somebody may be doing is never taken from them: its request may have been sent already.
// A newer generation waits for its end.
func commitStarted(r *run) {
	r.add(task("a", 1), timer("t", 1, base))
	got := r.claims("first", "me", base, `"a-1"`, `"t-1"`)
	// Started work is neither replaced nor done twice; the next generation waits behind it, or not
	// if it is in no lane.
	r.add(task("a", 1), task("a", 2), timer("t", 1, base), timer("t", 2, base))
	r.claims("a new timer beside the started one", "me", base, `"t-2"`)
	r.ok(r.RetryItem(r.ctx, got[`"a-1"`], base)) // given back, but it has been started
	r.add(task("a", 3))
	again := r.claims("the retried task is still first", "me", base, `"a-1"`)
	r.ok(r.FinishItem(r.ctx, again[`"a-1"`], []byte("1")))
	r.claims("generation 3 has replaced 2", "me", base, `"a-3"`)
	r.add(task("a", 3), task("a", 1)) // a result is known, too
	r.commit(store.Commit{Done: again[`"a-1"`].ID, Session: &store.Session{}})

	// What the outbox has forgotten may come again, and a consumed item is forgotten by the commit
	// that consumes it.
	items, _ := r.claim("me", after(3600))
	for _, it := range items {
		if string(it.Body) == `"a-3"` {
			r.commit(store.Commit{Version: r.version(), Done: it.ID, Items: []store.Item{task("a", 3)}})
		}
	}
	r.claims("the same generation after its end", "me", after(3600), `"a-3"`)
}

// A cancellation names the highest generation it is meant for, so a later timer of that name is
// safe.
func commitCancel(r *run) {
	cancel := func(name string, generation int64) store.Item {
		return store.Item{Kind: store.ItemTimer, Name: name, Generation: generation, Cancel: true}
	}
	r.add(timer("t", 5, base), task("a", 5), task("b", 5), timer("started", 1, base))
	r.claims("the first of each", "me", base, `"t-5"`, `"a-5"`, `"b-5"`, `"started-1"`)
	r.add(timer("t", 6, base), task("a", 6), task("b", 6))
	r.commit(store.Commit{Integration: inst, Key: "CA2", Items: []store.Item{{Kind: store.ItemTimer, Name: "t", Generation: 5, Due: base, Body: body("other")}}})
	r.add(cancel("t", 5), cancel("a", 6), cancel("b", 99), cancel("started", 9), cancel("unknown", 1))
	// t-6 is above the cancelled generation; the timers of another session are its own; what has
	// started goes on.
	r.claims("after cancel", "me", base, `"t-6"`, `"other"`)
	items, _ := r.claim("me", after(3600))
	names := map[string]int{}
	for _, it := range items {
		names[string(it.Body)]++
	}
	r.same("what is left", names, map[string]int{`"t-5"`: 1, `"a-5"`: 1, `"b-5"`: 1, `"started-1"`: 1, `"t-6"`: 1, `"other"`: 1})
	// Cancel and set anew in one commit.
	r.add(cancel("n", 9), timer("n", 9, base), cancel("n", 8))
	r.claims("set anew", "me", base, `"n-9"`)
}

// A commit can claim what it orders: the item is started from the first moment, and its owner's as
// after any other claim. What has to wait for others of its lane, or is not new, is claimed by
// nobody.
func commitClaims(r *run) {
	var claimed []store.Item
	mine := func(name string, generation int64) store.Item {
		it := task(name, generation)
		it.Work, it.Owner, it.Lease = store.WorkDial, "me", after(60)
		return it
	}
	claim := func(items ...store.Item) {
		r.Helper()
		claimed = nil
		r.commit(store.Commit{Version: r.version(), Items: items, Claimed: func(it store.Item) { claimed = append(claimed, it) }})
	}
	claim(mine("a", 1), task("b", 1))
	r.again()
	if len(claimed) != 1 || string(claimed[0].Body) != `"a-1"` || claimed[0].ID == 0 || claimed[0].Phase != store.PhaseStarted || claimed[0].Attempt != 1 {
		r.Fatalf("claimed %+v, want the one with an owner", claimed)
	}
	a := claimed[0]
	r.claims("what nobody has claimed", "other", base, `"b-1"`)
	// Too late: it is started.
	r.add(store.Item{Kind: store.ItemTask, Name: "a", Generation: 1, Cancel: true})
	// The one is known, the other waits behind it.
	claim(mine("a", 1), mine("a", 2))
	if len(claimed) != 0 {
		r.Errorf("claimed %+v", claimed)
	}
	r.ok(r.FinishItem(r.ctx, a, []byte("1")))
	if next := r.claims("the next of the lane", "other", base, `"a-2"`)[`"a-2"`]; next.Attempt != 1 || next.Phase != store.PhaseWaiting {
		r.Errorf("behind a claimed item was %+v", next)
	}
	claim(mine("c", 1))
	r.claims("before the leases have run out", "other", after(59))
	if c := r.claims("after the leases", "other", after(60), `"a-1"`, `"a-2"`, `"b-1"`, `"c-1"`)[`"c-1"`]; c.Attempt != 2 || c.Phase != store.PhaseStarted {
		r.Errorf("claimed again: %+v, want the second attempt of what was started", c)
	}
	failing := store.Commit{Version: r.version() + 1, Items: []store.Item{mine("d", 1)}, Claimed: func(store.Item) { r.Error("claimed by what was not written") }}
	fill(&failing)
	_, err := r.Commit(r.ctx, failing)
	r.conflict("a commit of another version", err, store.CodeSessionMoved)
}
