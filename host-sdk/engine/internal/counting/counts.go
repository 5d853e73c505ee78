package counting

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Counts counts what the engine does. It is a prometheus.Collector.
type Counts struct {
	runs      *prometheus.CounterVec
	conflicts *prometheus.CounterVec
	items     *prometheus.CounterVec
	workers   *prometheus.GaugeVec
	limits    *prometheus.CounterVec
	abandoned *prometheus.CounterVec

	platformCalls *prometheus.CounterVec
	platformTimes *prometheus.HistogramVec

	deferredWebhooks *prometheus.CounterVec

	calls      *callMetrics
	limitNames words
}

// New makes counts that are not yet registered anywhere.
func New() *Counts {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "livecall", Subsystem: "engine", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "livecall", Subsystem: "engine", Name: name, Help: help}, labels)
	}
	return &Counts{
		calls:         newCallMetrics(),
		runs:          counter("handler_runs_total", "Runs of a handler, by handler and error kind (ok when none).", "handler", "result"),
		conflicts:     counter("conflicts_total", "Runs repeated because the session had moved.", "handler"),
		items:         counter("outbox_items_total", "Outbox items by kind and what became of them.", "kind", "result"),
		workers:       gauge("workers_busy", "Outbox items being worked, by kind of work; those of kind dial wait for their turn.", "work"),
		limits:        counter("limits_hit_total", "Times that something was refused, cut or put off because of a limit, by the limit, such as calls_per_number.", "limit"),
		abandoned:     counter("abandoned_calls_total", "Calls that were given up since they did not return in time, by callee.", "callee"),
		platformCalls: counter("platform_calls_total", "Calls of the platform's methods, by method and error kind (ok when none); watch is counted when it breaks.", "method", "result"),
		platformTimes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "livecall", Subsystem: "engine", Name: "platform_call_duration_seconds",
			Help:    "How long calls of the platform's methods took, by method.",
			Buckets: []float64{0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30},
		}, []string{"method"}),
		deferredWebhooks: counter("deferred_webhooks_total", "Webhooks that could not be handled when they came and whose answer is ignored, by what became of them: kept, or answered 503 because there is no_session, there are too_many, or they are not_stored.", "result"),
	}
}

// collectors are all metrics.
func (m *Counts) collectors() []prometheus.Collector {
	return append(m.calls.collectors(), m.runs, m.conflicts, m.items, m.workers, m.limits, m.abandoned, m.platformCalls, m.platformTimes, m.deferredWebhooks)
}

// Describe implements prometheus.Collector.
func (m *Counts) Describe(c chan<- *prometheus.Desc) {
	for _, one := range m.collectors() {
		one.Describe(c)
	}
}

// Collect implements prometheus.Collector.
func (m *Counts) Collect(c chan<- prometheus.Metric) {
	for _, one := range m.collectors() {
		one.Collect(c)
	}
}

// LimitHit counts that a host has refused or cut something because of a limit. The name is lower
// case with underscores, such as wrong_tokens.
func (m *Counts) LimitHit(name string) { m.limits.WithLabelValues(m.limitNames.label(name)).Inc() }

// Lines counts the limits that log lines tell of: the call flow is pure, so that is how it counts.
func (m *Counts) Lines(lines []integration.LogLine) {
	for _, l := range lines {
		if name := l.Attrs[integration.LogLimit]; name != "" {
			m.LimitHit(name)
		}
	}
}

// Committed counts what a commit has changed in the view of a call; before is nil at its first.
func (m *Counts) Committed(integrationID string, before, after *integration.CallView, now time.Time) {
	m.calls.committed(integrationID, before, after, now)
}

// Deferred counts a webhook whose answer is ignored and that could not be handled when it came, by
// what became of it.
func (m *Counts) Deferred(result string) { m.deferredWebhooks.WithLabelValues(result).Inc() }

// Watch is the platform's method that lasts as long as the engine.
const Watch = "watch"

// Ran counts a run of a handler by its error kind.
func (m *Counts) Ran(handler string, err error) {
	m.runs.WithLabelValues(handler, resultOf(err)).Inc()
}

// Asked counts a call of one of the platform's methods. Watching lasts as long as the engine, so
// only that it broke is counted.
func (m *Counts) Asked(method string, took time.Duration, err error) {
	m.platformCalls.WithLabelValues(method, resultOf(err)).Inc()
	if method != Watch {
		m.platformTimes.WithLabelValues(method).Observe(took.Seconds())
	}
}

// resultOf is the label of an outcome: the error's kind, or ok.
func resultOf(err error) string {
	if err == nil {
		return "ok"
	}
	return string(integration.KindOf(err))
}

// Conflict counts a run that begins again.
func (m *Counts) Conflict(handler string) { m.conflicts.WithLabelValues(handler).Inc() }

// Item counts an outbox item by what became of it, such as done, retried or failed.
func (m *Counts) Item(kind store.ItemKind, result string) {
	m.items.WithLabelValues(string(kind), result).Inc()
}

// Busy notes how many items of a kind of work are being worked.
func (m *Counts) Busy(work store.Work, n int) {
	m.workers.WithLabelValues(string(work)).Set(float64(n))
}

// Abandon counts a call that did not return in time.
func (m *Counts) Abandon(callee string) { m.abandoned.WithLabelValues(callee).Inc() }
