package goalert

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// rememberFor is how long names and telephones are not asked for again. A call asks for the same
// few people at each layer and round, and GoAlert serves one request of a key at a time.
const rememberFor = 30 * time.Second

// memory holds what was read a moment ago, by id. It never forgets an entry, only reads it anew:
// there are as many as people and services.
type memory[T any] struct {
	mu    sync.Mutex
	known map[string]remembered[T]
}

type remembered[T any] struct {
	value T
	until time.Time
}

// take returns the ids that must be asked for, each once, and puts what is known into found.
func (m *memory[T]) take(ids []string, now time.Time, found map[string]T) (missing []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if k, ok := m.known[id]; ok && now.Before(k.until) {
			found[id] = k.value
		} else if !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	return missing
}

// put remembers a value until a moment of the platform's clock.
func (m *memory[T]) put(id string, value T, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[string]remembered[T]{}
	}
	m.known[id] = remembered[T]{value, until}
}

// isID tells ids of GoAlert from others, for which it is not asked.
var isID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`).MatchString

// fill gives each slot of an operation one of at most eight ids; the last one takes those left
// over. An operation has as many variables as slots, all required; asking for one thing twice does
// no harm.
func fill(ids []string) map[string]any {
	out := map[string]any{}
	for i := range slots {
		out[fmt.Sprintf("s%d", i)] = ids[min(i, len(ids)-1)]
	}
	return out
}

// serviceNames reads the names of services; those that GoAlert does not know are not among them.
// GoAlert answers null for an id that it does not know.
func (p *Platform) serviceNames(ctx context.Context, ids []string) (map[string]string, error) {
	found := map[string]string{}
	for some := range slices.Chunk(p.names.take(ids, p.clock.Now(), found), slots) {
		var answer namedAnswer
		if err := p.call(ctx, "Names", fill(some), &answer); err != nil {
			return nil, err
		}
		for _, s := range answer {
			if s != nil {
				found[s.ID] = oneline.Clean(s.Name, oneline.MaxName)
				p.names.put(s.ID, found[s.ID], p.clock.Now().Add(rememberFor))
			}
		}
	}
	return found, nil
}

// Teams implements platform.Platform. Services that are gone in GoAlert are left out; the order is
// that of names, as forms show it.
func (p *Platform) Teams(ctx context.Context, scope platform.Scope) ([]integration.Destination, error) {
	refs := make([]platform.Ref, 0, len(p.teams))
	for id := range p.teams {
		refs = append(refs, platform.Ref{Kind: integration.DestinationTeam, ID: id})
	}
	out, err := p.Destinations(ctx, scope, refs)
	if err != nil {
		return nil, err
	}
	out = slices.DeleteFunc(out, func(d integration.Destination) bool { return d.Missing })
	slices.SortFunc(out, func(a, b integration.Destination) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Destinations implements platform.Platform. A team by label is called as its label says, and
// exists as long as its service does.
func (p *Platform) Destinations(ctx context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	var ids []string
	for _, ref := range refs {
		if s, known := p.teams[ref.ID]; known && ref.Kind == integration.DestinationTeam {
			ids = append(ids, s.ID)
		}
	}
	names, err := p.serviceNames(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]integration.Destination, len(refs))
	for i, ref := range refs {
		out[i] = integration.Destination{Kind: ref.Kind, ID: ref.ID, Name: ref.ID, Missing: true}
		s, known := p.teams[ref.ID]
		if !known || ref.Kind != integration.DestinationTeam {
			continue
		}
		if name, there := names[s.ID]; there {
			out[i].Name, out[i].Missing = cmp.Or(s.Team, name), false
		}
	}
	return out, nil
}

// teamService finds the service of a team.
func (p *Platform) teamService(team string) (Service, error) {
	s, known := p.teams[team]
	if !known {
		return s, integration.Errorf(integration.KindNotFound, "team %q: no service of GoAlert is set up for it; run the set-up", team)
	}
	return s, nil
}

// gone is the error of a service that was deleted in GoAlert after the set-up.
func gone(id string) error {
	return integration.Errorf(integration.KindNotFound, "GoAlert has no service %s any more: run the set-up again", id)
}

// OnCall implements platform.Platform. GoAlert answers for now only, whatever the time asked about,
// and as of its engine's last cycle.
func (p *Platform) OnCall(ctx context.Context, _ platform.Scope, team string, layer int, _ time.Time) ([]integration.OnCallEntry, error) {
	s, err := p.teamService(team)
	if err != nil {
		return nil, err
	}
	found, err := p.duty(ctx, s)
	if err != nil {
		return nil, err
	}
	if found.stepless() {
		// Not "nobody": callers wait until the service is put right, or until the host remembers
		// who was on call.
		return nil, coded(codeNoSteps, "%s", found.trouble(clock.Wall(p.clock)))
	}
	var ids []string
	for _, u := range found.OnCallUsers {
		ids = append(ids, u.UserID)
	}
	people, err := p.users(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []integration.OnCallEntry
	for _, u := range found.OnCallUsers {
		person, known := people[u.UserID]
		// A person whom GoAlert does not know any more is still on call: they are shown, though
		// nobody can ring them.
		if !known {
			person = integration.User{ID: u.UserID, Name: oneline.Clean(u.UserName, oneline.MaxName)}
		}
		// GoAlert's steps count from 0.
		if layer == 0 || layer == u.StepNumber+1 {
			out = append(out, integration.OnCallEntry{Layer: u.StepNumber + 1, User: person})
		}
	}
	slices.SortStableFunc(out, func(a, b integration.OnCallEntry) int { return cmp.Compare(a.Layer, b.Layer) })
	return out, nil
}

// duty reads a service with its policy and who is on call, and notes what is wrong with it. It is
// not remembered: who is on call may change at any moment, and a caller waits for the answer.
func (p *Platform) duty(ctx context.Context, s Service) (*service, error) {
	var answer serviceAnswer
	if err := p.call(ctx, "OnCall", map[string]any{"service": s.ID}, &answer); err != nil {
		return nil, err
	}
	if answer.Service == nil {
		return nil, gone(s.ID)
	}
	p.trouble(s.ID, answer.Service.trouble(clock.Wall(p.clock)))
	return answer.Service, nil
}

// User implements platform.Platform.
func (p *Platform) User(ctx context.Context, _ platform.Scope, id string) (integration.User, error) {
	found, err := p.users(ctx, []string{id})
	if err != nil {
		return integration.User{}, err
	}
	u, known := found[id]
	if !known {
		return u, integration.Errorf(integration.KindNotFound, "GoAlert has no user %q", id)
	}
	return u, nil
}

// users reads people with their telephones; those that GoAlert does not know are not among them.
// One request for eight of them; those read lately are not asked for again.
func (p *Platform) users(ctx context.Context, ids []string) (map[string]integration.User, error) {
	found := map[string]integration.User{}
	missing := p.people.take(ids, p.clock.Now(), found)
	// GoAlert refuses a whole request for one id that is no UUID.
	missing = slices.DeleteFunc(missing, func(id string) bool { return !isID(id) })
	for some := range slices.Chunk(missing, slots) {
		var answer personAnswer
		if err := p.call(ctx, "People", fill(some), &answer); err != nil {
			return nil, err
		}
		read := map[string]integration.User{}
		answer.into(read)
		for id, u := range read {
			found[id] = u
			p.people.put(id, u, p.clock.Now().Add(rememberFor))
		}
	}
	return found, nil
}

// into adds the people of an answer, with their telephones. Numbers for calls come before those for
// messages, each once, in GoAlert's order.
func (a personAnswer) into(people map[string]integration.User) {
	for _, person := range a {
		if person == nil {
			continue
		}
		u := integration.User{ID: person.ID, Name: oneline.Clean(person.Name, oneline.MaxName)}
		// A number that was never verified is disabled: it may be anybody's.
		for _, kind := range []string{"builtin-twilio-voice", "builtin-twilio-sms"} {
			for _, m := range person.ContactMethods {
				var number string
				if m.Disabled || m.Dest.Type != kind || json.Unmarshal(m.Dest.Args["phone_number"], &number) != nil {
					continue
				}
				if phone.IsE164(number) && !slices.Contains(u.Phones, number) {
					u.Phones = append(u.Phones, number)
				}
			}
		}
		people[u.ID] = u
	}
}
