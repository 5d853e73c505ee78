package vitals

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

const (
	gapsAhead  = 7 * 24 * time.Hour // how far gaps in schedules are looked for
	gapsKept   = time.Minute        // how long the answer is good for
	scrapeTime = 2 * time.Second    // for what a scrape reads from the store
)

// NewMetrics makes the registry that /metrics serves, the instrument of all requests, and the
// observer of webhooks. docs/monitoring lists every metric. The instrument and the observer count
// into this registry.
func NewMetrics(s Host) (*prometheus.Registry, *httpkit.Instrument, func(webhook.Observation)) {
	// A registry of its own: the default one is shared by everything linked into the process.
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(s.Attempts.Collector(), newCollector(s))
	if s.Metrics != nil {
		registry.MustRegister(s.Metrics)
	}
	if s.Hosts != nil {
		registry.MustRegister(s.Hosts.Collector())
	}
	if s.Reloads != nil {
		registry.MustRegister(s.Reloads)
	}
	if s.Sends != nil {
		registry.MustRegister(s.Sends)
	}
	if s.Mail != nil {
		registry.MustRegister(s.Mail.Collector())
	}
	return registry, httpkit.NewInstrument(s.Logger, s.Clock, registry), observeWebhooks(registry)
}

// observeWebhooks counts the answers to callers' requests. The integration is left out: a label
// must not grow with what is asked for.
func observeWebhooks(reg prometheus.Registerer) func(webhook.Observation) {
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "switchboard_webhook_duration_seconds",
		Help:    "Time to answer a webhook, by kind (call: a caller or a person hears the answer; notice: it is ignored; file: a sound) and answer (ok, fallback, unavailable, refused, not_found).",
		Buckets: httpkit.Buckets(),
	}, []string{"kind", "answer"})
	reg.MustRegister(duration)
	for _, kind := range []string{webhook.KindCall, webhook.KindNotice, webhook.KindFile} {
		for _, answer := range []string{"ok", "fallback", "unavailable"} {
			// From the start, so that the first failure is a rise.
			duration.WithLabelValues(kind, answer)
		}
	}
	return func(o webhook.Observation) { duration.WithLabelValues(o.Kind, o.Answer).Observe(o.Took.Seconds()) }
}

// NewReloads counts what became of reading the switchboard file. Both results are there from the
// start, so that the first failure is a rise.
func NewReloads() *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "switchboard_config_loads_total", Help: "Times the switchboard file was read, by result (ok, refused).",
	}, []string{"result"})
	c.WithLabelValues("ok")
	c.WithLabelValues("refused")
	return c
}

// collector reads the host's state when it is scraped. These are gauges of what is there rather
// than counters of what was done, because several hosts may work on one store: what is read there
// is the same at each of them, and must not be added up. It is read with each scrape; nothing is
// kept between them but the gaps.
type collector struct {
	host Host
	gaps *gapCache

	ready, check, refused, findings, gap    *prometheus.Desc
	items, overdueItems, overdue            *prometheus.Desc
	pluginUp, pluginRestarts, pluginVersion *prometheus.Desc
}

// newCollector describes the metrics. Their names are part of what docs/monitoring promises.
func newCollector(s Host) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("switchboard_"+name, help, labels, nil)
	}
	return &collector{
		host: s, gaps: &gapCache{},
		ready:          desc("ready", "1 if /readyz answers 200, else 0."),
		check:          desc("check_state", "State of each check of /readyz: 0 ok, 1 degraded, 2 failing.", "check"),
		refused:        desc("config_refused", "1 while the switchboard file on disk has errors and an earlier version is in force, else 0."),
		findings:       desc("findings", "Integrations that show a warning beside their form, by the warning's code and severity (info, warning, error).", "code", "severity"),
		gap:            desc("schedule_gap_seconds", "Seconds of the next seven days in which nobody is on call for a team, in any layer.", "team"),
		items:          desc("outbox_items", "Items in the outbox now, by kind and phase; timers of the future included.", "kind", "phase"),
		overdueItems:   desc("outbox_overdue_items", "Items of the outbox that could have been begun more than a minute ago, by kind.", "kind"),
		overdue:        desc("outbox_overdue_seconds", "By how much the oldest due item is overdue; 0 when nothing is."),
		pluginUp:       desc("plugin_up", "1 if the plugin's process answers its health checks, else 0.", "plugin"),
		pluginRestarts: desc("plugin_restarts_total", "Processes of the plugin that were started after the first.", "plugin"),
		pluginVersion:  desc("plugin_info", "Always 1; the version of the plugin is a label.", "plugin", "version"),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.ready, c.check, c.refused, c.findings, c.gap, c.items, c.overdueItems, c.overdue, c.pluginUp, c.pluginRestarts, c.pluginVersion} {
		out <- d
	}
}

// Collect implements prometheus.Collector. A part that does not answer leaves its values out. Its
// reading ends after scrapeTime, so that a slow store costs a scrape and not the scraper.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	c.collectChecks(gauge)
	c.collectOutbox(ctx, gauge)
	if counts, err := c.host.PagesStore.CountFindings(ctx); err == nil {
		for _, n := range counts {
			gauge(c.findings, float64(n.Integrations), n.Code, string(n.Severity))
		}
	}
	if from, ok := c.host.Platform.(interface{ File() *switchboardfile.File }); ok {
		for team, seconds := range c.gaps.of(from.File(), clock.Wall(c.host.Clock)) {
			gauge(c.gap, seconds, team)
		}
	}
	if from, ok := c.host.Plugins.(interface{ Statuses() []launcher.Status }); ok {
		for _, st := range from.Statuses() {
			gauge(c.pluginUp, oneIf(st.State == launcher.StateReady), st.Plugin)
			gauge(c.pluginVersion, 1, st.Plugin, st.Version)
			out <- prometheus.MustNewConstMetric(c.pluginRestarts, prometheus.CounterValue, float64(st.Restarts), st.Plugin)
		}
	}
}

// collectChecks collects what /readyz would say. It uses the same answers as /readyz, at most a
// second old.
func (c *collector) collectChecks(gauge func(*prometheus.Desc, float64, ...string)) {
	checks := c.host.Ready.Checks()
	status := c.host.Ready.Status(checks)
	gauge(c.ready, oneIf(status == "ready" || status == "degraded"))
	for name, check := range checks {
		gauge(c.check, map[health.State]float64{health.StateOK: 0, health.StateDegraded: 1, health.StateFailing: 2}[check.State], name)
	}
	if c.host.File != nil {
		gauge(c.refused, oneIf(len(c.host.File.Status().Refused) > 0))
	}
}

// collectOutbox collects how much work waits, and how late it is. Kinds without overdue work are
// shown as 0, so that alerts on them see the change.
func (c *collector) collectOutbox(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string)) {
	now := c.host.Clock.Now()
	if counts, oldest, err := c.host.PagesStore.OutboxStats(ctx); err == nil {
		for kind, phases := range counts {
			for phase, n := range phases {
				gauge(c.items, float64(n), string(kind), string(phase))
			}
		}
		late := 0.0
		if !oldest.IsZero() {
			late = max(0, now.Sub(oldest).Seconds())
		}
		gauge(c.overdue, late)
	}
	if counts, err := c.host.PagesStore.OverdueItems(ctx, c.host.overdueSince()); err == nil {
		for _, kind := range []store.ItemKind{store.ItemTimer, store.ItemTask, store.ItemCommand, store.ItemMail, store.ItemWebhook} {
			gauge(c.overdueItems, float64(counts[kind]), string(kind))
		}
	}
}

// oneIf is how Prometheus shows a truth: 1 or 0.
func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
