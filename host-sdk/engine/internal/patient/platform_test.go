package patient

import (
	"context"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// watchable is a platform that can be watched alone.
type watchable struct {
	platform.Platform
	watch func(ctx context.Context) error
}

func (w watchable) Watch(ctx context.Context, _ func(platform.Hint)) error { return w.watch(ctx) }

// watches are the counted watches of a platform, by result.
func watches(t *testing.T, counts *counting.Counts) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(counts)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "livecall_engine_platform_calls_total" {
			continue
		}
		for _, series := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range series.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			got[labels["method"]+" "+labels["result"]] = series.GetCounter().GetValue()
		}
	}
	return got
}

// Operators see that the watch of a platform broke. That it ends with the engine says nothing of
// the platform.
func TestOnlyAWatchThatBreaksIsCounted(t *testing.T) {
	t.Parallel()
	counts := counting.New()
	p := New(counts, slog.New(slog.DiscardHandler))
	down := integration.Errorf(integration.KindUnavailable, "down")
	broken := p.Platform(watchable{watch: func(context.Context) error { return down }}, nil)
	for range 2 {
		if err := broken.Watch(t.Context(), nil); integration.KindOf(err) != integration.KindUnavailable {
			t.Errorf("a broken watch: %v", err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	lasting := p.Platform(watchable{watch: func(ctx context.Context) error { end(); <-ctx.Done(); return ctx.Err() }}, nil)
	if err := lasting.Watch(ended, nil); err == nil {
		t.Error("a watch ends with the engine, and says nothing")
	}
	if diff := cmp.Diff(map[string]float64{"watch unavailable": 2}, watches(t, counts)); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}
