package platformtest

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/difference"
	"github.com/livecallrouting/livecall/host-sdk/internal/mailbox"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// unknown is an id that no fixture has.
const unknown = "platformtest-unknown"

// Teams are in the order in which callers hear them. References come back one for one, those that
// lead nowhere marked: a form must be able to show what is wrong.
func testTeams(t *testing.T, b *bench) {
	teams, err := b.Platform.Teams(b.ctx(t), b.Scope)
	if err != nil {
		t.Fatalf("Teams: %v", err)
	}
	byName := func(x, y integration.Destination) int {
		return strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name))
	}
	if !slices.IsSortedFunc(teams, byName) {
		t.Errorf("Teams are not sorted by name, case-insensitively: %v", teams)
	}
	for _, want := range []string{b.Team, b.OtherTeam} {
		i := slices.IndexFunc(teams, func(d integration.Destination) bool { return d.ID == want })
		if i < 0 {
			t.Fatalf("Teams has no %q", want)
		}
		if d := teams[i]; d.Kind != integration.DestinationTeam || d.Name == "" || d.Missing {
			t.Errorf("Teams has %+v", d)
		}
	}
	refs := []platform.Ref{
		{Kind: integration.DestinationTeam, ID: b.OtherTeam}, {Kind: integration.DestinationTeam, ID: unknown}, {Kind: integration.DestinationTeam, ID: b.Team},
	}
	if b.Router != "" && b.caps.Routers {
		refs = append(refs, platform.Ref{Kind: integration.DestinationRouter, ID: b.Router})
	}
	refs = append(refs, platform.Ref{Kind: integration.DestinationRouter, ID: unknown})
	found, err := b.Platform.Destinations(b.ctx(t), b.Scope, refs)
	if err != nil || len(found) != len(refs) {
		t.Fatalf("Destinations: %v, %v; want one for each of %d references", found, err, len(refs))
	}
	for i, d := range found {
		if d.ID != refs[i].ID || d.Kind != refs[i].Kind || d.Missing != (refs[i].ID == unknown) || (!d.Missing && d.Name == "") {
			t.Errorf("Destinations[%d] of %+v is %+v", i, refs[i], d)
		}
	}
	if none, err := b.Platform.Destinations(b.ctx(t), b.Scope, nil); err != nil || len(none) != 0 {
		t.Errorf("Destinations of nothing: %v, %v", none, err)
	}
}

// All layers at once are the same as each by itself, and people on call are the same as when asked
// by id: the engine asks in either way, and compares.
func testOnCall(t *testing.T, b *bench) {
	all, err := b.Platform.OnCall(b.ctx(t), b.Scope, b.Team, 0, b.Now())
	if err != nil || len(all) == 0 {
		t.Fatalf("OnCall: %v, %v", all, err)
	}
	var together []integration.OnCallEntry
	last := all[len(all)-1].Layer
	for layer := 1; layer <= last; layer++ {
		one, err := b.Platform.OnCall(b.ctx(t), b.Scope, b.Team, layer, b.Now())
		if err != nil {
			t.Fatalf("OnCall of layer %d: %v", layer, err)
		}
		together = append(together, one...)
	}
	if d := difference.Of(all, together); d != "" {
		t.Errorf("OnCall of all layers differs from layer by layer:\n%s", d)
	}
	for _, e := range all {
		u, err := b.Platform.User(b.ctx(t), b.Scope, e.User.ID)
		if d := difference.Of(u, e.User); err != nil || d != "" || u.Name == "" {
			t.Errorf("User(%q) = %+v, %v; on call is %+v", e.User.ID, u, err, e.User)
		}
	}
	if none, err := b.Platform.OnCall(b.ctx(t), b.Scope, b.Team, 99, b.Now()); err != nil || len(none) != 0 {
		t.Errorf("OnCall of a layer that does not exist: %v, %v", none, err)
	}
	_, err = b.Platform.OnCall(b.ctx(t), b.Scope, unknown, 0, b.Now())
	wantKind(t, "OnCall of an unknown team", err, integration.KindNotFound)
	_, err = b.Platform.User(b.ctx(t), b.Scope, unknown)
	wantKind(t, "an unknown user", err, integration.KindNotFound)
	for _, id := range b.Users {
		if u, err := b.Platform.User(b.ctx(t), b.Scope, id); err != nil || u.ID != id {
			t.Errorf("User(%q) = %+v, %v", id, u, err)
		}
	}
	if b.IdleTeam != "" {
		if none, err := b.Platform.OnCall(b.ctx(t), b.Scope, b.IdleTeam, 0, b.Now()); err != nil || len(none) != 0 {
			t.Errorf("OnCall of the idle team: %v, %v", none, err)
		}
	}
}

// A person is found by their address as it is written anywhere, whatever its case: it is how they
// log in.
func testUserByEmail(t *testing.T, b *bench) {
	finder, ok := b.Platform.(platform.UserByEmail)
	if !ok {
		t.Skip("the platform does not implement platform.UserByEmail")
	}
	for _, id := range b.Users {
		u, err := b.Platform.User(b.ctx(t), b.Scope, id)
		if err != nil {
			t.Fatalf("User(%q): %v", id, err)
		}
		if u.Email == "" {
			continue
		}
		for _, address := range []string{u.Email, strings.ToUpper(u.Email)} {
			found, err := finder.UserByEmail(b.ctx(t), b.Scope, address)
			if d := difference.Of(found, u); err != nil || d != "" {
				t.Errorf("UserByEmail(%q) = %+v, %v; User(%q) is %+v", address, found, err, id, u)
			}
		}
	}
	for _, address := range []string{unknown + "@example.com", ""} {
		_, err := finder.UserByEmail(b.ctx(t), b.Scope, address)
		wantKind(t, "UserByEmail of "+strconv.Quote(address), err, integration.KindNotFound)
	}
}

// Whatever a router names can be resolved. A platform without routers says so in a final way.
func testRouters(t *testing.T, b *bench) {
	facts := []byte(`{"alert": {"title": "x"}, "always": true}`)
	if !b.caps.Routers {
		_, err := b.Platform.Route(b.ctx(t), b.Scope, unknown, facts, b.Now())
		wantKind(t, "Route on a platform without routers", err, integration.KindUnsupported)
		return
	}
	_, err := b.Platform.Route(b.ctx(t), b.Scope, unknown, facts, b.Now())
	wantKind(t, "Route of an unknown router", err, integration.KindNotFound)
	if b.Router == "" {
		t.Skip("the fixture names no router")
	}
	verdict, err := b.Platform.Route(b.ctx(t), b.Scope, b.Router, facts, b.Now())
	if err != nil || len(verdict.Default) == 0 {
		t.Fatalf("Route: %+v, %v; want a default receiver", verdict, err)
	}
	for _, d := range slices.Concat(verdict.Receivers, verdict.Default) {
		found, err := b.Platform.Destinations(b.ctx(t), b.Scope, []platform.Ref{{Kind: d.Kind, ID: d.ID}})
		if d := difference.Of(found, []integration.Destination{d}); err != nil || d != "" {
			t.Errorf("Destinations differ from what Route names (error %v):\n%s", err, d)
		}
	}
}

// Each address comes once, however many roles or teams a person has: a mail goes to each.
func testAudiences(t *testing.T, b *bench) {
	need(t, b.caps.Audiences, "Audiences")
	teams := []string{b.Team, b.OtherTeam, b.Team}
	for _, audience := range []integration.Audience{integration.AudienceTeam, integration.AudienceTeamAdmin, integration.AudienceOnCall} {
		addresses, err := b.Platform.Audience(b.ctx(t), b.Scope, audience, teams, b.Now())
		if err != nil {
			t.Fatalf("Audience(%s): %v", audience, err)
		}
		seen := map[string]bool{}
		for _, a := range addresses {
			if seen[mailbox.Key(a)] || !strings.Contains(a, "@") {
				t.Errorf("Audience(%s) has %q twice, or it is no address: %v", audience, a, addresses)
			}
			seen[mailbox.Key(a)] = true
		}
	}
	_, err := b.Platform.Audience(b.ctx(t), b.Scope, integration.AudienceTeam, []string{unknown}, b.Now())
	wantKind(t, "Audience of an unknown team", err, integration.KindNotFound)
}
