package pages

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/access"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/deletion"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/figures"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/integrations"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/live"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/login"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Config is what the pages are made of. All fields are required unless said otherwise. Optional
// parts are interfaces that the platform may also implement, looked for by each sub-package's New:
// a platform without them costs its own pages only.
type Config struct {
	Engine interface {
		integrations.Engine
		deletion.Engine
	}
	Store store.Store
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
	People       *people.People
	Ringer       *ways.Ringer // rings people for a test
	// Of the people of the switchboard file; nil: another platform has the people.
	Ways *ways.Ways
	// What is wrong with the host, a sentence each; it must not wait; nil: nothing is known.
	Troubles func() []string
	Clock    clock.Clock
	Logger   *slog.Logger
}

// Pages serves the pages. It is made once by serve and holds no state of its own: what changes lies
// in the store, the platform and the switchboard file.
type Pages struct {
	site         *layout.Site
	store        store.Store
	login        *login.Login
	access       *access.Access
	live         *live.Live
	integrations *integrations.Integrations
	figures      *figures.Figures
	deletion     *deletion.Deletion
	handler      http.Handler
}

// New makes the pages. An error is a public URL
// that cannot be parsed, or a mistake in a template.
func New(cfg Config) (*Pages, error) {
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	p := &Pages{store: cfg.Store}
	// The site comes first: all other packages parse their templates into its frame.
	p.site, err = layout.New(layout.Config{
		Platform: cfg.Platform, File: cfg.File, PlatformPage: cfg.PlatformPage, PublicURL: public, APIPath: cfg.APIPath, Tenant: cfg.Tenant, Troubles: cfg.Troubles, Clock: cfg.Clock, Log: cfg.Logger,
		People: cfg.People, Ways: cfg.Ways, Ringer: cfg.Ringer,
	})
	if err != nil {
		return nil, err
	}
	if p.login, err = login.New(p.site); err != nil {
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
	if p.access, err = access.New(p.site); err != nil {
		return nil, err
	}
	if p.figures, err = figures.New(p.site, cfg.Store); err != nil {
		return nil, err
	}
	if p.deletion, err = deletion.New(p.site, cfg.Store, cfg.Engine); err != nil {
		return nil, err
	}
	// Last, as routes takes method values of the packages made above.
	p.handler = p.protect(p.routes())
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

// policy lets a page load from this host alone, run no inline script or style, and be framed by
// nobody.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// protect puts the headers of every page, and the refusal of requests that another website made a
// browser send, in front of next. It wraps all routes, so none can be forgotten.
func (p *Pages) protect(next http.Handler) http.Handler {
	guarded := httpkit.CrossOrigin(p.site.PublicURL.String(), p.site.Log, func(w http.ResponseWriter, r *http.Request) {
		p.site.ShowError(w, r, layout.Refusal{Status: http.StatusForbidden, Title: "Refused",
			Message: "Another website made your browser send this request. Nothing was changed."})
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// They replace those of httpkit.Instrument, which suit JSON: with its policy a page could
		// load neither style nor script. Nothing is cached, as the next person at this browser may
		// not be allowed to see it.
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		// The same request: httpkit.Instrument reads the matched route from it.
		guarded.ServeHTTP(w, r)
	})
}

// Route is one page, or what one of its forms does.
type Route struct {
	Pattern string
	// What whoever asks must be allowed to do; "": anybody may, as with the log-in.
	Needs people.Action
	// handler has been made from the packages' methods; it runs behind Protect, inside Handle.
	handler layout.Handler
	// audit is the word by which the audit names it, and of the value in the address that says what
	// it is done to; "": it is not audited, or the handler says it.
	audit, of string
}

// Routes lists every page, but for the files that pages load. The order is that of the menu and has
// no meaning to the mux. Paths that are posted to and show a page themselves have a GET beside
// them, or a reload would be answered 405. Tests go through the list to find a route without a
// right or an audit.
func (p *Pages) Routes() []Route {
	return []Route{
		{Pattern: "GET /login", handler: p.login.ShowLogin},
		{Pattern: "POST /login", handler: p.login.Login},
		{Pattern: "POST /login/mail", handler: p.login.AskLink},
		{Pattern: "GET /login/mail", handler: p.login.ShowLogin}, // after a reload
		{Pattern: "GET " + people.LinkPath + "{token}", handler: p.login.ShowLink},
		{Pattern: "POST " + people.LinkPath + "{token}", handler: p.login.UseLink},
		{Pattern: "GET /login/openid", handler: p.login.BeginOpenID},
		{Pattern: "GET /login/openid/callback", handler: p.login.FinishOpenID},
		{Pattern: "GET " + people.PagePath + "{token}", handler: p.login.ShowPage},
		{Pattern: "POST " + people.PagePath + "{token}", handler: p.login.OpenPage},
		{Pattern: "POST /logout", handler: p.login.Logout},
		{Pattern: "GET /{$}", Needs: people.Look, handler: p.home},
		{Pattern: "GET /me", Needs: people.Self, handler: p.login.ShowMe},
		{Pattern: "POST /me", Needs: people.Self, handler: p.login.SetMe},
		{Pattern: "POST /me/test", Needs: people.Self, handler: p.login.TestMe, audit: "user.test"},
		{Pattern: "GET /me/test", Needs: people.Self, handler: p.login.ShowMe}, // after a reload
		{Pattern: "POST /me/logins/{id}/end", Needs: people.Self, handler: p.login.EndLogin, audit: "login.end"},
		{Pattern: "GET /alerts", Needs: people.Look, handler: p.live.ListAlerts},
		{Pattern: "GET /alerts/{id}", Needs: people.SeeAlert, handler: p.live.ShowAlert},
		{Pattern: "GET /alerts/{id}/{action}", Needs: people.SeeAlert, handler: p.live.BackToAlert},
		{Pattern: "POST /alerts/{id}/acknowledge", Needs: people.TakeAlert, handler: p.live.ActOnAlert(platform.ActAcknowledge)},
		{Pattern: "POST /alerts/{id}/reject", Needs: people.TakeAlert, handler: p.live.ActOnAlert(platform.ActReject)},
		{Pattern: "POST /alerts/{id}/escalate", Needs: people.Respond, handler: p.live.ActOnAlert(platform.ActEscalate)},
		{Pattern: "POST /alerts/{id}/resolve", Needs: people.Respond, handler: p.live.ActOnAlert(platform.ActResolve)},
		{Pattern: "GET /alerts/{id}/delete", Needs: people.Erase, handler: p.deletion.ConfirmAlert},
		{Pattern: "POST /alerts/{id}/delete", Needs: people.Erase, handler: p.deletion.Alert, audit: "alert.delete", of: "id"},
		{Pattern: "GET /calls", Needs: people.Look, handler: p.live.ListCalls},
		{Pattern: "GET /calls/{sid}", Needs: people.Look, handler: p.live.ShowCall},
		{Pattern: "GET /calls/{sid}/{action}", Needs: people.Look, handler: p.live.BackToCall},
		{Pattern: "POST /calls/{sid}/notes", Needs: people.Respond, handler: p.live.AddNote, audit: "note.add", of: "sid"},
		{Pattern: "POST /calls/{sid}/notes/{note}/delete", Needs: people.Respond, handler: p.live.DeleteNote, audit: "note.delete", of: "sid"},
		{Pattern: "POST /calls/{sid}/heard", Needs: people.Hear, handler: p.live.MarkHeard},
		{Pattern: "GET /recordings/{ref}/delete", Needs: people.Erase, handler: p.deletion.ConfirmRecording},
		{Pattern: "POST /recordings/{ref}/delete", Needs: people.Erase, handler: p.deletion.Recording, audit: "recording.delete", of: "ref"},
		{Pattern: "GET /calls/{sid}/delete", Needs: people.Erase, handler: p.deletion.ConfirmCall},
		{Pattern: "POST /calls/{sid}/delete", Needs: people.Erase, handler: p.deletion.Call, audit: "call.delete", of: "sid"},
		{Pattern: "GET /oncall", Needs: people.Look, handler: p.live.ShowOnCall},
		{Pattern: "GET /oncall/{team}", Needs: people.Look, handler: p.live.ShowTeam},
		{Pattern: "POST /oncall/{team}", Needs: people.Shift, handler: p.live.ChangeShift, audit: "shift.change", of: "team"},
		{Pattern: "POST /oncall/{team}/changes/{shift}/remove", Needs: people.Shift, handler: p.live.RemoveShift, audit: "shift.remove", of: "team"},
		{Pattern: "GET /statistics", Needs: people.Look, handler: p.figures.Show},
		{Pattern: "GET /settings/integrations", Needs: people.Configure, handler: p.integrations.List},
		{Pattern: "GET /settings/integrations/new", Needs: people.Configure, handler: p.integrations.ShowNew},
		{Pattern: "POST /settings/integrations/new", Needs: people.Configure, handler: p.integrations.Create, audit: "integration.create"},
		{Pattern: "GET /settings/integrations/{id}", Needs: people.Configure, handler: p.integrations.Show},
		{Pattern: "POST /settings/integrations/{id}", Needs: people.Configure, handler: p.integrations.Save, audit: "integration.change", of: "id"},
		{Pattern: "GET /settings/integrations/{id}/delete", Needs: people.Configure, handler: p.integrations.ConfirmDelete},
		{Pattern: "POST /settings/integrations/{id}/delete", Needs: people.Configure, handler: p.integrations.Delete, audit: "integration.delete", of: "id"},
		{Pattern: "POST /settings/integrations/{id}/do/{name}", Needs: people.Configure, handler: p.integrations.RunAction, audit: "integration.action", of: "id"},
		{Pattern: "GET /settings/people", Needs: people.Manage, handler: p.access.Show},
		{Pattern: "POST /settings/people/users/{user}/test", Needs: people.Manage, handler: p.access.TestUser, audit: "user.test", of: "user"},
		// After a reload.
		{Pattern: "GET /settings/people/users/{user}/test", Needs: people.Manage, handler: p.access.Show},
		{Pattern: "POST /settings/people/logins/{id}/end", Needs: people.Manage, handler: p.access.EndLogin, audit: "login.end"},
		{Pattern: "POST /settings/people/tokens", Needs: people.Manage, handler: p.access.MakeToken, audit: "token.create"},
		// After a reload.
		{Pattern: "GET /settings/people/tokens", Needs: people.Manage, handler: p.access.Show},
		{Pattern: "POST /settings/people/tokens/{id}/revoke", Needs: people.Manage, handler: p.access.RevokeToken, audit: "token.revoke", of: "id"},
		{Pattern: "GET /settings/audit", Needs: people.Manage, handler: p.access.ShowAudit},
		{Pattern: "GET /settings/deletion", Needs: people.Erase, handler: p.deletion.Show},
		{Pattern: "POST /settings/deletion/forget", Needs: people.Erase, handler: p.deletion.Forget, audit: "caller.forget"},
		// After a reload.
		{Pattern: "GET /settings/deletion/forget", Needs: people.Erase, handler: p.deletion.Show},
		{Pattern: "/", Needs: people.Self, handler: layout.NothingHere},
	}
}

// routes makes the mux. From the outside in, a request passes Handle (time limit, errors as pages),
// Protect (who it is, and whether they may) and Audited (a line if it succeeded); so nothing is
// audited that was refused.
func (p *Pages) routes() *http.ServeMux {
	mux := http.NewServeMux()
	// These need no log-in: the log-in page itself is made of them.
	mux.HandleFunc("GET /static/{name}", layout.Static)
	mux.HandleFunc("GET /favicon.ico", layout.Favicon)
	for _, route := range p.Routes() {
		h := route.handler
		if route.audit != "" {
			h = p.site.People.Audited(route.audit, route.of, h)
		}
		if route.Needs != "" {
			about := ""
			// The link in a page opens one alert: only these routes tell Protect which alert they
			// are about. Everywhere else such a login is not enough.
			if strings.Contains(route.Pattern, "/alerts/{id}") {
				about = "id"
			}
			h = p.login.Protect(route.Needs, about, h)
		}
		mux.Handle(route.Pattern, p.site.Handle(h))
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
	case len(all) == 0 && people.From(r.Context()).May(people.Configure, ""):
		p.site.Redirect(w, r, "/settings/integrations")
	case !p.site.HasAlerts():
		p.site.Redirect(w, r, "/calls")
	default:
		p.site.Redirect(w, r, "/alerts")
	}
	return nil
}
