package counting

import (
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// callMetrics counts what becomes of calls, from what their views were before and after a commit. A
// commit happens once, whatever was repeated on the way, so each call and each person counts once,
// also if several hosts share a store. The words of ends and outcomes are the plugin's, so they are
// bounded (see words).
type callMetrics struct {
	started *prometheus.CounterVec
	ended   *prometheus.CounterVec
	rung    *prometheus.CounterVec
	toHuman prometheus.Histogram

	ends, outcomes words
}

// newCallMetrics makes the metrics without registering them: see collectors.
func newCallMetrics() *callMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "livecall", Name: name, Help: help}, labels)
	}
	return &callMetrics{
		started: counter("calls_started_total", "Calls that came in, by integration.", "integration"),
		ended:   counter("calls_ended_total", "Calls that are over, by integration and the flow's word for how they ended, such as connected, message_left, hung_up.", "integration", "end"),
		rung:    counter("people_rung_total", "Calls to people that are over, by integration and the flow's word for what came of them, such as talked, no_answer, busy, passed.", "integration", "outcome"),
		toHuman: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "livecall", Name: "time_to_human_seconds", Help: "Time from a call's start until the caller speaks with the first person.",
			// Seconds. They are fine where a caller's patience is decided and coarse after that;
			// the last is an hour.
			Buckets: []float64{5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 3600},
		}),
	}
}

// collectors are what a host registers with its registry.
func (m *callMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.started, m.ended, m.rung, m.toHuman}
}

// committed counts what a commit has changed in the view of a call; before is nil at its first.
// Each thing is counted at the moment at which the view begins to say it.
func (m *callMetrics) committed(integrationID string, before, after *integration.CallView, now time.Time) {
	if after == nil {
		return
	}
	if before == nil {
		m.started.WithLabelValues(integrationID).Inc()
		before = &integration.CallView{}
	}
	if before.EndedAt.IsZero() && !after.EndedAt.IsZero() {
		m.ended.WithLabelValues(integrationID, m.ends.label(after.Ended)).Inc()
	}
	known := map[string]integration.LegView{}
	for _, l := range before.Legs {
		known[l.ID] = l
	}
	for _, l := range after.Legs {
		old := known[l.ID]
		// A leg that was given up before it was dialed rang nobody.
		neverRang := old.State == integration.LegPlanned || old.ID == "" && l.State == integration.LegPlanned
		if l.Role != integration.RoleResponder || l.EndedAt.IsZero() || !old.EndedAt.IsZero() || neverRang {
			continue
		}
		outcome := l.Reason
		if outcome == "" {
			outcome = l.State
		}
		m.rung.WithLabelValues(integrationID, m.outcomes.label(outcome)).Inc()
	}
	if !spoke(before) && spoke(after) && !after.StartedAt.IsZero() {
		m.toHuman.Observe(max(0, now.Sub(after.StartedAt).Seconds()))
	}
}

// spoke reports whether the caller speaks, or has spoken, with a person.
func spoke(c *integration.CallView) bool {
	for _, l := range c.Legs {
		if l.Role == integration.RoleResponder && (l.State == integration.LegTalking || l.Reason == integration.LegTalked) {
			return true
		}
	}
	return false
}

// maxWords is how many different values a label may take that a plugin chooses: each is a time
// series for every integration, and a monitoring system keeps them all.
const maxWords = 64

// labelWord is what a word of a plugin must look like to become the value of a label.
var labelWord = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

// words keeps the values of a label few and short, whatever a plugin says: each value is a time
// series for ever.
type words struct {
	mu   sync.Mutex
	seen map[string]bool
}

// label is the word, or other where it is none or too many are known.
func (w *words) label(word string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.seen[word]:
	case len(w.seen) >= maxWords, !labelWord.MatchString(word):
		return "other"
	case w.seen == nil:
		w.seen = map[string]bool{word: true}
	default:
		w.seen[word] = true
	}
	return word
}
