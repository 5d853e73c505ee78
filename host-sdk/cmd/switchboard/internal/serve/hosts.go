package serve

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// All of the wall clock, also where the host's clock is faster.
const (
	hostEvery   = 10 * time.Second // how often a host says that it runs
	hostGone    = time.Minute      // without a word for so long, it does not run
	hostForget  = time.Hour        // after which its row is removed
	hostLeave   = 2 * time.Second  // to remove the row of a host that stops
	hostsDiffer = 5 * time.Minute  // from which on hosts of different versions or files are a fault: a roll-out takes a while
)

// presence says that this host runs, and knows which others do. A host on SQLite is alone.
type presence struct {
	rows  store.Hosts                              // nil: this host is alone
	clock func(context.Context) (time.Time, error) // the database's
	self  func() store.Host
	// formats asks the plugins which formats they read and write; nil: none is known.
	formats func(context.Context) map[string]integration.Formats
	log     *slog.Logger

	mu     sync.Mutex
	last   store.Host // this host's row, as it was written last
	live   []store.Host
	differ time.Time // since when hosts differ, on the wall clock; zero: they do not
}

// newPresence describes this host. Nothing is written yet.
func newPresence(s settings.Settings, id, address string, p *parts, log *slog.Logger) *presence {
	machine, _ := os.Hostname()
	started := time.Now().UTC()
	out := &presence{log: log, clock: func(context.Context) (time.Time, error) { return time.Now().UTC(), nil }}
	out.self = func() store.Host {
		h := store.Host{ID: id, Machine: machine, Address: address, Version: s.Version, Plugins: map[string]string{}, FileHash: p.file.File().SharedHash(), Started: started}
		for _, st := range p.plugins.Statuses() {
			h.Plugins[st.Plugin] = st.Version
		}
		return h
	}
	out.formats = p.plugins.formats
	if s.Postgres() {
		out.rows, out.clock = p.hosts, p.db.Time
	}
	return out
}

// withFormats adds to this host's row which formats its plugins have, and since when. A plugin that does
// not answer has those that it had.
func (p *presence) withFormats(ctx context.Context, self store.Host) store.Host {
	var formats map[string]integration.Formats
	if p.formats != nil {
		formats = p.formats(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	self.Formats, self.FormatsSince = maps.Clone(p.last.Formats), p.last.FormatsSince
	if self.Formats == nil {
		self.Formats = map[string]integration.Formats{}
	}
	maps.Copy(self.Formats, formats)
	if self.FormatsSince.IsZero() || !maps.Equal(self.Formats, p.last.Formats) {
		self.FormatsSince = self.SeenAt
	}
	p.last = self
	return self
}

// run writes this host's row again and again until ctx ends, and then removes it.
func (p *presence) run(ctx context.Context) error {
	tick := time.NewTicker(hostEvery)
	defer tick.Stop()
	failed := false
	for {
		err := p.look(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			p.log.Warn("this host cannot say that it runs, nor learn which others do", "error", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			p.leave(ctx)
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// leave removes the row. One that stays is out of date a minute later.
func (p *presence) leave(ctx context.Context) {
	if p.rows == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostLeave)
	defer cancel()
	if err := p.rows.RemoveHost(ctx, p.self().ID); err != nil {
		p.log.Warn("the other hosts count this one for another minute", "error", err)
	}
}

// look writes the row and reads those of the others.
func (p *presence) look(ctx context.Context) error {
	now, err := p.clock(ctx)
	if err != nil {
		return err
	}
	self := p.self()
	self.SeenAt = now
	self = p.withFormats(ctx, self)
	live := []store.Host{self}
	if p.rows != nil {
		if err := p.rows.SaveHost(ctx, self); err != nil {
			return err
		}
		all, err := p.rows.ListHosts(ctx)
		if err != nil {
			return err
		}
		live = slices.DeleteFunc(slices.Clone(all), func(h store.Host) bool { return now.Sub(h.SeenAt) >= hostGone })
		for _, h := range all {
			if now.Sub(h.SeenAt) >= hostForget {
				if err := p.rows.RemoveHost(ctx, h.ID); err != nil {
					return err
				}
			}
		}
	}
	p.take(live)
	return nil
}

// take notes which hosts run, and since when they differ.
func (p *presence) take(live []store.Host) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live = live
	switch {
	case differences(live) == "":
		p.differ = time.Time{}
	case p.differ.IsZero():
		p.differ = time.Now()
	}
}

// hosts lists the running hosts; before the first look there are none, nor where p is nil.
func (p *presence) hosts() []store.Host {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.live)
}

// seen lists the running hosts, and the time by the clock of their rows, as of the last look.
func (p *presence) seen() ([]store.Host, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.live), p.last.SeenAt
}

// count is how many hosts run, this one included.
func (p *presence) count() int { return max(1, len(p.hosts())) }

// check says whether the hosts agree. It names none of them: who asks need not be known.
func (p *presence) check(context.Context) Check {
	p.mu.Lock()
	defer p.mu.Unlock()
	what := differences(p.live)
	if what == "" || time.Since(p.differ) < hostsDiffer {
		return ok(fmt.Sprintf("Hosts that share the database: %d.", max(1, len(p.live))))
	}
	return Check{State: StateDegraded, Since: p.differ, Message: fmt.Sprintf(
		"The %d hosts that share the database have different %s. Bring them to the same: GET /api/v1/hosts lists what each has.", len(p.live), what)}
}

// differences says in what hosts differ, in words; "": in nothing.
func differences(hosts []store.Host) string {
	var out []string
	for _, of := range []struct {
		name string
		is   func(store.Host) string
	}{
		{"versions of switchboard", func(h store.Host) string { return h.Version }},
		{"versions of plugins", func(h store.Host) string { return fmt.Sprint(h.Plugins) }},
		{"switchboard files", func(h store.Host) string { return h.FileHash }},
	} {
		if slices.ContainsFunc(hosts, func(h store.Host) bool { return of.is(h) != of.is(hosts[0]) }) {
			out = append(out, of.name)
		}
	}
	return strings.Join(out, " and ")
}

// collector counts the hosts for metrics.
func (p *presence) collector() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "switchboard_hosts", Help: "Hosts that run and share the database, this one included.",
	}, func() float64 { return float64(p.count()) })
}
