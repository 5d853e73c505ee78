package vitals

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/hosts"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/tell"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

func (f fakeStore) OutboxStats(context.Context) (map[store.ItemKind]map[store.ItemPhase]int, time.Time, error) {
	return map[store.ItemKind]map[store.ItemPhase]int{store.ItemTask: {store.PhaseWaiting: 3}}, time.Time{}, nil
}

func (f fakeStore) CountFindings(context.Context) ([]store.FindingCount, error) {
	return []store.FindingCount{{Code: "signature", Severity: integration.FindingError, Integrations: 2}}, nil
}

func (f fakePlatform) File() *switchboardfile.File { return f.file }

type runningPlugins struct{ fakePlugins }

func (runningPlugins) Statuses() []launcher.Status {
	return []launcher.Status{{Plugin: "a", Version: "0.1.0", State: launcher.StateReady, Restarts: 4}}
}

// measured is a host with everything that has metrics, and its registry.
func measured(t *testing.T) (Host, *prometheus.Registry, func(webhook.Observation)) {
	t.Helper()
	from := time.Now().Add(time.Hour).UTC()
	gap := "      overrides:\n        - {layer: 1, from: \"" + from.Format("2006-01-02T15:04") + "\", to: \"" + from.Add(2*time.Hour).Format("2006-01-02T15:04") + "\", users: []}\n"
	text := strings.Replace(hosttest.File, "        - users: [bob]\n", gap, 1)
	s := wellHost(t)
	s.File = fileSource(t, strings.Replace(strings.Replace(text, "America/New_York", "UTC", 1), ", {timeout: 10m}", "", 1), switchboardfile.Problem{Message: "wrong"})
	s.Platform = fakePlatform{file: s.File.File()}
	s.Plugins = runningPlugins{fakePlugins{"a": hosttest.Plugin{}}}
	s.Attempts, s.Metrics, s.Reloads, s.Mail = httpkit.NewAttempts(clock.System(), httpkit.DefaultWrongTokens), engine.NewMetrics(), NewReloads(), tell.NewMailWatch(fakeMailServer{}, clock.System())
	s.PagesStore, s.Hosts, s.Sends = s.Store, hosts.New(hosts.Config{}), tell.NewNoticeCounter()
	s.Ready = NewReadiness(s)
	registry, _, observe := NewMetrics(s)
	return s, registry, observe
}

// scraped is what /metrics says, without comments.
func scraped(t *testing.T, registry *prometheus.Registry) []string {
	t.Helper()
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	var out []string
	for line := range strings.Lines(rec.Body.String()) {
		if !strings.HasPrefix(line, "#") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

func TestMetricsTellTheStateOfTheHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, metricsTellTheStateOfTheHost)
}

func metricsTellTheStateOfTheHost(t *testing.T) {
	s, registry, observe := measured(t)
	observe(webhook.Observation{Integration: "int_1", Kind: webhook.KindCall, Answer: "fallback", Took: time.Millisecond})
	_ = s.Mail.Mailer(tell.MailOfPage).Send(t.Context(), engine.OutgoingMail{})
	s.Reloads.WithLabelValues("refused").Inc()
	got := scraped(t, registry)
	for _, want := range []string{
		`switchboard_ready 1`,
		`switchboard_check_state{check="store"} 0`,
		`switchboard_check_state{check="file"} 1`,
		`switchboard_config_refused 1`,
		`switchboard_config_loads_total{result="refused"} 1`,
		`switchboard_findings{code="signature",severity="error"} 2`,
		`switchboard_schedule_gap_seconds{team="devops"} 7200`,
		`switchboard_outbox_items{kind="task",phase="waiting"} 3`,
		`switchboard_outbox_overdue_items{kind="mail"} 0`,
		`switchboard_plugin_up{plugin="a"} 1`,
		`switchboard_plugin_restarts_total{plugin="a"} 4`,
		`switchboard_webhook_duration_seconds_count{answer="fallback",kind="call"} 1`,
		`switchboard_webhook_duration_seconds_count{answer="fallback",kind="notice"} 0`,
		`switchboard_mail_attempts_total{purpose="page",result="sent"} 1`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestMetricsSayThatTheHostIsNotReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, metricsSayThatTheHostIsNotReady)
}

func metricsSayThatTheHostIsNotReady(t *testing.T) {
	s, _, _ := measured(t)
	s.Plugins = fakePlugins{}
	s.Ready = NewReadiness(s)
	registry, _, _ := NewMetrics(s)
	got := scraped(t, registry)
	for _, want := range []string{`switchboard_ready 0`, `switchboard_check_state{check="plugin"} 2`} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no %s", want)
		}
	}
}

func TestGapsAreComputedAgainWhenTheFileChanges(t *testing.T) {
	t.Parallel()
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(hosttest.File))
	if file == nil {
		t.Fatal(switchboardfile.Text(problems))
	}
	var c gapCache
	now := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	if diff := cmp.Diff(map[string]float64{"devops": 0}, c.of(file, now)); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	text := strings.Replace(hosttest.File, "    escalation:", "      overrides:\n        - {layer: 1, from: \"2026-01-06T00:00\", to: \"2026-01-07T00:00\", users: []}\n        - {layer: 2, from: \"2026-01-06T12:00\", to: \"2026-01-08T00:00\", users: []}\n    escalation:", 1)
	changed, problems := switchboardfile.Parse("switchboard.yaml", []byte(text))
	if changed == nil {
		t.Fatal(switchboardfile.Text(problems))
	}
	if diff := cmp.Diff(map[string]float64{"devops": 12 * 3600}, c.of(changed, now)); diff != "" {
		t.Errorf("both layers are empty for twelve hours; gaps (-want +got):\n%s", diff)
	}
}
