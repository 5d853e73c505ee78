package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

var togetherChecks = []check{
	{"Together/increments", togetherIncrements},
	{"Together/one consumer", togetherDone},
	{"Together/claims", togetherClaims},
	{"Together/lanes", togetherLanes},
	{"Together/saves", togetherSaves},
	{"Together/one call rings a person", togetherOccupies},
	{"Together/turns", togetherTurns},
}

// each runs f n times at once.
func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f(i)
		}()
	}
	wg.Wait()
}

// Compare-and-swap loses no update: each caller reads, adds one and commits, and begins again after
// a conflict. A store that only looked at the version before writing would count too little.
func togetherIncrements(r *run) {
	const callers, times = 8, 15
	each(callers, func(i int) {
		for n := 0; n < times; {
			c := store.Commit{Integration: inst, Key: call, Now: base}
			count := 0
			s, err := r.Session(r.ctx, inst, call)
			if err == nil {
				c.Version = s.Version
				count, err = strconv.Atoi(string(s.State))
			}
			if err != nil && integration.KindOf(err) != integration.KindNotFound {
				r.Error(err)
				return
			}
			c.Session = &store.Session{Session: integration.Session{State: []byte(strconv.Itoa(count + 1))}}
			c.Items = []store.Item{command("", fmt.Sprintf("%d/%d", i, n))}
			switch _, err := r.Commit(r.ctx, c); {
			case err == nil:
				n++
			case integration.KindOf(err) != integration.KindConflict:
				r.Error(err)
				return
			}
		}
	})
	s, err := r.Session(r.ctx, inst, call)
	r.ok(err)
	if string(s.State) != strconv.Itoa(callers*times) || s.Version != callers*times {
		r.Errorf("counted to %s in %d versions, want %d", s.State, s.Version, callers*times)
	}
	counts, _, err := r.OutboxStats(r.ctx)
	r.ok(err)
	if got := counts[store.ItemCommand][store.PhaseWaiting]; got != callers*times {
		r.Errorf("%d items, want one for each of %d commits", got, callers*times)
	}
}

// Of eight commits that consume the same item, exactly one writes anything.
func togetherDone(r *run) {
	for round := range 10 {
		name := fmt.Sprint("x", round)
		r.add(command("", name))
		it := r.claims("claim", "me", base, fmt.Sprintf("%q", name))[fmt.Sprintf("%q", name)]
		var won, lost atomic.Int32
		each(8, func(i int) {
			_, err := r.Commit(r.ctx, store.Commit{Integration: inst, Key: call, Done: it.ID, Now: base, Items: []store.Item{timer(fmt.Sprint(round), 1, after(9999))}})
			switch integration.KindOf(err) {
			case "":
				won.Add(1)
			case integration.KindConflict:
				lost.Add(1)
			default:
				r.Error(err)
			}
		})
		if won.Load() != 1 || lost.Load() != 7 {
			r.Errorf("%d consumed the item, %d were told off", won.Load(), lost.Load())
		}
	}
}

// Each item is given to exactly one of the claimers.
func togetherClaims(r *run) {
	const items = 200
	list := make([]store.Item, items)
	for i := range list {
		list[i] = command("", fmt.Sprint(i))
	}
	r.add(list...)
	var mu sync.Mutex
	claimed, total := map[string]int{}, 0
	each(8, func(i int) {
		for {
			got, _, err := r.Claim(r.ctx, store.Claim{Owner: fmt.Sprint("owner", i), Now: base, Lease: time.Minute, Limit: 7})
			if err != nil {
				r.Error(err)
				return
			}
			if len(got) == 0 {
				return
			}
			mu.Lock()
			for _, it := range got {
				claimed[string(it.Body)]++
				total++
			}
			over := total > items // a store that gives out the same again would do so for ever
			mu.Unlock()
			if over {
				return
			}
		}
	})
	for body, n := range claimed {
		if n != 1 {
			r.Errorf("%s was claimed %d times", body, n)
		}
	}
	if len(claimed) != items {
		r.Errorf("%d items were claimed, want %d", len(claimed), items)
	}
}

// Also with several claimers at once a lane gives out one item at a time, in its order.
func togetherLanes(r *run) {
	const lanes, length = 5, 8
	for n := range length {
		for l := range lanes {
			r.add(command(fmt.Sprint(l), fmt.Sprintf("%d/%02d", l, n)))
		}
	}
	var mu sync.Mutex
	order := map[string][]string{}
	busy := map[string]bool{}
	left := lanes * length
	// A lane that stands still must not hang the test.
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	each(4, func(i int) {
		owner := fmt.Sprint("owner", i)
		for {
			mu.Lock()
			over := left == 0
			mu.Unlock()
			if over || r.Failed() {
				return
			}
			got, _, err := r.Claim(ctx, store.Claim{Owner: owner, Now: base, Lease: time.Hour, Limit: 2})
			if err != nil {
				r.Error(err)
				return
			}
			for _, it := range got {
				mu.Lock()
				if busy[it.Lane] {
					r.Errorf("two of lane %s are out at once", it.Lane)
				}
				busy[it.Lane] = true
				order[it.Lane] = append(order[it.Lane], string(it.Body))
				mu.Unlock()
			}
			for n, it := range got {
				mu.Lock()
				busy[it.Lane] = false
				mu.Unlock()
				if n%2 == 0 {
					err = r.FinishItem(r.ctx, it, nil)
				} else {
					err = r.DeleteItem(r.ctx, it)
				}
				if err != nil {
					r.Error(err)
					return
				}
				mu.Lock()
				left--
				mu.Unlock()
			}
		}
	})
	for l := range lanes {
		var want []string
		for n := range length {
			want = append(want, fmt.Sprintf(`"%d/%02d"`, l, n))
		}
		r.same(fmt.Sprintf("order of lane %d", l), order[fmt.Sprint(l)], want)
	}
}

// Of several saves of one revision one succeeds, and the same content stored at the same moment has
// one token.
func togetherSaves(r *run) {
	_, err := r.SaveIntegration(r.ctx, sample(inst, "Hotline"))
	r.ok(err)
	var won atomic.Int32
	each(8, func(i int) {
		in := sample(inst, fmt.Sprint("by ", i))
		in.Revision = 1
		switch _, err := r.SaveIntegration(r.ctx, in); integration.KindOf(err) {
		case "":
			won.Add(1)
		case integration.KindConflict:
		default:
			r.Error(err)
		}
	})
	if won.Load() != 1 {
		r.Errorf("%d saves of one revision succeeded", won.Load())
	}
	var once sync.Map
	each(8, func(int) {
		m, err := r.PutMedium(r.ctx, medium("same", false))
		if err != nil {
			r.Error(err)
			return
		}
		once.Store(m.Token, true)
	})
	tokens := 0
	once.Range(func(any, any) bool { tokens++; return true })
	if tokens != 1 {
		r.Errorf("one content has %d tokens", tokens)
	}
}

// Of calls that were all told that somebody is free, one occupies them.
func togetherOccupies(r *run) {
	const calls = 6
	var rang atomic.Int32
	each(calls, func(i int) {
		_, err := r.Commit(r.ctx, store.Commit{Integration: inst, Key: fmt.Sprintf("CA%d", i), Now: after(i), Free: []string{"alice"},
			Session: &store.Session{Live: true, Occupies: []string{"alice"}}})
		switch {
		case err == nil:
			rang.Add(1)
		case integration.KindOf(err) != integration.KindConflict:
			r.Error(err)
		}
	})
	if n := rang.Load(); n != 1 {
		r.Errorf("%d calls of %d occupy the same person", n, calls)
	}
}

// Of those who ask at the same moment one has the turn, the others hear when the next one comes;
// keys know nothing of each other.
func togetherTurns(r *run) {
	take := func(key string, now time.Time) time.Time {
		comes, err := r.TakeTurn(r.ctx, key, now, time.Second)
		if err != nil {
			r.Error(err)
		}
		return comes
	}
	for n := range 3 {
		var taken atomic.Int32
		each(6, func(int) {
			switch comes := take("account", after(n)); {
			case comes.IsZero():
				taken.Add(1)
			case !comes.Equal(after(n + 1)):
				r.Errorf("the next turn comes at %v, want %v", comes, after(n+1))
			}
		})
		if taken.Load() != 1 {
			r.Errorf("%d have the same turn", taken.Load())
		}
	}
	if comes := take("another account", after(2)); !comes.IsZero() {
		r.Errorf("another account waits until %v", comes)
	}
	r.again()
	if comes := take("account", after(2)); !comes.Equal(after(3)) {
		r.Errorf("after a restart the next turn comes at %v, want %v", comes, after(3))
	}
}
