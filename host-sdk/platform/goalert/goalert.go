package goalert

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Config makes a Platform. [Setup] returns the keys and services.
type Config struct {
	URL string // GoAlert's public URL
	// CallKey and PollKey are two API keys of role user for [Document]. GoAlert serves one request
	// of a key at a time: what a caller waits for must not queue behind polling.
	CallKey, PollKey Secret
	Services         []Service
	// WebhookToken is the parameter token= in the address that GoAlert posts to
	// ([Platform.Webhook]); "" refuses all posts.
	WebhookToken Secret
	Expires      time.Time // when the API keys expire, for a finding in time; zero: not known
	DB           *sqldb.DB // may be shared with the store
	Clock        clock.Clock
	// Turns and Tell are for several hosts that share DB: one of them polls a service, and Tell
	// hands a notice to the others, for their [Platform.Heard]. It must not wait. nil: there is one
	// host.
	Turns  platform.Turns
	Tell   func(notice string)
	Logger *slog.Logger // nil: slog.Default
	HTTP   *http.Client // nil: one of its own
}

// Service is a service of GoAlert that calls may be routed to.
type Service struct {
	ID  string `json:"id"`
	Key Secret `json:"key"` // of its Generic API integration key
	// Team is the value of the label by which services are teams; "" makes the service itself the
	// team.
	Team string `json:"team,omitempty"`
}

// team is the id of the service's team.
func (s Service) team() string {
	if s.Team != "" {
		return s.Team
	}
	return s.ID
}

// Platform is a GoAlert installation. All of it may be used by many goroutines. What must survive a
// restart is in the database, under record; the rest is memory of this process.
type Platform struct {
	cfg    Config
	clock  clock.Clock
	log    *slog.Logger
	client *client
	teams  map[string]Service // by the team's id
	locks  locks
	hub    hub
	live   live
	people memory[integration.User]
	names  memory[string] // of services

	mu       sync.Mutex
	troubles map[string]string // by a service, or what about it
}

var (
	// BatchApplier spares a call that begins with several commands as many writes; Finder has its
	// findings shown.
	_ platform.Platform     = (*Platform)(nil)
	_ platform.BatchApplier = (*Platform)(nil)
	_ platform.Finder       = (*Platform)(nil)
)

// Check says what is missing or doubtful in what [Setup] returns; it asks GoAlert nothing. The
// switchboard file is checked with it, also while GoAlert is down.
func (c Config) Check() error {
	if c.CallKey == "" || c.PollKey == "" {
		return integration.Errorf(integration.KindInvalid, "goalert: both API keys are needed; the set-up makes them")
	}
	if c.CallKey == c.PollKey {
		return integration.Errorf(integration.KindInvalid, "goalert: the two API keys are the same, so that callers would wait for polling: run the set-up, which makes two")
	}
	if len(c.Services) == 0 {
		return integration.Errorf(integration.KindInvalid, "goalert: services: at least one is needed; the set-up lists them")
	}
	teams := map[string]bool{}
	for _, s := range c.Services {
		if !isID(s.ID) || s.Key == "" {
			return integration.Errorf(integration.KindInvalid, "goalert: services: %q has no integration key, or is no id of a service; the set-up lists them", s.ID)
		}
		if teams[s.team()] {
			return integration.Errorf(integration.KindInvalid, "goalert: services: two are for the team %q", s.team())
		}
		teams[s.team()] = true
	}
	_, err := newClient(c.URL, c.HTTP)
	return err
}

// New returns a platform and brings its table up to date; it sends no request. What is missing or
// doubtful in cfg is invalid. [Platform.Run] makes it poll.
func New(ctx context.Context, cfg Config) (*Platform, error) {
	if cfg.DB == nil || cfg.Clock == nil {
		return nil, integration.Errorf(integration.KindInvalid, "goalert: database and clock are needed")
	}
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	c, err := newClient(cfg.URL, cfg.HTTP)
	if err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	p := &Platform{cfg: cfg, clock: cfg.Clock, log: cfg.Logger, client: c, teams: map[string]Service{}, troubles: map[string]string{}}
	for _, s := range cfg.Services {
		p.teams[s.team()] = s
	}
	return p, Migrate(ctx, cfg.DB)
}

// call runs an operation that a caller may be waiting for. Polling uses the other key, so this
// request never waits behind one of a hundred lines.
func (p *Platform) call(ctx context.Context, operation string, variables map[string]any, into any) error {
	return p.client.graphql(ctx, p.cfg.CallKey, request{OperationName: operation, Variables: variables}, into)
}

// Capabilities implements platform.Platform. An acknowledgement in a person's name is one by our
// key in GoAlert, whose noise reason then names the person.
func (p *Platform) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	return integration.Capabilities{
		// What is false here is named, so that a reader sees that it was thought of.
		UnroutedAlerts: false, Annotations: false, Routers: false, Audiences: false,
		Reopen: true, Escalate: true, AcknowledgeAs: true, AcknowledgedByUser: true, PagesByItself: true, Notifies: true,
	}, nil
}

// Route implements platform.Platform: GoAlert has no routers.
func (p *Platform) Route(context.Context, platform.Scope, string, []byte, time.Time) (integration.RouteVerdict, error) {
	return integration.RouteVerdict{}, integration.Errorf(integration.KindUnsupported, "GoAlert has no routers: choose teams as destinations")
}

// Audience implements platform.Platform: no e-mail address of a person is read from GoAlert.
func (p *Platform) Audience(context.Context, platform.Scope, integration.Audience, []string, time.Time) ([]string, error) {
	return nil, integration.Errorf(integration.KindUnsupported, "with GoAlert there are no mail audiences: use addresses")
}

// Health implements platform.Platform: whether GoAlert answers both keys. Here alone the document
// is sent along, because GoAlert runs an operation of an older document without a word.
func (p *Platform) Health(ctx context.Context) error {
	ids := []string{p.cfg.Services[0].ID}
	// A host that was upgraded without a new set-up fails here, with the remedy, and not in the
	// first call.
	for _, key := range []Secret{p.cfg.CallKey, p.cfg.PollKey} {
		if err := p.client.graphql(ctx, key, request{Query: Document, OperationName: "Names", Variables: fill(ids)}, nil); err != nil {
			return err
		}
	}
	return nil
}

// warnOfExpiry is how long before its end people hear of it that keys expire.
const warnOfExpiry = 30 * 24 * time.Hour

// Findings says in sentences why services that calls were routed to page nobody: they are full, in
// maintenance, or their policy has no steps. What was put right is gone when the service is next
// used. It also says when the API keys are about to expire.
func (p *Platform) Findings() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []string{}
	for _, t := range p.troubles {
		out = append(out, t)
	}
	if e := p.cfg.Expires; !e.IsZero() && clock.Wall(p.clock).After(e.Add(-warnOfExpiry)) {
		out = append(out, fmt.Sprintf("GoAlert's API keys expire on %s: run the set-up again, which makes new ones", e.UTC().Format(time.DateOnly)))
	}
	slices.Sort(out)
	return out
}

// trouble notes what is wrong, by a service's id or what about it; "" that nothing is. It logs only
// what is new, as a service in trouble is read every second.
func (p *Platform) trouble(about, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.troubles[about]
	if delete(p.troubles, about); text != "" {
		p.troubles[about] = text
	}
	if text != "" && text != before {
		p.log.Warn("GoAlert pages nobody", "problem", text)
	}
}
