package outbox

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// sum is the sum of the values of a name among metrics.
func sum(t *testing.T, m prometheus.Collector, name string) (n float64) {
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
		if f.GetName() != name {
			continue
		}
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
	m := counting.New()
	w := newWorkers(4, m)
	hits := func() float64 { return sum(t, m, "livecall_engine_limits_hit_total") }
	for i, step := range []struct {
		integration string
		hits        float64
	}{{"a", 0}, {"b", 0}, {"a", 1}, {"b", 2}} {
		w.take(store.WorkMail, step.integration)
		if got := sum(t, m, "livecall_engine_workers_busy"); got != float64(i+1) {
			t.Errorf("%v workers are shown as busy, want %d", got, i+1)
		}
		if got := hits(); got != step.hits {
			t.Errorf("after another item of %s: %v hits, want %v", step.integration, got, step.hits)
		}
	}
	for _, id := range []string{"a", "a", "b", "b"} {
		w.free(store.WorkMail, id)
	}
	if got := sum(t, m, "livecall_engine_workers_busy"); got != 0 {
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
