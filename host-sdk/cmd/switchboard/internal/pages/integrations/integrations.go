package integrations

import (
	"context"
	"embed"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates
var templates embed.FS

// Engine is what these pages need of *engine.Engine.
type Engine interface {
	Configure(ctx context.Context, id string, revision int64, d engine.Draft) (store.Integration, []integration.Problem, error)
	Remove(ctx context.Context, id string) error
	RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error)
}

// Config is what the pages are made of, beside their site. All fields are required.
type Config struct {
	Engine      Engine
	Store       store.Store
	Plugins     engine.Plugins
	EndpointURL func(integrationID string) string
}

// Integrations serves the pages that configure integrations.
type Integrations struct {
	Config
	site    *layout.Site
	routers interface { // nil: the platform has teams alone
		Routers() []integration.Destination
	}
	once *once
}

// New adds the pages to a site. Routers can be chosen as destinations if the site's platform has
// Routers() []integration.Destination.
func New(site *layout.Site, cfg Config) (*Integrations, error) {
	i := &Integrations{Config: cfg, site: site, once: newOnce(site.Clock)}
	i.routers, _ = site.Platform.(interface {
		Routers() []integration.Destination
	})
	return i, site.Parse(templates, nil, "integrations", "plugins", "integration", "delete")
}

// show shows a page of this package.
func (i *Integrations) show(w http.ResponseWriter, r *http.Request, status int, p layout.Page) {
	p.Nav = "integrations"
	i.site.Show(w, r, status, p)
}

// stored reads the integration that the address names.
func (i *Integrations) stored(r *http.Request) (store.Integration, error) {
	in, err := i.Store.Integration(r.Context(), r.PathValue("id"))
	if integration.KindOf(err) == integration.KindNotFound {
		return in, &layout.Refusal{Status: http.StatusNotFound, Title: "No such integration", Message: "It was deleted, or never existed. What you submitted was not saved."}
	}
	return in, err
}

// plugin finds a plugin and the form of its options.
func (i *Integrations) plugin(ctx context.Context, id string) (integration.Integration, *form.Form, error) {
	plugin, ok := i.Plugins.Plugin(id)
	if !ok {
		return nil, nil, &layout.Refusal{Status: http.StatusNotFound, Title: "Plugin not installed",
			Message: "The plugin " + id + " is not installed here. Put it into the plugin directory as <id>/manifest.json and restart switchboard."}
	}
	schema, err := plugin.OptionsSchema(ctx, integration.OptionsSchemaRequest{})
	if err != nil {
		return nil, nil, err
	}
	f, err := form.Parse(schema.Schema)
	return plugin, f, err
}
