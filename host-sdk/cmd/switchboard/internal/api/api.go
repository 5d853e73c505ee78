package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/integrationform"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Prefix is where the API is mounted.
const Prefix = "/api/v1"

// Engine is what the API needs of *engine.Engine. Tests give it another.
type Engine interface {
	Configure(ctx context.Context, id string, revision int64, d engine.Draft) (store.Integration, []integration.Problem, error)
	Remove(ctx context.Context, id string) error
	RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error)
	Subscribe() (<-chan engine.Event, func())
	DeleteRecording(ctx context.Context, integrationID, key, ref string, d store.Deletion) error
	DeleteCall(ctx context.Context, integrationID, key string, d store.Deletion) error
	DeleteAlert(ctx context.Context, integrationID, alertKey string) error
	Forget(ctx context.Context, number string, d store.Deletion) (engine.Forgotten, error)
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
	SwitchPlugin func(ctx context.Context, id, version string) (SwitchedPlugin, error)
	RemovePlugin func(ctx context.Context, id string) error
	// Closing ends when the host stops: event streams end then. nil: they live as long as their
	// client.
	Closing context.Context
}

// API serves the routes. It is safe for concurrent use; streams has a lock of its own.
type API struct {
	cfg     Config
	browser platform.AlertBrowser // nil: the platform shows its alerts itself
	forms   *integrationform.Forms
	log     *slog.Logger
	streams streams
}

// Route is one operation. Its handler either answers or returns an error, never both. Tests hold
// that each is in the OpenAPI document.
type Route struct {
	Method  string
	Path    string        // below Prefix, with {parameters} as in OpenAPI and net/http
	Needs   people.Action // what whoever asks must be allowed to do
	handler func(http.ResponseWriter, *http.Request) error
	audit   audited
}

// audited says how the audit names an operation: by a word, and by the parameter that says what it
// is done to; "": the handler says it.
type audited struct{ action, of string }

// quiet is an operation that is not audited.
var quiet audited

// New makes the API. Nothing is opened or started.
func New(cfg Config) *API {
	a := &API{cfg: cfg, log: cfg.Logger, forms: newForms(cfg)}
	a.browser, _ = cfg.Platform.(platform.AlertBrowser)
	if a.cfg.Closing == nil {
		a.cfg.Closing = context.Background()
	}
	return a
}

// Routes lists every operation. Answering a question is not audited; hearing a recording is, by its
// handler.
func (a *API) Routes() []Route {
	return []Route{
		{"GET", "/integrations", people.Configure, a.listIntegrations, quiet},
		{"POST", "/integrations", people.Configure, a.createIntegration, audited{"integration.create", ""}},
		{"GET", "/integrations/{id}", people.Configure, a.getIntegration, quiet},
		{"PUT", "/integrations/{id}", people.Configure, a.replaceIntegration, audited{"integration.change", "id"}},
		{"DELETE", "/integrations/{id}", people.Configure, a.deleteIntegration, audited{"integration.delete", "id"}},
		{"POST", "/integrations/{id}/actions/{name}", people.Configure, a.runAction, audited{"integration.action", "id"}},
		{"GET", "/integrations/{id}/form", people.Configure, a.getForm(ofIntegration), quiet},
		{"POST", "/integrations/{id}/form", people.Configure, a.postForm(ofIntegration), audited{"integration.change", "id"}},
		{"GET", "/integrations/{id}/form/schema", people.Configure, a.getFormSchema(ofIntegration), quiet},
		{"GET", "/plugins", people.Configure, a.listPlugins, quiet},
		{"DELETE", "/plugins/{id}", people.Configure, a.removePlugin, audited{"plugin.remove", "id"}},
		{"POST", "/plugins/{id}/switch", people.Configure, a.switchPlugin, audited{"plugin.switch", "id"}},
		{"GET", "/plugins/{id}/options-schema", people.Configure, a.optionsSchema, quiet},
		{"GET", "/plugins/{id}/form", people.Configure, a.getForm(ofPlugin), quiet},
		{"POST", "/plugins/{id}/form", people.Configure, a.postForm(ofPlugin), audited{"integration.create", ""}},
		{"GET", "/plugins/{id}/form/schema", people.Configure, a.getFormSchema(ofPlugin), quiet},
		{"POST", "/media", people.Configure, a.uploadMedia, quiet},
		{"GET", "/media/{ref}", people.Hear, a.getMedium, quiet},
		{"GET", "/alerts", people.Look, a.listAlerts, quiet},
		{"GET", "/alerts/{id}", people.SeeAlert, a.getAlert, quiet},
		{"POST", "/alerts/{id}/acknowledge", people.TakeAlert, a.actOnAlert(platform.ActAcknowledge), quiet},
		{"POST", "/alerts/{id}/reject", people.TakeAlert, a.actOnAlert(platform.ActReject), quiet},
		{"POST", "/alerts/{id}/escalate", people.Respond, a.actOnAlert(platform.ActEscalate), quiet},
		{"POST", "/alerts/{id}/resolve", people.Respond, a.actOnAlert(platform.ActResolve), quiet},
		{"GET", "/calls", people.Look, a.listCalls, quiet},
		{"GET", "/calls.csv", people.Look, a.exportCalls, quiet},
		{"GET", "/calls/{sid}", people.Look, a.getCall, quiet},
		{"DELETE", "/calls/{sid}", people.Erase, a.deleteCall, audited{"call.delete", "sid"}},
		{"POST", "/calls/{sid}/notes", people.Respond, a.addNote, audited{"note.add", "sid"}},
		{"DELETE", "/calls/{sid}/notes/{note}", people.Respond, a.deleteNote, audited{"note.delete", "sid"}},
		{"POST", "/calls/{sid}/recordings/{ref}/heard", people.Hear, a.markHeard, quiet},
		{"GET", "/statistics", people.Look, a.getStatistics, quiet},
		{"DELETE", "/recordings/{ref}", people.Erase, a.deleteRecording, audited{"recording.delete", "ref"}},
		{"DELETE", "/alerts/{id}", people.Erase, a.deleteAlert, audited{"alert.delete", "id"}},
		{"POST", "/forget", people.Erase, a.forget, audited{"caller.forget", ""}},
		{"GET", "/erasures", people.Erase, a.listErasures, quiet},
		{"GET", "/teams", people.Look, a.listTeams, quiet},
		{"GET", "/teams/{id}/oncall", people.Look, a.onCall, quiet},
		{"GET", "/teams/{id}/schedule", people.Look, a.teamSchedule, quiet},
		{"GET", "/overrides", people.Look, a.listOverrides, quiet},
		{"POST", "/overrides", people.Shift, a.addOverride, audited{"shift.change", ""}},
		{"DELETE", "/overrides/{id}", people.Shift, a.deleteOverride, audited{"shift.remove", ""}},
		{"GET", "/hosts", people.Look, a.listHosts, quiet},
		{"GET", "/status", people.Look, a.getStatus, quiet},
		{"POST", "/doctor", people.Configure, a.examine, audited{"host.examine", ""}},
		{"PUT", "/switchboard-file", people.Configure, a.pushFile, audited{"file.push", ""}},
		{"GET", "/events", people.Look, a.streamEvents, quiet},
		{"GET", "/openapi.json", people.Self, a.openAPI, quiet},
		{"GET", "/me", people.Self, a.getMe, quiet},
		{"GET", "/logins", people.Self, a.listLogins, quiet},
		{"DELETE", "/logins/{id}", people.Self, a.endLogin, audited{"login.end", ""}},
		{"POST", "/users/{id}/test", people.Self, a.testUser, audited{"user.test", "id"}},
		{"GET", "/tokens", people.Manage, a.listTokens, quiet},
		{"POST", "/tokens", people.Manage, a.makeToken, audited{"token.create", ""}},
		{"DELETE", "/tokens/{id}", people.Manage, a.revokeToken, audited{"token.revoke", "id"}},
		{"GET", "/audit", people.Manage, a.listAudit, quiet},
	}
}

// Handler serves Prefix and everything below it, in JSON also where there is nothing. It belongs
// behind [people.People.API], which finds out who asks; here it is decided what they may do.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range a.Routes() {
		mux.Handle(route.Method+" "+Prefix+route.Path, a.handle(route))
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
		httpkit.WriteError(w, http.StatusNotFound, "not_found", "there is nothing at this address: see "+Prefix+"/openapi.json")
	})
}

// handle bounds a request in time and answers an error in the shape of the API. The right is
// checked before anything is read from the body.
func (a *API) handle(route Route) http.Handler {
	// A stream lives until its client leaves; it has deadlines for each event instead.
	stream := route.Path == "/events" || route.Path == "/calls.csv"
	handler := route.handler
	// Inside of everything else, so that only what succeeded is written down.
	if route.audit != quiet {
		handler = a.cfg.People.Audited(route.audit.action, route.audit.of, handler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !stream {
			// Event streams are exempt.
			ctx, cancel := context.WithTimeout(r.Context(), httpkit.TimeFor(r))
			defer cancel()
			r = r.WithContext(ctx)
		}
		// The link in a page opens an alert by the id in the address. What is heard is looked at by
		// getMedium.
		who, alert := people.From(r.Context()), ""
		if strings.HasPrefix(route.Path, "/alerts/{id}") {
			alert = r.PathValue("id")
		}
		if !who.May(route.Needs, alert) {
			httpkit.WriteError(w, http.StatusForbidden, "unauthorized", who.Refuse(route.Needs).Message)
			return
		}
		if err := handler(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}

// scope is the scope of an integration; "" for questions about the whole installation.
func (a *API) scope(integrationID string) platform.Scope {
	return platform.Scope{Tenant: a.cfg.Tenant, Integration: integrationID}
}
