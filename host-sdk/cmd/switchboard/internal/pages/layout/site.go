package layout

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

//go:embed templates
var templateFiles embed.FS

// FragmentHeader is sent by the script when it reads a page again. Such a request is answered with
// a status rather than sent to the log-in.
const FragmentHeader = "Switchboard-Fragment"

// Config is what a Site is made of. All fields are required unless said otherwise. The site passes
// it on to the pages' packages.
type Config struct {
	Platform platform.Platform
	File     *switchboardfile.Source // nil: there is none
	// PlatformPage is where people find the platform; "": these are its pages.
	PlatformPage string
	PublicURL    *url.URL // its path, if any, precedes every link
	APIPath      string   // where the JSON API is mounted, such as /api/v1
	Tenant       string   // may be ""
	// What is wrong with the host, a sentence each; nil: nothing is known.
	Troubles func() []string
	Clock    clock.Clock
	Log      *slog.Logger
	People   *people.People
	Ringer   *ways.Ringer // rings people for a test
	// Of the people of the switchboard file; nil: another platform has the people.
	Ways *ways.Ways
}

// Site is what all pages share. After New and the calls of Parse it does not change, so requests
// use it without a lock.
type Site struct {
	Config
	// "" when it has none; it is put in front of every link, as a proxy may serve other things
	// beside it.
	base   string                // path of the public URL, without trailing slash
	alerts platform.AlertBrowser // nil: the platform shows its alerts itself
	// people can be listed by some platforms; nil: they can only be looked up.
	people interface{ Users() []integration.User }
	// frame is cloned for each page, so that pages may define blocks of the same name.
	frame  *template.Template
	byName map[string]*template.Template
}

// Page is one page to be shown. The upper fields come from the page's handler, those below "Set by
// Site.Show" from whoever is asking.
type Page struct {
	Title    string
	Template string // file given to Site.Parse, without .tmpl
	Nav      string // main page it belongs to: alerts, calls, oncall, integrations
	Live     bool   // kept current by the script; without scripts it reloads
	// But does not reload: nothing more is to come, or whoever looks has asked for it.
	Still bool
	// Seconds after which its live parts are read again, or without scripts the whole; 0: it is not
	// polled.
	Poll    int
	Notices []Notice
	Body    any

	// Set by Site.Show.
	LoggedIn  bool
	Who       people.Identity // whose the request is
	Me        Person
	Everybody []Person // who can be chosen, with the API token alone
	Path      string   // of this page, to come back to
	StillPath string   // of this page when it does not reload; "": it does not, or never changes
	// Of this page when it reloads; "": whoever looks has not asked for a still one.
	LivePath  string
	HasAlerts bool
	Waiting   int // alerts that nobody has acknowledged yet; 0 on pages that are not kept current
	// PlatformPage is where people find a platform that has pages of its own; "": these are its
	// pages.
	PlatformPage string
	Refused      bool      // the switchboard file was changed and has errors
	RefusedAt    time.Time // since when
	Troubles     []string  // what else is wrong with the host
}

// May reports whether whoever looks at the page may do an action, about anything but a single
// alert.
func (p Page) May(action string) bool { return p.Who.May(people.Action(action), "") }

// Notice is a message above the page.
type Notice struct {
	Tone string // ok, info, warn, bad
	Text string
}

// Badge is a state in words.
type Badge struct {
	Tone string // its colour: bad, warn, ok, info, quiet
	Text string
}

// New parses the frame of all pages. An error is a mistake in a template.
func New(cfg Config) (*Site, error) {
	s := &Site{Config: cfg, base: strings.TrimRight(cfg.PublicURL.Path, "/"), byName: map[string]*template.Template{}}
	s.alerts, _ = cfg.Platform.(platform.AlertBrowser)
	s.people, _ = cfg.Platform.(interface{ Users() []integration.User })
	funcs := s.words()
	funcs["url"] = s.URL
	funcs["asset"] = func(name string) string { return s.base + AssetPath(name) }
	funcs["api"] = func(path string, segment ...string) string { return s.URL(cfg.APIPath+path, segment...) }
	var err error
	s.frame, err = template.New("layout.tmpl").Funcs(funcs).ParseFS(templateFiles, "templates/layout.tmpl", "templates/parts.tmpl")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return s, s.Parse(templateFiles, nil, "error")
}

// Parse adds pages: the files templates/NAME.tmpl of a package, with functions of its own beside
// those of words.go. A file templates/parts.tmpl is parsed into each page. It is called while the
// site is put together, before the first request.
func (s *Site) Parse(files fs.FS, funcs template.FuncMap, pages ...string) error {
	parts, err := fs.Glob(files, "templates/parts.tmpl")
	if err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	for _, name := range pages {
		t, err := s.frame.Clone()
		if err == nil {
			t, err = t.Funcs(funcs).ParseFS(files, append(parts, "templates/"+name+".tmpl")...)
		}
		if err != nil {
			return fmt.Errorf("templates: %w", err)
		}
		s.byName[name] = t
	}
	return nil
}

// Show answers with a page. A page that cannot be rendered is a defect: it is logged, and the
// browser gets a sentence of plain text. It is rendered into memory first: a template that fails
// half-way must not have sent a status of success.
func (s *Site) Show(w http.ResponseWriter, r *http.Request, status int, p Page) {
	// A browser that is not logged in gets none of this: neither names nor troubles.
	if p.Who = people.From(r.Context()); p.Who.Known() {
		p.LoggedIn, p.Me = true, s.Me(r)
		if p.Who.Shared() {
			p.Everybody = s.Everybody()
		}
		p.HasAlerts, p.PlatformPage = s.HasAlerts(), WebAddress(s.Config.PlatformPage)
		if p.Live && p.HasAlerts && p.May(string(people.Look)) {
			// A title without a number is better than no page.
			p.Waiting, _ = s.alerts.CountAlerts(r.Context(), integration.AlertOpen, integration.AlertQueued, integration.AlertDropped)
		}
		if s.Troubles != nil {
			p.Troubles = s.Config.Troubles()
		}
		if s.File != nil {
			file := s.File.Status()
			p.Refused, p.RefusedAt = len(file.Refused) > 0, file.RefusedSince
		}
	}
	// After a POST there is no address to come back to: the forms' own addresses would submit
	// nothing with GET.
	p.Path = "/"
	if r.Method == http.MethodGet {
		p.Path = s.Path(r.URL.RequestURI())
	}
	if p.Live {
		s.keepStill(r, &p)
	}
	var b bytes.Buffer
	if err := s.byName[p.Template].Execute(&b, p); err != nil {
		id := httpkit.RequestID(r.Context())
		s.Log.ErrorContext(r.Context(), "page could not be rendered", "request", id, "page", p.Template, "error", err.Error())
		http.Error(w, "Something went wrong. The log has the details under request "+id, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser is gone if this fails
}

// StillParameter in the address of a live page asks for one that does not reload, for people
// without scripts: a reload would take away what they are writing, and begin a recording anew.
const StillParameter = "still"

// keepStill decides whether a live page reloads. What a form has answered cannot be read again. It
// fills in the links with which people without scripts switch between both.
func (s *Site) keepStill(r *http.Request, p *Page) {
	// Reading it again would be a GET of a form's address.
	if r.Method != http.MethodGet {
		p.Still = true
	}
	if p.Still {
		return
	}
	q := r.URL.Query()
	p.Still = q.Has(StillParameter)
	address := url.URL{Path: s.Path(r.URL.Path)}
	if p.Still {
		q.Del(StillParameter)
		address.RawQuery = q.Encode()
		p.LivePath = address.String()
		return
	}
	q.Del("done") // a notice that was read
	q.Set(StillParameter, "1")
	address.RawQuery = q.Encode()
	p.StillPath = address.String()
}

// URL is the address of a page as links need it. Segments are escaped and appended to path: of an
// address put together in a template, the template engine would distrust parts with a colon. path
// is a constant of ours, or has been escaped.
func (s *Site) URL(path string, segment ...string) string {
	for _, part := range segment {
		path += url.PathEscape(part)
	}
	return s.base + path
}

// Path is the part of an address that follows the path of the public URL: the opposite of URL.
func (s *Site) Path(address string) string { return strings.TrimPrefix(address, s.base) }

// Redirect sends the browser to a path of these pages with GET, so that a reload submits nothing
// again.
func (s *Site) Redirect(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, s.URL(path), http.StatusSeeOther) // #nosec G710 -- paths of ours, or such as the log-in has checked
}

// Scope is the scope of an integration; "" for questions about the whole installation. The tenant
// is the same for the whole host.
func (s *Site) Scope(integrationID string) platform.Scope {
	return platform.Scope{Tenant: s.Tenant, Integration: integrationID}
}

// HasAlerts reports whether alerts are shown here, rather than by the platform itself.
func (s *Site) HasAlerts() bool { return s.alerts != nil }

// Names looks up names for one page. It asks the platform for all teams at once, and for each
// person once.
func (s *Site) Names(r *http.Request) *names.Lookup {
	return names.New(r.Context(), s.Platform, s.Scope(""))
}
