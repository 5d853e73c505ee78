package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// What follows is quoted by README.md and docs/host-guide.md; a test of the documentation holds the
// quotations to it.

// serve is a whole host: your platform, our plugin, one handler.
func serve(ctx context.Context, yours platform.Platform, public string, key seal.Key, log *slog.Logger) error {
	plugin, err := launcher.Launch(ctx, launcher.Config{Dir: "plugins/livecall", Logger: log})
	if err != nil {
		return err
	}
	defer plugin.Stop(context.WithoutCancel(ctx))
	host, err := build(ctx, yours, installed{"livecall": plugin}, "hotline.db", public, key, log)
	if err != nil {
		return err
	}
	defer func() { _ = host.store.Close() }()
	go func() { _ = http.ListenAndServe("127.0.0.1:8080", host.handler) }() // behind your TLS
	return host.engine.Run(ctx)
}

// installed are the plugins by id.
type installed map[string]integration.Integration

func (i installed) Plugin(id string) (integration.Integration, bool) {
	p, ok := i[id]
	return p, ok
}

func (i installed) PluginIDs() []string {
	var ids []string
	for id := range i {
		ids = append(ids, id)
	}
	return ids
}

type parts struct {
	engine  *engine.Engine
	store   store.Store
	handler http.Handler
}

func build(ctx context.Context, yours platform.Platform, plugins engine.Plugins, file, public string, key seal.Key, log *slog.Logger) (*parts, error) {
	db, err := sqldb.Open(ctx, "sqlite:"+file)
	if err != nil {
		return nil, err
	}
	kept, err := sqlstore.New(ctx, db, key, clock.System())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	eng, err := engine.New(engine.Config{
		Store: kept, Platform: yours, Plugins: plugins, Logger: log,
		EndpointURL: func(id string) string { return webhook.EndpointURL(public, id) },
		MediaURL:    func(m store.Medium) string { return public + "/media/" + m.Token },
		Exclusive:   true, // no other process uses the file
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := eng.Describe(ctx); err != nil { // fallback answers are at hand from here on
		return nil, errors.Join(err, db.Close())
	}
	hooks, err := webhook.New(webhook.Config{Engine: eng, PublicURL: public, Files: kept, Logger: log})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	mux := http.NewServeMux()
	mux.Handle(webhook.Prefix, hooks)
	mux.Handle("GET /media/{token}", prompts(kept))
	return &parts{eng, kept, mux}, nil
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
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(m.Data))
	}
}

// configure saves what a person filled into the form.
func configure(ctx context.Context, eng *engine.Engine, options []byte) (id string, err error) {
	saved, warnings, err := eng.Configure(ctx, "", 0, engine.Draft{
		Plugin: "livecall", Name: "Hotline", Enabled: true, Options: options,
		Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
	})
	var refused *engine.ProblemsError
	if errors.As(err, &refused) {
		for _, p := range refused.Problems {
			fmt.Println(p.Path, p.Message) // beside the field
		}
	}
	for _, w := range warnings {
		fmt.Println(w.Path, w.Message)
	}
	return saved.ID, err
}

var _ = serve // needs the plugin's folder, so it is compiled here and run by others

// Example runs the host with a plugin that answers every request with one sentence, and calls its
// endpoint.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	dir, err := os.MkdirTemp("", "host-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	key, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		fmt.Println(err)
		return
	}
	plugin := &fakePlugin{webhook: func(r integration.WebhookRequest) (integration.Outcome, error) {
		said := "Call " + r.Facts.SessionKey + " goes to " + r.Facts.Destinations[0].Name
		return integration.Outcome{Response: &integration.Response{Body: []byte(said)}}, nil
	}}
	host, err := build(ctx, newPlatform(), installed{"livecall": plugin}, filepath.Join(dir, "hotline.db"), "https://hotline.example.com", key, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Println(err)
		return
	}
	running := make(chan error, 1)
	go func() { running <- host.engine.Run(ctx) }()

	id, err := configure(ctx, host.engine, []byte(`{"greeting": "Hello", "token": "a secret"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	prompt, err := host.store.PutMedium(ctx, store.Medium{MediaRef: integration.MediaRef{ContentType: "audio/wav"}, Public: true, Data: []byte("RIFF")})
	if err != nil {
		fmt.Println(err)
		return
	}
	public := httptest.NewServer(host.handler)
	heard, err := http.Get(public.URL + "/media/" + prompt.Token)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = heard.Body.Close()
	fmt.Println("prompt:", heard.StatusCode, heard.Header.Get("Content-Type"))
	answer, err := http.Post(webhook.EndpointURL(public.URL, id), "application/x-www-form-urlencoded",
		strings.NewReader(url.Values{"CallKey": {"C1"}}.Encode()))
	if err != nil {
		fmt.Println(err)
		return
	}
	said := make([]byte, 100)
	n, _ := answer.Body.Read(said)
	_ = answer.Body.Close()
	fmt.Println(answer.StatusCode, string(said[:n]))

	public.Close()
	stop()
	fmt.Println("stopped:", <-running)
	_ = host.store.Close()
	// Output:
	// prompt: 200 audio/wav
	// 200 Call C1 goes to Team devops
	// stopped: <nil>
}
