package integrationtest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Config is what the suite needs to know of an integration.
type Config struct {
	// New returns the integration under test. It may return the same one each time; clean up with
	// t.Cleanup.
	New func(t testing.TB) integration.Integration
	// Options is a document that the integration accepts as it is, with a value for every secret
	// that it needs.
	Options []byte
	// Webhook is a request that begins a session: complete facts without Session, Alert and
	// Answers, Instance.Options equal to Options, and a body or query of the foreign service.
	Webhook integration.WebhookRequest
	// Answer answers the questions that handlers ask; nil answers each with an error of kind
	// unavailable.
	Answer func(integration.Question) integration.Answer
	// MaxResponse is the largest body of an answer, in bytes; 0 means 64 KiB.
	MaxResponse int
}

// timeout bounds each call; a pure handler needs a fraction of it.
const timeout = 30 * time.Second

// TestIntegration checks an integration against the contract, in subtests with stable names.
func TestIntegration(t *testing.T, cfg Config) {
	if cfg.New == nil || len(cfg.Options) == 0 || cfg.Webhook.Facts.Now.IsZero() {
		t.Fatal("integrationtest: Config.New, Config.Options and Config.Webhook with Facts.Now must be set")
	}
	if cfg.MaxResponse == 0 {
		cfg.MaxResponse = 64 << 10
	}
	s := &suite{cfg: cfg}
	for _, test := range []struct {
		name string
		run  func(t *testing.T, i integration.Integration)
	}{
		{"Describe/complete", s.describeComplete},
		{"Describe/constant", s.describeConstant},
		{"OptionsSchema/form", s.schemaForm},
		{"OptionsSchema/secrets", s.schemaSecrets},
		{"OptionsSchema/constant", s.schemaConstant},
		{"ValidateOptions/valid", s.optionsValid},
		{"ValidateOptions/empty", s.optionsEmpty},
		{"ValidateOptions/garbage", s.optionsGarbage},
		{"ValidateOptions/types", s.optionsTypes},
		{"ValidateOptions/unknown_fields", s.optionsUnknownFields},
		{"ValidateOptions/no_secret_in_answers", s.optionsNoSecrets},
		{"ValidateOptions/newer_format", s.optionsNewerFormat},
		{"HandleWebhook/begins_a_session", s.webhookBegins},
		{"HandleWebhook/pure", s.webhookPure},
		{"HandleWebhook/concurrent", s.webhookConcurrent},
		{"HandleWebhook/garbage", s.webhookGarbage},
		{"HandleWebhook/no_secret_leaves", s.webhookNoSecrets},
		{"HandleWebhook/newer_state", s.webhookNewerState},
		{"HandleWebhook/broken_state", s.webhookBrokenState},
		{"HandleWebhook/host_states", s.webhookHostStates},
		{"HandleWebhook/deleted", s.webhookDeleted},
		{"HandleWebhook/seen", s.webhookSeen},
		{"HandleWebhook/media_addresses", s.webhookMediaURLs},
		{"HandleWebhook/older_host", s.webhookOlderHost},
		{"HandleWebhook/write_formats", s.webhookWriteFormats},
		{"HandleAlert/unknown_session", s.alertUnknownSession},
		{"HandleAlert/pure", s.alertPure},
		{"HandleAlert/unpaged", s.alertUnpaged},
		{"HandleTask/unknown", s.taskUnknown},
		{"HandleTask/pure", s.taskPure},
		{"HandleTask/timers_of_the_host", s.taskHostTimers},
		{"Perform/unknown", s.performUnknown},
		{"RunAction/unknown", s.actionUnknown},
		{"RunAction/test-ring", s.testRing},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, careful{cfg.New(t)}) })
	}
}

// suite is one run. Each test gets an integration of its own.
type suite struct {
	cfg Config
}

// webhook returns a copy of the example, so that no test spoils another.
func (s *suite) webhook() integration.WebhookRequest { return clone(s.cfg.Webhook) }

// callContext bounds a call.
func callContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	t.Cleanup(cancel)
	return ctx
}

// careful turns a panic into an error, so that one defect is one failed test.
type careful struct{ integration.Integration }

// errPanic is in the chain of an error made from a panic.
var errPanic = errors.New("panic")

// guarded makes a call and turns its panic into an error.
func guarded[Req, Resp any](ctx context.Context, req Req, call func(context.Context, Req) (Resp, error)) (resp Resp, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, cause, debug.Stack())
		}
	}()
	return call(ctx, req)
}

// Describe implements integration.Integration.
func (c careful) Describe(ctx context.Context, req integration.DescribeRequest) (integration.Description, error) {
	return guarded(ctx, req, c.Integration.Describe)
}

// OptionsSchema implements integration.Integration.
func (c careful) OptionsSchema(ctx context.Context, req integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return guarded(ctx, req, c.Integration.OptionsSchema)
}

// ValidateOptions implements integration.Integration.
func (c careful) ValidateOptions(ctx context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	return guarded(ctx, req, c.Integration.ValidateOptions)
}

// HandleWebhook implements integration.Integration.
func (c careful) HandleWebhook(ctx context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	return guarded(ctx, req, c.Integration.HandleWebhook)
}

// HandleAlert implements integration.Integration.
func (c careful) HandleAlert(ctx context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	return guarded(ctx, req, c.Integration.HandleAlert)
}

// HandleTask implements integration.Integration.
func (c careful) HandleTask(ctx context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	return guarded(ctx, req, c.Integration.HandleTask)
}

// Perform implements integration.Integration.
func (c careful) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return guarded(ctx, req, c.Integration.Perform)
}

// RunAction implements integration.Integration.
func (c careful) RunAction(ctx context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	return guarded(ctx, req, c.Integration.RunAction)
}

// checkError checks that err, if there is one, is of the contract and of one of the kinds; none
// means any but internal.
func checkError(t testing.TB, what string, err error, kinds ...integration.Kind) {
	t.Helper()
	if err == nil {
		return
	}
	var e *integration.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: error of type %T, want *integration.Error: %v", what, err, err)
		return
	}
	if len(kinds) == 0 && e.Kind != integration.KindInternal {
		return
	}
	for _, kind := range kinds {
		if e.Kind == kind {
			return
		}
	}
	t.Errorf("%s: error of kind %s (%v), want one of %v", what, e.Kind, err, kinds)
}

// must ends the test unless the call succeeded.
func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
