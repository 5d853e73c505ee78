package integrations

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/integrationform"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Engine is what the operations need of *engine.Engine.
type Engine interface {
	Configure(ctx context.Context, id string, revision int64, d engine.Draft) (store.Integration, []integration.Problem, error)
	Remove(ctx context.Context, id string) error
	RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error)
}

// Config is what the operations are made of, as in the configuration of the API.
type Config struct {
	apikit.Common

	Engine                      Engine
	Plugins                     engine.Plugins
	EndpointURL                 func(integrationID string) string
	FormScriptURL, FormStyleURL string
	SwitchPlugin                func(ctx context.Context, id, version string) (SwitchedPlugin, error)
	RemovePlugin                func(ctx context.Context, id string) error
}

// Operations are those of this package. They are safe for concurrent use.
type Operations struct {
	Config

	forms *integrationform.Forms
}

// New makes the operations.
func New(cfg Config) *Operations { return &Operations{cfg, newForms(cfg)} }

// Routes lists the operations.
func (o *Operations) Routes() []apikit.Route {
	return []apikit.Route{
		apikit.Quiet("GET", "/integrations", people.Configure, o.listIntegrations),
		apikit.Audited("POST", "/integrations", people.Configure, o.createIntegration, "integration.create", ""),
		apikit.Quiet("GET", "/integrations/{id}", people.Configure, o.getIntegration),
		apikit.Audited("PUT", "/integrations/{id}", people.Configure, o.replaceIntegration, "integration.change", "id"),
		apikit.Audited("DELETE", "/integrations/{id}", people.Configure, o.deleteIntegration, "integration.delete", "id"),
		apikit.Audited("POST", "/integrations/{id}/actions/{name}", people.Configure, o.runAction, "integration.action", "id"),
		apikit.Quiet("GET", "/integrations/{id}/form", people.Configure, o.getForm(ofIntegration)),
		apikit.Audited("POST", "/integrations/{id}/form", people.Configure, o.postForm(ofIntegration), "integration.change", "id"),
		apikit.Quiet("GET", "/integrations/{id}/form/schema", people.Configure, o.getFormSchema(ofIntegration)),
		apikit.Quiet("GET", "/plugins", people.Configure, o.listPlugins),
		apikit.Audited("DELETE", "/plugins/{id}", people.Configure, o.removePlugin, "plugin.remove", "id"),
		apikit.Audited("POST", "/plugins/{id}/switch", people.Configure, o.switchPlugin, "plugin.switch", "id"),
		apikit.Quiet("GET", "/plugins/{id}/options-schema", people.Configure, o.optionsSchema),
		apikit.Quiet("GET", "/plugins/{id}/form", people.Configure, o.getForm(ofPlugin)),
		apikit.Audited("POST", "/plugins/{id}/form", people.Configure, o.postForm(ofPlugin), "integration.create", ""),
		apikit.Quiet("GET", "/plugins/{id}/form/schema", people.Configure, o.getFormSchema(ofPlugin)),
		apikit.Quiet("POST", "/media", people.Configure, o.uploadMedia),
	}
}
