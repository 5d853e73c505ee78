package engine_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// fakePlatform keeps alerts as snapshots and remembers commands.
type fakePlatform struct {
	mu       sync.Mutex
	alerts   map[string]integration.AlertSnapshot
	applied  []integration.AlertCommand
	refuse   func(integration.AlertCommand) error
	onCall   []integration.OnCallEntry
	audience []string
	// audiences answers in place of audience.
	audiences func(teams []string) ([]string, error)
	asked     map[string]int
	hints     chan platform.Hint
	hinted    chan platform.Hint // gets each hint after the engine has taken it; nil: nobody waits
	down      error
	// Called while an alert is being read, after its state was taken.
	reading  func(key string)
	watching func(watch int) error // called when watching begins; an error breaks the watch
	watches  int

	onCallTimes []time.Time
	routedOnly  bool  // it has no unrouted alerts
	unwell      error // of Health alone
}

var _ platform.Platform = (*fakePlatform)(nil)

func newPlatform() *fakePlatform {
	return &fakePlatform{alerts: map[string]integration.AlertSnapshot{}, asked: map[string]int{}, hints: make(chan platform.Hint, 100)}
}

func (p *fakePlatform) count(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[what]++
	return p.down
}

func (p *fakePlatform) times(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[what]
}

func (p *fakePlatform) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	if err := p.count("capabilities"); err != nil {
		return integration.Capabilities{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return integration.Capabilities{Reopen: true, UnroutedAlerts: !p.routedOnly}, nil
}

func (p *fakePlatform) Destinations(_ context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	if err := p.count("destinations"); err != nil {
		return nil, err
	}
	var out []integration.Destination
	for _, r := range refs {
		out = append(out, integration.Destination{Kind: r.Kind, ID: r.ID, Name: "Team " + r.ID, Missing: r.ID == "nowhere"})
	}
	return out, nil
}

func (p *fakePlatform) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	return nil, nil
}

func (p *fakePlatform) OnCall(_ context.Context, _ platform.Scope, _ string, _ int, at time.Time) ([]integration.OnCallEntry, error) {
	p.mu.Lock()
	p.onCallTimes = append(p.onCallTimes, at)
	p.mu.Unlock()
	return p.onCall, p.count("on_call")
}

// onCallAt is for which times somebody asked who is on call.
func (p *fakePlatform) onCallAt() []time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Time(nil), p.onCallTimes...)
}

func (p *fakePlatform) Route(_ context.Context, _ platform.Scope, router string, _ []byte, _ time.Time) (integration.RouteVerdict, error) {
	return integration.RouteVerdict{Notes: []string{router}}, p.count("route")
}

func (p *fakePlatform) Alert(_ context.Context, _ platform.Scope, key string) (integration.AlertSnapshot, error) {
	if err := p.count("alert"); err != nil {
		return integration.AlertSnapshot{}, err
	}
	p.mu.Lock()
	a, ok := p.alerts[key]
	reading := p.reading
	p.mu.Unlock()
	if reading != nil {
		reading(key)
	}
	if !ok {
		return a, integration.Errorf(integration.KindNotFound, "no alert %q", key)
	}
	return a, nil
}

func (p *fakePlatform) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	return integration.User{ID: id, Name: "User " + id}, p.count("user")
}

func (p *fakePlatform) Apply(_ context.Context, _ platform.Scope, cmd integration.AlertCommand) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		if err := p.refuse(cmd); err != nil {
			return err
		}
	}
	p.applied = append(p.applied, cmd)
	return nil
}

func (p *fakePlatform) commands() []integration.AlertCommand {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]integration.AlertCommand(nil), p.applied...)
}

func (p *fakePlatform) Audience(_ context.Context, _ platform.Scope, _ integration.Audience, teams []string, _ time.Time) ([]string, error) {
	if p.audiences != nil {
		return p.audiences(teams)
	}
	return p.audience, p.count("audience")
}

func (p *fakePlatform) Watch(ctx context.Context, hint func(platform.Hint)) error {
	p.mu.Lock()
	p.watches++
	watch, watching := p.watches, p.watching
	p.mu.Unlock()
	if watching != nil {
		if err := watching(watch); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h := <-p.hints:
			hint(h)
			if p.hinted != nil {
				p.hinted <- h
			}
		}
	}
}

func (p *fakePlatform) Health(context.Context) error {
	err := p.count("health")
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(err, p.unwell)
}

// set changes the platform while an engine may be using it.
func (p *fakePlatform) set(change func(p *fakePlatform)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *fakePlatform) setAlert(integrationID string, a integration.AlertSnapshot) {
	p.mu.Lock()
	p.alerts[a.Key] = a
	p.mu.Unlock()
	p.hints <- platform.Hint{Scope: platform.Scope{Integration: integrationID}, AlertKey: a.Key}
}

func hint(integrationID, key string) platform.Hint {
	return platform.Hint{Scope: platform.Scope{Integration: integrationID}, AlertKey: key}
}
