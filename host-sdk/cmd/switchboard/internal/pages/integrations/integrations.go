package integrations

import (
	"context"
	"embed"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/integrationform"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates
var templates embed.FS

// Engine is what these pages need of *engine.Engine.
type Engine interface {
	integrationform.Engine
	Remove(ctx context.Context, id string) error
}

// Config is what the pages are made of, beside their site. All fields are required. Everything else
// comes from the site.
type Config struct {
	Engine      Engine
	Store       store.Store
	Plugins     engine.Plugins
	EndpointURL func(integrationID string) string
}

// Integrations serves the pages that configure integrations.
type Integrations struct {
	Config
	site  *layout.Site
	forms *integrationform.Forms
}

// New adds the pages to a site. Its error is a mistake in a template.
func New(site *layout.Site, cfg Config) (*Integrations, error) {
	i := &Integrations{Config: cfg, site: site, forms: integrationform.New(integrationform.Config{
		Engine: cfg.Engine, Store: cfg.Store, Platform: site.Platform, Plugins: cfg.Plugins, EndpointURL: cfg.EndpointURL,
		PublicURL: site.PublicURL.String(), Tenant: site.Tenant, Clock: site.Clock, Log: site.Log,
		Whose: people.Whose,
		// Through the API, which asks for a log-in: people hear the file from there, and the
		// telephone service from its public address.
		MediaURL: func(_ context.Context, ref string) string { return site.URL(site.APIPath + "/media/" + ref) },
	})}
	return i, site.Parse(templates, nil, "integrations", "plugins", "integration", "delete")
}

// show shows a page of this package.
func (i *Integrations) show(w http.ResponseWriter, r *http.Request, status int, p layout.Page) {
	p.Nav = "integrations"
	i.site.Show(w, r, status, p)
}
