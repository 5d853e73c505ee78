// Command host is a complete host in one file: a small incident-management product in memory, the
// plugin's process, a database, the public webhooks, and a page to set the hotline up.
// docs/host-guide.md contains this file piece by piece and explains it.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// desk is the incident-management product: people, teams with one layer on call, and alerts.
// Replace it by yours.
type desk struct {
	people map[string]integration.User
	teams  []team

	mu       sync.Mutex
	alerts   map[platform.Hint]*integration.AlertSnapshot // by integration and key
	watchers map[chan platform.Hint]bool
}

type team struct {
	id, name string
	onCall   []string // ids of people
}

var _ platform.Platform = (*desk)(nil)

func newDesk() *desk {
	return &desk{
		people: map[string]integration.User{
			"alice": {ID: "alice", Name: "Alice Example", Phones: []string{"+12025550143"}},
			"bob":   {ID: "bob", Name: "Bob Example", Phones: []string{"+12025550144"}},
		},
		// By name.
		teams:    []team{{"devops", "DevOps", []string{"alice"}}, {"support", "Support", []string{"bob"}}},
		alerts:   map[platform.Hint]*integration.AlertSnapshot{},
		watchers: map[chan platform.Hint]bool{},
	}
}

// Capabilities says what the product can do. The call flow does without what is not named.
func (d *desk) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	return integration.Capabilities{
		UnroutedAlerts:     true, // an alert may exist before it has a team
		AcknowledgeAs:      true, // we can acknowledge in a person's name
		AcknowledgedByUser: true, // and say who acknowledged
	}, nil
}

// team finds a team by its id.
func (d *desk) team(id string) (team, error) {
	i := slices.IndexFunc(d.teams, func(t team) bool { return t.id == id })
	if i < 0 {
		return team{}, integration.Errorf(integration.KindNotFound, "there is no team %q", id)
	}
	return d.teams[i], nil
}

func (d *desk) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	var out []integration.Destination
	for _, t := range d.teams {
		out = append(out, integration.Destination{Kind: integration.DestinationTeam, ID: t.id, Name: t.name})
	}
	return out, nil
}

func (d *desk) Destinations(_ context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	out := make([]integration.Destination, len(refs))
	for i, ref := range refs {
		t, err := d.team(ref.ID)
		missing := err != nil || ref.Kind != integration.DestinationTeam
		out[i] = integration.Destination{Kind: ref.Kind, ID: ref.ID, Name: t.name, Missing: missing}
	}
	return out, nil
}

func (d *desk) OnCall(_ context.Context, _ platform.Scope, id string, layer int, _ time.Time) ([]integration.OnCallEntry, error) {
	t, err := d.team(id)
	if err != nil || layer > 1 { // 0 asks for all layers
		return nil, err
	}
	var out []integration.OnCallEntry
	for _, person := range t.onCall {
		out = append(out, integration.OnCallEntry{Layer: 1, User: d.people[person]})
	}
	return out, nil
}

func (d *desk) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	u, known := d.people[id]
	if !known {
		return u, integration.Errorf(integration.KindNotFound, "there is no user %q", id)
	}
	return u, nil
}

func (d *desk) Route(context.Context, platform.Scope, string, []byte, time.Time) (integration.RouteVerdict, error) {
	return integration.RouteVerdict{}, integration.Errorf(integration.KindUnsupported, "there are no routers")
}

func (d *desk) Audience(context.Context, platform.Scope, integration.Audience, []string, time.Time) ([]string, error) {
	return nil, integration.Errorf(integration.KindUnsupported, "there are no mail addresses")
}

func (d *desk) Health(context.Context) error { return nil }

func (d *desk) Alert(_ context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.alerts[platform.Hint{Scope: scope, AlertKey: key}]
	if a == nil {
		return integration.AlertSnapshot{}, integration.Errorf(integration.KindNotFound, "there is no alert %q", key)
	}
	out := *a
	out.Acknowledgements, out.ReadAt = slices.Clone(a.Acknowledgements), time.Now()
	return out, nil
}

// Apply runs one command. The number says whether it has been run before.
func (d *desk) Apply(_ context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := platform.Hint{Scope: scope, AlertKey: cmd.AlertKey}
	a := d.alerts[at]
	switch {
	case a == nil && cmd.Kind == integration.AlertCreate:
		a = &integration.AlertSnapshot{Key: cmd.AlertKey, ID: fmt.Sprintf("A-%d", len(d.alerts)+1), Status: integration.AlertQueued}
		d.alerts[at] = a
	case a == nil:
		return integration.Errorf(integration.KindNotFound, "there is no alert %q", cmd.AlertKey)
	case cmd.Number <= a.LastCommand:
		return nil // run before
	}
	if err := d.run(a, cmd); err != nil {
		return err
	}
	a.LastCommand = cmd.Number
	for w := range d.watchers {
		select {
		case w <- at:
		default: // a hint may be lost
		}
	}
	return nil
}

// run changes the alert as the command says.
func (d *desk) run(a *integration.AlertSnapshot, cmd integration.AlertCommand) error {
	switch cmd.Kind {
	case integration.AlertCreate:
		// A real product keeps the title, description and fields of cmd.Draft.
	case integration.AlertLog, integration.AlertAddField, integration.AlertAttach:
		// This product shows no history: what it cannot keep it accepts and forgets.
	case integration.AlertRoute:
		for _, id := range cmd.Teams {
			if _, err := d.team(id); err != nil {
				return err
			}
		}
		a.Teams = cmd.Teams
		if a.Status == integration.AlertQueued {
			a.Status, a.Layer, a.Round = integration.AlertOpen, 1, 1
		}
	case integration.AlertAcknowledge:
		if _, known := d.people[cmd.User]; !known {
			return integration.Errorf(integration.KindNotFound, "there is no user %q", cmd.User)
		}
		if a.Status == integration.AlertOpen || a.Status == integration.AlertQueued {
			a.Status = integration.AlertAcknowledged
			id := fmt.Sprintf("%s-%d", a.ID, cmd.Number) // a later acknowledgement has another id
			a.Acknowledgements = append(a.Acknowledgements, integration.Acknowledgement{ID: id, User: cmd.User, At: cmd.At})
		}
	case integration.AlertResolve:
		a.Status = integration.AlertResolved
	default: // reopen, escalate, decline, and what a later version adds
		return integration.Errorf(integration.KindUnsupported, "there is no %s here", cmd.Kind)
	}
	slog.Info("alert", "id", a.ID, "command", string(cmd.Kind), "status", string(a.Status), "user", cmd.User, "text", cmd.Text)
	return nil
}

func (d *desk) Watch(ctx context.Context, hint func(platform.Hint)) error {
	c := make(chan platform.Hint, 1000)
	d.mu.Lock()
	d.watchers[c] = true
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watchers, c)
	}()
	for {
		select {
		case h := <-c:
			hint(h)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settings are where the host listens and what it keeps.
type settings struct {
	public    string // where the carrier reaches the webhooks, such as https://hotline.example.com
	listen    string // of the webhooks
	pages     string // address of the page that sets the hotline up
	pluginDir string
	dataDir   string
}

// host is everything that serves calls.
type host struct {
	engine *engine.Engine
	store  store.Store
	plugin *launcher.Plugin
	webs   http.Handler // what the carrier fetches
	public string
}

// installed are the plugins by id.
type installed map[string]integration.Integration

func (i installed) Plugin(id string) (integration.Integration, bool) {
	p, ok := i[id]
	return p, ok
}

func (i installed) PluginIDs() []string { return []string{"livecall"} }

// run builds a host on a platform and serves until ctx ends or something fails.
func run(ctx context.Context, yours platform.Platform, s settings, log *slog.Logger) error {
	if err := os.MkdirAll(s.dataDir, 0o700); err != nil {
		return err
	}
	key, err := secretKey(filepath.Join(s.dataDir, "secret.key"))
	if err != nil {
		return err
	}
	db, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(s.dataDir, "host.db"))
	if err != nil {
		return err
	}
	kept, err := sqlstore.New(ctx, db, key, clock.System())
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer func() { _ = kept.Close() }()
	plugin, err := launcher.Launch(ctx, launcher.Config{Dir: s.pluginDir, Logger: log})
	if err != nil {
		return err
	}
	defer plugin.Stop(context.WithoutCancel(ctx))
	h, err := connect(ctx, yours, kept, plugin, s.public, log)
	if err != nil {
		return err
	}
	log.Info("serving", "public", s.public, "webhooks", s.listen, "page", "http://"+s.pages)
	return h.serve(ctx, &http.Server{Addr: s.listen, Handler: h.webs, ReadHeaderTimeout: 10 * time.Second},
		&http.Server{Addr: s.pages, Handler: h.pages(), ReadHeaderTimeout: 10 * time.Second})
}

// secretKey reads the key that encrypts options at rest, and makes one at the first start.
func secretKey(file string) (seal.Key, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		text = []byte(seal.NewKey())
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return seal.Key{}, err
	}
	return seal.ParseKey(string(text))
}

// connect joins platform, store and plugin to an engine, and mounts what the carrier calls.
func connect(ctx context.Context, yours platform.Platform, kept store.Store, plugin *launcher.Plugin, public string, log *slog.Logger) (*host, error) {
	mediaKey, err := kept.InitSetting(ctx, "media_key", seal.NewKey())
	if err != nil {
		return nil, err
	}
	recordings := &webhook.GuardedMedia{Media: kept, PublicURL: public, Key: []byte(mediaKey)}
	eng, err := engine.New(engine.Config{
		Store: kept, Platform: yours, Plugins: installed{"livecall": plugin}, Logger: log,
		EndpointURL:     func(id string) string { return webhook.EndpointURL(public, id) },
		MediaURL:        func(m store.Medium) string { return public + "/media/" + m.Token },
		GuardedMediaURL: recordings.URL,
		Exclusive:       true, // no other process uses the database
	})
	if err != nil {
		return nil, err
	}
	// From here on there are answers for a plugin that fails.
	if err := eng.Describe(ctx); err != nil {
		return nil, err
	}
	hooks, err := webhook.New(webhook.Config{Engine: eng, PublicURL: public, Files: kept, Logger: log})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(webhook.Prefix, hooks)
	mux.Handle(webhook.MediaPrefix, recordings)
	mux.Handle("GET /media/{token}", prompts(kept))
	return &host{engine: eng, store: kept, plugin: plugin, webs: mux, public: public}, nil
}

// prompts serves uploaded prompts at addresses that nobody can guess.
func prompts(media store.Media) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		m, err := media.MediumByToken(r.Context(), r.PathValue("token"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", m.ContentType)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(m.Data))
	}
}

// serve runs the engine and the servers until ctx ends or one of them fails, and returns the
// failure: an address that is taken, for example.
func (h *host) serve(ctx context.Context, servers ...*http.Server) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.engine.Run(ctx) })
	for _, s := range servers {
		g.Go(func() error {
			if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			// Requests in progress are answered; callers are on the line.
			grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			return s.Shutdown(grace)
		})
	}
	return g.Wait()
}

// page shows the form of the hotline's options, and the plugin's actions.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Hotline</title>
<h1>Hotline</h1>
{{with .Endpoint}}<p>Calls arrive at <code>{{.}}</code>.</p>{{end}}
{{range .Notes}}<p>{{.}}</p>
{{end}}
<form method="post" enctype="multipart/form-data">
{{.Form}}
<button>Save</button>
</form>
{{range .Actions}}<form method="post" action="/actions/{{.Name}}">
<h2>{{.Label}}</h2><p>{{.Help}}</p>
{{range .Fields}}<label>{{.Label}} <input name="{{.Name}}"></label> {{.Help}}
{{end}}<button>{{.Label}}</button>
</form>
{{end}}
`))

// view is what the page shows.
type view struct {
	Endpoint string
	Notes    []string
	Form     template.HTML
	Actions  []integration.ActionDescription
}

// pages are for your administrators: put them behind your login.
func (h *host) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.handle(func(r *http.Request) (view, error) { return h.show(r.Context(), nil, form.View{}) }))
	mux.HandleFunc("POST /{$}", h.handle(h.save))
	mux.HandleFunc("POST /actions/{name}", h.handle(h.act))
	return http.NewCrossOriginProtection().Handler(mux)
}

// handle writes the page, or the error.
func (h *host) handle(f func(*http.Request) (view, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<20) // an uploaded file is the largest
		v, err := f(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = page.Execute(w, v) // fails if the browser is gone
	}
}

// hotline is the only integration of this host; its zero value is one that was never saved.
func (h *host) hotline(ctx context.Context) (store.Integration, error) {
	all, err := h.store.ListIntegrations(ctx)
	if err != nil || len(all) == 0 {
		return store.Integration{}, err
	}
	return all[0], nil
}

// options is the plugin's form.
func (h *host) options(ctx context.Context) (*form.Form, error) {
	schema, err := h.plugin.OptionsSchema(ctx, integration.OptionsSchemaRequest{})
	if err != nil {
		return nil, err
	}
	return form.Parse(schema.Schema)
}

// show fills the page: with the stored options, unless v has those that were refused.
func (h *host) show(ctx context.Context, notes []string, v form.View) (view, error) {
	in, err := h.hotline(ctx)
	if err != nil {
		return view{}, err
	}
	f, err := h.options(ctx)
	if err != nil {
		return view{}, err
	}
	if v.Values == nil {
		v.Values = in.Options
	}
	if v.Values, err = form.HideSecrets(v.Values, in.SecretFields); err != nil {
		return view{}, err
	}
	out := view{Notes: notes}
	if out.Form, err = f.HTML(v); err != nil || in.ID == "" {
		return out, err
	}
	out.Endpoint = webhook.EndpointURL(h.public, in.ID)
	findings, err := h.store.Findings(ctx, in.ID)
	if err != nil {
		return view{}, err
	}
	for _, f := range findings {
		out.Notes = append(out.Notes, string(f.Severity)+": "+f.Message)
	}
	description, err := h.plugin.Describe(ctx, integration.DescribeRequest{})
	out.Actions = description.Actions
	return out, err
}

// save checks and saves what a person entered.
func (h *host) save(r *http.Request) (view, error) {
	ctx := r.Context()
	if err := r.ParseMultipartForm(8 << 20); err != nil { //nolint:gosec // handle limits the body
		return view{}, err
	}
	old, err := h.hotline(ctx)
	if err != nil {
		return view{}, err
	}
	f, err := h.options(ctx)
	if err != nil {
		return view{}, err
	}
	uploads, err := h.uploads(r, f)
	if err != nil {
		return view{}, err
	}
	options, err := f.Decode(r.PostForm, old.Options, uploads)
	if err != nil {
		return view{}, err
	}
	_, warnings, err := h.engine.Configure(ctx, old.ID, old.Revision, engine.Draft{
		Plugin: "livecall", Name: "Hotline", Enabled: true, Options: options,
		Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
	})
	var refused *engine.ProblemsError
	if errors.As(err, &refused) {
		return h.show(ctx, []string{"Not saved."}, form.View{Values: options, Problems: problems(refused.Problems)})
	}
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, []string{"Saved."}, form.View{Warnings: problems(warnings)})
}

// problems are shown beside their fields.
func problems(from []integration.Problem) []form.Problem {
	var out []form.Problem
	for _, p := range from {
		out = append(out, form.Problem{Path: p.Path, Message: p.Message})
	}
	return out
}

// uploads stores the sound files of a submitted form, and returns their references by field.
func (h *host) uploads(r *http.Request, f *form.Form) (map[string]string, error) {
	out := map[string]string{}
	for _, key := range f.Uploadable() {
		file, header, err := r.FormFile(form.Prefix + key + ".upload")
		if err != nil {
			continue // none was chosen
		}
		data, err := io.ReadAll(file)
		if err != nil {
			return nil, err
		}
		kind := cmp.Or(map[string]string{".mp3": "audio/mpeg", ".wav": "audio/wav"}[strings.ToLower(filepath.Ext(header.Filename))], "application/octet-stream")
		m, err := h.store.PutMedium(r.Context(), store.Medium{
			MediaRef: integration.MediaRef{Name: header.Filename, ContentType: kind}, Public: true, Data: data,
		})
		if err != nil {
			return nil, err
		}
		out[key] = m.Ref
	}
	return out, nil
}

// act runs one of the plugin's actions, such as Check.
func (h *host) act(r *http.Request) (view, error) {
	if err := r.ParseForm(); err != nil {
		return view{}, err
	}
	in, err := h.hotline(r.Context())
	if err != nil {
		return view{}, err
	}
	values := map[string]string{}
	for name := range r.PostForm {
		values[name] = r.PostForm.Get(name)
	}
	result, err := h.engine.RunAction(r.Context(), in.ID, r.PathValue("name"), values)
	if err != nil {
		return view{}, err
	}
	var notes []string
	for _, line := range result.Lines {
		notes = append(notes, line.Level+": "+line.Text)
	}
	return h.show(r.Context(), notes, form.View{})
}

func main() {
	var s settings
	flag.StringVar(&s.public, "public", "http://127.0.0.1:8080", "address at which the carrier reaches the webhooks")
	flag.StringVar(&s.listen, "listen", "127.0.0.1:8080", "address of the webhooks, behind your TLS")
	flag.StringVar(&s.pages, "pages", "127.0.0.1:8081", "address of the page, behind your login")
	flag.StringVar(&s.pluginDir, "plugin", "plugins/livecall", "the plugin's folder")
	flag.StringVar(&s.dataDir, "data", "data", "folder of the database and its key")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, newDesk(), s, slog.Default()); err != nil {
		slog.Error("the host ended", "error", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo
	}
}
