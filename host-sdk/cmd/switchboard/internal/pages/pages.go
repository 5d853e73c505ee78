package pages

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Engine is what the pages need of *engine.Engine.
type Engine interface {
	Configure(ctx context.Context, id string, revision int64, d engine.Draft) (store.Integration, []integration.Problem, error)
	Remove(ctx context.Context, id string) error
	RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error)
}

// Config is what the pages are made of. All fields are required unless said otherwise.
type Config struct {
	Engine Engine
	Store  store.Store
	// Platform's alerts are shown when it is a platform.AlertBrowser too; who may act is offered as a list when it has
	// Users() []integration.User, routers when it has Routers() []integration.Destination, and handoffs when it has
	// File() *embedded.File.
	Platform    platform.Platform
	Plugins     engine.Plugins
	EndpointURL func(integrationID string) string
	PublicURL   string // without trailing slash; its path, if any, precedes every link
	APIPath     string // where the JSON API is mounted, such as /api/v1
	Tenant      string // may be ""
	Guard       *httpkit.Guard
	Clock       clock.Clock
	Logger      *slog.Logger
}

// Pages serves the pages.
type Pages struct {
	cfg     Config
	log     *slog.Logger
	base    string // path of the public URL
	browser platform.AlertBrowser
	people  interface{ Users() []integration.User }
	routers interface {
		Routers() []integration.Destination
	}
	file     interface{ File() *embedded.File }
	status   interface{ Status() embedded.Status }
	sessions *sessions
	throttle *throttle
	once     *once
	views    *views
	handler  http.Handler
}

// requestTime bounds what one page may cost the store, the platform and the plugin.
const requestTime = 25 * time.Second

// New makes the pages and lets their sessions use the API (Guard.Session).
func New(cfg Config) (*Pages, error) {
	p := &Pages{cfg: cfg, log: cfg.Logger}
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	p.base = strings.TrimRight(public.Path, "/")
	p.browser, _ = cfg.Platform.(platform.AlertBrowser)
	p.people, _ = cfg.Platform.(interface{ Users() []integration.User })
	p.routers, _ = cfg.Platform.(interface {
		Routers() []integration.Destination
	})
	p.file, _ = cfg.Platform.(interface{ File() *embedded.File })
	p.status, _ = cfg.Platform.(interface{ Status() embedded.Status })
	p.sessions = newSessions(cfg.Guard.Key("login session"), cfg.Clock, public.Scheme == "https", p.base+"/")
	p.throttle = newThrottle(cfg.Clock)
	p.once = newOnce(cfg.Clock)
	if p.views, err = newViews(p); err != nil {
		return nil, err
	}
	cfg.Guard.Session = func(r *http.Request) bool { return p.sessions.check(r) == sessionValid }
	p.handler = p.protect(public)
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// policy lets a page load from this host alone, run no inline script or style, and be framed by nobody.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

func (p *Pages) protect(public *url.URL) http.Handler {
	mux := p.routes()
	cross := http.NewCrossOriginProtection()
	if err := cross.AddTrustedOrigin(strings.ToLower(public.Scheme + "://" + public.Host)); err != nil {
		p.log.Warn("public_url cannot be used as a browser origin", "error", err.Error())
	}
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.failed(w, r, http.StatusForbidden, "Refused", "Another website made your browser send this request. Nothing was changed.")
	}))
	guarded := cross.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		guarded.ServeHTTP(w, r) // the same request: the matched route is read from it afterwards
	})
}

func (p *Pages) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/{name}", p.static)
	mux.HandleFunc("GET /favicon.ico", p.favicon)
	mux.Handle("GET /login", p.open(p.showLogin))
	mux.Handle("POST /login", p.open(p.login))
	mux.Handle("POST /logout", p.open(p.logout))
	for pattern, h := range map[string]handler{
		"GET /{$}":                                   p.home,
		"GET /me":                                    p.showMe,
		"POST /me":                                   p.setMe,
		"GET /alerts":                                p.listAlerts,
		"GET /alerts/{id}":                           p.showAlert,
		"GET /alerts/{id}/{action}":                  p.backToAlert,
		"POST /alerts/{id}/{action}":                 p.actOnAlert,
		"GET /calls":                                 p.listCalls,
		"GET /calls/{sid}":                           p.showCall,
		"GET /oncall":                                p.showOnCall,
		"GET /settings/integrations":                 p.listIntegrations,
		"GET /settings/integrations/new":             p.newIntegration,
		"POST /settings/integrations/new":            p.createIntegration,
		"GET /settings/integrations/{id}":            p.showIntegration,
		"POST /settings/integrations/{id}":           p.saveIntegration,
		"GET /settings/integrations/{id}/delete":     p.confirmDelete,
		"POST /settings/integrations/{id}/delete":    p.deleteIntegration,
		"POST /settings/integrations/{id}/do/{name}": p.runAction,
		"/": p.nothingHere,
	} {
		mux.Handle(pattern, p.closed(h))
	}
	return mux
}

// handler answers, or says why not.
type handler func(w http.ResponseWriter, r *http.Request) error

// open serves whoever asks.
func (p *Pages) open(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := requestTime
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			limit += uploadTime // it may be most of that until the files are here
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		r = r.WithContext(ctx)
		if err := h(w, r); err != nil {
			p.fail(w, r, err)
		}
	})
}

// closed serves those who are logged in; the others log in first and come back.
func (p *Pages) closed(h handler) http.Handler {
	return p.open(func(w http.ResponseWriter, r *http.Request) error {
		state := p.sessions.check(r)
		if state == sessionValid {
			return h(w, r)
		}
		return p.askLogin(w, r, state == sessionEnded)
	})
}

// refusal is an error with a status and a text for people.
type refusal struct {
	status         int
	title, message string
}

func (r *refusal) Error() string { return r.message }

// fail shows an error as a page. Texts of internal errors go to the log, never to a person.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	var own *refusal
	var known *integration.Error
	switch {
	case errors.As(err, &own):
		p.failed(w, r, own.status, own.title, own.message)
	case r.Context().Err() != nil:
		p.failed(w, r, http.StatusGatewayTimeout, "No answer in time", "Something behind this page took too long. Try again.")
	case errors.As(err, &known) && known.Kind == integration.KindNotFound:
		p.failed(w, r, http.StatusNotFound, "Not found", sentence(known.Message))
	case errors.As(err, &known) && (known.Kind == integration.KindUnavailable || known.Kind == integration.KindDeadline):
		p.failed(w, r, http.StatusServiceUnavailable, "Temporarily unavailable", sentence(known.Message)+" Try again in a moment.")
	case errors.As(err, &known) && known.Kind != integration.KindInternal:
		p.failed(w, r, http.StatusBadRequest, "Not possible", sentence(known.Message))
	default:
		id := httpkit.RequestID(r.Context())
		p.log.ErrorContext(r.Context(), "page failed", "request", id, "route", r.Pattern, "error", err.Error())
		p.failed(w, r, http.StatusInternalServerError, "Something went wrong", "The log has the details under request "+id)
	}
}

// failed shows the page of an error.
func (p *Pages) failed(w http.ResponseWriter, r *http.Request, status int, title, message string) {
	p.show(w, r, status, page{Title: title, Template: "error", Body: message})
}

func (p *Pages) nothingHere(http.ResponseWriter, *http.Request) error {
	return &refusal{http.StatusNotFound, "Not found", "There is no page at this address."}
}

// home goes to what matters most: alerts, or the first integration that is still to be made.
func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	all, err := p.cfg.Store.ListIntegrations(r.Context())
	if err != nil {
		return err
	}
	switch {
	case len(all) == 0:
		p.redirect(w, r, "/settings/integrations")
	case p.browser == nil:
		p.redirect(w, r, "/calls")
	default:
		p.redirect(w, r, "/alerts")
	}
	return nil
}

// redirect sends the browser to a path of these pages; what was sent is not sent again there.
func (p *Pages) redirect(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, p.base+path, http.StatusSeeOther) // #nosec G710 -- paths of ours, or such as safeNext has passed
}

func (p *Pages) scope(integrationID string) platform.Scope {
	return platform.Scope{Tenant: p.cfg.Tenant, Integration: integrationID}
}

// sentence makes an error's text, lower-case and without a period, one for people.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}
