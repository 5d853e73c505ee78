package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestCacheKeepsTheLastKnownValue(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_800_000_000, 0)
	var c cache[string, int]
	if _, ok := c.get("a"); ok {
		t.Error("an empty cache has a value")
	}
	c.put("a", 1, start)
	for age, want := range map[time.Duration]bool{0: true, 999 * time.Millisecond: true, time.Second: false, time.Hour: false} {
		if v, fresh := c.fresh("a", start.Add(age), time.Second); v != 1 || fresh != want {
			t.Errorf("at the age of %v: %d, fresh %v; want 1, %v", age, v, fresh, want)
		}
	}
	c.put("a", 2, start.Add(time.Hour))
	if got, ok := c.get("a"); !ok || got.value != 2 || !got.at.Equal(start.Add(time.Hour)) {
		t.Errorf("got %+v, %v", got, ok)
	}
	c.forget("a")
	if v, fresh := c.fresh("a", start, time.Hour); fresh || v != 0 {
		t.Errorf("a forgotten value is still there: %d", v)
	}
}

func TestAFullCacheDropsWhatIsOld(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_800_000_000, 0)
	keys := func(c *cache[int, string]) []int {
		var out []int
		for k := range 10 {
			if _, ok := c.get(k); ok {
				out = append(out, k)
			}
		}
		return out
	}
	aged := cache[int, string]{limit: 3, keep: time.Hour}
	whole := cache[int, string]{limit: 3}
	endless := cache[int, string]{}
	for k := range 6 {
		at := start.Add(time.Duration(k) * 30 * time.Minute)
		aged.put(k, "", at)
		whole.put(k, "", at)
		endless.put(k, "", at)
	}
	if diff := cmp.Diff([]int{4, 5}, keys(&aged)); diff != "" {
		t.Errorf("when it is full those of the last hour are kept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{3, 4, 5}, keys(&whole)); diff != "" {
		t.Errorf("without an age it starts over (-want +got):\n%s", diff)
	}
	if got := len(keys(&endless)); got != 6 {
		t.Errorf("without a limit %d of 6 are kept", got)
	}
}

func TestTaskItems(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	later, last := now.Add(time.Minute), now.Add(time.Hour)
	for name, tc := range map[string]struct {
		task integration.Task
		want store.Item
	}{
		"at once":             {integration.Task{Name: "t", Generation: 2}, store.Item{Kind: store.ItemTask, Lane: "task/t", Name: "t", Generation: 2, Due: now, NotAfter: now.Add(time.Hour)}},
		"long ago":            {integration.Task{Name: "t", At: now.Add(-time.Hour)}, store.Item{Kind: store.ItemTask, Lane: "task/t", Name: "t", Due: now, NotAfter: now.Add(time.Hour)}},
		"later":               {integration.Task{Name: "t", At: later}, store.Item{Kind: store.ItemTask, Lane: "task/t", Name: "t", Due: later, NotAfter: later.Add(time.Hour)}},
		"with an end":         {integration.Task{Name: "t", At: later, NotAfter: last}, store.Item{Kind: store.ItemTask, Lane: "task/t", Name: "t", Due: later, NotAfter: last}},
		"a timer has no lane": {integration.Task{Name: "t", Timer: true, At: later}, store.Item{Kind: store.ItemTimer, Name: "t", Due: later}},
		"cancelled":           {integration.Task{Name: "t", Timer: true, Cancel: true, Generation: 3}, store.Item{Kind: store.ItemTimer, Name: "t", Generation: 3, Cancel: true, Due: now}},
	} {
		if diff := cmp.Diff(tc.want, taskItem(tc.task, now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnOutcomeIsOneCommit(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	none := loaded{facts: integration.Facts{Now: now}, integration: store.Integration{ID: "i", Revision: 7}}
	known := none
	known.session = &store.Session{Session: integration.Session{Version: 4}, Revision: 3}
	j := job{integration: "i", key: "K", handler: "task"}

	c, err := j.commit(none, integration.Outcome{})
	if diff := cmp.Diff(store.Commit{Integration: "i", Key: "K", Now: now}, c); err != nil || diff != "" {
		t.Errorf("a quiet outcome: %v (-want +got):\n%s", err, diff)
	}
	j.done, j.extra = &store.Item{ID: 9}, []store.Item{{Name: "next"}}
	c, err = j.commit(known, integration.Outcome{
		Session:  &integration.SessionUpdate{State: []byte("s"), Format: 2, AlertKey: "a", Occupies: []string{"alice"}, Live: true, ExpiresAt: now.Add(time.Hour), Call: &integration.CallView{ID: "K"}},
		Findings: []integration.Finding{{Code: "c"}},
		Alert:    []integration.AlertCommand{{Number: 1}, {Number: 2}},
		Mail:     []integration.Mail{{Key: "m"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Version != 4 || c.Done != 9 || len(c.Findings) != 1 || len(c.Items) != 4 || c.Items[0].Name != "next" {
		t.Errorf("commit %+v", c)
	}
	want := &store.Session{
		Session: integration.Session{Key: "K", State: []byte("s"), Format: 2}, Integration: "i", Revision: 7,
		AlertKey: "a", Occupies: []string{"alice"}, Live: true, ExpiresAt: now.Add(time.Hour), Call: &integration.CallView{ID: "K"},
		Alert: &store.AlertMemory{Commands: store.CommandsGiven, Last: 2},
	}
	if diff := cmp.Diff(want, c.Session); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
	for i, lane := range []string{"", "alert", "alert", ""} {
		it := c.Items[i]
		if it.Lane != lane || i > 0 && (it.Integration != "i" || it.Key != "K" || !it.NotAfter.Equal(now.Add(24*time.Hour)) || !it.Due.Equal(now)) {
			t.Errorf("item %d: %+v", i, it)
		}
	}
	// A time beyond the year 9999 cannot be written.
	far := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, o := range map[string]integration.Outcome{
		"command": {Alert: []integration.AlertCommand{{At: far}}},
		"task":    {Tasks: []integration.Task{{At: far}}},
		"mail":    {Mail: []integration.Mail{{At: far}}},
	} {
		if _, err := j.commit(known, o); err == nil {
			t.Errorf("a %s that cannot be written is committed", name)
		}
	}
	j.key = ""
	for name, o := range map[string]integration.Outcome{
		"session": {Session: &integration.SessionUpdate{}}, "command": {Alert: []integration.AlertCommand{{}}},
		"task": {Tasks: []integration.Task{{}}}, "mail": {Mail: []integration.Mail{{}}},
	} {
		if _, err := j.commit(none, o); integration.KindOf(err) != integration.KindInternal {
			t.Errorf("a %s for a request that names no session: %v", name, err)
		}
	}
	if _, err := j.commit(none, integration.Outcome{Findings: []integration.Finding{{Code: "c"}}}); err != nil {
		t.Errorf("findings need no session: %v", err)
	}
}

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	t.Parallel()
	within := func(got, want time.Duration) bool { return got >= want*4/5 && got <= want*6/5+1 }
	for attempt, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 7: time.Minute, 29: time.Minute, 30: time.Minute, 1000: time.Minute} {
		for range 20 {
			if got := backoff(attempt, time.Second, time.Minute); !within(got, want) {
				t.Errorf("attempt %d waits %v, want about %v", attempt, got, want)
			}
		}
	}
}

func TestALockIsGivenBackAndWaitedFor(t *testing.T) {
	t.Parallel()
	var k keyedMutex
	a, b := sessionRef{"i", "a"}, sessionRef{"i", "b"}
	lock, err := k.lock(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	other, err := k.lock(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	other.release()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := k.lock(over, a); !errors.Is(err, context.Canceled) {
		t.Errorf("a held lock was given away: %v", err)
	}
	if again, err := k.lock(context.Background(), b); err != nil {
		t.Errorf("a lock that was used before: %v", err)
	} else {
		again.release()
	}
	got := make(chan heldLock)
	go func() {
		next, err := k.lock(context.Background(), a)
		if err != nil {
			t.Error(err)
		}
		got <- next
	}()
	lock.release()
	(<-got).release()
	if len(k.m) != 0 {
		t.Errorf("%d locks are left though nobody holds one", len(k.m))
	}
}

// TestALockThatIsUsedAgainKeepsOthersOut lets many hold few keys by turns, so that each lock is
// used for one key after the other, and counts who is inside.
func TestALockThatIsUsedAgainKeepsOthersOut(t *testing.T) {
	t.Parallel()
	var k keyedMutex
	var inside [3]atomic.Int32
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				key := (n + i) % len(inside)
				lock, err := k.lock(context.Background(), sessionRef{"i", string(rune('a' + key))})
				if err != nil {
					t.Error(err)
					return
				}
				if inside[key].Add(1) != 1 {
					t.Error("two hold one key")
				}
				inside[key].Add(-1)
				lock.release()
			}
		})
	}
	wg.Wait()
	if len(k.m) != 0 || len(k.free) > locksKept {
		t.Errorf("%d locks are left, %d are free", len(k.m), len(k.free))
	}
}

func TestFailuresKeepTheirParts(t *testing.T) {
	t.Parallel()
	if (*failure)(nil).error() != nil {
		t.Error("no failure is an error")
	}
	got := (&failure{integration.KindInvalid, "m", "f", "c"}).error()
	if diff := cmp.Diff(&integration.Error{Kind: integration.KindInvalid, Message: "m", Field: "f", Code: "c"}, got); diff != "" {
		t.Error(diff)
	}
}

// deletions is a store that can only end items.
type deletions struct {
	store.Store
	ids []int64
}

func (d *deletions) DeleteItem(_ context.Context, it store.Item) error {
	d.ids = append(d.ids, it.ID)
	return nil
}

func TestResultsThatCannotBeReadAreGivenUp(t *testing.T) {
	t.Parallel()
	st := &deletions{}
	e, err := New(Config{
		Store: st, Platform: struct{ platform.Platform }{}, Plugins: struct{ Plugins }{}, EndpointURL: func(string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range []store.Item{
		{Kind: store.ItemTask, Result: []byte("{"), Body: []byte("{}")},
		{Kind: store.ItemTask, Result: []byte("{}"), Body: []byte("{")},
		{Kind: store.ItemCommand, Result: []byte("{}"), Body: []byte("{")},
		{Kind: store.ItemMail, Result: []byte("{}"), Body: []byte("{")},
	} {
		it.ID, it.Phase = int64(i+1), store.PhaseResult
		e.outbox.process(context.Background(), it)
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 4}, st.ids); diff != "" {
		t.Errorf("ended (-want +got):\n%s", diff)
	}
}

func TestNewFillsInWhatIsOptional(t *testing.T) {
	t.Parallel()
	cfg := Config{Store: &deletions{}, Platform: struct{ platform.Platform }{}, Plugins: struct{ Plugins }{}, EndpointURL: func(string) string { return "" }}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if e.clock == nil || e.log == nil || e.metrics == nil || e.cfg.MediaURL(store.Medium{}) != "" || e.outbox.workers.each != 16 {
		t.Errorf("engine %+v", e.cfg)
	}
	own := cfg
	own.Workers, own.Metrics = 3, NewMetrics()
	if e, err = New(own); err != nil || e.metrics != own.Metrics.counts || e.outbox.workers.each != 3 {
		t.Errorf("%d workers, metrics replaced %v, %v", e.outbox.workers.each, e.metrics != own.Metrics.counts, err)
	}
	for name, spoil := range map[string]func(*Config){
		"Store": func(c *Config) { c.Store = nil }, "Platform": func(c *Config) { c.Platform = nil },
		"Plugins": func(c *Config) { c.Plugins = nil }, "EndpointURL": func(c *Config) { c.EndpointURL = nil },
	} {
		c := cfg
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("an engine without %s", name)
		}
	}
}

func TestSnapshotsAreComparedWithoutTimeAndNumber(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	open := &integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen, ReadAt: at}
	later := &integration.AlertSnapshot{Key: "K", Status: integration.AlertOpen, Change: 7, ReadAt: at.Add(time.Hour)}
	closed := &integration.AlertSnapshot{Key: "K", Status: integration.AlertResolved, ReadAt: at}
	for _, tc := range []struct {
		a, b *integration.AlertSnapshot
		want bool
	}{{nil, nil, true}, {nil, open, false}, {open, nil, false}, {open, later, true}, {open, closed, false}} {
		if got := sameSnapshot(tc.a, tc.b); got != tc.want {
			t.Errorf("%+v and %+v: same %v", tc.a, tc.b, got)
		}
	}
}

func TestOneReaderOfAnAlertAtATime(t *testing.T) {
	t.Parallel()
	var s singleFlight
	a, b := platform.Hint{AlertKey: "a"}, platform.Hint{AlertKey: "b"}
	if !s.begin(a) || !s.begin(b) {
		t.Fatal("nobody reads, and yet there is somebody")
	}
	for range 2 {
		if s.begin(a) {
			t.Error("two readers of one alert")
		}
	}
	if !s.end(a) {
		t.Error("the alert changed while it was being read, and is not read again")
	}
	if s.end(a) {
		t.Error("it is read a third time without a change")
	}
	if s.end(b) {
		t.Error("the other alert is read again")
	}
	if !s.begin(a) || len(s.reading) != 1 {
		t.Errorf("after the last read %d are being read, want the new one", len(s.reading))
	}
}

// A full cache of values that are all in use grows without being looked through at every put.
func TestAFullCacheIsNotLookedThroughAtEveryPut(t *testing.T) {
	t.Parallel()
	c := cache[int, int]{limit: 4, keep: time.Hour}
	now := time.Now()
	tidied := 0
	for i := range 1000 {
		before := c.tidyAt
		c.put(i, i, now)
		if c.tidyAt != before {
			tidied++
		}
	}
	if len(c.m) != 1000 || tidied < 1 || tidied > 10 {
		t.Errorf("%d values, looked through %d times", len(c.m), tidied)
	}
	for i := range 2000 {
		c.put(-i, i, now.Add(2*time.Hour))
	}
	if _, ok := c.get(999); ok {
		t.Error("an old value is never dropped")
	}
}
