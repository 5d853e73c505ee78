package integrationform

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Engine is what forms need of *engine.Engine. Configure checks and saves; revision is that which
// the form was made of, 0 replaces any.
type Engine interface {
	Configure(ctx context.Context, id string, revision int64, d engine.Draft) (store.Integration, []integration.Problem, error)
	RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error)
}

// Config is what forms are made of. All fields are required unless said otherwise.
type Config struct {
	Engine Engine
	Store  store.Store
	// Platform may have Routers() []integration.Destination: they can then be chosen as
	// destinations.
	Platform    platform.Platform
	Plugins     engine.Plugins
	EndpointURL func(integrationID string) string
	PublicURL   string // without trailing slash
	Tenant      string // may be ""
	// MediaURL is the address at which whoever looks at the form can listen to a file.
	MediaURL func(ctx context.Context, ref string) string
	// Whose is the login, or the token, that a request is made with; "": nobody's.
	Whose func(ctx context.Context) string
	Clock clock.Clock
	Log   *slog.Logger
}

// Forms makes and saves the forms of integrations. Requests may use it at once.
type Forms struct {
	cfg     Config
	routers interface { // nil: the platform lists none
		Routers() []integration.Destination
	}
	once *once
	kept *kept
}

// New makes Forms. Nothing is opened or started.
func New(cfg Config) *Forms {
	f := &Forms{cfg: cfg, once: newOnce(cfg.Clock), kept: newKept(cfg.Clock)}
	f.routers, _ = cfg.Platform.(interface {
		Routers() []integration.Destination
	})
	return f
}

// Draft holds the values of the form: from the store, or as they were typed. No secret is among
// them. It can be put into a page as it is.
type Draft struct {
	ID          string // "" for a new one
	Plugin      string
	Name        string
	Enabled     bool
	Maintenance bool
	Urgency     string
	Chosen      []platform.Ref
	Revision    int64
	Nonce       string
	Values      []byte   // options without secret values
	Kept        []string // fields of secrets that wait here for the form; see kept
	Problems    []integration.Problem
	Warnings    []integration.Problem
}

// Empty is the form of a new integration.
func Empty(plugin string) Draft {
	return Draft{Plugin: plugin, Enabled: true, Nonce: newNonce()}
}

// Stored is the form of an integration as it is stored, with what its plugin says of it today. The
// plugin is asked because it may judge today what it accepted then, such as after an upgrade.
func (f *Forms) Stored(ctx context.Context, in store.Integration) (Draft, error) {
	d, err := storedDraft(in)
	if err == nil {
		d.Warnings = f.warnings(ctx, in)
	}
	return d, err
}

// storedDraft is the form of an integration as it is stored, without secrets. Its nonce is new, as
// each page is a form of its own.
func storedDraft(in store.Integration) (Draft, error) {
	values, err := form.HideSecrets(in.Options, in.SecretFields)
	return Draft{ID: in.ID, Plugin: in.Plugin, Name: in.Name, Enabled: in.Enabled, Maintenance: in.Maintenance, Urgency: in.Urgency,
		Chosen: in.Destinations, Revision: in.Revision, Nonce: newNonce(), Values: values}, err
}

// Find reads a stored integration. One that is not there is a refusal for people.
func (f *Forms) Find(ctx context.Context, id string) (store.Integration, error) {
	in, err := f.cfg.Store.Integration(ctx, id)
	if integration.KindOf(err) == integration.KindNotFound {
		return in, &httpkit.Refusal{Status: http.StatusNotFound, Title: "No such integration", Message: "It was deleted, or never existed."}
	}
	return in, err
}

// Unsaved adds to a refusal of Find that a form was lost with it.
func Unsaved(err error) error {
	var gone *httpkit.Refusal
	if errors.As(err, &gone) {
		gone.Message += " What you submitted was not saved."
	}
	return err
}

// plugin finds a plugin, with the schema and the form of its options. The schema is read each time:
// the plugin may have been replaced by another version.
func (f *Forms) plugin(ctx context.Context, id string) (integration.Integration, []byte, *form.Form, error) {
	plugin, ok := f.cfg.Plugins.Plugin(id)
	if !ok {
		return nil, nil, nil, &httpkit.Refusal{Status: http.StatusNotFound, Title: "Plugin not installed",
			Message: "The plugin " + id + " is not installed here. Put it into the plugin directory as <id>/manifest.json and restart switchboard."}
	}
	schema, err := plugin.OptionsSchema(ctx, integration.OptionsSchemaRequest{})
	if err != nil {
		return nil, nil, nil, err
	}
	parsed, err := form.Parse(schema.Schema)
	return plugin, schema.Schema, parsed, err
}

// scope is the scope of an integration; "" for a new one.
func (f *Forms) scope(id string) platform.Scope {
	return platform.Scope{Tenant: f.cfg.Tenant, Integration: id}
}
