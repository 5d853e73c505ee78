package platformtest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
)

// pager is an invented incident-management product in memory, and the least that a platform can be:
// it keeps alerts, knows who acknowledged them, and leaves everything else to the call flow. The
// host guide walks through it.
type pager struct {
	people map[string]integration.User // by id
	teams  map[string]team             // by id

	mu       sync.Mutex
	tickets  map[platform.Hint]*integration.AlertSnapshot
	watchers map[chan platform.Hint]bool
}

type team struct {
	name   string
	onCall []string // user ids of the only layer
}

var _ platform.Platform = (*pager)(nil)

func newPager() *pager {
	return &pager{
		people: map[string]integration.User{
			"alice": {ID: "alice", Name: "Alice Example", Phones: []string{"+12025550143"}},
			"bob":   {ID: "bob", Name: "Bob Example", Phones: []string{"+12025550144"}},
		},
		teams:    map[string]team{"devops": {"DevOps", []string{"alice"}}, "support": {"Support", []string{"bob"}}},
		tickets:  map[platform.Hint]*integration.AlertSnapshot{},
		watchers: map[chan platform.Hint]bool{},
	}
}

// Capabilities: what is not named here the call flow does without.
func (p *pager) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	return integration.Capabilities{
		UnroutedAlerts:     true, // an alert may exist before it has a team
		AcknowledgeAs:      true, // we can acknowledge in a person's name
		AcknowledgedByUser: true, // and say who acknowledged
		PagesByItself:      true, // people hear of alerts by push, phone or SMS without the plugin
	}, nil
}

func (p *pager) Destinations(_ context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	out := make([]integration.Destination, len(refs))
	for i, ref := range refs {
		t, known := p.teams[ref.ID]
		known = known && ref.Kind == integration.DestinationTeam
		out[i] = integration.Destination{Kind: ref.Kind, ID: ref.ID, Name: t.name, Missing: !known}
	}
	return out, nil
}

func (p *pager) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	var out []integration.Destination
	for id, t := range p.teams {
		out = append(out, integration.Destination{Kind: integration.DestinationTeam, ID: id, Name: t.name})
	}
	slices.SortFunc(out, func(a, b integration.Destination) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out, nil
}

func (p *pager) OnCall(_ context.Context, _ platform.Scope, id string, layer int, _ time.Time) ([]integration.OnCallEntry, error) {
	t, known := p.teams[id]
	if !known {
		return nil, integration.Errorf(integration.KindNotFound, "there is no team %q", id)
	}
	var out []integration.OnCallEntry
	if layer == 0 || layer == 1 { // 0 asks for all layers
		for _, user := range t.onCall {
			out = append(out, integration.OnCallEntry{Layer: 1, User: p.people[user]})
		}
	}
	return out, nil
}

func (p *pager) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	u, known := p.people[id]
	if !known {
		return u, integration.Errorf(integration.KindNotFound, "there is no user %q", id)
	}
	return u, nil
}

func (p *pager) Route(context.Context, platform.Scope, string, []byte, time.Time) (integration.RouteVerdict, error) {
	return integration.RouteVerdict{}, integration.Errorf(integration.KindUnsupported, "this platform has no routers")
}

func (p *pager) Audience(context.Context, platform.Scope, integration.Audience, []string, time.Time) ([]string, error) {
	return nil, integration.Errorf(integration.KindUnsupported, "this platform has no mail audiences")
}

func (p *pager) Alert(_ context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tickets[platform.Hint{Scope: scope, AlertKey: key}]
	if t == nil {
		return integration.AlertSnapshot{}, integration.Errorf(integration.KindNotFound, "there is no alert %q", key)
	}
	out := *t
	out.Acknowledgements = slices.Clone(t.Acknowledgements)
	out.ReadAt = time.Now()
	return out, nil
}

// Apply runs one command. Commands come in order and at least once: the number tells which have
// been run.
func (p *pager) Apply(_ context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := platform.Hint{Scope: scope, AlertKey: cmd.AlertKey}
	t := p.tickets[at]
	switch {
	case t == nil && cmd.Kind == integration.AlertCreate:
		t = &integration.AlertSnapshot{Key: cmd.AlertKey, ID: fmt.Sprintf("T-%d", len(p.tickets)+1), Status: integration.AlertQueued}
		p.tickets[at] = t
	case t == nil:
		return integration.Errorf(integration.KindNotFound, "there is no alert %q", cmd.AlertKey)
	case cmd.Number <= t.LastCommand:
		return nil // run before
	}
	if err := p.run(t, cmd); err != nil {
		return err
	}
	t.LastCommand = cmd.Number
	for w := range p.watchers {
		select {
		case w <- at:
		default: // a hint may be lost
		}
	}
	return nil
}

func (p *pager) run(t *integration.AlertSnapshot, cmd integration.AlertCommand) error {
	switch cmd.Kind {
	case integration.AlertCreate:
		// The draft's title, description and fields would be kept here.
	case integration.AlertLog, integration.AlertAddField, integration.AlertAttach:
		// This product shows no story: what it cannot keep it lets pass.
	case integration.AlertRoute:
		for _, id := range cmd.Teams {
			if _, known := p.teams[id]; !known {
				return integration.Errorf(integration.KindNotFound, "there is no team %q", id)
			}
		}
		t.Teams = cmd.Teams
		if t.Status == integration.AlertQueued {
			t.Status, t.Layer, t.Round = integration.AlertOpen, 1, 1 // and people are paged
		}
	case integration.AlertAcknowledge:
		if _, known := p.people[cmd.User]; !known {
			return integration.Errorf(integration.KindNotFound, "there is no user %q", cmd.User)
		}
		if t.Status == integration.AlertOpen || t.Status == integration.AlertQueued {
			t.Status = integration.AlertAcknowledged
			id := fmt.Sprintf("%s-%d", t.ID, cmd.Number) // a later acknowledgement has another id
			t.Acknowledgements = append(t.Acknowledgements, integration.Acknowledgement{ID: id, User: cmd.User, At: cmd.At})
		}
	case integration.AlertResolve:
		t.Status = integration.AlertResolved
	case integration.AlertReopen, integration.AlertEscalate:
		return integration.Errorf(integration.KindUnsupported, "this platform has no %s", cmd.Kind)
	default:
		return integration.Errorf(integration.KindUnsupported, "command %q is not known", cmd.Kind)
	}
	return nil
}

func (p *pager) Watch(ctx context.Context, hint func(platform.Hint)) error {
	c := make(chan platform.Hint, 1000)
	p.mu.Lock()
	p.watchers[c] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watchers, c)
	}()
	for {
		select {
		case h := <-c:
			hint(h)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *pager) Health(context.Context) error { return nil }

func TestPager(t *testing.T) {
	p := newPager()
	platformtest.Test(t, platformtest.Config{New: func(*testing.T) platformtest.Fixture {
		return platformtest.Fixture{
			Platform: p, Scope: platform.Scope{Integration: "int-1"},
			Team: "devops", OtherTeam: "support", Users: [2]string{"alice", "bob"},
		}
	}})
}
