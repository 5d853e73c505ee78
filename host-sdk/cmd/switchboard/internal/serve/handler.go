package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/hosts"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/process"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/tell"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/vitals"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/integrations"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/doctor"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/plugins"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// Site is what the handler is made of. All fields are required unless said otherwise. Tests of
// pages and API make one without a host around it, hence the optional fields.
type Site struct {
	Engine     *engine.Engine
	Metrics    *engine.Metrics        // nil: the engine's counts are not served
	Reloads    *prometheus.CounterVec // of the switchboard file; nil: not served
	Sends      *prometheus.CounterVec // nil: not counted
	Ways       *ways.Ways             // of people; nil: another platform has the people
	Store      store.Store
	PagesStore store.Store // for pages, API and metrics; nil: Store
	Platform   platform.Platform
	File       *switchboardfile.Source // nil: there is none
	// PlatformPage is where people find the platform; "": its pages are these.
	PlatformPage string
	Plugins      engine.Plugins
	PublicURL    string            // without trailing slash
	Attempts     *httpkit.Attempts // wrong tokens
	People       *people.People
	Mail         *tell.MailWatch // the mail server; nil: there is none
	Proxies      []netip.Prefix  // whose X-Forwarded-For is believed; may be none
	// Serves the media of calls for a limited time; nil: there are no such addresses.
	Guarded http.Handler
	Clock   clock.Clock
	Logger  *slog.Logger
	// Closing ends when the host stops: event streams end and /readyz says so. nil: never.
	Closing context.Context

	profiling bool // admins can read Go profiles of this process

	hosts  *hosts.Presence   // nil: nothing is known of other hosts
	shared *inforce.Shared   // nil: the switchboard file is this host's alone
	status *vitals.Status    // nil: it is not known
	stand  *doctor.Stand     // without its file; nil: this is a handler without a host
	ready  *health.Readiness // nil: Handler makes one that only looks when it is asked
}

// vitals is what the checks, the metrics and the status look at.
func (s Site) vitals() vitals.Host {
	return vitals.Host{
		Metrics: s.Metrics, Reloads: s.Reloads, Sends: s.Sends, Attempts: s.Attempts, Store: s.Store, PagesStore: s.PagesStore,
		Platform: s.Platform, PlatformPage: s.PlatformPage, File: s.File, Shared: s.shared, Plugins: s.Plugins, Mail: s.Mail, Hosts: s.hosts,
		Ready: s.ready, Clock: s.Clock, Logger: s.Logger, Closing: s.Closing,
	}
}

// Handler answers for the whole host. It fails if a part cannot be made, and starts nothing.
// Whoever calls it has the parts running.
func Handler(s Site) (http.Handler, error) {
	if s.Closing == nil {
		s.Closing = context.Background()
	}
	if s.ready == nil {
		s.ready = vitals.NewReadiness(s.vitals())
	}
	if s.PagesStore == nil {
		s.PagesStore = s.Store
	}
	registry, instrument, observe := vitals.NewMetrics(s.vitals())
	hooks, err := webhook.New(webhook.Config{
		Engine: s.Engine, PublicURL: s.PublicURL, Clock: s.Clock, Logger: s.Logger, Observe: observe, Files: s.Store,
	})
	if err != nil {
		return nil, fmt.Errorf("webhooks: %w", err)
	}
	// A nil function and not a method of a nil pointer: the API asks whether there is one.
	var push func(context.Context, []byte) (string, error)
	if s.shared != nil {
		push = s.shared.Push
	}
	var glance func(context.Context) api.Status
	if s.status != nil {
		glance = s.status.Read
	}
	exchange, remove := pluginChanges(s)
	ringer := ways.NewRinger(ways.RingerConfig{TestRing: s.Engine.TestRing, Integrations: s.PagesStore.ListIntegrations, Clock: s.Clock, Hosts: s.hosts.Count, Closing: s.Closing.Done()})
	var prove func(string) string
	if s.stand != nil {
		prove = s.stand.Prove
	}
	// Pages and API run actions through it, so both say what the host sees of its address.
	actions := checkingEngine{s.Engine, s.stand}
	operations := api.New(api.Config{
		Engine: actions, Examine: s.examination(), Store: s.PagesStore, Platform: s.Platform, PlatformPage: s.PlatformPage, Plugins: s.Plugins, PublicURL: s.PublicURL,
		EndpointURL:   func(id string) string { return webhook.EndpointURL(s.PublicURL, id) },
		FormScriptURL: s.PublicURL + layout.AssetPath("form.js"), FormStyleURL: s.PublicURL + layout.AssetPath("form.css"),
		People: s.People, Ways: s.Ways, Ringer: ringer, Clock: s.Clock, Logger: s.Logger, Closing: s.Closing, Hosts: s.hosts.Running, PushFile: push, Status: glance,
		SwitchPlugin: exchange, RemovePlugin: remove,
	})

	// Three kinds of addresses: those that anybody may use (webhooks, a platform's hints, media by
	// token, health), the API and the pages, which ask for a login. What another website makes a
	// browser send is refused before the login is looked at, as the browser would add it by itself.
	mux := http.NewServeMux()
	// They have no log-in: a webhook proves by its signature where it comes from.
	mux.Handle(webhook.Prefix, hooks)
	mountPlatform(mux, s.Platform)
	mux.Handle(httpkit.PublicMediaRoute, httpkit.PublicMedia(s.Store))
	mux.Handle(httpkit.PublicSliceRoute, httpkit.PublicMedia(s.Store))
	if s.Guarded != nil {
		mux.Handle(webhook.MediaPrefix, s.Guarded)
	}
	mux.Handle("GET /healthz", alive(prove))
	mux.Handle("GET /readyz", s.ready)
	// Without a login: scrapers seldom have one, and no metric holds a telephone number or the name
	// of a person. A scrape reads the store, so only a few run at a time.
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(s.Logger.Handler(), slog.LevelWarn), MaxRequestsInFlight: 4, Timeout: 10 * time.Second,
	}))
	mux.Handle(apikit.Prefix+"/", httpkit.CrossOrigin(s.PublicURL, s.Logger, refuseOtherSites).Handler(s.People.API(operations.Handler())))
	// The pages take every address that is left.
	site, err := pages.New(pages.Config{
		Ways: s.Ways, Ringer: ringer,
		Engine: actions, Store: s.PagesStore, Platform: s.Platform, File: s.File, PlatformPage: s.PlatformPage, Plugins: s.Plugins,
		PublicURL: s.PublicURL, APIPath: apikit.Prefix,
		EndpointURL: func(id string) string { return webhook.EndpointURL(s.PublicURL, id) }, People: s.People, Troubles: s.ready.Troubles,
		Clock: s.Clock, Logger: s.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	mux.Handle("/", site)
	// Off unless it is asked for: profiles tell much of a process.
	if s.profiling {
		mux.Handle("GET "+process.ProfilingPrefix, s.People.API(process.Profiles(s.Plugins)))
	}
	// The client's address is settled first: limits and log lines below go by it.
	return httpkit.ClientAddress(s.Proxies, instrument.Wrap(mux)), nil
}

// refuseOtherSites answers a request of the API that another website made a browser send.
func refuseOtherSites(w http.ResponseWriter, _ *http.Request) {
	httpkit.WriteError(w, http.StatusForbidden, "unauthorized", "refused: another website made the browser send this request")
}

// pluginChanges are what the API needs to exchange plugins; nil where the site has none of its own.
// Tests have plugins in process, which cannot be exchanged.
func pluginChanges(s Site) (exchange func(ctx context.Context, id, version string) (integrations.SwitchedPlugin, error), remove func(ctx context.Context, id string) error) {
	own, ok := s.Plugins.(*plugins.Plugins)
	if !ok {
		return nil, nil
	}
	return func(ctx context.Context, id, version string) (integrations.SwitchedPlugin, error) {
		switched, err := own.Switch(ctx, id, version)
		// The engine keeps what a plugin says of itself, and must not go by the old one.
		if err == nil {
			err = s.Engine.DescribeAgain(ctx, id)
		}
		return switched, err
	}, own.Remove
}
