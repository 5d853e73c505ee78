package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Factory makes an empty store for one test and ends it with the test. reopen closes the store,
// opens another on the same data and returns it, as a restarted process would; an implementation in
// memory may return nil for it.
type Factory func(t *testing.T) (s store.Store, reopen func() store.Store)

// Test runs the whole suite, each part on a store of its own, in parallel.
func Test(t *testing.T, open Factory) {
	for _, part := range [][]check{integrationChecks, sessionChecks, commitChecks, outboxChecks, laneChecks, mediaChecks, callChecks, peopleChecks, hostChecks, togetherChecks, erasureChecks} {
		for _, c := range part {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s, reopen := open(t)
				c.run(&run{T: t, Store: s, ctx: t.Context(), reopen: reopen})
			})
		}
	}
}

// check is one test: a promise of the interface, and the function that tries it.
type check struct {
	name string
	run  func(r *run)
}

// run is a test under way. It is the test and the store at once, so that checks read like prose;
// after [run.again] the store is another one.
type run struct {
	*testing.T
	store.Store
	ctx    context.Context
	reopen func() store.Store
}

// base is when the tests happen. It has milliseconds, which stores keep, and nothing finer, which
// they may drop.
var base = time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)

// after is n seconds later.
func after(n int) time.Time { return base.Add(time.Duration(n) * time.Second) }

const (
	inst = "int_1"
	call = "CA1"
)

// again closes the store and opens it on the same data, as a restarted process would. What a check
// reads after it must have been on the disk.
func (r *run) again() {
	r.Helper()
	if r.reopen == nil {
		return
	}
	r.Store = r.reopen()
}

// ok wants no error; with one, the rest of the check makes no sense.
func (r *run) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// kind wants an error of this kind.
func (r *run) kind(what string, err error, want integration.Kind) {
	r.Helper()
	if integration.KindOf(err) != want {
		r.Errorf("%s: got error %v, want kind %s", what, err, want)
	}
}

// same compares by JSON, so that it does not matter in which location a time is.
func (r *run) same(what string, got, want any) {
	r.Helper()
	if g, w := text(got), text(want); g != w {
		r.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// commit commits and wants it to succeed.
func (r *run) commit(c store.Commit) int64 {
	r.Helper()
	fill(&c)
	v, err := r.Commit(r.ctx, c)
	r.ok(err)
	return v
}

// fill sets what most tests don't care about.
func fill(c *store.Commit) {
	if c.Integration == "" {
		c.Integration, c.Key = inst, call
	}
	if c.Now.IsZero() {
		c.Now = base
	}
}

// add commits items without a session and wants it to succeed.
func (r *run) add(items ...store.Item) {
	r.Helper()
	r.commit(store.Commit{Items: items, Version: r.version()})
}

// version is that of the usual session; 0 if it does not exist.
func (r *run) version() int64 {
	r.Helper()
	s, err := r.Session(r.ctx, inst, call)
	if integration.KindOf(err) == integration.KindNotFound {
		return 0
	}
	r.ok(err)
	return s.Version
}

// claim claims up to 100 items for a minute.
func (r *run) claim(owner string, now time.Time) ([]store.Item, time.Time) {
	r.Helper()
	items, next, err := r.Claim(r.ctx, store.Claim{Owner: owner, Now: now, Lease: time.Minute, Limit: 100})
	r.ok(err)
	return items, next
}

// claims wants exactly these bodies to be claimed, in any order, and returns the items by body.
func (r *run) claims(what, owner string, now time.Time, want ...string) map[string]store.Item {
	r.Helper()
	items, _ := r.claim(owner, now)
	got := map[string]store.Item{}
	for _, it := range items {
		got[string(it.Body)] = it
	}
	wanted := map[string]bool{}
	for _, w := range want {
		wanted[w] = true
		if _, ok := got[w]; !ok {
			r.Errorf("%s: %s is not claimed", what, w)
		}
	}
	for g := range got {
		if !wanted[g] {
			r.Errorf("%s: %s is claimed", what, g)
		}
	}
	if len(items) != len(got) {
		r.Errorf("%s: an item is claimed twice: %v", what, bodies(items))
	}
	return got
}

func bodies(items []store.Item) (list []string) {
	for _, it := range items {
		list = append(list, string(it.Body))
	}
	return list
}

// body is an item's body that names it.
func body(format string, args ...any) []byte {
	return []byte(`"` + fmt.Sprintf(format, args...) + `"`)
}

// command, task and timer are items as the engine makes them: commands in a lane that the caller
// names, tasks in the lane of their name, timers in none.
func command(lane, name string) store.Item {
	return store.Item{Kind: store.ItemCommand, Lane: lane, Due: base, Body: body("%s", name)}
}

func task(name string, generation int64) store.Item {
	return store.Item{Kind: store.ItemTask, Lane: "task/" + name, Name: name, Generation: generation, Due: base, Body: body("%s-%d", name, generation)}
}

func timer(name string, generation int64, due time.Time) store.Item {
	return store.Item{Kind: store.ItemTimer, Name: name, Generation: generation, Due: due, Body: body("%s-%d", name, generation)}
}
