package counting

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// exposed holds the series of some names, as they are scraped, against what is wanted.
func exposed(t *testing.T, m *Counts, want string, names ...string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	var got []string
	for line := range strings.Lines(rec.Body.String()) {
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(line, name) }) {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(want), "\n"), got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestACallIsCountedOnceByItsEndAndEachPersonByTheirOutcome(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	leg := func(id, state, reason string, ended int) integration.LegView {
		l := integration.LegView{ID: id, Role: integration.RoleResponder, Phone: "+12025550101", State: state, Reason: reason}
		if ended > 0 {
			l.EndedAt = at(ended)
		}
		return l
	}
	caller := integration.LegView{ID: "caller", Role: integration.RoleCaller, State: "talking"}
	view := func(ended string, end int, legs ...integration.LegView) *integration.CallView {
		v := &integration.CallView{ID: "K", From: "+12025550143", StartedAt: start, Ended: ended, Legs: append([]integration.LegView{caller}, legs...)}
		if end > 0 {
			v.EndedAt = at(end)
		}
		return v
	}
	m := New()
	steps := []struct {
		now  int
		view *integration.CallView
	}{
		{0, view("", 0)},
		{5, view("", 0, leg("1", "planned", "", 0), leg("2", "planned", "", 0))},
		// 2 was never asked to ring.
		{6, view("", 0, leg("1", "ringing", "", 0), leg("2", "ended", "taken", 6))},
		{31, view("", 0, leg("1", "unreached", "no_answer", 31), leg("3", "ringing", "", 0))},
		{42, view("", 0, leg("1", "unreached", "no_answer", 31), leg("3", "talking", "", 0))},
		{99, view("connected", 99, leg("1", "unreached", "no_answer", 31), leg("3", "ended", "talked", 99))},
		// A late commit.
		{120, view("connected", 99, leg("1", "unreached", "no_answer", 31), leg("3", "ended", "talked", 99))},
	}
	var before *integration.CallView
	for _, s := range steps {
		m.calls.committed("int_1", before, s.view, at(s.now))
		before = s.view
	}
	m.calls.committed("int_1", nil, nil, start) // a session without a call
	exposed(t, m, `
livecall_calls_ended_total{end="connected",integration="int_1"} 1
livecall_calls_started_total{integration="int_1"} 1
livecall_people_rung_total{integration="int_1",outcome="no_answer"} 1
livecall_people_rung_total{integration="int_1",outcome="talked"} 1
livecall_time_to_human_seconds_bucket{le="5"} 0
livecall_time_to_human_seconds_bucket{le="10"} 0
livecall_time_to_human_seconds_bucket{le="15"} 0
livecall_time_to_human_seconds_bucket{le="20"} 0
livecall_time_to_human_seconds_bucket{le="30"} 0
livecall_time_to_human_seconds_bucket{le="45"} 1
livecall_time_to_human_seconds_bucket{le="60"} 1
livecall_time_to_human_seconds_bucket{le="90"} 1
livecall_time_to_human_seconds_bucket{le="120"} 1
livecall_time_to_human_seconds_bucket{le="180"} 1
livecall_time_to_human_seconds_bucket{le="300"} 1
livecall_time_to_human_seconds_bucket{le="600"} 1
livecall_time_to_human_seconds_bucket{le="1200"} 1
livecall_time_to_human_seconds_bucket{le="3600"} 1
livecall_time_to_human_seconds_bucket{le="+Inf"} 1
livecall_time_to_human_seconds_sum 42
livecall_time_to_human_seconds_count 1
`, "livecall_calls_started_total", "livecall_calls_ended_total", "livecall_people_rung_total", "livecall_time_to_human_seconds")
}

func TestALimitThatALogLineNamesIsCounted(t *testing.T) {
	t.Parallel()
	m := New()
	m.Lines([]integration.LogLine{{Message: "too often", Attrs: map[string]string{integration.LogLimit: "calls_per_number"}}, {Message: "another line"}})
	m.LimitHit("wrong_tokens")
	exposed(t, m, `
livecall_engine_limits_hit_total{limit="calls_per_number"} 1
livecall_engine_limits_hit_total{limit="wrong_tokens"} 1
`, "livecall_engine_limits_hit_total")
}

// What a plugin says must not make time series without end, nor carry a number into a label.
func TestLabelsStayFewWhateverAPluginSays(t *testing.T) {
	t.Parallel()
	m := New()
	for i := range 1000 {
		for _, word := range []string{fmt.Sprintf("word_%d", i), fmt.Sprintf("+1202555%04d", i), "", strings.Repeat("a", i)} {
			m.calls.committed("int_1", &integration.CallView{}, &integration.CallView{Ended: word, EndedAt: time.Unix(1, 0)}, time.Unix(1, 0))
		}
	}
	series := make(chan prometheus.Metric, 10_000)
	m.calls.ended.Collect(series)
	if n := len(series); n > maxWords+1 {
		t.Errorf("%d time series", n)
	}
}
