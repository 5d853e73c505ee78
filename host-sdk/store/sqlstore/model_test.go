package sqlstore

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// model is the outbox as the interface describes it, in the most obvious way: a list that is
// searched from the front. The store keeps lanes by a flag that every operation has to maintain;
// the model knows no flag.
type model struct {
	items []*store.Item // in the order they came; Body names them
}

func (m *model) add(it store.Item) {
	it.Phase, it.Attempt, it.Owner, it.Lease, it.Result = store.PhaseWaiting, 0, "", time.Time{}, nil
	m.items = append(m.items, &it)
}

func (m *model) remove(which func(*store.Item) bool) (n int) {
	before := len(m.items)
	m.items = slices.DeleteFunc(m.items, which)
	return before - len(m.items)
}

func named(it *store.Item, by store.Item) bool {
	return it.Key == by.Key && it.Name == by.Name && (it.Kind == store.ItemTask || it.Kind == store.ItemTimer)
}

func (m *model) commit(it store.Item) {
	waiting := func(limit int64) func(*store.Item) bool {
		return func(o *store.Item) bool {
			return named(o, it) && o.Phase == store.PhaseWaiting && o.Generation <= limit
		}
	}
	switch {
	case it.Cancel:
		m.remove(waiting(it.Generation))
	case it.Kind != store.ItemTask && it.Kind != store.ItemTimer:
		m.add(it)
	case !slices.ContainsFunc(m.items, func(o *store.Item) bool { return named(o, it) && o.Generation >= it.Generation }):
		m.remove(waiting(it.Generation - 1))
		m.add(it)
	}
}

func ready(it *store.Item) time.Time {
	if it.Lease.After(it.Due) {
		return it.Lease
	}
	return it.Due
}

// firsts are the items that are first of their lane or in none, by when they can be claimed.
func (m *model) firsts() (list []*store.Item) {
	taken := map[string]bool{}
	for _, it := range m.items {
		if it.Lane == "" || it.Phase == store.PhaseResult {
			list = append(list, it)
		} else if lane := it.Key + "/" + it.Lane; !taken[lane] {
			taken[lane] = true
			list = append(list, it)
		}
	}
	slices.SortStableFunc(list, func(a, b *store.Item) int { return ready(a).Compare(ready(b)) })
	return list
}

func (m *model) claim(c store.Claim) (claimed []string, next time.Time) {
	for _, it := range m.firsts() {
		if ready(it).After(c.Now) || len(claimed) == c.Limit {
			return claimed, ready(it)
		}
		it.Owner, it.Lease = c.Owner, c.Now.Add(c.Lease)
		it.Attempt++
		if it.Phase == store.PhaseWaiting {
			it.Phase = store.PhaseStarted
		}
		claimed = append(claimed, string(it.Body))
	}
	return claimed, time.Time{}
}

// held finds the item that a worker holds, if the lease is still its owner's.
func (m *model) held(by store.Item) *store.Item {
	for _, it := range m.items {
		if string(it.Body) == string(by.Body) && it.Owner != "" && it.Owner == by.Owner &&
			(it.Attempt == by.Attempt || (it.Phase == store.PhaseResult && it.Attempt == 0)) {
			return it
		}
	}
	return nil
}

func TestOutboxIsLikeItsModel(t *testing.T) {
	t.Parallel()
	s, _ := openInside(t)
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	claims := 0
	rapid.Check(t, func(t *rapid.T) {
		err := s.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "delete from outbox")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		m, now, serial := &model{}, start, 0
		var out []store.Item // every item as some claim handed it out, also long ago
		second := func(label string, low, high int) time.Duration {
			return time.Duration(rapid.IntRange(low, high).Draw(t, label)) * time.Second
		}
		item := func() store.Item {
			serial++
			return store.Item{
				Integration: "i", Key: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "key"),
				Kind: rapid.SampledFrom([]store.ItemKind{store.ItemCommand, store.ItemTask, store.ItemTimer}).Draw(t, "kind"),
				Lane: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "lane"), Name: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "name"),
				Generation: rapid.Int64Range(0, 3).Draw(t, "generation"), Due: now.Add(second("due", -2, 8)), Body: []byte(fmt.Sprint(serial)),
			}
		}
		worker := func(t *rapid.T) store.Item {
			if len(out) == 0 {
				t.Skip("nothing was claimed yet")
			}
			return rapid.SampledFrom(out).Draw(t, "item")
		}
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				c := store.Commit{Integration: "i", Now: now}
				for range rapid.IntRange(1, 3).Draw(t, "items") {
					it := item()
					it.Cancel = it.Kind != store.ItemCommand && rapid.IntRange(0, 4).Draw(t, "cancel") == 0
					c.Key, c.Items = it.Key, append(c.Items, it)
				}
				for i := range c.Items {
					c.Items[i].Key = c.Key
				}
				gone := false
				if len(out) > 0 && rapid.Bool().Draw(t, "done") {
					done := worker(t)
					c.Done = done.ID
					gone = m.remove(func(it *store.Item) bool { return string(it.Body) == string(done.Body) }) == 0
				}
				_, err := s.Commit(ctx, c)
				if gone != (integration.KindOf(err) == integration.KindConflict) || (err != nil) != gone {
					t.Fatalf("commit: %v; the item it consumes is gone: %v", err, gone)
				}
				if !gone {
					for _, it := range c.Items {
						m.commit(it)
					}
				}
			},
			"add": func(t *rapid.T) {
				it := item()
				if err := s.AddItem(ctx, it); err != nil {
					t.Fatal(err)
				}
				m.add(it)
			},
			"claim": func(t *rapid.T) {
				now = now.Add(second("later", 0, 6))
				c := store.Claim{Owner: rapid.SampledFrom([]string{"one", "two"}).Draw(t, "owner"), Now: now, Lease: second("lease", 0, 10), Limit: rapid.IntRange(1, 4).Draw(t, "limit")}
				items, next, err := s.Claim(ctx, c)
				if err != nil {
					t.Fatal(err)
				}
				want, wantNext := m.claim(c)
				var got []string
				for _, it := range items {
					got = append(got, string(it.Body))
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) || !next.Equal(wantNext) {
					t.Fatalf("claimed %v, next %v; want %v, next %v", got, next, want, wantNext)
				}
				out = append(out, items...)
				claims += len(items)
			},
			"retry": func(t *rapid.T) {
				it, due := worker(t), now.Add(second("due", -1, 8))
				if err := s.RetryItem(ctx, it, due); err != nil {
					t.Fatal(err)
				}
				if h := m.held(it); h != nil {
					h.Owner, h.Lease, h.Due = "", time.Time{}, due
				}
			},
			"finish": func(t *rapid.T) {
				it := worker(t)
				it.Lease = now.Add(second("lease", -2, 8))
				err := s.FinishItem(ctx, it, []byte("result"))
				h := m.held(it)
				if h != nil && h.Phase == store.PhaseResult {
					h = nil
				}
				if (err == nil) != (h != nil) || (err != nil && integration.KindOf(err) != integration.KindConflict) {
					t.Fatalf("finish: %v; it is the owner's: %v", err, h != nil)
				}
				if h != nil {
					h.Phase, h.Attempt, h.Lease = store.PhaseResult, 0, it.Lease
				}
			},
			"delete": func(t *rapid.T) {
				it := worker(t)
				if err := s.DeleteItem(ctx, it); err != nil {
					t.Fatal(err)
				}
				if h := m.held(it); h != nil {
					m.remove(func(o *store.Item) bool { return o == h })
				}
			},
			"release": func(t *rapid.T) {
				owner := rapid.SampledFrom([]string{"one", "two", ""}).Draw(t, "owner")
				if err := s.ReleaseLeases(ctx, owner); err != nil {
					t.Fatal(err)
				}
				for _, it := range m.items {
					if owner == "" || it.Owner == owner {
						it.Owner, it.Lease = "", time.Time{}
					}
				}
			},
			"": func(t *rapid.T) {
				counts, _, err := s.OutboxStats(ctx)
				if err != nil {
					t.Fatal(err)
				}
				want := map[store.ItemKind]map[store.ItemPhase]int{}
				for _, it := range m.items {
					if want[it.Kind] == nil {
						want[it.Kind] = map[store.ItemPhase]int{}
					}
					want[it.Kind][it.Phase]++
				}
				if fmt.Sprint(counts) != fmt.Sprint(want) {
					t.Fatalf("the outbox holds %v, want %v", counts, want)
				}
			},
		})
	})
	if claims == 0 {
		t.Error("no run claimed anything")
	}
}
