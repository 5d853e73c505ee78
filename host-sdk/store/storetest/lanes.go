package storetest

import (
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store"
)

var laneChecks = []check{
	{"Lane/one after the other", laneOrder},
	{"Lane/every way out lets the next one go", laneWaysOut},
	{"Lane/a failing first holds up its own lane only", laneHeld},
	{"Lane/the first is not due yet", laneNotDue},
	{"Lane/replaced and cancelled firsts", laneReplaced},
	{"Lane/what waits behind the first is claimed with it", laneTogether},
	{"Lane/held until it is released", laneReleased},
	{"Lane/held until it is dropped", laneDropped},
	{"Lane/held and never released", laneNeverReleased},
}

// Items of one lane of one session are given out one at a time, in the order in which they were
// added. A later one that is due earlier waits all the same. Other lanes, sessions and items
// without a lane are not held up.
func laneOrder(r *run) {
	r.add(command("l", "1"), command("l", "2"))
	r.ok(r.AddItem(r.ctx, store.Item{Integration: inst, Key: call, Kind: store.ItemWebhook, Lane: "l", Due: after(-100), Body: body("3")}))
	r.commit(store.Commit{Integration: inst, Key: "CA2", Items: []store.Item{command("l", "other session")}})
	r.commit(store.Commit{Integration: "int_2", Key: call, Items: []store.Item{command("l", "other integration")}})
	r.add(command("m", "other lane"), command("", "none 1"), command("", "none 2"))
	got := r.claims("firsts", "me", base, `"1"`, `"other session"`, `"other integration"`, `"other lane"`, `"none 1"`, `"none 2"`)
	for _, name := range []string{"1", "2", "3"} {
		r.claims("while "+name+" is out", "other", after(1))
		it := got[fmt.Sprintf("%q", name)]
		r.ok(r.DeleteItem(r.ctx, it))
		items, _ := r.claim("me", after(1))
		for _, it := range items {
			got[string(it.Body)] = it
		}
		if want := map[string]int{"1": 1, "2": 1, "3": 0}[name]; len(items) != want {
			r.Errorf("after %s: %v", name, bodies(items))
		}
	}
}

// However an item leaves its lane, the next one follows at once. A lane whose head vanished
// unnoticed would stand still for ever, and with it the alert commands of a call.
func laneWaysOut(r *run) {
	ways := []struct {
		name string
		end  func(it store.Item) error
	}{
		{"deleted", func(it store.Item) error { return r.DeleteItem(r.ctx, it) }},
		{"result", func(it store.Item) error { return r.FinishItem(r.ctx, it, nil) }},
		{"consumed", func(it store.Item) error {
			_, err := r.Commit(r.ctx, store.Commit{Integration: inst, Key: call, Done: it.ID, Now: base})
			return err
		}},
		{"consumed result", func(it store.Item) error {
			if err := r.FinishItem(r.ctx, it, nil); err != nil {
				return err
			}
			_, err := r.Commit(r.ctx, store.Commit{Integration: inst, Key: call, Done: it.ID, Now: base})
			return err
		}},
	}
	for _, w := range ways {
		r.add(command(w.name, w.name+" 1"), command(w.name, w.name+" 2"), command(w.name, w.name+" 3"))
		first := fmt.Sprintf("%q", w.name+" 1")
		it := r.claims("first", "me", base, first)[first]
		r.ok(w.end(it))
		second := fmt.Sprintf("%q", w.name+" 2")
		r.claims(w.name, "me", base, second)
	}
	r.again()
	r.claims("after a restart the lanes are as they were", "me", after(1))
}

// An item that fails and waits for its next attempt keeps its place: the commands behind it may
// depend on it.
func laneHeld(r *run) {
	r.add(command("l", "1"), command("l", "2"), command("m", "3"))
	got := r.claims("firsts", "me", base, `"1"`, `"3"`)
	r.ok(r.RetryItem(r.ctx, got[`"1"`], after(30)))
	items, next := r.claim("me", after(1))
	if len(items) != 0 || !next.Equal(after(30)) {
		r.Errorf("while the first waits for its retry: %v, next %v", bodies(items), next)
	}
	r.claims("its retry", "me", after(30), `"1"`)
	r.claims("its lease ran out: again the first", "me", after(90), `"1"`, `"3"`)
}

// A lane's order is that of adding, not that of due times.
func laneNotDue(r *run) {
	late := command("l", "late")
	late.Due = after(50)
	r.add(late, command("l", "early"))
	items, next := r.claim("me", base)
	if len(items) != 0 || !next.Equal(after(50)) {
		r.Errorf("behind one that is not due: %v, next %v", bodies(items), next)
	}
	it := r.claims("due", "me", after(50), `"late"`)[`"late"`]
	r.ok(r.DeleteItem(r.ctx, it))
	r.claims("then the other", "me", after(50), `"early"`)
}

// A head that is replaced or cancelled leaves its lane too; what replaces it goes to the end.
func laneReplaced(r *run) {
	// A command waits behind a task in one lane, and the task is replaced, or cancelled.
	for _, c := range []struct {
		name   string
		change store.Item
		then   []string // what the lane gives, one by one
	}{
		{"replaced", store.Item{Kind: store.ItemTask, Lane: "x", Name: "t", Generation: 2, Due: base, Body: body("new")}, []string{`"behind"`, `"new"`}},
		{"cancelled", store.Item{Kind: store.ItemTask, Name: "t", Generation: 1, Cancel: true}, []string{`"behind"`}},
	} {
		commit := func(items ...store.Item) {
			r.commit(store.Commit{Integration: inst, Key: c.name, Items: items})
		}
		commit(store.Item{Kind: store.ItemTask, Lane: "x", Name: "t", Generation: 1, Due: base, Body: body("gone")},
			store.Item{Kind: store.ItemCommand, Lane: "x", Due: base, Body: body("behind")})
		commit(c.change)
		for _, want := range c.then {
			it := r.claims(c.name, "me", base, want)[want]
			r.ok(r.DeleteItem(r.ctx, it))
		}
		r.claims(c.name+", at the end", "me", base)
	}
}

// Whoever has the first item of a lane may have what waits behind it, up to the first that is not
// due. Nobody else gets any of it meanwhile, and what is given back keeps its place and its number
// of attempts.
func laneTogether(r *run) {
	late := command("l", "4")
	late.Due = after(50)
	r.add(command("l", "1"), command("l", "2"), command("l", "3"), late, command("l", "5"), command("m", "other lane"))
	got := r.claims("firsts", "me", base, `"1"`, `"other lane"`)
	first := got[`"1"`]
	lane := func(item store.Item, now time.Time, limit int, want ...string) []store.Item {
		r.Helper()
		items, err := r.ClaimLane(r.ctx, item, now, limit)
		r.ok(err)
		r.same("behind the first", append([]string{}, bodies(items)...), append([]string{}, want...))
		return items
	}
	lane(got[`"other lane"`], base, 10)
	lane(first, base, 0)
	both := lane(first, base, 10, `"2"`, `"3"`)
	if both[0].Phase != store.PhaseStarted || both[0].Owner != "me" || !both[0].Lease.Equal(first.Lease) || both[0].Attempt != 0 {
		r.Errorf("claimed as %+v", both[0])
	}
	r.claims("while they are out", "other", after(1))
	lane(first, after(1), 10)
	r.ok(r.DeleteItem(r.ctx, both[0]))
	r.ok(r.RetryItem(r.ctx, both[1], base))
	r.ok(r.RetryItem(r.ctx, first, after(5)))
	r.claims("the first waits for its retry", "other", after(1))
	first = r.claims("its retry", "other", after(5), `"1"`)[`"1"`]
	r.ok(r.FinishItem(r.ctx, first, nil))
	lane(first, after(5), 10)
	if it := r.claims("the next", "other", after(5), `"3"`)[`"3"`]; it.Attempt != 1 {
		r.Errorf("attempt %d of what was given back untried", it.Attempt)
	}
	r.add(command("n", "a"), command("n", "b"), command("n", "c"), command("", "in no lane"))
	a := r.claims("another lane", "me", after(5), `"a"`, `"in no lane"`)
	stolen := a[`"a"`]
	stolen.Owner = "other"
	lane(stolen, after(5), 10)
	lane(a[`"a"`], after(5), 1, `"b"`)
	lane(a[`"in no lane"`], after(5), 10)
}

// heldCommand is a command that is held for a while.
func heldCommand(name string) store.Item {
	it := command("l", name)
	it.Phase, it.Due = store.PhaseHeld, after(100)
	return it
}

// What is held keeps its place and is given out in order once a commit has released it. It is not
// late meanwhile, and what another lane or session holds is not released with it.
func laneReleased(r *run) {
	r.commit(store.Commit{Integration: inst, Key: "CA2", Items: []store.Item{heldCommand("other session")}})
	other := heldCommand("other lane")
	other.Lane = "m"
	r.add(heldCommand("1"), heldCommand("2"), other)
	items, next := r.claim("me", after(99))
	if len(items) != 0 || !next.Equal(after(100)) {
		r.Errorf("while they are held: %v, next %v", bodies(items), next)
	}
	counts, err := r.OverdueItems(r.ctx, after(99))
	r.ok(err)
	r.same("overdue", counts, map[store.ItemKind]int{})
	r.commit(store.Commit{Version: r.version(), Release: "l", Items: []store.Item{command("l", "3")}, Now: after(10)})
	r.claims("before it was released", "me", after(9))
	for _, name := range []string{`"1"`, `"2"`, `"3"`} {
		it := r.claims("released", "me", after(10), name)[name]
		if it.Phase != store.PhaseStarted {
			r.Errorf("%s is claimed as %s", name, it.Phase)
		}
		r.ok(r.DeleteItem(r.ctx, it))
	}
}

// What is dropped is gone, and what comes after it goes on.
func laneDropped(r *run) {
	r.add(heldCommand("1"), heldCommand("2"))
	r.commit(store.Commit{Version: r.version(), Drop: "l", Items: []store.Item{command("l", "3")}})
	it := r.claims("what is left", "me", base, `"3"`)[`"3"`]
	r.ok(r.DeleteItem(r.ctx, it))
	r.claims("at the end", "me", after(1000))
}

// What was never released is given out at its due time, as what it is.
func laneNeverReleased(r *run) {
	r.add(heldCommand("1"))
	if it := r.claims("due", "me", after(100), `"1"`)[`"1"`]; it.Phase != store.PhaseHeld {
		r.Errorf("claimed as %s", it.Phase)
	}
}
