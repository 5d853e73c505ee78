package pages_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// canary is the value of every secret: it must be on no page.
const canary = "canary-secret-0815"

// site is a host with its pages, API and endpoint.
type site struct {
	*hosttest.Host
	t *testing.T
}

// options of a site; zero values are those of hosttest.
type options struct {
	clock     clock.Clock // of the pages
	publicURL string
	token     string
	plugins   engine.Plugins
	platform  platform.Platform
	page      string                  // of the platform
	file      *switchboardfile.Source // of the host
	troubles  []string
	ways      *ways.Ways
	ringer    *ways.Ringer
	people    func(*people.Config) // changes what knows who uses the host
}

func newSite(t *testing.T, o options) *site {
	t.Helper()
	h := hosttest.New(t)
	s := &site{h, t}
	h.Serve(s.handler(o))
	return s
}

// handler is another set of pages on the same store, as of a second process.
func (s *site) handler(o options) http.Handler {
	h := s.Host
	if o.clock == nil {
		o.clock = h.Clock
	}
	if o.publicURL == "" {
		o.publicURL = h.URL
	}
	if o.token == "" {
		o.token = hosttest.Token
	}
	if o.plugins == nil {
		o.plugins = h.Plugins
	}
	if o.platform == nil {
		o.platform = h.Platform
	}
	if o.file == nil {
		o.file = h.File
	}
	public, err := url.Parse(o.publicURL)
	if err != nil {
		s.t.Fatal(err)
	}
	who := h.People(func(c *people.Config) {
		c.Token, c.PublicURL, c.Clock, c.File = o.token, public, o.clock, o.file
		c.Attempts, c.Pages.Clock = httpkit.NewAttempts(o.clock, httpkit.DefaultWrongTokens), o.clock
		if o.people != nil {
			o.people(c)
		}
	})
	endpoint := func(id string) string { return webhook.EndpointURL(h.URL, id) }
	p, err := pages.New(pages.Config{Engine: h.Engine, Store: h.Store, Platform: o.platform, File: o.file, PlatformPage: o.page, Plugins: o.plugins, EndpointURL: endpoint,
		PublicURL: o.publicURL, APIPath: apikit.Prefix, People: who, Ways: o.ways, Ringer: o.ringer, Troubles: func() []string { return o.troubles }, Clock: o.clock, Logger: h.Logger})
	if err != nil {
		s.t.Fatal(err)
	}
	operations := api.New(api.Config{Engine: h.Engine, Store: h.Store, Platform: h.Platform, Plugins: h.Plugins, EndpointURL: endpoint,
		PublicURL: h.URL, People: who, Ways: o.ways, Ringer: o.ringer, Clock: o.clock, Logger: h.Logger})
	hooks, err := webhook.New(webhook.Config{Engine: h.Engine, PublicURL: h.URL, Clock: h.Clock, Logger: h.Logger})
	if err != nil {
		s.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(webhook.Prefix, hooks)
	mux.Handle(apikit.Prefix+"/", who.API(operations.Handler()))
	mux.Handle("/", p)
	return mux
}

// writeFile replaces the switchboard file; the platform takes it over when it is reloaded.
func (s *site) writeFile(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.Platform.File().Path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// browser keeps cookies and follows redirects, as a person's does.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
	jar    http.CookieJar
}

func (s *site) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s.t, s.URL, &http.Client{Jar: jar, Transport: s.Server.Client().Transport}, jar}
}

// loggedIn is a browser after log-in, acting as user; "" for nobody.
func (s *site) loggedIn(user string) *browser {
	s.t.Helper()
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/"}})
	b.post("/me", url.Values{"user": {user}, "next": {"/oncall"}})
	return b
}

// view is a page as it came.
type view struct {
	t      *testing.T
	status int
	path   string // where redirects led to, with query
	header http.Header
	body   string
}

func (b *browser) do(req *http.Request) view {
	b.t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "&#43;", "+") // templates escape it, needlessly
	text = unbroken.ReplaceAllString(text, "$1")
	v := view{b.t, resp.StatusCode, resp.Request.URL.RequestURI(), resp.Header, text}
	v.check()
	return v
}

func (b *browser) get(path string) view {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(path string, values url.Values) view {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

// upload sends a form with files, by the names of their controls.
func (b *browser) upload(path string, values url.Values, files map[string][]byte) view {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, data := range files {
		part, err := w.CreateFormFile(name, "prompt.wav")
		if err != nil {
			b.t.Fatal(err)
		}
		_, err = part.Write(data)
		if err != nil {
			b.t.Fatal(err)
		}
	}
	for name, list := range values {
		for _, v := range list {
			if err := w.WriteField(name, v); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, &body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	return b.do(req)
}

var (
	inlineScript = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]`)
	inlineStyle  = regexp.MustCompile(`(?i)<style|\sstyle\s*=`)
	handlers     = regexp.MustCompile(`(?i)<[^>]*\son[a-z]+\s*=`)
	foreign      = regexp.MustCompile(`(?i)(?:src|href)="(?:https?:)?//[^"]*\.(?:js|css|woff2?)`)
)

// check holds what is true of every page: well-formed, nothing inline, nothing foreign, no secret,
// a strict policy.
func (v view) check() {
	v.t.Helper()
	if strings.Contains(v.body, canary) {
		v.t.Fatalf("a secret is on %s: contains %q:\n%s", v.path, canary, v.body)
	}
	if strings.Contains(v.body, hosttest.Token) {
		v.t.Fatalf("the token is on %s: contains %q:\n%s", v.path, hosttest.Token, v.body)
	}
	if strings.Contains(v.body, "ZgotmplZ") {
		v.t.Fatalf("a template distrusts an address on %s: contains %q:\n%s", v.path, "ZgotmplZ", v.body)
	}
	if !strings.HasPrefix(v.header.Get("Content-Type"), "text/html") {
		return
	}
	if got := v.header.Get("Content-Security-Policy"); got != "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'" {
		v.t.Fatalf(`v.header.Get("Content-Security-Policy") = %q, want %q`, got, "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'")
	}
	if got := v.header.Get("Cache-Control"); got != "no-store" {
		v.t.Fatalf(`v.header.Get("Cache-Control") = %q, want %q`, got, "no-store")
	}
	for _, forbidden := range []*regexp.Regexp{inlineScript, inlineStyle, handlers, foreign} {
		if got := forbidden.FindStringIndex(v.body); got != nil {
			v.t.Fatalf("%s holds %s = %v, want nil", v.path, forbidden.FindString(v.body), got)
		}
	}
	if err := wellFormed(v.body); err != nil {
		v.t.Fatalf("%s: %v", v.path, err)
	}
	if !strings.Contains(v.body, `<html lang="en">`) {
		v.t.Fatalf("v.body does not contain %q:\n%s", `<html lang="en">`, v.body)
	}
	if !strings.Contains(v.body, "<h1") {
		v.t.Fatalf("v.body does not contain %q:\n%s", "<h1", v.body)
	}
	if got := len(v.body); got >= 100_000 {
		v.t.Fatalf("%s is heavy = %v, want less than %v", v.path, got, 100_000)
	}
}

// wellFormed reads HTML as nested elements: what is opened is closed, in order, and ids and labels
// fit.
func wellFormed(html string) error {
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	ids, fors := map[string]bool{}, []string{}
	depth := []string{}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			for _, a := range e.Attr {
				switch a.Name.Local {
				case "id":
					if ids[a.Value] {
						return fmt.Errorf("the id %q is given twice", a.Value)
					}
					ids[a.Value] = true
				case "for", "aria-labelledby", "aria-describedby":
					fors = append(fors, strings.Fields(a.Value)...)
				}
			}
			if !void[e.Name.Local] {
				depth = append(depth, e.Name.Local)
			}
		case xml.EndElement:
			if len(depth) == 0 || depth[len(depth)-1] != e.Name.Local {
				return fmt.Errorf("</%s> closes %v", e.Name.Local, depth)
			}
			depth = depth[:len(depth)-1]
		}
	}
	if len(depth) > 0 {
		return fmt.Errorf("not closed: %v", depth)
	}
	for _, id := range fors {
		if !ids[id] {
			return fmt.Errorf("a label or description names %q, which is not there", id)
		}
	}
	return nil
}

// unbroken finds a number that stays on one line, which tests look for as text.
var unbroken = regexp.MustCompile(`<span class="number">([^<]*)</span>`)

var void = map[string]bool{"meta": true, "link": true, "input": true, "img": true, "br": true, "hr": true}

// has requires texts on the page.
func (v view) has(texts ...string) view {
	v.t.Helper()
	for _, text := range texts {
		if !strings.Contains(v.body, text) {
			v.t.Fatalf("%s: does not contain %q:\n%s", v.path, text, v.body)
		}
	}
	return v
}

func (v view) hasNot(texts ...string) view {
	v.t.Helper()
	for _, text := range texts {
		if strings.Contains(v.body, text) {
			v.t.Fatalf("%s: contains %q:\n%s", v.path, text, v.body)
		}
	}
	return v
}

func (v view) is(status int) view {
	v.t.Helper()
	if diff := cmp.Diff(status, v.status); diff != "" {
		v.t.Fatalf("%s: %s (-want +got):\n%s", v.path, v.body, diff)
	}
	return v
}

// hidden is the value of a hidden field.
func (v view) hidden(name string) string {
	v.t.Helper()
	m := regexp.MustCompile(`<input type="hidden" name="` + name + `" value="([^"]*)"`).FindStringSubmatch(v.body)
	if m == nil {
		v.t.Fatalf("%s has no field %s", v.path, name)
	}
	return m[1]
}

// filled is a form that would be saved.
func filled(nonce string) url.Values {
	return url.Values{"nonce": {nonce}, "plugin": {hosttest.PluginID}, "name": {"Hotline"}, "enabled": {"1"}, "urgency": {"high"},
		"destination": {"team:devops"}, "option.zeta": {"Good morning"}, "option.alpha": {canary}}
}

// create makes an integration by its form and returns its id.
func (b *browser) create() string {
	b.t.Helper()
	nonce := b.get("/settings/integrations/new").is(200).hidden("nonce")
	v := b.post("/settings/integrations/new", filled(nonce)).is(200)
	id := strings.TrimSuffix(strings.TrimPrefix(v.path, "/settings/integrations/"), "?created=1")
	if !strings.HasPrefix(id, "int_") {
		b.t.Fatalf("%v", v.path)
	}
	return id
}

// call brings a call in and returns the id of its alert.
func (s *site) call(integrationID, key string) string {
	s.t.Helper()
	return s.calls(integrationID, url.Values{"Call": {key}, "From": {"+12025550191"}})
}

// calls is call with all fields of the webhook.
func (s *site) calls(integrationID string, form url.Values) string {
	s.t.Helper()
	key := form.Get("Call")
	resp, err := s.Server.Client().PostForm(s.URL+"/integrations/"+integrationID, form)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		s.t.Fatalf("resp.StatusCode = %v, want %v", resp.StatusCode, 200)
	}
	var alert string
	hosttest.Eventually(s.t, "the call has an open alert with its recording", func() bool {
		snapshot, err := s.Platform.Alert(s.t.Context(), platformScope(integrationID), key)
		if err != nil || snapshot.Status != integration.AlertOpen {
			return false
		}
		rec, err := s.Platform.GetAlert(s.t.Context(), snapshot.ID)
		alert = snapshot.ID
		return err == nil && len(rec.Attachments) == 1
	})
	return alert
}
