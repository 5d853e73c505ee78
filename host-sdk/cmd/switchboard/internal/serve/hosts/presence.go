package hosts

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

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/plugins"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/sharing"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// All of the wall clock, also where the host's clock is faster.
const (
	hostEvery  = 10 * time.Second     // how often a host says that it runs
	deathEvery = sharing.HostDead / 2 // how often it looks whether others hold their locks
	hostForget = time.Hour            // after which its row is removed
	hostLeave  = 2 * time.Second      // to remove the row of a host that stops
	// From which on hosts of different versions or files are a fault: a roll-out takes a while.
	hostsDiffer = 5 * time.Minute
)

// hostLock is what the other hosts see that this one lives by, such as a [sharing.HostLock]. Tests
// have another one.
type hostLock interface {
	Held() bool
	Taken() <-chan struct{}
	Unheld()
}

// Presence says that this host runs, knows which others do, and takes over the work of those that
// have died. A host on SQLite is alone. Once Run runs, it alone may look; what was seen can be read
// by any goroutine.
type Presence struct {
	rows  store.Hosts                              // nil: this host is alone
	clock func(context.Context) (time.Time, error) // the database's
	self  func() store.Host
	// formats asks the plugins which formats they read and write; nil: none is known.
	formats func(context.Context) map[string]integration.Formats
	log     *slog.Logger
	lock    hostLock      // nil where rows is
	came    chan struct{} // has room for one: another host has begun to run
	tell    func()        // says so of this host
	freed   func()        // work of a host that died is due
	// readable says, once this host's row is there, whether it can still read what is sealed in the
	// store; nil: it was asked.
	readable func(context.Context) error

	// Of run alone.
	known   []store.Host
	missing map[string]time.Time // hosts without their lock, since when on the wall clock
	locked  bool                 // this host's row says that it holds its lock

	mu     sync.Mutex
	last   store.Host // this host's row, as it was written last
	live   []store.Host
	differ time.Time // since when hosts differ, on the wall clock; zero: they do not
}

// Config is what a host says of itself.
type Config struct {
	ID      string // until it ends
	Address string // at which it listens
	Version string
	File    *switchboardfile.Source
	Plugins *plugins.Plugins
	Keys    *sqlstore.Store // with which keys it reads and seals
	Logger  *slog.Logger
}

// New describes this host. Nothing is written yet. A host on SQLite gets no further: it is alone
// until Join.
func New(c Config) *Presence {
	machine, _ := os.Hostname()
	started := time.Now().UTC()
	out := &Presence{log: c.Logger, clock: func(context.Context) (time.Time, error) { return time.Now().UTC(), nil }}
	// Made anew each time, as plugins and file change while it runs.
	out.self = func() store.Host {
		h := store.Host{ID: c.ID, Machine: machine, Address: c.Address, Version: c.Version, Plugins: map[string]string{}, FileHash: c.File.File().SharedHash(), Started: started, Keys: c.Keys.Keys().IDs()}
		for _, st := range c.Plugins.Statuses() {
			h.Plugins[st.Plugin] = st.Version
		}
		return h
	}
	out.formats = c.Plugins.Formats
	out.readable = func(ctx context.Context) error { _, err := c.Keys.KeyInUse(ctx); return err }
	return out
}

// withFormats adds to this host's row which formats its plugins have, and since when. A plugin that
// does not answer has those that it had. The engine waits a minute after that before it writes
// newer ones, so a change must not be missed.
func (p *Presence) withFormats(ctx context.Context, self store.Host) store.Host {
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

// Join makes the host one of those that share the database. It must be called before Run. tell says
// to others that this host runs; freed is called when work of a dead host is due.
func (p *Presence) Join(rows store.Hosts, clock func(context.Context) (time.Time, error), lock hostLock, tell, freed func()) {
	p.rows, p.clock, p.lock, p.tell, p.freed = rows, clock, lock, tell, freed
	p.came, p.missing = make(chan struct{}, 1), map[string]time.Time{}
}

// heard takes note that another host has begun to run. It never waits.
func (p *Presence) heard() {
	select {
	case p.came <- struct{}{}:
	default:
	}
}

// Run writes this host's row again and again until ctx ends, and then removes it. Its error is that
// the secret key was changed to one that this host does not have. Other errors are logged and tried
// again.
func (p *Presence) Run(ctx context.Context) error {
	tick, deaths := time.NewTicker(hostEvery), time.NewTicker(deathEvery)
	defer tick.Stop()
	defer deaths.Stop()
	var taken <-chan struct{}
	if p.lock != nil {
		taken = p.lock.Taken()
	}
	failed, next := false, p.Look
	for {
		err := next(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			p.log.Warn("this host cannot say that it runs, nor learn which others do", "error", err)
		}
		failed = err != nil
		if integration.KindOf(err) == integration.KindInvalid { // another secret key is in use
			p.Leave(ctx)
			return err
		}
		select {
		case <-ctx.Done():
			p.Leave(ctx)
			return ctx.Err()
		case <-deaths.C:
			next = p.watch
			continue
		case <-tick.C:
		case <-taken:
		case <-p.came:
		}
		next = p.Look
	}
}

// Leave removes the row. One that stays is out of date a minute later. The others then know at once
// that it is gone.
func (p *Presence) Leave(ctx context.Context) {
	if p.rows == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostLeave)
	defer cancel()
	if err := p.rows.RemoveHost(ctx, p.self().ID); err != nil {
		p.log.Warn("the other hosts count this one for another minute", "error", err)
	}
}

// Look writes the row and reads those of the others. It is called before anything runs, and then by
// Run alone.
func (p *Presence) Look(ctx context.Context) error {
	now, err := p.clock(ctx)
	if err != nil {
		return err
	}
	self := p.self()
	self.SeenAt = now
	self = p.withFormats(ctx, self)
	live := []store.Host{self}
	if p.rows != nil {
		if err := p.save(ctx, &self); err != nil {
			return err
		}
		live[0] = self
		all, err := p.rows.ListHosts(ctx)
		if err != nil {
			return err
		}
		p.known = all
		// A row that is a minute old counts as gone; one that is an hour old is removed.
		live = slices.DeleteFunc(slices.Clone(all), func(h store.Host) bool { return !datadir.Runs(h, now) })
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

// save writes this host's row, which says whether it holds its lock: only then others judge it by
// that. An error of the kind invalid is a secret key that this host does not have.
func (p *Presence) save(ctx context.Context, self *store.Host) error {
	self.Lock = p.lock.Held()
	if err := p.rows.SaveHost(ctx, *self); err != nil {
		return err
	}
	if !self.Lock {
		p.lock.Unheld()
	}
	// After the row, as who changes the key reads the rows before: one of both notices the other.
	if p.readable != nil {
		if err := p.readable(ctx); err != nil {
			return err
		}
		p.readable = nil
	}
	if self.Lock != p.locked {
		p.locked = self.Lock
		p.tell()
	}
	return nil
}

// watch looks whether the other hosts hold their locks, and takes over the work of one that has not
// held its own for a while. It asks the server each half second, with one query for all.
func (p *Presence) watch(ctx context.Context) error {
	var others []string
	for _, h := range p.known {
		if h.Lock && h.ID != p.self().ID {
			others = append(others, h.ID)
		}
	}
	if len(others) == 0 {
		return nil
	}
	gone, err := p.rows.HostsWithoutLock(ctx, others)
	if err != nil {
		clear(p.missing) // the server may have been away, and the others with it
		return err
	}
	maps.DeleteFunc(p.missing, func(id string, _ time.Time) bool { return !slices.Contains(gone, id) })
	for _, id := range gone {
		if since, known := p.missing[id]; !known {
			p.missing[id] = time.Now()
		} else if time.Since(since) >= sharing.HostDead {
			if err := p.takeOver(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeOver makes the work of a dead host due. Of several hosts that notice it, one takes the work;
// see store.Hosts.
func (p *Presence) takeOver(ctx context.Context, id string) error {
	items, dead, err := p.rows.FreeHost(ctx, id)
	if err != nil {
		return err
	}
	if dead {
		p.log.Warn("a host has died; what it had begun is done by the others", "host", id, "items", items)
		p.freed()
	}
	return p.Look(ctx) // also where another host was faster
}

// take notes which hosts run, and since when they differ.
func (p *Presence) take(live []store.Host) {
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

// Alone says whether this host has the database for itself.
func (p *Presence) Alone() bool { return p == nil || p.rows == nil }

// Running lists the running hosts; before the first look there are none, nor where p is nil.
func (p *Presence) Running() []store.Host {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.live)
}

// Seen lists the running hosts, and the time by the clock of their rows, as of the last look.
func (p *Presence) Seen() ([]store.Host, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.live), p.last.SeenAt
}

// Count is how many hosts run, this one included. Limits that hosts share are divided by it.
func (p *Presence) Count() int { return max(1, len(p.Running())) }

// Check says whether the hosts agree. It names none of them: who asks need not be known. A roll-out
// makes them differ for a while, hence the time.
func (p *Presence) Check(context.Context) health.Check {
	p.mu.Lock()
	defer p.mu.Unlock()
	what := differences(p.live)
	if what == "" || time.Since(p.differ) < hostsDiffer {
		return health.OK(fmt.Sprintf("Hosts that share the database: %d.", max(1, len(p.live))))
	}
	return health.Check{State: health.StateDegraded, Since: p.differ, Message: fmt.Sprintf(
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

// Collector counts the hosts for metrics.
func (p *Presence) Collector() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "switchboard_hosts", Help: "Hosts that run and share the database, this one included.",
	}, func() float64 { return float64(p.Count()) })
}
