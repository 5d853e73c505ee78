package engine_test

import (
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

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/launcher"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// What follows is quoted by README.md and docs/host-guide.md; a test of the documentation holds the quotations to it.

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
	defer host.close()
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
	handler http.Handler
	close   func()
}

func build(ctx context.Context, yours platform.Platform, plugins engine.Plugins, file, public string, key seal.Key, log *slog.Logger) (*parts, error) {
	db, err := sqldb.Open(ctx, "sqlite:"+file)
	if err != nil {
		return nil, err
	}
	store, err := sqlstore.New(ctx, db, key, clock.System())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	eng, err := engine.New(engine.Config{
		Store: store, Platform: yours, Plugins: plugins, Logger: log,
		EndpointURL: func(id string) string { return webhook.EndpointURL(public, id) },
		Exclusive:   true, // this process alone uses the file
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	hooks, err := webhook.New(webhook.Config{Engine: eng, PublicURL: public, Logger: log})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	mux := http.NewServeMux()
	mux.Handle(webhook.Prefix, hooks)
	return &parts{eng, mux, func() { _ = store.Close() }}, nil
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

// Example runs the host with a plugin that answers every request with one sentence, and calls its endpoint.
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
	public := httptest.NewServer(host.handler)
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
	host.close()
	// Output:
	// 200 Call C1 goes to Team devops
	// stopped: <nil>
}
