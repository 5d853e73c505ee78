package engine

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Metrics counts what the engine does. It is a prometheus.Collector: register it where /metrics is
// served.
type Metrics struct {
	runs      *prometheus.CounterVec
	conflicts *prometheus.CounterVec
	items     *prometheus.CounterVec

	deferredWebhooks *prometheus.CounterVec
}

// NewMetrics makes metrics that are not yet registered anywhere.
func NewMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "livecall", Subsystem: "engine", Name: name, Help: help}, labels)
	}
	return &Metrics{
		runs:             counter("handler_runs_total", "Runs of a handler, by handler and error kind (ok when none).", "handler", "result"),
		conflicts:        counter("conflicts_total", "Runs repeated because the session had moved.", "handler"),
		items:            counter("outbox_items_total", "Outbox items by kind and what became of them.", "kind", "result"),
		deferredWebhooks: counter("deferred_webhooks_total", "Webhooks that could not be handled when they came and whose answer is ignored, by what became of them: kept, or answered 503 because there is no_session, there are too_many, or they are not_stored.", "result"),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(c chan<- *prometheus.Desc) {
	m.runs.Describe(c)
	m.conflicts.Describe(c)
	m.items.Describe(c)
	m.deferredWebhooks.Describe(c)
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(c chan<- prometheus.Metric) {
	m.runs.Collect(c)
	m.conflicts.Collect(c)
	m.items.Collect(c)
	m.deferredWebhooks.Collect(c)
}

// ran counts a run of a handler by its error kind.
func (m *Metrics) ran(handler string, err error) {
	result := "ok"
	if err != nil {
		result = string(integration.KindOf(err))
	}
	m.runs.WithLabelValues(handler, result).Inc()
}

// conflict counts a run that begins again.
func (m *Metrics) conflict(handler string) { m.conflicts.WithLabelValues(handler).Inc() }

// item counts an outbox item: done, retried or failed.
func (m *Metrics) item(kind store.ItemKind, result string) {
	m.items.WithLabelValues(string(kind), result).Inc()
}
