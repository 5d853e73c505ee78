package embedded

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/alerts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/shifts"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Config makes a Platform.
type Config struct {
	File     *switchboardfile.Source // its users, teams and routers
	DB       *sqldb.DB               // may be shared with the store
	Clock    clock.Clock
	Logger   *slog.Logger           // nil: slog.Default
	AlertURL func(id string) string // page of an alert; nil: none
	// Alone says that no other process uses the database; see [alerts.Config].
	Alone bool
	// Tell hands a notice to the other processes; see [alerts.Config].
	Tell func(notice string)
	// Host names this process among those that share the database; see [alerts.Config].
	Host string
	// Notify mails a page to its person; nil: nobody is mailed. See [alerts.Config].
	Notify func(ctx context.Context, page alerts.Page) error
	// Send notifies an address of a person or a channel; nil: addresses are not used. See
	// [alerts.Config].
	Send func(ctx context.Context, to notify.Address, page alerts.Page) error
	// TellShift tells a person of a shift or an absence that somebody else changed for them; nil:
	// nobody is told. See [shifts.Config].
	TellShift func(ctx context.Context, n shifts.News, to integration.User) error
}

// Platform is the embedded platform: the file in force, and the alerts of it. It answers from the
// file in force, which each method takes once, so that one answer never mixes two files.
type Platform struct {
	*alerts.Service // Alert, Apply, Watch, Health, and platform.AlertBrowser and platform.Finder

	cfg    Config
	clock  clock.Clock
	shifts *shifts.Service
}

var (
	_ platform.Platform     = (*Platform)(nil)
	_ platform.AlertBrowser = (*Platform)(nil)
	_ platform.UserByEmail  = (*Platform)(nil)
	_ platform.Finder       = (*Platform)(nil)
	_ platform.Eraser       = (*Platform)(nil)
)

// New brings the tables up to date. The platform answers at once; [Platform.Run] makes it escalate.
func New(ctx context.Context, cfg Config) (*Platform, error) {
	if cfg.DB == nil || cfg.Clock == nil || cfg.File == nil {
		return nil, integration.Errorf(integration.KindInvalid, "embedded platform: file, database and clock are needed")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	p := &Platform{cfg: cfg, clock: cfg.Clock}
	var err error
	p.Service, err = alerts.New(ctx, alerts.Config{File: p.File, DB: cfg.DB, Clock: cfg.Clock, Logger: cfg.Logger,
		AlertURL: cfg.AlertURL, Host: cfg.Host, Alone: cfg.Alone, Tell: cfg.Tell, Notify: cfg.Notify, Send: cfg.Send})
	if err != nil {
		return nil, err
	}
	p.shifts, err = shifts.New(ctx, shifts.Config{File: cfg.File, DB: cfg.DB, Clock: clock.OfWall(cfg.Clock), Logger: cfg.Logger,
		Tell: cfg.TellShift})
	if err != nil {
		return nil, err
	}
	// Calls in progress then read their alerts again, with the new names and people.
	cfg.File.OnChange(p.HintAll)
	return p, nil
}

// Shifts are the changes that people made to who is on call.
func (p *Platform) Shifts() *shifts.Service { return p.shifts }

// ForgetText implements platform.Eraser, for alerts and the notes of shifts.
func (p *Platform) ForgetText(ctx context.Context, number, by string) (int, error) {
	n, err := p.Service.ForgetText(ctx, number, by)
	if err != nil {
		return n, err
	}
	notes, err := p.shifts.ForgetText(ctx, number, by)
	return n + notes, err
}

// File returns the file in force.
func (p *Platform) File() *switchboardfile.File { return p.cfg.File.File() }

// Run escalates alerts (see [alerts.Service.Run]) and takes over the changed file. It returns ctx's
// error when ctx ends. Its parts end with ctx; it waits for all of them.
func (p *Platform) Run(ctx context.Context) error {
	var reload sync.WaitGroup
	reload.Go(func() { _ = p.cfg.File.Run(ctx) })
	reload.Go(func() { _ = p.shifts.Run(ctx) })
	defer reload.Wait()
	return p.Service.Run(ctx)
}

// Capabilities implements platform.Platform: all but paging by itself. People are notified if there
// is a hook for a way that anybody has.
func (p *Platform) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	return integration.Capabilities{
		UnroutedAlerts: true, Reopen: true, Escalate: true, AcknowledgeAs: true, AcknowledgedByUser: true,
		Annotations: true, Routers: true, Audiences: true, PagesByItself: false,
		Notifies: slices.ContainsFunc(p.File().Users, func(u switchboardfile.User) bool {
			return p.cfg.Notify != nil && u.Email != "" || p.cfg.Send != nil && len(u.Notify) > 0
		}),
	}, nil
}

// Destinations implements platform.Platform.
func (p *Platform) Destinations(_ context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	f := p.File()
	out := make([]integration.Destination, 0, len(refs))
	for _, ref := range refs {
		d := integration.Destination{Kind: ref.Kind, ID: ref.ID, Name: ref.ID, Missing: true}
		switch ref.Kind {
		case integration.DestinationTeam:
			if t := f.Team(ref.ID); t != nil {
				d = t.Destination()
			}
		case integration.DestinationRouter:
			if r := f.Router(ref.ID); r != nil {
				d = integration.Destination{Kind: integration.DestinationRouter, ID: r.ID, Name: r.Name}
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// Teams implements platform.Platform. The order is that in which callers hear them.
func (p *Platform) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	var out []integration.Destination
	for _, t := range p.File().TeamsByName() {
		out = append(out, t.Destination())
	}
	return out, nil
}

// Routers lists the file's routers in its order, for a form that offers them as destinations.
func (p *Platform) Routers() []integration.Destination {
	var out []integration.Destination
	for _, r := range p.File().Routers {
		out = append(out, integration.Destination{Kind: integration.DestinationRouter, ID: r.ID, Name: r.Name})
	}
	return out
}

// noTeam is final: the plugin goes on with its other teams.
func noTeam(id string) error {
	return integration.Errorf(integration.KindNotFound, "team %q: the switchboard file has none of this id", id)
}

// at is now when no time is asked about. Schedules are asked about the wall's time, whatever the
// service's clock says.
func (p *Platform) at(t time.Time) time.Time {
	if t.IsZero() {
		return clock.Wall(p.clock)
	}
	return t
}

// OnCall implements platform.Platform. A layer that the team does not have has nobody.
func (p *Platform) OnCall(_ context.Context, _ platform.Scope, team string, layer int, at time.Time) ([]integration.OnCallEntry, error) {
	f := p.File()
	t := f.Team(team)
	if t == nil {
		return nil, noTeam(team)
	}
	at = p.at(at)
	var out []integration.OnCallEntry
	for l := 1; l <= len(t.Schedule.Layers); l++ {
		if layer != 0 && layer != l {
			continue
		}
		for _, u := range f.People(t.Schedule.OnCallAt(l, at)) {
			out = append(out, integration.OnCallEntry{Layer: l, User: u})
		}
	}
	return out, nil
}

// Route implements platform.Platform.
func (p *Platform) Route(_ context.Context, _ platform.Scope, router string, facts []byte, at time.Time) (integration.RouteVerdict, error) {
	return p.File().Route(router, facts, p.at(at))
}

// User implements platform.Platform.
func (p *Platform) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	u := p.File().User(id)
	if u == nil {
		return integration.User{}, integration.Errorf(integration.KindNotFound, "user %q: the switchboard file has none of this id", id)
	}
	return u.Contract(), nil
}

// UserByEmail implements platform.UserByEmail: the first of the file with this address.
func (p *Platform) UserByEmail(_ context.Context, _ platform.Scope, email string) (integration.User, error) {
	for _, u := range p.File().Users {
		if u.Email != "" && switchboardfile.Mailbox(u.Email) == switchboardfile.Mailbox(email) {
			return u.Contract(), nil
		}
	}
	return integration.User{}, integration.Errorf(integration.KindNotFound, "e-mail %q: the switchboard file has no user with this address", email)
}

// Users lists everybody in the file's order, for pages on which somebody says who they are.
func (p *Platform) Users() []integration.User {
	var out []integration.User
	f := p.File()
	for i := range f.Users {
		out = append(out, f.Users[i].Contract())
	}
	return out
}

// Audience implements platform.Platform. People without an address are left out; an unknown team is
// not_found. Addresses come once, in the order of teams. The engine asks for one team at a time, so
// that one that is gone costs the others nothing.
func (p *Platform) Audience(_ context.Context, _ platform.Scope, audience integration.Audience, teams []string, at time.Time) ([]string, error) {
	f := p.File()
	at = p.at(at)
	var ids []string
	for _, id := range teams {
		t := f.Team(id)
		if t == nil {
			return nil, noTeam(id)
		}
		switch audience {
		case integration.AudienceTeam:
			ids = append(append(ids, t.Admins...), t.Members...)
		case integration.AudienceTeamAdmin:
			ids = append(ids, t.Admins...)
		case integration.AudienceOnCall:
			for l := range t.Schedule.Layers {
				ids = append(ids, t.Schedule.OnCallAt(l+1, at)...)
			}
		default:
			return nil, integration.Errorf(integration.KindInvalid, "audience %q: want team, team-admin or on-call", audience)
		}
	}
	out := []string{}
	taken := map[string]bool{}
	for _, id := range ids {
		u := f.User(id)
		if u == nil || u.Email == "" || taken[switchboardfile.Mailbox(u.Email)] {
			continue
		}
		taken[switchboardfile.Mailbox(u.Email)] = true
		out = append(out, u.Email)
	}
	return out, nil
}
