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
// Replace it by yours. The engine calls it from many goroutines, so everything that changes is
// under mu; people and teams are fixed after newDesk.
type desk struct {
	people map[string]integration.User
	teams  []team

	mu     sync.Mutex
	alerts map[platform.Hint]*integration.AlertSnapshot // by integration and key
	// One channel per Watch that runs.
	watchers map[chan platform.Hint]bool
}

// team is who answers for a part of the product. This one has a single layer: everybody on call is
// rung together, and nobody is paged after them.
type team struct {
	id, name string
	onCall   []string // ids of people
}

var _ platform.Platform = (*desk)(nil)

// newDesk returns a product with two people and two teams, where each person is on call for one
// team at all times. A real product reads these from its own database.
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

// Capabilities says what the product can do. The call flow does without what is not named. What is
// not named here is false: nobody is paged by us, no acknowledgement can be taken back and mail to
// a team goes nowhere. Claiming more than Apply can do makes calls wait for what never happens.
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

// Teams lists what an administrator may choose as a destination. It is sorted by name, as forms
// show it in this order.
func (d *desk) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	var out []integration.Destination
	for _, t := range d.teams {
		out = append(out, integration.Destination{Kind: integration.DestinationTeam, ID: t.id, Name: t.name})
	}
	return out, nil
}

// Destinations answers for each ref at its own position, also for one that is gone: the plugin must
// learn that a configured team is missing, so that callers are not offered it.
func (d *desk) Destinations(_ context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	out := make([]integration.Destination, len(refs))
	for i, ref := range refs {
		t, err := d.team(ref.ID)
		missing := err != nil || ref.Kind != integration.DestinationTeam
		out[i] = integration.Destination{Kind: ref.Kind, ID: ref.ID, Name: t.name, Missing: missing}
	}
	return out, nil
}

// OnCall says who is to be rung for a team, in the order of ringing. An unknown team is an error; a
// layer without anybody is an empty list, and the call goes on to the next layer.
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

// User finds one person. The plugin dials no number but those in Phones, so they must be complete
// (E.164) and up to date.
func (d *desk) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	u, known := d.people[id]
	if !known {
		return u, integration.Errorf(integration.KindNotFound, "there is no user %q", id)
	}
	return u, nil
}

// Route would evaluate rules that choose a team. Unsupported is a final answer: the call flow falls
// back to its menu, or to the destinations in their order.
func (d *desk) Route(context.Context, platform.Scope, string, []byte, time.Time) (integration.RouteVerdict, error) {
	return integration.RouteVerdict{}, integration.Errorf(integration.KindUnsupported, "there are no routers")
}

// Audience would turn a group of people into mail addresses. The plugin asks for it only where
// Capabilities names Audiences.
func (d *desk) Audience(context.Context, platform.Scope, integration.Audience, []string, time.Time) ([]string, error) {
	return nil, integration.Errorf(integration.KindUnsupported, "there are no mail addresses")
}

// Health is asked before a missing alert counts as deleted and for the host's status. A product
// behind a network says here that it cannot be reached.
func (d *desk) Health(context.Context) error { return nil }

// Alert returns a copy: the engine keeps it beyond the lock. LastCommand in it tells a handler
// which of its own commands this state already shows; without it, a state from before a command
// would be taken for what followed it.
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

// Apply runs one command. The number says whether it has been run before. Commands of one call come
// in order and at least once: after a crash, or an answer that was lost, the same one comes again.
// Comparing numbers makes running it twice the same as running it once. Number, change and hint
// happen under one lock, so that whoever is woken by the hint reads the new state.
func (d *desk) Apply(_ context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := platform.Hint{Scope: scope, AlertKey: cmd.AlertKey}
	a := d.alerts[at]
	switch {
	case a == nil && cmd.Kind == integration.AlertCreate:
		// The engine's key finds the alert again; the id is what people see.
		a = &integration.AlertSnapshot{Key: cmd.AlertKey, ID: fmt.Sprintf("A-%d", len(d.alerts)+1), Status: integration.AlertQueued}
		d.alerts[at] = a
	case a == nil:
		return integration.Errorf(integration.KindNotFound, "there is no alert %q", cmd.AlertKey)
	case cmd.Number <= a.LastCommand:
		return nil // run before
	}
	// The number is stored only after the command has worked: a command that failed comes again,
	// and must not be taken for one that was run.
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

// run changes the alert as the command says. A kind that it does not know is refused as
// unsupported, which is final: the engine does not repeat it and the call flow chooses another way.
// d.mu is held.
func (d *desk) run(a *integration.AlertSnapshot, cmd integration.AlertCommand) error {
	switch cmd.Kind {
	case integration.AlertCreate:
		// A real product keeps the title, description and fields of cmd.Draft.
	case integration.AlertLog, integration.AlertAddField, integration.AlertAttach:
		// This product shows no history: what it cannot keep it accepts and forgets.
	case integration.AlertRoute:
		// All teams are looked up before anything changes, so a command with a wrong one changes
		// nothing.
		for _, id := range cmd.Teams {
			if _, err := d.team(id); err != nil {
				return err
			}
		}
		a.Teams = cmd.Teams
		// Routing opens a new alert. One that is open or acknowledged already only changes its
		// teams.
		if a.Status == integration.AlertQueued {
			a.Status, a.Layer, a.Round = integration.AlertOpen, 1, 1
		}
	case integration.AlertAcknowledge:
		if _, known := d.people[cmd.User]; !known {
			return integration.Errorf(integration.KindNotFound, "there is no user %q", cmd.User)
		}
		// Somebody else may have taken the alert first; then their acknowledgement stands and this
		// one does nothing, as the contract wants.
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

// Watch tells the engine which alerts may have changed, until ctx ends. The engine then reads the
// alert itself, so a hint carries no state, and lost or doubled hints do no harm. The buffer keeps
// Apply, which holds the lock, from waiting for a slow reader.
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

// settings are where the host listens and what it keeps. Webhooks and the page listen at two
// addresses, because the first must be public and the second must not.
type settings struct {
	public    string // where the carrier reaches the webhooks, such as https://hotline.example.com
	listen    string // of the webhooks
	pages     string // address of the page that sets the hotline up
	pluginDir string
	dataDir   string
}

// host is everything that serves calls. run builds one and connect fills it in.
type host struct {
	engine *engine.Engine
	store  store.Store
	plugin *launcher.Plugin
	webs   http.Handler // what the carrier fetches
	public string
}

// installed are the plugins by id. The engine looks a plugin up here for each call, by the id that
// the integration was saved with.
type installed map[string]integration.Integration

func (i installed) Plugin(id string) (integration.Integration, bool) {
	p, ok := i[id]
	return p, ok
}

func (i installed) PluginIDs() []string { return []string{"livecall"} }

// run builds a host on a platform and serves until ctx ends or something fails. The order matters:
// what is opened first is closed last, so the plugin stops before the store closes, and no decision
// of it is lost.
func run(ctx context.Context, yours platform.Platform, s settings, log *slog.Logger) error {
	if err := os.MkdirAll(s.dataDir, 0o700); err != nil {
		return err
	}
	// Secrets among the options, such as the carrier's token, are encrypted with this key in the
	// database. A database does not open with another key, so back both up.
	key, err := secretKey(filepath.Join(s.dataDir, "secret.key"))
	if err != nil {
		return err
	}
	// The open database is sqlstore's from New on: closing the store closes it. Only if New fails
	// is it still ours.
	db, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(s.dataDir, "host.db"))
	if err != nil {
		return err
	}
	kept, err := sqlstore.New(ctx, db, key, clock.System())
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer func() { _ = kept.Close() }()
	// Launch starts the plugin's process, and another one when that dies.
	plugin, err := launcher.Launch(ctx, launcher.Config{Dir: s.pluginDir, Logger: log})
	if err != nil {
		return err
	}
	// ctx has ended when this runs, and stopping needs a context that has not: the process gets
	// time to finish the calls that it is working on.
	defer plugin.Stop(context.WithoutCancel(ctx))
	h, err := connect(ctx, yours, kept, plugin, s.public, log)
	if err != nil {
		return err
	}
	log.Info("serving", "public", s.public, "webhooks", s.listen, "page", "http://"+s.pages)
	return h.serve(ctx, &http.Server{Addr: s.listen, Handler: h.webs, ReadHeaderTimeout: 10 * time.Second},
		&http.Server{Addr: s.pages, Handler: h.pages(), ReadHeaderTimeout: 10 * time.Second})
}

// secretKey reads the key that encrypts options at rest, and makes one at the first start. The file
// is readable for this user alone. Two hosts with the same data folder must not start at once for
// the first time, as each would make a key.
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
	// InitSetting stores the value only if there is none, so the key is the same after a restart
	// and addresses that were given out stay valid.
	mediaKey, err := kept.InitSetting(ctx, "media_key", seal.NewKey())
	if err != nil {
		return nil, err
	}
	// Recordings are private: their addresses are signed and good for minutes. Prompts, which every
	// caller hears, have permanent ones.
	recordings := &webhook.GuardedMedia{Media: kept, PublicURL: public, Key: []byte(mediaKey)}
	eng, err := engine.New(engine.Config{
		Store: kept, Platform: yours, Plugins: installed{"livecall": plugin}, Logger: log,
		// The carrier is configured with this address, and signs requests with it: it must be the
		// public one, character for character.
		EndpointURL:     func(id string) string { return webhook.EndpointURL(public, id) },
		MediaURL:        func(m store.Medium) string { return public + "/media/" + m.Token },
		GuardedMediaURL: recordings.URL,
		// It lets the engine keep sessions in memory without asking the database whether another
		// host has changed them.
		Exclusive: true, // no other process uses the database
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
	// These three are all that the Internet may reach. The page with the options is not among them.
	mux := http.NewServeMux()
	mux.Handle(webhook.Prefix, hooks)
	mux.Handle(webhook.MediaPrefix, recordings)
	mux.Handle("GET /media/{token}", prompts(kept))
	return &host{engine: eng, store: kept, plugin: plugin, webs: mux, public: public}, nil
}

// prompts serves uploaded prompts at addresses that nobody can guess. A token stands for one
// content for ever, so whoever has fetched it need not ask again (immutable): a new upload gets a
// new token.
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
	// The first that fails ends ctx and so all others. A host that goes on without its webhooks or
	// without its engine would look healthy and serve nobody.
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.engine.Run(ctx) })
	for _, s := range servers {
		g.Go(func() error {
			// ErrServerClosed is how an orderly Shutdown looks from here.
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

// view is what the page shows. Endpoint is empty until the options were saved for the first time.
type view struct {
	Endpoint string
	Notes    []string
	Form     template.HTML
	Actions  []integration.ActionDescription
}

// pages are for your administrators: put them behind your login. The example has no login of its
// own. A form of another site cannot post here: the browser says where a request comes from, and
// NewCrossOriginProtection refuses those from elsewhere.
func (h *host) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.handle(func(r *http.Request) (view, error) { return h.show(r.Context(), nil, form.View{}) }))
	mux.HandleFunc("POST /{$}", h.handle(h.save))
	mux.HandleFunc("POST /actions/{name}", h.handle(h.act))
	return http.NewCrossOriginProtection().Handler(mux)
}

// handle writes the page, or the error. A real host shows its own words and logs the error; here it
// goes to the administrator as it is.
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

// hotline is the only integration of this host; its zero value is one that was never saved. A host
// with many integrations finds one by the id in its address instead.
func (h *host) hotline(ctx context.Context) (store.Integration, error) {
	all, err := h.store.ListIntegrations(ctx)
	if err != nil || len(all) == 0 {
		return store.Integration{}, err
	}
	return all[0], nil
}

// options is the plugin's form. The schema comes from the running plugin each time, so that the
// form fits whichever version is installed.
func (h *host) options(ctx context.Context) (*form.Form, error) {
	schema, err := h.plugin.OptionsSchema(ctx, integration.OptionsSchemaRequest{})
	if err != nil {
		return nil, err
	}
	return form.Parse(schema.Schema)
}

// show fills the page: with the stored options, unless v has those that were refused. Secrets leave
// the store only as a mark that there is one, so that no page and no browser history holds them.
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
	// Before the first save there is no address to call and nothing to find wrong.
	if out.Form, err = f.HTML(v); err != nil || in.ID == "" {
		return out, err
	}
	out.Endpoint = webhook.EndpointURL(h.public, in.ID)
	// Findings are what handlers, checks and the host found wrong with this hotline, such as a
	// refused password. Nobody sees them unless a page shows them.
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

// save checks and saves what a person entered. Decode keeps stored secrets that nobody touched, and
// fields that this form did not have. Configure lets the plugin check the document, and stores it
// only if nobody has saved another one since old.Revision.
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
	// What was entered is shown again with the problems beside the fields: nobody types a form
	// twice.
	var refused *engine.ProblemsError
	if errors.As(err, &refused) {
		return h.show(ctx, []string{"Not saved."}, form.View{Values: options, Problems: problems(refused.Problems)})
	}
	if err != nil {
		return view{}, err
	}
	return h.show(ctx, []string{"Saved."}, form.View{Warnings: problems(warnings)})
}

// problems are shown beside their fields. The form has a type of its own, so that it does not
// depend on the contract.
func problems(from []integration.Problem) []form.Problem {
	var out []form.Problem
	for _, p := range from {
		out = append(out, form.Problem{Path: p.Path, Message: p.Message})
	}
	return out
}

// uploads stores the sound files of a submitted form, and returns their references by field. It
// stores before the options are checked. A file whose form is refused stays in the store without
// harm: the same content has the same reference when it is sent again.
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
		// The browser's own word for the type is not trusted, as the file is served again from this
		// host's address.
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

// act runs one of the plugin's actions, such as Check. Its values come from the action's own small
// form. The plugin may do I/O for it, such as asking the carrier, so the request may take seconds.
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

// main reads the flags and serves until Ctrl-C or a service manager's SIGTERM.
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
