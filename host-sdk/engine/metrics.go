package engine

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
)

// Metrics counts what the engine does. It is a prometheus.Collector: register it where /metrics is
// served.
type Metrics struct{ counts *counting.Counts }

// NewMetrics makes metrics that are not yet registered anywhere.
func NewMetrics() *Metrics { return &Metrics{counting.New()} }

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(c chan<- *prometheus.Desc) { m.counts.Describe(c) }

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(c chan<- prometheus.Metric) { m.counts.Collect(c) }

// LimitHit counts that a host has refused or cut something because of a limit. The name is lower
// case with underscores, such as wrong_tokens.
func (m *Metrics) LimitHit(name string) { m.counts.LimitHit(name) }
