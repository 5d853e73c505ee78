package integrationtests

import (
	"strings"
	"testing"
)

// The host counts by a few words of the plugin's, so the two must agree on them.
func TestMetricsTellHowACallEndedAndWhoWasRung(t *testing.T) {
	t.Parallel()
	h := start(t, options{"reach": "ring"})
	h.Sim.Phone(alice).Busy()
	c := h.onHold()
	h.Sim.Phone(bob).AnswersAfter(0, "press 1", "1")
	c.ConnectedTo(t, bob)
	h.converses(c)
	c.HangsUp()
	c.Ended(t)
	h.call(c, "ended", func(k call) bool { return k.State == "ended" })
	h.cleanedUp()
	got := ""
	h.eventually("the call is counted", func() bool {
		_, body := h.fetch("/metrics", false)
		got = string(body)
		return strings.Contains(got, "livecall_calls_ended_total{")
	}, func() string { return got })
	for _, want := range []string{
		`livecall_calls_started_total{integration="` + h.ID + `"} 1`,
		`livecall_calls_ended_total{end="connected",integration="` + h.ID + `"} 1`,
		`livecall_people_rung_total{integration="` + h.ID + `",outcome="busy"} `,
		`livecall_people_rung_total{integration="` + h.ID + `",outcome="talked"} 1`,
		`livecall_time_to_human_seconds_count 1`,
		`switchboard_webhook_duration_seconds_count{answer="ok",kind="call"} `,
		`switchboard_webhook_duration_seconds_count{answer="ok",kind="notice"} `,
		`switchboard_webhook_duration_seconds_count{answer="fallback",kind="call"} 0`,
		`switchboard_plugin_up{plugin="livecall"} 1`,
		`switchboard_ready 1`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("/metrics has no %s in\n%s", want, got)
		}
	}
}
