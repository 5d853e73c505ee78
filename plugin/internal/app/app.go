package app

import (
	"context"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/actions"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/endpoint"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
	"github.com/livecallrouting/livecall/plugin/internal/render"
	"github.com/livecallrouting/livecall/plugin/internal/soundcheck"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
	"github.com/livecallrouting/livecall/schema"
)

// Identity of the plugin, as in the manifest.
const (
	ID   = "livecall"
	Name = "Live call routing"
)

// taskFormat is the number of the layout of task payloads and results that this version writes. The
// host keeps it beside each task, so that a task commanded by another release is not misread.
const taskFormat = 1

// Config is what the process around the App supplies.
type Config struct {
	Version string // semantic version
	// APIURL replaces scheme and host of Twilio's REST API; "" = Twilio. See
	// LIVECALL_TWILIO_API_URL in the manifest.
	APIURL string
	// Transport carries REST requests; nil: the process's own.
	Transport http.RoundTripper
	// Sounds fetches sound files when options are saved or checked. Beside a simulator it also
	// reaches this machine.
	Sounds soundcheck.Checker
}

// App implements [integration.Integration]. It holds no state but a cache of decoded options, and
// the number of look-ups under way.
type App struct {
	cfg       Config
	documents documents
	lookups   lookups
	states    states

	// How long Twilio may take to answer, see the constants; tests on a crowded machine give it
	// more.
	lookTimeout, onlineTimeout time.Duration
}

var _ integration.Integration = (*App)(nil)

// New makes the integration. Where APIURL names a simulator, sound files may also be fetched from
// this machine.
func New(cfg Config) *App {
	if cfg.Version == "" {
		cfg.Version = "0.0.0-dev"
	}
	// The simulator serves its sounds on this machine.
	cfg.Sounds.Loopback = cfg.Sounds.Loopback || cfg.APIURL != ""
	return &App{cfg: cfg, documents: newDocuments(), states: newStates(), lookTimeout: lookTimeout, onlineTimeout: onlineTimeout}
}

// client makes a REST client of the instance's account. It fails where the options cannot make one,
// such as an unknown region. It is made anew each time, so changed credentials count at once.
func (a *App) client(o options.Options) (*twilio.Client, error) {
	return twilio.New(twilio.Config{
		AccountSID: o.Account.SID, KeySID: o.Account.Key, KeySecret: o.Account.Secret, Region: o.Account.Region,
		APIURL: a.cfg.APIURL, Transport: a.cfg.Transport,
	})
}

// Describe implements [integration.Integration].
func (a *App) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{
		ID: ID, Name: Name, Version: a.cfg.Version,
		ProtocolVersion: integration.ProtocolVersion, ProtocolMinor: integration.ProtocolMinor,
		Formats: integration.Formats{State: call.Format, Task: taskFormat, Path: endpoint.PathFormat, Options: options.Format},
		// The host knows nothing of Twilio: which field names the session, what a request of
		// Twilio's looks like, and whose answers do not matter, it learns here.
		Webhook: integration.WebhookDescription{
			SessionField:       "CallSid",
			SessionPrefix:      endpoint.SessionPrefix,
			ShapeFields:        []string{"CallSid", "AccountSid"},
			IgnoredAnswerPaths: endpoint.IgnoredAnswerPaths(),
			NotInService:       render.Fixed(prompts.KeyNotInService),
			Refused:            render.Fixed(prompts.KeyRefused),
			Fallback:           render.Fallback(options.Options{Language: prompts.DefaultLanguage}),
			RecentCalls:        effect.RecentCallsAhead("From"),
		},
		Actions:  actions.Descriptions(),
		Periodic: []integration.PeriodicTask{{Name: timerSweep, Every: 24 * time.Hour}},
	}, nil
}

// OptionsSchema implements [integration.Integration].
func (a *App) OptionsSchema(context.Context, integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return integration.OptionsSchema{Schema: schema.Options(), Format: options.Format}, nil
}

// RunAction implements [integration.Integration]. It loads the options as a call would, so an
// action tells what a call would meet.
func (a *App) RunAction(ctx context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	s := a.documents.load(req.Facts.Instance)
	return actions.Run(ctx, actions.Request{
		ActionRequest: req, Options: s.Options, Problems: s.problems, Music: s.music, Simulated: a.cfg.APIURL != "",
		Client: func() (*twilio.Client, error) { return a.client(s.Options) }, Sounds: a.cfg.Sounds,
	})
}
