package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/calls"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/integrations"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Engine is what the API needs of *engine.Engine. Tests give it another.
type Engine interface {
	integrations.Engine
	calls.Engine
}

// Config is what the API is made of. All fields are required unless said otherwise. Optional
// functions are nil where the host cannot do it; the route then says so.
type Config struct {
	Engine   Engine
	Store    store.Store
	Platform platform.Platform // alerts are served when it is a platform.AlertBrowser too
	// PlatformPage is where people find a platform that shows its alerts itself; "": it is not
	// known.
	PlatformPage string
	Plugins      engine.Plugins
	// EndpointURL gives the public URL of an integration's endpoint.
	EndpointURL func(integrationID string) string
	PublicURL   string // without trailing slash, for absolute links in answers
	Tenant      string // may be ""
	Clock       clock.Clock
	Logger      *slog.Logger
	// FormScriptURL and FormStyleURL are public addresses of what belongs to the HTML of a form.
	FormScriptURL, FormStyleURL string
	// People knows whose a request is, and keeps what the API tells of logins, tokens and the
	// audit.
	People *people.People
	// Ways are those of the people of the switchboard file; nil: another platform has the people.
	Ways *ways.Ways
	// Ringer rings people for a test.
	Ringer *ways.Ringer
	// Hosts are the running hosts that share the store; nil: it is not known.
	Hosts func() []store.Host
	// Examine looks at what the host stands on; nil: nobody does.
	Examine func(ctx context.Context, send bool) []inspect.Line
	// Status is the host at a glance; nil: it is not known.
	Status func(context.Context) Status
	// PushFile puts a switchboard file into force for all hosts and returns its hash; nil: the host
	// goes by its own file.
	PushFile func(ctx context.Context, text []byte) (hash string, err error)
	// SwitchPlugin takes a version of a plugin into use that lies in the plugin folder, and
	// RemovePlugin takes one away; nil: this host cannot.
	SwitchPlugin func(ctx context.Context, id, version string) (integrations.SwitchedPlugin, error)
	RemovePlugin func(ctx context.Context, id string) error
	// Closing ends when the host stops: event streams end then. nil: they live as long as their
	// client.
	Closing context.Context
}

// API serves the routes. It is safe for concurrent use.
type API struct {
	apikit.Common

	cfg   Config
	parts []part
}

// part is a package below this one, with the operations of one subject.
type part interface{ Routes() []apikit.Route }

// New makes the API. Nothing is opened or started.
func New(cfg Config) *API {
	common := apikit.Common{
		Store: cfg.Store, Platform: cfg.Platform, People: cfg.People, PublicURL: cfg.PublicURL, Tenant: cfg.Tenant, Clock: cfg.Clock, Logger: cfg.Logger,
	}
	return &API{Common: common, cfg: cfg, parts: []part{
		integrations.New(integrations.Config{
			Common: common, Engine: cfg.Engine, Plugins: cfg.Plugins, EndpointURL: cfg.EndpointURL, FormScriptURL: cfg.FormScriptURL,
			FormStyleURL: cfg.FormStyleURL, SwitchPlugin: cfg.SwitchPlugin, RemovePlugin: cfg.RemovePlugin,
		}),
		calls.New(calls.Config{Common: common, Engine: cfg.Engine, PlatformPage: cfg.PlatformPage, Closing: cfg.Closing}),
	}}
}

// Routes lists every operation, those of the parts too. Answering a question is not audited.
func (a *API) Routes() []apikit.Route {
	own := []apikit.Route{
		apikit.Quiet("GET", "/statistics", people.Look, a.getStatistics),
		apikit.Quiet("GET", "/teams", people.Look, a.listTeams),
		apikit.Quiet("GET", "/teams/{id}/oncall", people.Look, a.onCall),
		apikit.Quiet("GET", "/teams/{id}/schedule", people.Look, a.teamSchedule),
		apikit.Quiet("GET", "/overrides", people.Look, a.listOverrides),
		apikit.Audited("POST", "/overrides", people.Shift, a.addOverride, "shift.change", ""),
		apikit.Audited("DELETE", "/overrides/{id}", people.Shift, a.deleteOverride, "shift.remove", ""),
		apikit.Quiet("GET", "/hosts", people.Look, a.listHosts),
		apikit.Quiet("GET", "/status", people.Look, a.getStatus),
		apikit.Audited("POST", "/doctor", people.Configure, a.examine, "host.examine", ""),
		apikit.Audited("PUT", "/switchboard-file", people.Configure, a.pushFile, "file.push", ""),
		apikit.Quiet("GET", "/openapi.json", people.Self, a.openAPI),
		apikit.Quiet("GET", "/me", people.Self, a.getMe),
		apikit.Quiet("GET", "/logins", people.Self, a.listLogins),
		apikit.Audited("DELETE", "/logins/{id}", people.Self, a.endLogin, "login.end", ""),
		apikit.Audited("POST", "/users/{id}/test", people.Self, a.testUser, "user.test", "id"),
		apikit.Quiet("GET", "/tokens", people.Manage, a.listTokens),
		apikit.Audited("POST", "/tokens", people.Manage, a.makeToken, "token.create", ""),
		apikit.Audited("DELETE", "/tokens/{id}", people.Manage, a.revokeToken, "token.revoke", "id"),
		apikit.Quiet("GET", "/audit", people.Manage, a.listAudit),
	}
	for _, p := range a.parts {
		own = append(own, p.Routes()...)
	}
	return own
}

// Handler serves Prefix and everything below it, in JSON also where there is nothing. It belongs
// behind [people.People.API], which finds out who asks; here it is decided what they may do.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range a.Routes() {
		mux.Handle(route.Method+" "+apikit.Prefix+route.Path, a.handle(route))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		// The mux says 404 or 405 in text; say the same in JSON. The recorder takes the mux's own
		// answer, which is thrown away but for status and Allow.
		probe := httptest.NewRecorder()
		h.ServeHTTP(probe, r)
		if probe.Code == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", probe.Header().Get("Allow"))
			httpkit.WriteError(w, probe.Code, "invalid", "the method "+r.Method+" is not possible here: use "+probe.Header().Get("Allow"))
			return
		}
		httpkit.WriteError(w, http.StatusNotFound, "not_found", apikit.NothingHere)
	})
}

// handle bounds a request in time and answers an error in the shape of the API. The right is
// checked before anything is read from the body.
func (a *API) handle(route apikit.Route) http.Handler {
	// A stream lives until its client leaves; it has deadlines for each event instead.
	stream := route.Path == "/events" || route.Path == "/calls.csv"
	handler := route.Handler
	// Inside of everything else, so that only what succeeded is written down.
	if route.Action != "" {
		handler = a.People.Audited(route.Action, route.Of, handler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !stream {
			// Event streams are exempt.
			ctx, cancel := context.WithTimeout(r.Context(), httpkit.TimeFor(r))
			defer cancel()
			r = r.WithContext(ctx)
		}
		// The link in a page opens an alert by the id in the address. What is heard is looked at by
		// the handler.
		who, alert := people.From(r.Context()), ""
		if strings.HasPrefix(route.Path, "/alerts/{id}") {
			alert = r.PathValue("id")
		}
		if !who.May(route.Needs, alert) {
			httpkit.WriteError(w, http.StatusForbidden, "unauthorized", who.Refuse(route.Needs).Message)
			return
		}
		err := checkQuery(route, r)
		if err == nil {
			err = handler(w, r)
		}
		if err != nil {
			apikit.Fail(a.Logger, w, r, err)
		}
	})
}
