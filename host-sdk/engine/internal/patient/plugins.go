package patient

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// InTime is a plugin whose handlers return when their context has ended, whatever its process does,
// as those of a launched plugin do. They are called as they are; of all others the engine gives up
// those that do not return, for which each call needs a goroutine.
type InTime interface {
	// ReturnsInTime does nothing: having it is the promise.
	ReturnsInTime()
}

// plugin wraps a plugin. Calls about no integration yet, such as Describe and
// ValidateOptions, are counted together.
type plugin struct {
	integration.Integration
	patience *Patience
}

func (x plugin) Describe(ctx context.Context, req integration.DescribeRequest) (integration.Description, error) {
	return within(ctx, x.patience, callee{name: "plugin"}, func(ctx context.Context) (integration.Description, error) { return x.Integration.Describe(ctx, req) })
}

func (x plugin) OptionsSchema(ctx context.Context, req integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return within(ctx, x.patience, callee{name: "plugin"}, func(ctx context.Context) (integration.OptionsSchema, error) {
		return x.Integration.OptionsSchema(ctx, req)
	})
}

func (x plugin) ValidateOptions(ctx context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	return within(ctx, x.patience, callee{name: "plugin"}, func(ctx context.Context) (integration.ValidateOptionsResponse, error) {
		return x.Integration.ValidateOptions(ctx, req)
	})
}

func (x plugin) HandleWebhook(ctx context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	return handle(ctx, x, req.Facts.Instance.ID, req, integration.Integration.HandleWebhook)
}

func (x plugin) HandleAlert(ctx context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	return handle(ctx, x, req.Facts.Instance.ID, req, integration.Integration.HandleAlert)
}

func (x plugin) HandleTask(ctx context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	return handle(ctx, x, req.Facts.Instance.ID, req, integration.Integration.HandleTask)
}

// handle calls a handler of a plugin on behalf of an integration.
func handle[Req any](ctx context.Context, x plugin, id string, req Req, method func(integration.Integration, context.Context, Req) (integration.Outcome, error)) (integration.Outcome, error) {
	if _, inTime := x.Integration.(InTime); !inTime {
		return handleApart(ctx, x, id, req, method)
	}
	return here(ctx, x.patience, callee{"plugin", id}, func(ctx context.Context) (integration.Outcome, error) { return method(x.Integration, ctx, req) })
}

// handleApart is handle in a goroutine. It is a function of its own, so that a request which needs
// no goroutine stays on the stack.
func handleApart[Req any](ctx context.Context, x plugin, id string, req Req, method func(integration.Integration, context.Context, Req) (integration.Outcome, error)) (integration.Outcome, error) {
	return within(ctx, x.patience, callee{"plugin", id}, func(ctx context.Context) (integration.Outcome, error) { return method(x.Integration, ctx, req) })
}

func (x plugin) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return within(ctx, x.patience, callee{"plugin", req.Facts.Instance.ID}, func(ctx context.Context) (integration.TaskResult, error) { return x.Integration.Perform(ctx, req) })
}

func (x plugin) RunAction(ctx context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	return within(ctx, x.patience, callee{"plugin", req.Facts.Instance.ID}, func(ctx context.Context) (integration.ActionResult, error) { return x.Integration.RunAction(ctx, req) })
}

// Plugins wraps the plugins that it returns.
type Plugins struct {
	installed
	patience *Patience
}

// installed are the plugins of a host.
type installed interface {
	Plugin(id string) (integration.Integration, bool)
	PluginIDs() []string
}

// Plugins wraps the plugins that are installed.
func (p *Patience) Plugins(of installed) Plugins { return Plugins{of, p} }

// Plugin returns the plugin of an id, wrapped; false when none is installed or running.
func (x Plugins) Plugin(id string) (integration.Integration, bool) {
	p, ok := x.installed.Plugin(id)
	if !ok {
		return nil, false
	}
	return plugin{p, x.patience}, true
}
