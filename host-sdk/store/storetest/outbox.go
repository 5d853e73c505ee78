package storetest

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var outboxChecks = []check{
	{"Outbox/due", outboxDue},
	{"Outbox/limit", outboxLimit},
	{"Outbox/lease and takeover", outboxLease},
	{"Outbox/next", outboxNext},
	{"Outbox/retry", outboxRetry},
	{"Outbox/result", outboxResult},
	{"Outbox/only the owner", outboxOwner},
	{"Outbox/an owner's earlier claim", outboxEarlierClaim},
	{"Outbox/released leases", outboxRelease},
	{"Outbox/claims by kind of work", outboxWork},
	{"Outbox/claims by integration", outboxPerIntegration},
	{"Outbox/behind a crowd", outboxCrowd},
	{"Outbox/a dial that waits for its turn", outboxStart},
	{"Outbox/added outside a commit", outboxAdd},
	{"Outbox/stats", outboxStats},
	{"Outbox/overdue", overdueItems},
}

// Nothing is given out early. Without due work the store says when there will be some, so that a
// worker can sleep until then instead of asking all the time.
func outboxDue(r *run) {
	items, next := r.claim("me", base)
	if len(items) != 0 || !next.IsZero() {
		r.Errorf("an empty outbox gives %d items, next %v", len(items), next)
	}
	_, _, err := r.Claim(r.ctx, store.Claim{Now: base, Lease: time.Minute})
	r.kind("a claim without owner", err, integration.KindInvalid)
	r.add(timer("late", 1, base.Add(2*time.Millisecond)), timer("now", 1, base), timer("always", 1, time.Time{}))
	items, next = r.claim("me", base.Add(time.Millisecond))
	r.same("due, the earliest first", bodies(items), []string{`"always-1"`, `"now-1"`})
	if want := base.Add(2 * time.Millisecond); !next.Equal(want) {
		r.Errorf("next is %v, want %v", next, want)
	}
	r.again()
	r.claims("a little later", "me", base.Add(2*time.Millisecond), `"late-1"`)
}

// A claim takes as many items as its worker can handle; if more is due, next says so with a time
// that is not in the future.
func outboxLimit(r *run) {
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		r.add(command("", n))
	}
	var got []string
	for i, want := range []int{2, 2, 1, 0} {
		items, next, err := r.Claim(r.ctx, store.Claim{Owner: "me", Now: base, Lease: time.Minute, Limit: 2})
		r.ok(err)
		if len(items) != want {
			r.Errorf("claim %d gives %d items, want %d", i, len(items), want)
		}
		got = append(got, bodies(items)...)
		if i < 2 && !next.Equal(base) {
			r.Errorf("claim %d: more is due, but next is %v", i, next)
		}
	}
	r.same("in the order they came", got, []string{`"a"`, `"b"`, `"c"`, `"d"`, `"e"`})
	for range 110 {
		r.add(store.Item{Kind: store.ItemCommand, Body: body("more")}) // due always
	}
	items, next, err := r.Claim(r.ctx, store.Claim{Owner: "me", Now: base, Lease: time.Minute})
	r.ok(err)
	if len(items) != 100 || next.IsZero() || next.After(base) {
		r.Errorf("without limit %d items, want 100; next is %v, and more is due", len(items), next)
	}
}

// wants claims and returns the bodies.
func (r *run) wants(now time.Time, wants ...store.Want) (list []string, next time.Time) {
	r.Helper()
	items, next, err := r.Claim(r.ctx, store.Claim{Owner: "me", Now: now, Lease: time.Minute, Wants: wants})
	r.ok(err)
	return bodies(items), next
}

// Each kind of work has workers of its own, which claim nothing else: mails to a dead server must
// not take the workers of timers. A result is an event for the handler, whatever it is the result
// of.
func outboxWork(r *run) {
	dial := task("dial", 1)
	dial.Work = store.WorkDial
	r.add(command("", "c1"), command("", "c2"), command("", "c3"), dial, task("look", 1), timer("t", 1, base), timer("later", 1, after(5)),
		store.Item{Kind: store.ItemMail, Due: base, Body: body("m")})
	got, next := r.wants(base, store.Want{Work: store.WorkEvent, Limit: 9}, store.Want{Work: store.WorkCommand})
	r.same("timers alone", got, []string{`"t-1"`})
	if !next.Equal(after(5)) {
		r.Errorf("next is %v, want that of what is wanted, %v", next, after(5))
	}
	got, next = r.wants(base, store.Want{Work: store.WorkCommand, Limit: 2}, store.Want{Work: store.WorkDial, Limit: 5})
	r.same("commands and dials", got, []string{`"c1"`, `"c2"`, `"dial-1"`})
	if !next.Equal(base) {
		r.Errorf("next is %v although a command is due", next)
	}
	got, _ = r.wants(base, store.Want{Work: store.WorkTask, Limit: 5})
	r.same("tasks", got, []string{`"look-1"`})
	it := r.claims("the rest", "me", base, `"c3"`, `"m"`)[`"m"`]
	it.Lease = time.Time{}
	r.ok(r.FinishItem(r.ctx, it, []byte("1")))
	r.again()
	got, _ = r.wants(after(1), store.Want{Work: store.WorkMail, Limit: 5}, store.Want{Work: store.WorkEvent, Limit: 5})
	r.same("a result is the handler's, whatever it is of", got, []string{`"m"`})
}

// One integration has at most PerIntegration items out at a time, those that its workers already
// have (Busy) included. Behind its items those of others are found; while it is full, those that
// are due are no reason to claim again, so next leaves them out. What is leased may count.
func outboxPerIntegration(r *run) {
	for i := range 5 {
		r.ok(r.AddItem(r.ctx, store.Item{Integration: "busy", Kind: store.ItemMail, Due: base, Body: body("busy-%d", i)}))
	}
	r.ok(r.AddItem(r.ctx, store.Item{Integration: "calm", Kind: store.ItemMail, Due: after(1), Body: body("calm")}))
	mail := store.Want{Work: store.WorkMail, Limit: 5, PerIntegration: 3, Busy: map[string]int{"busy": 1}}
	got, next := r.wants(after(2), mail)
	r.same("two more of the busy one, and what is behind the rest", got, []string{`"busy-0"`, `"busy-1"`, `"calm"`})
	if !next.IsZero() && !next.After(after(2)) {
		r.Errorf("next is %v, although the busy integration has as many as it may", next)
	}
	mail.Busy = map[string]int{"busy": 3}
	if got, _ = r.wants(after(2), mail); len(got) != 0 {
		r.Errorf("claimed %v of an integration that has as many as it may", got)
	}
	mail.Busy = nil
	got, _ = r.wants(after(2), mail)
	r.same("as many as it may", got, []string{`"busy-2"`, `"busy-3"`, `"busy-4"`})
}

// However many items of a full integration come first, one claim finds those of others behind them:
// its worker has room, and nobody may wait until the crowd is gone. Without room the next claim is
// due at once; with room, next is when the first of the others is due, or earlier, but not before
// the first of the crowd that is not due yet.
func outboxCrowd(r *run) {
	mail := func(id, name string, due time.Time) {
		r.ok(r.AddItem(r.ctx, store.Item{Integration: id, Kind: store.ItemMail, Due: due, Body: body("%s", name)}))
	}
	for i := range 9 {
		mail("due", "due-"+string(rune('a'+i)), base)
		due := base
		if i > 1 {
			due = after(1)
		}
		mail("soon", "soon-"+string(rune('a'+i)), due)
	}
	for _, name := range []string{"calm-1", "calm-2", "calm-3"} {
		mail(name, name, base)
	}
	mail("late", "late", after(9))
	want := store.Want{Work: store.WorkMail, Limit: 4, PerIntegration: 1}
	got, next := r.wants(base, want)
	r.same("one of each", got, []string{`"due-a"`, `"soon-a"`, `"calm-1"`, `"calm-2"`})
	if !next.Equal(base) {
		r.Errorf("next is %v although another integration's item is due", next)
	}
	want.Busy = map[string]int{"due": 1, "soon": 1, "calm-1": 1, "calm-2": 1}
	got, next = r.wants(base, want)
	r.same("what there was no room for", got, []string{`"calm-3"`})
	if !next.Equal(after(1)) && !next.Equal(after(9)) {
		r.Errorf("next is %v, want the time at which an integration with room has work, %v, or one without, %v", next, after(9), after(1))
	}

	// Those in front may have a time of their own, at which they cannot be claimed either.
	want.Busy, want.PerIntegration = map[string]int{"due": 2, "calm-1": 2, "calm-2": 2, "calm-3": 2}, 2
	got, next = r.wants(base, want)
	r.same("the last that is due", got, []string{`"soon-b"`})
	if !next.Equal(after(1)) {
		r.Errorf("next is %v, want the time of the integration with room, %v", next, after(1))
	}
	want.Busy["soon"] = 1
	mail("soon", "soon-now", base)
	got, next = r.wants(base, want)
	r.same("up to its limit", got, []string{`"soon-now"`})
	if !next.Equal(after(1)) && !next.Equal(after(9)) {
		r.Errorf("next is %v although that integration has as many as it may; want %v, or %v", next, after(9), after(1))
	}
}

// A claimed dial still waits for its turn and may be cancelled meanwhile. It counts as started when
// its worker says so, just before the request itself.
func outboxStart(r *run) {
	dial := task("dial", 1)
	dial.Work = store.WorkDial
	r.add(dial)
	it := r.claims("first", "me", base, `"dial-1"`)[`"dial-1"`]
	if it.Phase != store.PhaseWaiting || it.Work != store.WorkDial {
		r.Errorf("claimed as %+v, want it to wait", it)
	}
	r.add(store.Item{Kind: store.ItemTask, Name: "dial", Generation: 1, Cancel: true})
	r.kind("start what was cancelled", r.StartItem(r.ctx, it), integration.KindConflict)
	dial.Generation, dial.Body = 2, body("dial-2")
	r.add(dial)
	it = r.claims("second", "me", base, `"dial-2"`)[`"dial-2"`]
	r.ok(r.StartItem(r.ctx, it))
	r.add(store.Item{Kind: store.ItemTask, Name: "dial", Generation: 2, Cancel: true})
	r.ok(r.StartItem(r.ctx, it))
	r.ok(r.RetryItem(r.ctx, it, after(1)))
	r.again()
	if it = r.claims("again", "other", after(1), `"dial-2"`)[`"dial-2"`]; it.Phase != store.PhaseStarted {
		r.Errorf("what has started is claimed as %+v", it)
	}
	it.Owner = "me"
	r.kind("start what is another's", r.StartItem(r.ctx, it), integration.KindConflict)
}

// A lease keeps an item from everybody, its owner included, until it runs out: then the owner is
// taken for dead. Attempt counts the claims, so a task can know that it may have been run before.
func outboxLease(r *run) {
	r.add(command("", "x"))
	first := r.claims("first", "one", base, `"x"`)[`"x"`]
	if first.Owner != "one" || !first.Lease.Equal(after(60)) || first.Attempt != 1 || first.Phase != store.PhaseStarted {
		r.Errorf("claimed as %+v", first)
	}
	r.claims("while the lease runs", "two", after(59))
	r.claims("not twice by its owner either", "one", after(59))
	r.again() // a killed process keeps its leases until they run out
	r.claims("after a restart", "two", after(59))
	second := r.claims("when it has run out", "two", after(60), `"x"`)[`"x"`]
	if second.Owner != "two" || second.Attempt != 2 || second.ID != first.ID || !second.Lease.Equal(after(120)) {
		r.Errorf("taken over as %+v", second)
	}
}

// Next is the earliest moment at which a claim could give something: an item that becomes due, or a
// lease that runs out. What was just claimed and what waits behind it are no reason to wake up.
func outboxNext(r *run) {
	next := func(what string, now, want time.Time) {
		r.Helper()
		if _, got := r.claim("me", now); !got.Equal(want) {
			r.Errorf("%s: next is %v, want %v", what, got, want)
		}
	}
	r.add(timer("t", 1, after(100)), timer("t2", 1, after(200)))
	next("a waiting timer", base, after(100))
	r.add(command("l", "head"), command("l", "behind"))
	next("what was just claimed does not count, nor who is behind it", base, after(100))
	next("a lease that runs out earlier", after(1), after(60))
	items, got, err := r.Claim(r.ctx, store.Claim{Owner: "me", Now: after(60), Lease: time.Second, Limit: 100})
	r.ok(err)
	if len(items) != 1 || !got.Equal(after(100)) {
		r.Errorf("claimed again %v, next %v", bodies(items), got)
	}
	r.ok(r.RetryItem(r.ctx, items[0], after(90)))
	next("a retry", after(61), after(90))
}

// An item that was given back is claimed again when it is due, by anybody, with its attempts
// counted on.
func outboxRetry(r *run) {
	r.add(command("", "x"))
	it := r.claims("first", "me", base, `"x"`)[`"x"`]
	r.ok(r.RetryItem(r.ctx, it, after(10)))
	r.claims("before it is due", "me", after(9))
	it = r.claims("due", "other", after(10), `"x"`)[`"x"`]
	if it.Attempt != 2 || it.Phase != store.PhaseStarted || !it.Due.Equal(after(10)) {
		r.Errorf("claimed again as %+v", it)
	}
	r.ok(r.RetryItem(r.ctx, it, time.Time{}))
	r.claims("at once", "me", after(10), `"x"`)
}

// A result is stored before the handler sees it, so that work is not done again when the process
// dies in between. It stays with its owner for the rest of the lease; then anybody may hand it on.
// Its attempts are counted from 0, as they are now those of the handler.
func outboxResult(r *run) {
	r.add(task("a", 1))
	it := r.claims("first", "me", base, `"a-1"`)[`"a-1"`]
	it.Lease = after(30)
	r.ok(r.FinishItem(r.ctx, it, []byte("\x00result")))
	r.claims("its owner hands it on without claiming", "me", after(29))
	r.again()
	it = r.claims("the owner is gone", "other", after(30), `"a-1"`)[`"a-1"`]
	if it.Phase != store.PhaseResult || it.Attempt != 1 || string(it.Result) != "\x00result" || string(it.Body) != `"a-1"` {
		r.Errorf("the result is claimed as %+v", it)
	}
	r.kind("finish a result", r.FinishItem(r.ctx, it, []byte("2")), integration.KindConflict)
	r.ok(r.RetryItem(r.ctx, it, after(40)))
	r.claims("not yet", "other", after(39))
	it = r.claims("again", "other", after(40), `"a-1"`)[`"a-1"`]
	if it.Phase != store.PhaseResult || it.Attempt != 2 || string(it.Result) != "\x00result" {
		r.Errorf("the retried result is claimed as %+v", it)
	}
	r.commit(store.Commit{Done: it.ID})
	r.nothing("handed on", 0)

	// A fresh result is given back by the item as it was claimed, and as it is now.
	for i, change := range []func(*store.Item){func(*store.Item) {}, func(it *store.Item) { it.Phase, it.Attempt = store.PhaseResult, 0 }} {
		r.add(task("b", int64(i)))
		it := r.claims("b", "me", base, text2("b", i))[text2("b", i)]
		r.ok(r.FinishItem(r.ctx, it, nil))
		change(&it)
		r.ok(r.RetryItem(r.ctx, it, after(1)))
		it = r.claims("given back", "me", after(1), text2("b", i))[text2("b", i)]
		r.ok(r.DeleteItem(r.ctx, it))
	}
	r.nothing("at the end", 0)
}

func text2(name string, n int) string { return string(body("%s-%d", name, n)) }

// Only the owner of an item may give it back, finish or delete it. A worker who lost the lease is
// told so when it brings a result, as somebody else may already have done the work.
func outboxOwner(r *run) {
	r.add(command("", "x"))
	mine := r.claims("first", "one", base, `"x"`)[`"x"`]
	stranger := mine
	stranger.Owner = "two"
	nobody := mine
	nobody.Owner = ""
	for _, it := range []store.Item{stranger, nobody} {
		r.ok(r.RetryItem(r.ctx, it, base))
		r.ok(r.DeleteItem(r.ctx, it))
		r.kind("a stranger's result", r.FinishItem(r.ctx, it, []byte("1")), integration.KindConflict)
	}
	r.claims("nothing has changed", "two", after(1))
	theirs := r.claims("taken over", "two", after(60), `"x"`)[`"x"`]
	r.ok(r.RetryItem(r.ctx, mine, base))
	r.ok(r.DeleteItem(r.ctx, mine))
	r.kind("the result of who lost the lease", r.FinishItem(r.ctx, mine, []byte("1")), integration.KindConflict)
	r.ok(r.FinishItem(r.ctx, theirs, []byte("2")))
	r.ok(r.DeleteItem(r.ctx, theirs))
	r.nothing("deleted", 0)
	r.ok(r.RetryItem(r.ctx, theirs, base))
	r.ok(r.DeleteItem(r.ctx, theirs))
	r.kind("the result of a deleted item", r.FinishItem(r.ctx, theirs, nil), integration.KindConflict)

	// Nobody else wanted it meanwhile: late, but still the owner's.
	r.add(command("", "y"))
	y := r.claims("y", "one", base, `"y"`)[`"y"`]
	r.ok(r.FinishItem(r.ctx, y, []byte("late")))
}

// The owner's name alone does not prove ownership: the same process may have claimed the item again
// after the first worker's lease ran out. The attempt tells the two claims apart.
func outboxEarlierClaim(r *run) {
	r.add(command("", "x"))
	slow := r.claims("first", "me", base, `"x"`)[`"x"`]
	fast := r.claims("by the same process, as the lease ran out", "me", after(60), `"x"`)[`"x"`]
	r.ok(r.RetryItem(r.ctx, slow, base))
	r.ok(r.DeleteItem(r.ctx, slow))
	r.kind("the slow worker's result", r.FinishItem(r.ctx, slow, []byte("slow")), integration.KindConflict)
	r.ok(r.FinishItem(r.ctx, fast, []byte("fast")))
	r.kind("and again", r.FinishItem(r.ctx, slow, []byte("slow")), integration.KindConflict)
	it := r.claims("the result", "me", after(120), `"x"`)[`"x"`]
	if string(it.Result) != "fast" {
		r.Errorf("the result is %q", it.Result)
	}
}

// A process that is alone on its store takes over all work at its start instead of waiting for the
// leases of its predecessor; another one takes over that of a process which it knows to be dead.
func outboxRelease(r *run) {
	r.add(command("", "a"), task("b", 1), command("l", "c"), command("l", "d"), timer("late", 1, after(10)))
	got := r.claims("first", "killed", base, `"a"`, `"b-1"`, `"c"`)
	r.ok(r.FinishItem(r.ctx, got[`"b-1"`], []byte("1")))
	r.again()
	r.ok(r.ReleaseLeases(r.ctx, "another"))
	r.claims("still leased", "me", after(1))
	r.ok(r.ReleaseLeases(r.ctx, "killed"))
	got = r.claims("released by its name", "killed", after(1), `"a"`, `"b-1"`, `"c"`)
	r.ok(r.ReleaseLeases(r.ctx, ""))
	items := r.claims("released", "me", after(1), `"a"`, `"b-1"`, `"c"`)
	if it := items[`"a"`]; it.Attempt != 3 || it.Owner != "me" {
		r.Errorf("claimed as %+v", it)
	}
	if it := items[`"b-1"`]; it.Phase != store.PhaseResult || string(it.Result) != "1" {
		r.Errorf("the result is claimed as %+v", it)
	}
	r.ok(r.DeleteItem(r.ctx, got[`"a"`])) // of who was killed
	r.claims("and leased again", "you", after(2))
}

// Items may also be added outside a commit (deferred webhooks), and get no session by that.
func outboxAdd(r *run) {
	in := store.Item{
		ID: 77, Integration: inst, Key: call, Kind: store.ItemWebhook, Lane: "webhook", Due: after(1), NotAfter: after(9),
		Phase: store.PhaseStarted, Attempt: 4, Body: body("w"), Owner: "x", Lease: after(1000),
	}
	r.ok(r.AddItem(r.ctx, in))
	r.again()
	items, _ := r.claim("me", after(1))
	if len(items) != 1 {
		r.Fatalf("%d items, want 1", len(items))
	}
	want := in
	want.Work = store.WorkWebhook
	want.ID, want.Phase, want.Attempt, want.Owner, want.Lease, want.Result = items[0].ID, store.PhaseStarted, 1, "me", after(61), items[0].Result
	r.same("as claimed", items[0], want)
	r.kind("an item of no integration", r.AddItem(r.ctx, store.Item{Kind: store.ItemWebhook}), integration.KindInvalid)
	r.kind("an item of no kind", r.AddItem(r.ctx, store.Item{Integration: inst}), integration.KindInvalid)
	if r.version() != 0 {
		r.Error("it made a session")
	}
	if items, _ := r.claim("me", after(1)); len(items) != 0 {
		r.Errorf("a refused item was added: %v", bodies(items))
	}
}

// Overdue counts what a worker could have taken and did not: a rising number means that workers are
// stuck or too few.
func overdueItems(r *run) {
	count := func(before time.Time) map[store.ItemKind]int {
		counts, err := r.OverdueItems(r.ctx, before)
		r.ok(err)
		return counts
	}
	r.same("of an empty outbox", count(after(100)), map[store.ItemKind]int{})
	r.add(timer("t", 1, after(50)), timer("t2", 1, after(30)), command("l", "a"), command("l", "b"))
	r.same("what waits behind another of its lane is not late by itself", count(after(40)), map[store.ItemKind]int{store.ItemTimer: 1, store.ItemCommand: 1})
	r.same("before anything was due", count(after(-1)), map[store.ItemKind]int{})
	r.claims("what is done", "me", base, `"a"`)
	r.same("what somebody works on", count(after(40)), map[store.ItemKind]int{store.ItemTimer: 1})
}

func outboxStats(r *run) {
	counts, oldest, err := r.OutboxStats(r.ctx)
	r.ok(err)
	if len(counts) != 0 || !oldest.IsZero() {
		r.Errorf("an empty outbox: %v, oldest %v", counts, oldest)
	}
	r.add(timer("t", 1, after(50)), timer("t2", 1, after(30)), timer("t3", 1, after(40)), command("l", "a"), command("l", "b"), task("x", 1))
	got := r.claims("first", "me", base, `"a"`, `"x-1"`)
	r.ok(r.FinishItem(r.ctx, got[`"x-1"`], nil))
	counts, oldest, err = r.OutboxStats(r.ctx)
	r.ok(err)
	r.same("counts", counts, map[store.ItemKind]map[store.ItemPhase]int{
		store.ItemTimer:   {store.PhaseWaiting: 3},
		store.ItemCommand: {store.PhaseWaiting: 1, store.PhaseStarted: 1},
		store.ItemTask:    {store.PhaseResult: 1},
	})
	if !oldest.Equal(base) {
		r.Errorf("the oldest is due at %v, want %v", oldest, base)
	}
}
