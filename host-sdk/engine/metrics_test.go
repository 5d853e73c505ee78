package engine_test

import (
	"context"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// counted is the value of one of the engine's counters, or how often a histogram was filled.
func counted(t *testing.T, m *engine.Metrics, name string, labels ...string) float64 {
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
		if f.GetName() != "livecall_engine_"+name {
			continue
		}
		for _, series := range f.GetMetric() {
			var values []string
			for _, l := range series.GetLabel() {
				values = append(values, l.GetValue())
			}
			if slices.Equal(values, labels) {
				if h := series.GetHistogram(); h != nil {
					return float64(h.GetSampleCount())
				}
				return series.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestRunsAndConflictsAreCounted(t *testing.T) {
	t.Parallel()
	m := engine.NewMetrics()
	h := newHost(t, func(c *engine.Config) { c.Metrics = m })
	h.plugin.webhook = counting
	h.expect(t, "/c/K/x", "1", "the first request")
	h.store.alwaysConflict.Store(true)
	commits := h.store.count()
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("a session that always moves: %v", err)
	}
	if got := h.store.count() - commits; got != 5 {
		t.Errorf("tried %d times, want 5", got)
	}
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{}, integration.ErrPluginGone
	}
	_, _ = h.post(t, "/c/K/x", "")
	for labels, want := range map[[2]string]float64{{"webhook", "ok"}: 1, {"webhook", "conflict"}: 1, {"webhook", "unavailable"}: 1} {
		if got := counted(t, m, "handler_runs_total", labels[:]...); got != want {
			t.Errorf("%v: %v runs, want %v", labels, got, want)
		}
	}
	if got := counted(t, m, "conflicts_total", "webhook"); got != 4 {
		t.Errorf("%v conflicts that were tried again, want 4", got)
	}
}

func TestItemsAreCountedByWhatBecameOfThem(t *testing.T) {
	t.Parallel()
	m := engine.NewMetrics()
	mailer := &sentMail{fail: map[string]int{"bob@example.com": 1}}
	h := newHost(t, func(c *engine.Config) { c.Metrics, c.Mailer = m, mailer })
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		if req.Task.Name == "bad" {
			return integration.TaskResult{}, integration.Errorf(integration.KindInvalid, "never")
		}
		return integration.TaskResult{}, nil
	}
	h.plugin.webhook = once(integration.Outcome{
		Tasks: []integration.Task{{Name: "good", Generation: 1}, {Name: "bad", Generation: 1}, {Name: "timer", Generation: 1, Timer: true}},
		Alert: []integration.AlertCommand{{Number: 1, Kind: integration.AlertLog, AlertKey: "K"}},
		Mail:  []integration.Mail{{Key: "m", To: []integration.Recipient{{Address: "bob@example.com"}, {Address: "nobody@example.com"}}}},
	})
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	for labels, want := range map[[2]string]float64{
		{"task", "done"}: 1, {"task", "failed"}: 1, {"timer", "done"}: 1, {"command", "done"}: 1,
		{"mail", "done"}: 1, {"mail", "retried"}: 1, {"mail", "failed"}: 1,
	} {
		if got := counted(t, m, "outbox_items_total", labels[:]...); got != want {
			t.Errorf("%v: %v items, want %v", labels, got, want)
		}
	}
}

func TestMetricsDescribeThemselves(t *testing.T) {
	t.Parallel()
	c := make(chan *prometheus.Desc, 100)
	engine.NewMetrics().Describe(c)
	if len(c) < 4 {
		t.Errorf("%d descriptions, want at least 4", len(c))
	}
}

// A limit that a log line tells of is counted, whether the handler changed anything or not.
func TestLimitsInLogLinesAreCounted(t *testing.T) {
	t.Parallel()
	m := engine.NewMetrics()
	h := newHost(t, func(c *engine.Config) { c.Metrics = m })
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("done"), Log: []integration.LogLine{{Message: "too often", Attrs: map[string]string{integration.LogLimit: "calls_per_number"}}}}
		if req.Path == "/c/K/change" {
			o.Session = remember(1)
		}
		return o, nil
	}
	for i, path := range []string{"/c/K/quiet", "/c/K/change", "/c/K/quiet"} {
		h.expect(t, path, "done", "a request")
		if got := counted(t, m, "limits_hit_total", "calls_per_number"); got != float64(i+1) {
			t.Errorf("after request %d: %v counted", i+1, got)
		}
	}
}
