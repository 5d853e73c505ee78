package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/integrationform"
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
}

// Config is what the API is made of. All fields are required unless said otherwise.
type Config struct {
	Engine   Engine
	Store    store.Store
	Platform platform.Platform // alerts are served when it is a platform.AlertBrowser too
	// PlatformPage is where people find a platform that shows its alerts itself; "": it is not known.
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
	// Guard says whether a stream's login still holds; nil: streams live as long as their client.
	Guard *httpkit.Guard
	// Hosts are the running hosts that share the store; nil: it is not known.
	Hosts func() []store.Host
	// Status is the host at a glance; nil: it is not known.
	Status func(context.Context) Status
	// PushFile puts a switchboard file into force for all hosts and returns its hash; nil: the host goes by
	// its own file.
	PushFile func(ctx context.Context, text []byte) (hash string, err error)
	// Closing ends when the host stops: event streams end then. nil: they live as long as their
	// client.
	Closing context.Context
}

// API serves the routes.
type API struct {
	cfg     Config
	browser platform.AlertBrowser // nil: the platform shows its alerts itself
	forms   *integrationform.Forms
	log     *slog.Logger
	streams streams
}

// Route is one operation. Its handler either answers or returns an error, never both.
type Route struct {
	Method  string
	Path    string // below Prefix, with {parameters} as in OpenAPI and net/http
	handler func(http.ResponseWriter, *http.Request) error
}

// New makes the API. Nothing is opened or started.
func New(cfg Config) *API {
	a := &API{cfg: cfg, log: cfg.Logger, forms: newForms(cfg)}
	a.browser, _ = cfg.Platform.(platform.AlertBrowser)
	if a.cfg.Closing == nil {
		a.cfg.Closing = context.Background()
	}
	return a
}

// Routes lists every operation.
func (a *API) Routes() []Route {
	return []Route{
		{"GET", "/integrations", a.listIntegrations},
		{"POST", "/integrations", a.createIntegration},
		{"GET", "/integrations/{id}", a.getIntegration},
		{"PUT", "/integrations/{id}", a.replaceIntegration},
		{"DELETE", "/integrations/{id}", a.deleteIntegration},
		{"POST", "/integrations/{id}/actions/{name}", a.runAction},
		{"GET", "/integrations/{id}/form", a.getForm(ofIntegration)},
		{"POST", "/integrations/{id}/form", a.postForm(ofIntegration)},
		{"GET", "/integrations/{id}/form/schema", a.getFormSchema(ofIntegration)},
		{"GET", "/plugins", a.listPlugins},
		{"GET", "/plugins/{id}/options-schema", a.optionsSchema},
		{"GET", "/plugins/{id}/form", a.getForm(ofPlugin)},
		{"POST", "/plugins/{id}/form", a.postForm(ofPlugin)},
		{"GET", "/plugins/{id}/form/schema", a.getFormSchema(ofPlugin)},
		{"POST", "/media", a.uploadMedia},
		{"GET", "/media/{ref}", a.getMedium},
		{"GET", "/alerts", a.listAlerts},
		{"GET", "/alerts/{id}", a.getAlert},
		{"POST", "/alerts/{id}/acknowledge", a.actOnAlert(platform.ActAcknowledge)},
		{"POST", "/alerts/{id}/reject", a.actOnAlert(platform.ActReject)},
		{"POST", "/alerts/{id}/escalate", a.actOnAlert(platform.ActEscalate)},
		{"POST", "/alerts/{id}/resolve", a.actOnAlert(platform.ActResolve)},
		{"GET", "/calls", a.listCalls},
		{"GET", "/calls/{sid}", a.getCall},
		{"DELETE", "/calls/{sid}", a.deleteCall},
		{"POST", "/calls/{sid}/notes", a.addNote},
		{"DELETE", "/calls/{sid}/notes/{note}", a.deleteNote},
		{"POST", "/calls/{sid}/recordings/{ref}/heard", a.markHeard},
		{"GET", "/teams", a.listTeams},
		{"GET", "/teams/{id}/oncall", a.onCall},
		{"GET", "/hosts", a.listHosts},
		{"GET", "/status", a.getStatus},
		{"PUT", "/switchboard-file", a.pushFile},
		{"GET", "/events", a.streamEvents},
		{"GET", "/openapi.json", a.openAPI},
	}
}

// Handler serves Prefix and everything below it, in JSON also where there is nothing. It does not
// check who asks: put it behind a guard.
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

// handle bounds a request in time and answers an error in the shape of the API.
func (a *API) handle(route Route) http.Handler {
	// A stream lives until its client leaves; it has deadlines for each event instead.
	stream := route.Path == "/events"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !stream {
			// Event streams are exempt.
			ctx, cancel := context.WithTimeout(r.Context(), httpkit.TimeFor(r))
			defer cancel()
			r = r.WithContext(ctx)
		}
		if err := route.handler(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}

// scope is the scope of an integration; "" for questions about the whole installation.
func (a *API) scope(integrationID string) platform.Scope {
	return platform.Scope{Tenant: a.cfg.Tenant, Integration: integrationID}
}
