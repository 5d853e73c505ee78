package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
)

//go:embed templates
var templateFiles embed.FS

// fragmentHeader is sent by the script when it reads a page again.
const fragmentHeader = "Switchboard-Fragment"

// page is one page to be shown.
type page struct {
	Title    string
	Template string // file in templates, without .tmpl
	Nav      string // which of the main pages it belongs to: alerts, calls, oncall, integrations
	Live     bool   // kept current by the script
	Notices  []notice
	Body     any

	// Set by show.
	LoggedIn  bool
	Me        person
	Everybody []person
	Path      string // of this page, to come back to
	HasAlerts bool
	Refused   bool // the switchboard file as it is now is not in force
}

// notice is a message above the page.
type notice struct {
	Tone string // ok, info, warn, bad
	Text string
}

// views are the parsed templates by name.
type views struct{ byName map[string]*template.Template }

var templateNames = []string{"login", "me", "error", "alerts", "alert", "calls", "call", "oncall", "integrations", "plugins", "integration", "delete"}

func newViews(p *Pages) (*views, error) {
	funcs := p.words()
	// Addresses are made whole: of one put together in a template the engine would distrust parts with a colon.
	address := func(base string) func(string, ...string) string {
		return func(path string, segment ...string) string {
			for _, s := range segment {
				path += url.PathEscape(s)
			}
			return base + path
		}
	}
	funcs["url"] = address(p.base)
	funcs["asset"] = func(name string) string { return p.base + "/static/" + assets[name].name }
	funcs["api"] = address(p.base + p.cfg.APIPath)
	layout, err := template.New("layout.tmpl").Funcs(funcs).ParseFS(templateFiles, "templates/layout.tmpl", "templates/parts.tmpl")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	v := &views{byName: map[string]*template.Template{}}
	for _, name := range templateNames {
		t, err := template.Must(layout.Clone()).ParseFS(templateFiles, "templates/"+name+".tmpl")
		if err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
		v.byName[name] = t
	}
	return v, nil
}

// show answers with a page. What cannot be drawn is a defect and told as plain text.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, pg page) {
	if p.sessions.check(r) == sessionValid && pg.Template != "login" {
		pg.LoggedIn, pg.Me, pg.Everybody = true, p.me(r), p.everybody()
		pg.HasAlerts = p.browser != nil
		pg.Refused = p.status != nil && len(p.status.Status().Refused) > 0
	}
	pg.Path = "/"
	if r.Method == http.MethodGet {
		pg.Path = strings.TrimPrefix(r.URL.RequestURI(), p.base)
	}
	var b bytes.Buffer
	if err := p.views.byName[pg.Template].Execute(&b, pg); err != nil {
		id := httpkit.RequestID(r.Context())
		p.log.ErrorContext(r.Context(), "page could not be rendered", "request", id, "page", pg.Template, "error", err.Error())
		http.Error(w, "Something went wrong. The log has the details under request "+id, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser is gone if this fails
}
