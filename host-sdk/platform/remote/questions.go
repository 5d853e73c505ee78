package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/mailbox"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// get asks for something within a scope. Its limit is that of a question: a caller may be waiting.
func (p *Platform) get(ctx context.Context, scope platform.Scope, name, path string, query url.Values, out any) error {
	return p.send(ctx, request{name: name, method: http.MethodGet, path: path, query: p.in(scope, query), purpose: question}, p.times.question, out)
}

// post asks a question that needs a body. It changes nothing on the platform, so it may be sent
// twice like any question.
func (p *Platform) post(ctx context.Context, scope platform.Scope, name, path string, body, out any) error {
	return p.send(ctx, request{name: name, method: http.MethodPost, path: path, query: p.in(scope, nil), body: body, purpose: question}, p.times.question, out)
}

// Capabilities implements platform.Platform. Hosts ask again every half minute, so a platform may
// gain abilities while it runs.
func (p *Platform) Capabilities(ctx context.Context, scope platform.Scope) (integration.Capabilities, error) {
	var out wire.Capabilities
	if err := p.get(ctx, scope, "capabilities", "/capabilities", nil, &out); err != nil {
		return integration.Capabilities{}, err
	}
	return out.Contract(), nil
}

// Destinations implements platform.Platform. Nothing is asked where there are no references. Their
// order is that of the references, and a missing one is among them.
func (p *Platform) Destinations(ctx context.Context, scope platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	q := wire.DestinationsQuestion{}
	for _, ref := range refs {
		if _, err := id(string(ref.Kind), ref.ID); err != nil {
			return nil, err
		}
		q.Refs = append(q.Refs, wire.Ref{Kind: string(ref.Kind), ID: ref.ID})
	}
	var answer wire.DestinationsAnswer
	if err := p.post(ctx, scope, "destinations", "/destinations", q, &answer); err != nil {
		return nil, err
	}
	if len(answer.Destinations) != len(refs) {
		return nil, p.strange("destinations", "%d references were answered with %d destinations", len(refs), len(answer.Destinations))
	}
	out, err := destinations(answer.Destinations)
	if err != nil {
		return nil, p.strange("destinations", "%v", err)
	}
	// An answer in another order would send calls to another team, so each is compared.
	for i, d := range out {
		if (platform.Ref{Kind: d.Kind, ID: d.ID}) != refs[i] {
			return nil, p.strange("destinations", "reference %d, %s %q, was answered with %s %.80q: keep the order", i+1, refs[i].Kind, refs[i].ID, d.Kind, d.ID)
		}
	}
	return out, nil
}

// destinations converts a list and cleans its names. Names are spoken to callers and shown on
// pages, and come from people on another system.
func destinations(in []wire.Destination) ([]integration.Destination, error) {
	out, err := wire.Destinations(in)
	for i := range out {
		out[i].Name = oneline.Clean(out[i].Name, oneline.MaxName)
	}
	return out, err
}

// Teams implements platform.Platform. Teams whose ids cannot be part of an address, and those that
// are listed before, are left out. Teams with one name stay in the platform's order.
func (p *Platform) Teams(ctx context.Context, scope platform.Scope) ([]integration.Destination, error) {
	var answer wire.TeamsAnswer
	if err := p.get(ctx, scope, "teams", "/teams", nil, &answer); err != nil {
		return nil, err
	}
	if answer.Teams == nil {
		return nil, p.strange("teams", "the list teams is missing")
	}
	all, err := destinations(answer.Teams)
	if err != nil {
		return nil, p.strange("teams", "%v", err)
	}
	var out []integration.Destination
	// One bad entry must not hide all teams, so it is left out with a finding.
	seen, left := map[string]bool{}, 0
	for _, d := range all {
		if d.Kind != integration.DestinationTeam || wire.CheckID(d.ID) != "" || seen[d.ID] {
			left++
			continue
		}
		seen[d.ID] = true
		out = append(out, d)
	}
	p.findings.set("listed teams", left > 0, "%d entries of the list of teams are left out: they are listed twice, are no teams, or their ids cannot be part of an address", left)
	slices.SortStableFunc(out, func(a, b integration.Destination) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out, nil
}

// OnCall implements platform.Platform. A platform may answer with more layers than were asked for.
// Within a layer its own order is kept: it is the order of ringing.
func (p *Platform) OnCall(ctx context.Context, scope platform.Scope, team string, layer int, at time.Time) ([]integration.OnCallEntry, error) {
	escaped, err := id("team", team)
	if err != nil {
		return nil, err
	}
	// The time is always sent, so that a shift that changes between two machines' clocks is asked
	// for as we mean it.
	query := url.Values{"layer": {strconv.Itoa(layer)}, "at": {at.UTC().Format(time.RFC3339Nano)}}
	var answer wire.OnCallAnswer
	if err := p.get(ctx, scope, "onCall", "/teams/"+escaped+"/on-call", query, &answer); err != nil {
		return nil, err
	}
	// A list that is missing may be a misspelt one; nobody on call must be said.
	if answer.OnCall == nil {
		return nil, p.strange("onCall", "the list on_call is missing: write [] for nobody")
	}
	var out []integration.OnCallEntry
	for _, e := range answer.OnCall {
		entry, err := e.Contract()
		if err == nil {
			entry.User, err = p.person(entry.User)
		}
		if err != nil {
			return nil, p.strange("onCall", "%v", err)
		}
		if layer == 0 || entry.Layer == layer {
			out = append(out, entry)
		}
	}
	slices.SortStableFunc(out, func(a, b integration.OnCallEntry) int { return cmp.Compare(a.Layer, b.Layer) })
	return out, nil
}

// User implements platform.Platform.
func (p *Platform) User(ctx context.Context, scope platform.Scope, user string) (integration.User, error) {
	escaped, err := id("user", user)
	if err != nil {
		return integration.User{}, err
	}
	var answer wire.User
	if err := p.get(ctx, scope, "user", "/users/"+escaped, nil, &answer); err != nil {
		return integration.User{}, err
	}
	out, err := answer.Contract()
	if err == nil {
		out, err = p.person(out)
	}
	if err != nil {
		return integration.User{}, p.strange("user", "%v", err)
	}
	// A cache in between could answer with somebody else, whose phone would then be rung.
	if out.ID != user {
		return integration.User{}, p.strange("user", "%q was asked for, %.80q was answered", user, out.ID)
	}
	return out, nil
}

// person cleans the name and leaves out numbers that cannot be called. A person without any usable
// number is still returned: they are on call, though nobody can ring them.
func (p *Platform) person(u integration.User) (integration.User, error) {
	if _, err := id("user", u.ID); err != nil {
		return u, err
	}
	u.Name = oneline.Clean(u.Name, oneline.MaxName)
	listed := len(u.Phones)
	u.Phones = slices.DeleteFunc(slices.Clone(u.Phones), func(s string) bool { return !phone.IsE164(s) })
	if len(u.Phones) == 0 {
		u.Phones = nil
	}
	p.findings.set("phones of "+u.ID, listed > len(u.Phones), "user %.80q: %d of %d telephone numbers are left out, as they are not E.164 (+ and digits)", u.ID, listed-len(u.Phones), listed)
	return u, nil
}

// Route implements platform.Platform.
func (p *Platform) Route(ctx context.Context, scope platform.Scope, router string, facts []byte, at time.Time) (integration.RouteVerdict, error) {
	escaped, err := id("router", router)
	if err != nil {
		return integration.RouteVerdict{}, err
	}
	// Raw JSON goes into the request as it is, and a broken one would break all of it.
	if !json.Valid(facts) {
		return integration.RouteVerdict{}, integration.Errorf(integration.KindInvalid, "facts are no JSON")
	}
	var answer wire.RouteVerdict
	if err := p.post(ctx, scope, "route", "/routers/"+escaped+"/route", wire.RouteQuestion{Facts: facts, At: at.UTC()}, &answer); err != nil {
		return integration.RouteVerdict{}, err
	}
	if answer.Receivers == nil || answer.Default == nil {
		return integration.RouteVerdict{}, p.strange("route", "the list receivers or default is missing: write [] for none")
	}
	out, err := answer.Contract()
	if err != nil {
		return integration.RouteVerdict{}, p.strange("route", "%v", err)
	}
	for _, list := range [][]integration.Destination{out.Receivers, out.Default} {
		for i := range list {
			list[i].Name = oneline.Clean(list[i].Name, oneline.MaxName)
		}
	}
	return out, nil
}

// Audience implements platform.Platform. Addresses are compared without regard to case, as people
// write them, and each is mailed once.
func (p *Platform) Audience(ctx context.Context, scope platform.Scope, audience integration.Audience, teams []string, at time.Time) ([]string, error) {
	q := wire.AudienceQuestion{Audience: string(audience), Teams: append([]string{}, teams...), At: at.UTC()}
	var answer wire.AudienceAnswer
	if err := p.post(ctx, scope, "audience", "/audience", q, &answer); err != nil {
		return nil, err
	}
	if answer.Emails == nil {
		return nil, p.strange("audience", "the list emails is missing: write [] for nobody")
	}
	var out []string
	seen := map[string]bool{}
	for _, address := range answer.Emails {
		if key := mailbox.Key(address); !seen[key] {
			seen[key] = true
			out = append(out, address)
		}
	}
	return out, nil
}

// Health implements platform.Platform. The protocol is agreed on anew after a failure. It is not
// limited by the pools, so a busy platform is not taken for a sick one.
func (p *Platform) Health(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return over(err)
	}
	// A platform that came back as another release must be found out by somebody, and nobody waits
	// for this.
	if a := p.agreed.Load(); a == nil || a.major == 0 || p.renew.Load() {
		if _, err := p.seek(ctx); err != nil {
			return err
		}
	}
	var out struct{}
	err := p.send(ctx, request{name: "health", method: http.MethodGet, path: "/health", purpose: meta}, p.times.meta, &out)
	if err != nil && ctx.Err() == nil {
		p.renew.Store(true)
	}
	return err
}
