package engine

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/store"
)

// sum is the sum of a metric's values.
func sum(t *testing.T, m prometheus.Collector) (n float64) {
	t.Helper()
	registry := prometheus.NewRegistry()
	if err := registry.Register(m); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, series := range f.GetMetric() {
			n += series.GetCounter().GetValue() + series.GetGauge().GetValue()
		}
	}
	return n
}

// Operators see work that waits for a worker, whether one integration or all have taken their
// share, and see nothing while there are workers.
func TestWorkThatUsesUpTheWorkersIsCounted(t *testing.T) {
	t.Parallel()
	m := NewMetrics()
	w := newWorkers(4, m)
	hits := func() float64 { return sum(t, m.limits) }
	for i, step := range []struct {
		integration string
		hits        float64
	}{{"a", 0}, {"b", 0}, {"a", 1}, {"b", 2}} {
		w.take(store.WorkMail, step.integration)
		if got := sum(t, m.workers); got != float64(i+1) {
			t.Errorf("%v workers are shown as busy, want %d", got, i+1)
		}
		if got := hits(); got != step.hits {
			t.Errorf("after another item of %s: %v hits, want %v", step.integration, got, step.hits)
		}
	}
	for _, id := range []string{"a", "a", "b", "b"} {
		w.free(store.WorkMail, id)
	}
	if got := sum(t, m.workers); got != 0 {
		t.Errorf("%v workers are shown as busy, want none", got)
	}
	for i, id := range []string{"a", "b", "c", "d"} {
		w.take(store.WorkMail, id)
		want := 2.0
		if i == 3 { // none has used up its share, and all workers are busy
			want = 3
		}
		if got := hits(); got != want {
			t.Errorf("after the item of %s: %v hits, want %v", id, got, want)
		}
	}
}
