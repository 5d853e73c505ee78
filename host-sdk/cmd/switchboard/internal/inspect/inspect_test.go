package inspect

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// product is a platform with one team.
type product struct {
	platform.Platform
	health error
	can    integration.Capabilities
	people []integration.OnCallEntry
	found  []string
}

func (p product) Health(context.Context) error { return p.health }

func (p product) Capabilities(context.Context, platform.Scope) (integration.Capabilities, error) {
	return p.can, nil
}

func (p product) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	return []integration.Destination{{ID: "devops", Name: "DevOps"}}, nil
}

func (p product) OnCall(context.Context, platform.Scope, string, int, time.Time) ([]integration.OnCallEntry, error) {
	return p.people, nil
}

func (p product) Destinations(_ context.Context, _ platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	var out []integration.Destination
	for _, r := range refs {
		out = append(out, integration.Destination{Kind: r.Kind, ID: r.ID, Missing: r.ID != "devops"})
	}
	return out, nil
}

func (p product) User(_ context.Context, _ platform.Scope, id string) (integration.User, error) {
	if id == "alice" {
		return integration.User{ID: id}, nil
	}
	return integration.User{}, integration.Errorf(integration.KindNotFound, "nobody")
}

func (p product) Findings() []string { return p.found }

var all = integration.Capabilities{UnroutedAlerts: true, Reopen: true, Escalate: true, AcknowledgedByUser: true, Annotations: true, Audiences: true}

func alice(phones ...string) []integration.OnCallEntry {
	return []integration.OnCallEntry{{Layer: 1, User: integration.User{ID: "alice", Name: "Alice", Phones: phones}}}
}

func hotline(team string) []Hotline {
	return []Hotline{{ID: "int_1", Name: "Hotline", Numbers: []string{"+12025550100"}, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: team}}}}
}

func TestWhatWouldDisappointCallersIsSaidInWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subject Subject
		says    string
	}{
		"away":         {Subject{Platform: product{health: integration.Errorf(integration.KindUnavailable, "the platform refuses the token: set the same one on both sides")}}, "error: the platform cannot be used: the platform refuses the token"},
		"well":         {Subject{Platform: product{can: all, people: alice("+12025550143")}}, "ok: on call for DevOps now: Alice (layer 1)"},
		"pages":        {Subject{Platform: product{can: integration.Capabilities{PagesByItself: true}}}, "ok: it pages people by itself"},
		"cannot":       {Subject{Platform: product{}}, "ok: it keeps no history of the call on its alerts"},
		"nobody":       {Subject{Platform: product{}}, "warning: nobody is on call for DevOps now"},
		"no telephone": {Subject{Platform: product{people: alice()}}, "warning: Alice is on call for DevOps but has no telephone"},
		"itself":       {Subject{Platform: product{people: alice("+12025550100")}, Hotlines: hotline("devops")}, "warning: Alice's phone +1 202-555-0100 is a number of this hotline"},
		"destination":  {Subject{Platform: product{}, Hotlines: hotline("ops")}, `error: the integration Hotline (int_1) sends callers to the team "ops", which the platform does not have`},
		"destinations": {Subject{Platform: product{}, Hotlines: hotline("devops")}, "ok: the platform has every destination of the integration Hotline"},
		"account":      {Subject{Platform: product{}, Accounts: []switchboardfile.Account{{Email: "a@example.com", User: "alise"}}}, `error: the account a@example.com is the user "alise", whom the platform does not have`},
		"no user":      {Subject{Platform: product{}, Accounts: []switchboardfile.Account{{Email: "a@example.com"}}}, "warning: the account a@example.com has no user"},
		"findings":     {Subject{Platform: product{found: []string{"hints do not arrive"}}}, "warning: hints do not arrive"},
	} {
		var text []string
		for _, l := range Run(t.Context(), c.subject) {
			text = append(text, l.String())
		}
		if got := strings.Join(text, "\n"); !strings.Contains(got, c.says) {
			t.Errorf("%s: want %q, got:\n%s", name, c.says, got)
		}
	}
}

func TestNothingMoreIsAskedOfAPlatformThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	if lines := Run(t.Context(), Subject{Platform: product{health: integration.Errorf(integration.KindUnavailable, "down")}, Hotlines: hotline("ops")}); len(lines) != 1 {
		t.Errorf("%v", lines)
	}
}

func TestAPlatformThatIsWellHasNoWarning(t *testing.T) {
	t.Parallel()
	for _, l := range Run(t.Context(), Subject{Platform: product{can: all, people: alice("+12025550143")}, Hotlines: hotline("devops"), Accounts: []switchboardfile.Account{{Email: "a@example.com", User: "alice"}}}) {
		if l.Level != OK {
			t.Error(l)
		}
	}
}
