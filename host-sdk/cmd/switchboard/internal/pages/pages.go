package pages

import (
	"log/slog"
	"net/http"
	"net/url"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/integrations"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/live"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/login"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Config is what the pages are made of. All fields are required unless said otherwise.
type Config struct {
	Engine integrations.Engine
	Store  store.Store
	// Platform may offer more than platform.Platform, and the pages then show more: see layout.New,
	// live.New, integrations.New.
	Platform platform.Platform
	File     *switchboardfile.Source // for its state and accounts; nil: there is none
	// PlatformPage is where people find the platform; "": these are its pages.
	PlatformPage string
	Plugins      engine.Plugins
	EndpointURL  func(integrationID string) string
	PublicURL    string // without trailing slash; its path, if any, precedes every link
	APIPath      string // where the JSON API is mounted, such as /api/v1
	Tenant       string // may be ""
	Guard        *httpkit.Guard
	Troubles     func() []string // what is wrong with the host, a sentence each; it must not wait; nil: nothing is known
	Clock        clock.Clock
	Logger       *slog.Logger
}

// Pages serves the pages.
type Pages struct {
	site         *layout.Site
	store        store.Store
	login        *login.Login
	live         *live.Live
	integrations *integrations.Integrations
	handler      http.Handler
}

// New makes the pages and lets their sessions use the API (Guard.Session). An error is a public URL
// that cannot be parsed, or a mistake in a template.
func New(cfg Config) (*Pages, error) {
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	p := &Pages{store: cfg.Store}
	p.site, err = layout.New(layout.Config{
		Platform: cfg.Platform, File: cfg.File, PlatformPage: cfg.PlatformPage, PublicURL: public, APIPath: cfg.APIPath, Tenant: cfg.Tenant, Troubles: cfg.Troubles, Clock: cfg.Clock, Log: cfg.Logger,
		LoggedIn: func(r *http.Request) bool { return p.login.Valid(r) },
	})
	if err != nil {
		return nil, err
	}
	if p.login, err = login.New(p.site, cfg.Store, cfg.Guard); err != nil {
		return nil, err
	}
	if p.live, err = live.New(p.site, cfg.Store); err != nil {
		return nil, err
	}
	p.integrations, err = integrations.New(p.site, integrations.Config{
		Engine: cfg.Engine, Store: cfg.Store, Plugins: cfg.Plugins, EndpointURL: cfg.EndpointURL,
	})
	if err != nil {
		return nil, err
	}
	cfg.Guard.Session = p.login.Valid
	p.handler = p.protect(p.routes())
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// policy lets a page load from this host alone, run no inline script or style, and be framed by
// nobody.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

func (p *Pages) protect(next http.Handler) http.Handler {
	guarded := httpkit.CrossOrigin(p.site.PublicURL.String(), p.site.Log, func(w http.ResponseWriter, r *http.Request) {
		p.site.ShowError(w, r, layout.Refusal{Status: http.StatusForbidden, Title: "Refused",
			Message: "Another website made your browser send this request. Nothing was changed."})
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		// The same request: httpkit.Instrument reads the matched route from it.
		guarded.ServeHTTP(w, r)
	})
}

func (p *Pages) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/{name}", layout.Static)
	mux.HandleFunc("GET /favicon.ico", layout.Favicon)
	mux.Handle("GET /login", p.site.Handle(p.login.ShowLogin))
	mux.Handle("POST /login", p.site.Handle(p.login.Login))
	mux.Handle("POST /logout", p.site.Handle(p.login.Logout))
	for pattern, h := range map[string]layout.Handler{
		"GET /{$}":                                   p.home,
		"GET /me":                                    p.login.ShowMe,
		"POST /me":                                   p.login.SetMe,
		"GET /alerts":                                p.live.ListAlerts,
		"GET /alerts/{id}":                           p.live.ShowAlert,
		"GET /alerts/{id}/{action}":                  p.live.BackToAlert,
		"POST /alerts/{id}/{action}":                 p.live.ActOnAlert,
		"GET /calls":                                 p.live.ListCalls,
		"GET /calls/{sid}":                           p.live.ShowCall,
		"GET /calls/{sid}/{action}":                  p.live.BackToCall,
		"POST /calls/{sid}/notes":                    p.live.AddNote,
		"POST /calls/{sid}/notes/{note}/delete":      p.live.DeleteNote,
		"POST /calls/{sid}/heard":                    p.live.MarkHeard,
		"GET /calls/{sid}/delete":                    p.live.ConfirmDeleteCall,
		"POST /calls/{sid}/delete":                   p.live.DeleteCall,
		"GET /oncall":                                p.live.ShowOnCall,
		"GET /settings/integrations":                 p.integrations.List,
		"GET /settings/integrations/new":             p.integrations.ShowNew,
		"POST /settings/integrations/new":            p.integrations.Create,
		"GET /settings/integrations/{id}":            p.integrations.Show,
		"POST /settings/integrations/{id}":           p.integrations.Save,
		"GET /settings/integrations/{id}/delete":     p.integrations.ConfirmDelete,
		"POST /settings/integrations/{id}/delete":    p.integrations.Delete,
		"POST /settings/integrations/{id}/do/{name}": p.integrations.RunAction,
		"/": layout.NothingHere,
	} {
		mux.Handle(pattern, p.site.Handle(p.login.Protect(h)))
	}
	return mux
}

// home leads to the page that matters most: alerts, or the integrations while there is none.
func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	all, err := p.store.ListIntegrations(r.Context())
	if err != nil {
		return err
	}
	switch {
	case len(all) == 0:
		p.site.Redirect(w, r, "/settings/integrations")
	case !p.site.HasAlerts():
		p.site.Redirect(w, r, "/calls")
	default:
		p.site.Redirect(w, r, "/alerts")
	}
	return nil
}
