package integrations

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// step is a step of the first integration. Whether it is done is read from what there is, so that
// people can go away and come back. Nothing of it is stored.
type step struct {
	Title   string
	Done    bool
	Unseen  string // what is not known yet; "": it is known whether it is done
	Missing string // what is missing, and the remedy; "" where it is done
	Link    string // page of the remedy
	Button  string // what the link says
}

// firstSteps are the steps until callers of the first integration reach somebody; nil once a call
// has come in, or where there are several integrations.
func (i *Integrations) firstSteps(ctx context.Context, all []store.Integration) ([]step, error) {
	if len(all) > 1 {
		// Whoever has several has been through it.
		return nil, nil
	}
	steps := []step{
		{Title: "Account", Missing: "Create an integration with the credentials of your telephone account.", Link: "/settings/integrations/new", Button: "Create it"},
		{Title: "Number", Missing: "First create the integration: then a number can be connected to it."},
		{Title: "Teams", Missing: "First create the integration: its form asks which teams callers can reach."},
		{Title: "Test call", Missing: "Call the number: the call appears under Calls, and the person on call is rung."},
		{Title: "Done", Missing: "Callers reach the people on call once the other steps are done."},
	}
	if len(all) == 0 {
		return steps, nil
	}
	in := all[0]
	// One call proves that account, number and endpoint work, which nothing else here can.
	calls, _, err := i.Store.ListCalls(ctx, store.CallFilter{Integration: in.ID, Limit: 1})
	if err != nil || len(calls) > 0 {
		return nil, err
	}
	page := "/settings/integrations/" + in.ID
	// Saved is not tried: the credentials may be wrong, or another account's.
	steps[0].Missing, steps[0].Link, steps[0].Button = "The credentials are saved. Check, on the page of the integration, says whether they are right.", page+"#actions", "Check them"
	steps[0].Unseen = "Not known yet"
	// The host cannot see what a telephone account does with a number, hence Unseen rather than
	// Done.
	steps[1].Missing, steps[1].Link, steps[1].Button = "Connect a number on the page of the integration, or send a number's calls to its endpoint URL. Whether it works shows with the first call.", page+"#actions", "Connect a number"
	steps[1].Unseen = "No call seen yet"
	steps[2] = i.teamStep(ctx, in, page)
	steps[3].Link, steps[3].Button = "/calls", "Calls"
	if !in.Enabled {
		steps[3].Missing, steps[3].Link, steps[3].Button = "The integration is off: switch it on, then call the number.", page+"#enabled", "Switch it on"
	}
	return steps, nil
}

// teamStep says whether callers could reach somebody now. One destination that reaches somebody is
// enough.
func (i *Integrations) teamStep(ctx context.Context, in store.Integration, page string) step {
	s := step{Title: "Teams", Link: page + "#destinations", Button: "Choose teams"}
	if len(in.Destinations) == 0 {
		s.Missing = "Choose at least one team or router that callers can reach."
		return s
	}
	for _, d := range in.Destinations {
		// Where a router leads depends on the call; it counts as reaching somebody.
		if d.Kind == integration.DestinationRouter {
			return step{Title: "Teams", Done: true}
		}
		// Layer 0 asks for all layers. By the clock on the wall, as shifts go by it.
		entries, err := i.site.Platform.OnCall(ctx, i.site.Scope(in.ID), d.ID, 0, clock.Wall(i.site.Clock))
		if err != nil {
			s.Missing, s.Link, s.Button = "Who is on call cannot be found out now: see On call.", "/oncall", "On call"
			return s
		}
		if len(entries) > 0 {
			return step{Title: "Teams", Done: true}
		}
	}
	s.Missing, s.Link, s.Button = "Nobody is on call in the chosen teams now: put somebody on call.", "/oncall", "On call"
	return s
}
