package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/logging"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/hosts"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/oldcalls"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/process"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/tell"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/vitals"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/internal/garbage"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/publicurl"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/sharing"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

// Limits of the HTTP server, against clients that send or read slowly. Uploads, downloads and event
// streams move their own deadlines.
const (
	headerTime = 10 * time.Second
	readTime   = 30 * time.Second
	writeTime  = 60 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 64 << 10
)

// Times of stopping: each bounds one part of it.
const (
	finishTime = 10 * time.Second // for requests in progress

	tracingTime = 2 * time.Second // for the last spans
)

// undo is what has been started, to be ended in reverse.
type undo []func()

// add remembers how to end a part that has been started.
func (u *undo) add(f func()) { *u = append(*u, f) }

// run ends the parts, the last one first, as each may use those before it. A second run does
// nothing.
func (u *undo) run() {
	for i := len(*u) - 1; i >= 0; i-- {
		(*u)[i]()
	}
	*u = nil
}

// Run starts the host, serves until ctx ends, and stops it: no new requests, those in progress
// finished, the plugins drained, the store closed. A start that fails leaves nothing running; its
// error is one line and contains no secret. instead is used in place of the switchboard file,
// unless it is nil. The order of its steps matters; each says why it stands where it does.
func Run(ctx context.Context, s settings.Settings, instead *inforce.LastGood, stderr io.Writer) (err error) {
	// Run twice is harmless: a regular stop runs it before the last line of the log.
	var started undo
	defer started.run()
	defer func() {
		if err != nil {
			err = wording.ForPeople(s, err)
		}
	}()
	// The lock comes before anything is read or made in the directory: of two hosts that start at
	// once, one must not find half of what the other is writing.
	if err := datadir.Prepare(s.DataDir); err != nil {
		return err
	}
	release, err := datadir.Lock(s.DataDir)
	if err != nil {
		return err
	}
	started.add(release)
	// Asked before KeepSecrets could make a key.
	lost := s.LostDatabase()
	if err := s.KeepSecrets(); err != nil {
		return err
	}
	garbage.CollectAsNeeded()
	s.Clock = hosts.CommonClock(s)
	log := logging.New(stderr, s)
	if lost {
		log.Warn("the data directory holds a key, but its database is gone or empty: a new one is begun, without integrations. If it should be there, stop switchboard and put the database back from a backup",
			"database", filepath.Join(s.DataDir, settings.DatabaseFile))
	}
	// For libraries that log by themselves: their lines, too, go through the redactor and the
	// limits.
	slog.SetDefault(log)
	started.add(startTracing(ctx, log))

	if s.Postgres() {
		if s, instead, err = inforce.Start(ctx, s, instead, true, log); err != nil {
			return err
		}
		log = logging.New(stderr, s) // the platform's secrets are those of the file in force
		slog.SetDefault(log)
	}
	// The address first: if another host has it, nothing has been touched yet.
	listener, err := listen(ctx, s, &started)
	if err != nil {
		return err
	}
	public := s.PublicURLFor(listener.Addr())
	parts, err := openParts(ctx, s, instead, public, log)
	if err != nil {
		return err
	}
	started.add(parts.close)
	h, err := newHost(ctx, s, parts, listener.Addr().String(), public, log)
	if err != nil {
		return err
	}
	err = h.serve(ctx, listener, func() {
		log.Info("switchboard is ready at "+public, "listen", listener.Addr().String(), "public_url", public, "data_dir", s.DataDir,
			"config", s.ConfigPath, "plugins", strings.Join(parts.plugins.PluginIDs(), ","))
		warnOfSetup(log, public, tell.Unreached(parts.ownWays(), parts.file.File(), parts.mail != nil))
	})
	started.run()
	log.Info("switchboard has stopped")
	return err
}

// startTracing begins to send spans if the environment names a collector, and returns how to end
// it. It comes before the plugins are started, as they take part. Spans are a help only: a
// collector that is away stops nothing.
func startTracing(ctx context.Context, log *slog.Logger) func() {
	stop, err := tracing.Setup(ctx, "switchboard", "", log)
	if err != nil {
		log.Warn("no OpenTelemetry spans are sent", "error", err.Error())
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), tracingTime)
		defer cancel()
		stop(ctx)
	}
}

// warnOfSetup names what works, but will disappoint somebody at night. It is said at each start,
// until it is mended.
func warnOfSetup(log *slog.Logger, public, unreached string) {
	if err := publicurl.Check(public); err != nil {
		log.Warn("no telephone carrier can call the public address: "+err.Error()+". Set public_url to the https address at which the Internet reaches this host", "public_url", public)
	}
	if unreached != "" {
		log.Warn(unreached)
	}
}

// listen binds the address before anything with an effect on others is started. It is served when
// everything is: meanwhile callers wait in the kernel's queue. A port of 0 is known from here on.
func listen(ctx context.Context, s settings.Settings, started *undo) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: stop what uses the address, or choose another one with SWITCHBOARD_LISTEN", s.Listen, wording.RootCause(err))
	}
	started.add(func() { _ = listener.Close() }) // closed already by a regular stop
	forget, err := datadir.KeepAddress(s.DataDir, listener.Addr())
	if err != nil {
		return nil, err
	}
	started.add(forget)
	return listener, nil
}

// host is what runs while switchboard serves: the server, and the work beside it. It is made by
// newHost and run once.
type host struct {
	server *http.Server
	work   map[string]func(context.Context) error // what runs beside the server, by name
	// Held while the work runs; nil: this host is alone.
	lock         *sharing.HostLock
	beginClosing context.CancelFunc // ends event streams, and /readyz says so
	log          *slog.Logger
}

// newHost joins the parts. Nothing runs yet. An error leaves nothing behind, but for parts, which
// are the caller's.
func newHost(ctx context.Context, s settings.Settings, p *parts, address, public string, log *slog.Logger) (*host, error) {
	config := p.engineConfig(s, public)
	config.Logger, config.Metrics, config.Exclusive = log, engine.NewMetrics(), !s.Postgres()
	present := hosts.New(hosts.Config{ID: p.id, Address: address, Version: s.Version, File: p.file, Plugins: p.plugins, Keys: p.keys, Logger: log})
	lock, err := p.among(s, present, &config)
	if err != nil {
		return nil, err
	}
	config.Hosts = present.Seen
	eng, err := engine.New(config)
	if err != nil {
		return nil, err
	}
	// The first look precedes the first call, whose formats depend on it. What fails is logged by
	// those that follow.
	_ = present.Look(ctx)
	// A plugin that cannot say what it is can handle no call: better not to start.
	if err := eng.Describe(ctx); err != nil {
		present.Leave(ctx)
		return nil, fmt.Errorf("plugin: %w", err)
	}
	// Only from here on others see this host, as it could not have worked before.
	if lock != nil {
		present.Join(p.hosts, p.db.Time, lock, func() { p.notices.Send(hosts.HostNotice) }, func() {
			eng.Wake()
			if own, ok := p.platform.(*embedded.Platform); ok {
				own.Wake()
			}
		})
	}
	// It ends with the server and not with ctx, as requests in progress are still answered then.
	closing, beginClosing := context.WithCancel(context.Background())
	site := Site{
		Engine: eng, Metrics: config.Metrics, Reloads: p.reloads, Sends: p.sends, Ways: p.ownWays(), Store: p.store, PagesStore: p.pages, Platform: p.platform, File: p.file, PlatformPage: s.Platform.Page(), Plugins: p.plugins,
		PublicURL: public, Mail: p.mail,
		Attempts: httpkit.NewAttempts(s.Clock, s.WrongTokens), Proxies: s.Proxies, Guarded: p.guarded,
		Clock: s.Clock, Logger: log, Closing: closing, shared: p.shared, hosts: present, profiling: s.Profiling,
	}
	// The platform asks for the number of hosts through it.
	p.presence = site.hosts
	site.Attempts.Among(site.hosts.Count)
	if site.People, err = newPeople(s, p, site.Attempts, public, log); err != nil {
		beginClosing()
		return nil, err
	}
	stand, err := standOf(s, p, public)
	if err != nil {
		beginClosing()
		return nil, err
	}
	site.stand = &stand
	site.ready = vitals.NewReadiness(site.vitals())
	site.status = vitals.NewStatus(site.vitals(), s, p.db.Name())
	handler, err := Handler(site)
	if err != nil {
		beginClosing()
		return nil, err
	}
	// If one of these fails, the host stops.
	work := p.work()
	work["engine"], work["readiness"], work["hosts"] = eng.Run, site.ready.Run, site.hosts.Run
	work["people"] = site.People.Run
	if p.shared != nil {
		work["shared switchboard file"] = p.shared.Run
	}
	work["older calls"] = oldcalls.Copier{Store: p.store, Platform: p.platform, Clock: s.Clock, Log: log}.Run
	work["clock"] = p.time.Run
	if p.mail != nil {
		work["mail server"] = p.mail.Run
	}
	return &host{
		server: &http.Server{
			Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
			MaxHeaderBytes: maxHeader, ConnState: process.NewConnections(process.Allowed(s.Connections, process.OpenFiles(), log), func() { config.Metrics.LimitHit("connections") }).Note, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		work: work, lock: lock, beginClosing: beginClosing, log: log,
	}, nil
}

// among makes the host one of those that share the database, and returns its lock; nil: it is
// alone. It must come before the engine is made, whose configuration it completes.
func (p *parts) among(s settings.Settings, present *hosts.Presence, config *engine.Config) (lock *sharing.HostLock, err error) {
	if !s.Postgres() {
		return nil, nil //nolint:nilnil // as promised
	}
	if p.notices, err = sharing.NewNotices(p.db, p.id, config.Logger); err != nil {
		return nil, err
	}
	if lock, err = sharing.NewHostLock(p.db, p.id, config.Logger); err != nil {
		return nil, err
	}
	p.shared.Send = p.notices.Send
	config.Notices, config.Owner, config.Claiming = hosts.Notices{Notices: p.notices, Shared: p.shared, Platform: p.platform, Hosts: present}, p.id, lock.Claiming
	return lock, nil
}

// serve runs the host until ctx ends or a component fails, and stops it in good order. It returns
// the failure. ready is called once requests are answered. It takes finishTime and what the work
// needs to end.
func (h *host) serve(ctx context.Context, listener net.Listener, ready func()) (err error) {
	defer h.beginClosing()
	// The work outlives ctx: what the last requests leave in the outbox is still begun.
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()
	defer h.holdLock(ctx)()
	// Room for all, so that none is held up after the first.
	failed := make(chan error, len(h.work)+1)
	var working sync.WaitGroup
	for name, run := range h.work {
		working.Go(func() {
			if err := run(work); err != nil && work.Err() == nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	go func() {
		if err := h.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	ready()

	select {
	case <-ctx.Done():
		h.log.Info("switchboard is stopping; requests in progress are completed first")
	case err = <-failed:
		h.log.Error("switchboard is stopping because a component failed", "error", err.Error())
	}
	// First, so that load balancers send no more.
	h.beginClosing()
	finish, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	// Shutdown waits for requests, and event streams would never end by themselves: beginClosing
	// has ended them.
	if serr := h.server.Shutdown(finish); serr != nil {
		h.log.Warn("requests in progress were cut off", "error", serr.Error())
		_ = h.server.Close()
	}
	// Last: what the last requests have left to do is begun before the engine stops.
	endWork()
	working.Wait()
	return err
}

// holdLock takes the host's lock until the returned function is called: others take over the work
// of a host that has not finished it. It outlives ctx, as the work does. It returns at once and
// goes on trying where the database is away.
func (h *host) holdLock(ctx context.Context) (release func()) {
	if h.lock == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); _ = h.lock.Run(ctx) }()
	return func() { cancel(); <-done }
}
