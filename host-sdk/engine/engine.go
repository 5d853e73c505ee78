package engine

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/answers"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/deletion"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/formats"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/known"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/snapshots"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Plugins finds the running plugin of an id, such as a launcher's. The second value is false when
// none is installed.
type Plugins interface {
	// Plugin returns the plugin of an id; false when none is installed or running.
	Plugin(id string) (integration.Integration, bool)
	// PluginIDs returns the ids of all installed plugins.
	PluginIDs() []string
}

// Mailer sends mails, such as a mail.Sender.
type Mailer interface {
	// Send sends one mail to one address. Errors of a final kind end it; others are retried, and so
	// is unauthorized, which speaks of the host's account at the mail server.
	Send(ctx context.Context, m OutgoingMail) error
}

// OutgoingMail is a mail as it goes out.
type OutgoingMail struct {
	MessageID   string // the same for every attempt
	To          string
	Subject     string
	Text        string
	HTML        string
	AlertURL    string // set when the mail asks for a link
	Attachments []store.Medium
	Notes       []string // lines to add, such as which attachment is missing
}

// patientMailer is a mailer with patience.
type patientMailer struct {
	mailer   Mailer
	patience *patient.Patience
}

// Send implements Mailer.
func (x patientMailer) Send(ctx context.Context, m OutgoingMail) error {
	return x.patience.Mail(ctx, func(ctx context.Context) error { return x.mailer.Send(ctx, m) })
}

// InTime is a plugin whose handlers return when their context has ended, whatever its process does,
// as those of a launched plugin do. They are called as they are; of all others the engine gives up
// those that do not return, for which each call needs a goroutine.
type InTime = patient.InTime

// Config is what an engine is made of. Zero values of the optional fields have the stated meaning.
type Config struct {
	Store    store.Store
	Platform platform.Platform
	Plugins  Plugins

	// EndpointURL gives the absolute public URL of an integration's endpoint, without trailing
	// slash.
	EndpointURL func(integrationID string) string
	// MediaURL gives the public URL of a prompt medium.
	MediaURL func(m store.Medium) string
	// MediaSlices gives the public URLs of the pieces of a prompt medium, in order; none for one
	// that is served whole. See integration.Instance. Optional.
	MediaSlices func(m store.Medium) []string

	// GuardedMediaURL gives a public URL of a stored medium that is served until expires to whoever
	// knows it, such as a webhook.GuardedMedia's; see integration.Facts.MediaURLs. Optional:
	// without it calls get no addresses of their media.
	GuardedMediaURL func(ref string, expires time.Time) string
	// Notifies says that people are told of a new alert by the host itself, whatever the platform
	// does.
	Notifies bool

	// LiveCalls is how many calls of one integration may run at once: with as many, the handler of
	// a new one gets HostRateLimited as its host state. 0: no limit.
	LiveCalls int

	// KeepCalls is how long the record of a call is kept after the call's end and, where the
	// platform shows alerts (platform.AlertBrowser), the last change of its alert, with its
	// recordings; and an alert after its last change where the platform is a platform.Eraser. 0:
	// for ever.
	KeepCalls time.Duration
	// KeepRecordings is how long recordings are kept, counted as for KeepCalls, if not as long as
	// their call's record. 0: as long as the record. What nobody has heard is kept longer.
	KeepRecordings time.Duration

	Mailer  Mailer       // nil: mails are logged as not sent, and dropped
	Clock   clock.Clock  // nil: the system's
	Logger  *slog.Logger // nil: discarded
	Metrics *Metrics     // nil: not counted
	Tenant  string       // for platform.Scope
	// Concurrent outbox items of each kind of work, half of them for one integration; 0 = 16.
	Workers int
	// Exclusive says that no other process uses the store, and no other engine of this process:
	// what a killed predecessor had begun is taken up at once rather than after its lease, and the
	// sessions of calls are not read again while no commit has changed them.
	Exclusive bool
	// RollBack is how long every host must have read a format before plugins write it: until then
	// the release can be taken back to the one before. 0: a minute.
	RollBack time.Duration
	// Hosts lists the running hosts that share the store, this one included, and the time by the
	// clock of their rows; none: not known yet. Which formats they read decides which are written
	// (integration.Facts.WriteFormats). nil: this host is alone.
	Hosts func() ([]store.Host, time.Time)
	// Owner names this run of the host among those that share the store: what it claims bears this
	// name. "": one is made up.
	Owner string
	// Claiming waits until this host may work on what it claims, and returns a context that ends
	// when others may take that over; its error is that of ctx. What was under way is then given
	// up: requests to foreign services are cancelled, and done again as if the host had died. nil:
	// it always may.
	Claiming func(ctx context.Context) (context.Context, error)
	// Notices reach the other hosts that share the store; nil: there are none.
	Notices Notices
}

// Engine joins a Store, a Platform and Plugins. Use New; Run must be running for anything but
// webhooks' answers to happen.
type Engine struct {
	store    store.Store
	platform patient.Platform
	plugins  Plugins
	cfg      Config
	clock    clock.Clock
	log      *slog.Logger
	metrics  *counting.Counts
	owner    string
	made     time.Time // calls that began before it may have changed while no host was there

	known    *known.Known
	answers  *answers.Answers
	callers  *answers.Callers // nil: others write to the store as well
	formats  *formats.Formats
	alerts   *snapshots.Snapshots
	locks    sessions.Locks
	sessions *sessions.Copies
	presence *sessions.Presence
	outbox   *outbox.Outbox
	events   hub

	deferred deferred
	deletion *deletion.Deletions

	background sync.WaitGroup
}

// New checks the config and makes an engine.
func New(cfg Config) (*Engine, error) {
	if cfg.Store == nil || cfg.Platform == nil || cfg.Plugins == nil || cfg.EndpointURL == nil {
		return nil, errors.New("engine: Store, Platform, Plugins and EndpointURL are required")
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Workers <= 0 {
		cfg.Workers = 16
	}
	if cfg.RollBack <= 0 {
		cfg.RollBack = time.Minute
	}
	if cfg.MediaURL == nil {
		cfg.MediaURL = func(store.Medium) string { return "" }
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics()
	}
	patience := patient.New(cfg.Metrics.counts, cfg.Logger)
	if cfg.Mailer != nil {
		cfg.Mailer = patientMailer{cfg.Mailer, patience}
	}
	e := &Engine{
		store:    patience.Store(cfg.Store),
		platform: patience.Platform(cfg.Platform, sharedDatabase(cfg.Platform, cfg.Store)),
		plugins:  patience.Plugins(cfg.Plugins),
		cfg:      cfg,
		clock:    cfg.Clock,
		log:      cfg.Logger,
		metrics:  cfg.Metrics.counts,
		owner:    cmp.Or(cfg.Owner, ulid.Make().String()),
		made:     cfg.Clock.Now(),
	}
	e.known = known.New(known.Config{
		Store: e.store, Platform: e.platform, Plugins: e.plugins, Clock: e.clock, Log: e.log, Tenant: cfg.Tenant,
		EndpointURL: cfg.EndpointURL, MediaURL: cfg.MediaURL, MediaSlices: cfg.MediaSlices,
		Mail: cfg.Mailer != nil, Notifies: cfg.Notifies, CallMedia: cfg.GuardedMediaURL != nil,
	})
	if cfg.Exclusive {
		e.callers = answers.NewCallers(e.made)
	}
	e.answers = answers.New(answers.Config{Store: e.store, Platform: e.platform, Known: e.known, Clock: e.clock, Log: e.log, Callers: e.callers})
	e.formats = formats.New(formats.Config{
		Store: e.store, Known: e.known, Plugins: e.plugins.PluginIDs, Clock: e.clock, Log: e.log,
		Hosts: cfg.Hosts, RollBack: cfg.RollBack, Beside: e.beside,
	})
	e.presence = sessions.NewPresence(e.store, e.clock, e.log, e.tellSilent)
	e.sessions = sessions.NewCopies(e.store, e.clock, e.presence, cfg.Exclusive)
	e.alerts = snapshots.New(snapshots.Config{
		Platform: e.platform, Store: e.store, Clock: e.clock, Log: e.log, Owner: e.owner, Scope: e.known.Scope,
		Sure: cfg.Exclusive && e.platform.InStore(), Live: e.live, Handle: e.handleAlert, Changed: e.alertChanged,
	})
	e.deletion = deletion.New(deletion.Config{
		Store: cfg.Store, Patient: e.store, Platform: cfg.Platform, Alerts: e.platform, Browser: e.platform.Browser(), Known: e.known, Clock: e.clock, Log: e.log,
		Owner: e.owner, Load: e.loadNow, KeepCalls: cfg.KeepCalls, KeepRecordings: cfg.KeepRecordings,
	})
	e.outbox = outbox.New(outbox.Config{
		Store: e.store, Clock: e.clock, Log: e.log, Counts: e.metrics, Engine: work{e}, Owner: e.owner, Workers: cfg.Workers,
		Exclusive: cfg.Exclusive, Claiming: cfg.Claiming,
	})
	return e, nil
}

// Run works the outbox, the timers and the alert snapshots until ctx ends. Work that has begun is
// finished first, for at most a few seconds; what is not finished is given back.
func (e *Engine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.outbox.Run(ctx) })
	g.Go(func() error { return e.alerts.Watch(ctx) })
	g.Go(func() error { return e.periodic(ctx) })
	g.Go(func() error { return e.started(ctx) })
	g.Go(func() error { return e.watchFindings(ctx) })
	g.Go(func() error { return e.formats.Watch(ctx) })
	g.Go(func() error { return e.known.KeepCopies(ctx) })
	g.Go(func() error { return e.presence.Store(ctx) })
	g.Go(func() error { return e.presence.WatchSilent(ctx) })
	g.Go(func() error { return e.deletion.Erase(ctx) })
	g.Go(func() error { return e.learnCallers(ctx) })
	if e.cfg.Notices != nil {
		g.Go(func() error {
			return e.cfg.Notices.Run(ctx, func(notice string) { e.hears(ctx, notice) })
		})
	}
	err := g.Wait()
	e.alerts.Wait()
	e.background.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// learnCallers finds out who called before this process began. Without that the store is asked.
func (e *Engine) learnCallers(ctx context.Context) error {
	if e.callers == nil {
		return nil
	}
	if err := e.callers.Learn(ctx, e.store); err != nil && ctx.Err() == nil {
		e.log.Warn("cannot read who has called lately; the store is asked about each caller for a while", "error", err)
	}
	return nil
}

// Health is nil when calls can be decided: the store and the platform can be used, and every
// installed plugin answers. That an integration names a plugin which is not installed is that
// integration's trouble and no reason to send the callers of the others elsewhere, so it is not
// looked at. Give ctx a deadline.
func (e *Engine) Health(ctx context.Context) error {
	if err := e.store.Ping(ctx); err != nil {
		return err
	}
	if err := e.platform.Health(ctx); err != nil {
		return err
	}
	ids := e.plugins.PluginIDs()
	if len(ids) == 0 {
		return integration.Errorf(integration.KindUnavailable, "no plugin is installed")
	}
	for _, id := range ids {
		plugin, ok := e.plugins.Plugin(id)
		if !ok {
			return integration.Errorf(integration.KindUnavailable, "plugin %s is not running", id)
		}
		if _, err := plugin.Describe(ctx, integration.DescribeRequest{}); err != nil {
			return integration.Errorf(integration.KindOf(err), "plugin %s: %w", id, err)
		}
	}
	return nil
}
