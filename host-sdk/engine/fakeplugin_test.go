package engine_test

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// idleTimers are the timers on which the loops of an engine without work wait: the outbox, the
// daily work, the copies, the formats, the two of what was heard of callers, and what is to be
// erased.
const idleTimers = 7

// fakePlugin does what a test's functions say.
type fakePlugin struct {
	webhook  func(integration.WebhookRequest) (integration.Outcome, error)
	alert    func(integration.AlertRequest) (integration.Outcome, error)
	task     func(integration.TaskRequest) (integration.Outcome, error)
	perform  func(context.Context, integration.PerformRequest) (integration.TaskResult, error)
	validate func(integration.ValidateOptionsRequest) integration.ValidateOptionsResponse
	action   func(integration.ActionRequest) (integration.ActionResult, error)
	periodic []integration.PeriodicTask
	describe func(integration.Description) (integration.Description, error) // nil: as it is

	schema      func() (integration.OptionsSchema, error) // nil: fakeSchema
	validateErr error

	mu        sync.Mutex
	described int
}

// descriptions is how often the plugin was asked what it is.
func (p *fakePlugin) descriptions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.described
}

var _ integration.Integration = (*fakePlugin)(nil)

const fakeSchema = `{"type":"object","properties":{"greeting":{"type":"string"},"token":{"type":"string","x-secret":true}}}`

func (p *fakePlugin) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	p.mu.Lock()
	p.described++
	describe := p.describe
	p.mu.Unlock()
	desc := integration.Description{
		ID: "fake", Name: "Fake", Version: "1.0.0", ProtocolVersion: integration.ProtocolVersion, ProtocolMinor: integration.ProtocolMinor,
		Periodic: p.periodic,
		Webhook: integration.WebhookDescription{
			SessionField: "CallKey", SessionPrefix: "/c/", ShapeFields: []string{"CallKey", "Account"},
			IgnoredAnswerPaths: []string{"/status", "/c/*/late"},
			NotInService:       integration.Response{Body: []byte("not in service")},
			Refused:            integration.Response{Body: []byte("refused")},
			Fallback:           integration.FallbackAnswers{Wait: integration.Response{Body: []byte("plugin's patience")}},
		},
	}
	if describe != nil {
		return describe(desc)
	}
	return desc, nil
}

// describing changes what the plugin says it is, from now on.
func (p *fakePlugin) describing(f func(integration.Description) (integration.Description, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.describe = f
}

func (p *fakePlugin) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	if p.schema != nil {
		return p.schema()
	}
	return integration.OptionsSchema{Schema: []byte(fakeSchema), Format: 1}, nil
}

func (p *fakePlugin) ValidateOptions(_ context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	if p.validateErr != nil {
		return integration.ValidateOptionsResponse{}, p.validateErr
	}
	if p.validate != nil {
		return p.validate(req), nil
	}
	return integration.ValidateOptionsResponse{Options: req.Options, Format: 1}, nil
}

func (p *fakePlugin) HandleWebhook(_ context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	return p.webhook(req)
}

func (p *fakePlugin) HandleAlert(_ context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	if p.alert == nil {
		return integration.Outcome{}, nil
	}
	return p.alert(req)
}

func (p *fakePlugin) HandleTask(_ context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	if p.task == nil {
		return integration.Outcome{}, nil
	}
	return p.task(req)
}

func (p *fakePlugin) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return p.perform(ctx, req)
}

func (p *fakePlugin) RunAction(_ context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	if p.action == nil {
		return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "no action %q", req.Name)
	}
	return p.action(req)
}

// plugins holds at most one plugin, which can be taken away.
type plugins struct {
	mu  sync.Mutex
	p   integration.Integration
	ids []string

	more map[string]integration.Integration
}

func (p *plugins) Plugin(id string) (integration.Integration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.more[id]; ok {
		return other, true
	}
	return p.p, id == "fake" && p.p != nil
}

func (p *plugins) PluginIDs() []string { return p.ids }

func (p *plugins) set(i integration.Integration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.p = i
}

// answering lets the plugin answer each webhook with a text made of its facts, and remember
// nothing.
func answering(text func(integration.Facts) string) func(integration.WebhookRequest) (integration.Outcome, error) {
	return func(req integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok(text(req.Facts))}, nil
	}
}

// remember is a session update whose state is the JSON of v.
func remember(v any) *integration.SessionUpdate {
	b, _ := json.Marshal(v)
	return &integration.SessionUpdate{State: b, Format: 1, Live: true}
}

func ok(text string) *integration.Response { return &integration.Response{Body: []byte(text)} }
