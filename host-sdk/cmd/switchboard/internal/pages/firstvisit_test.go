package pages_test

import (
	"context"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// A first visit leads through the first integration. The steps are read from what there is, say
// what is missing, and go once a call has come in.
func TestAFirstVisitLeadsThroughTheFirstIntegration(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	b.get("/settings/integrations").is(200).has("Your first integration in five steps", "Create an integration with the credentials", "First create the integration: then a number")
	for _, page := range []string{"/alerts", "/calls"} {
		b.get(page).is(200).has("No phone number is answered yet", `href="/settings/integrations" id="first-integration"`).hasNot("All quiet", "No active calls")
	}
	b.get("/alerts?q=x").is(200).hasNot("No phone number")
	id := b.create()
	b.get("/settings/integrations").is(200).has("<strong>Account</strong> <span class=\"badge quiet\">Not known yet", "Check them", "/settings/integrations/"+id+"#actions", "<strong>Teams</strong> <span class=\"badge ok\">Done", "Call the number",
		"<strong>Number</strong> <span class=\"badge quiet\">No call seen yet")
	b.get("/alerts").is(200).has("All quiet").hasNot("No phone number")
	b.get("/calls").is(200).has("No active calls").hasNot("No phone number")
	s.call(id, "CA01")
	b.get("/settings/integrations").is(200).hasNot("five steps")
}

// Whoever cannot make an integration is told who can.
func TestAFirstVisitOfAResponder(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	bob := s.as(sent, "Bob@example.com")
	for _, page := range []string{"/alerts", "/calls"} {
		bob.get(page).is(200).has("No phone number is answered yet", "An admin makes an integration").hasNot("first-integration")
	}
}

// rota is a platform that says who is on call as a test tells it.
type rota struct {
	*embedded.Platform
	answer *atomic.Pointer[answered]
}

// answered is what it says.
type answered struct {
	people []integration.OnCallEntry
	team   string // who alone has these people; "": each
	err    error
}

// OnCall implements platform.Platform.
func (r rota) OnCall(_ context.Context, _ platform.Scope, team string, _ int, _ time.Time) ([]integration.OnCallEntry, error) {
	a := r.answer.Load()
	if a.team != "" && a.team != team {
		return nil, a.err
	}
	return a.people, a.err
}

// Each step that is not done says what is missing, and links to where it can be mended.
func TestTheFirstStepsSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	s := &site{h, t}
	says := &atomic.Pointer[answered]{}
	says.Store(&answered{})
	h.Serve(s.handler(options{platform: rota{h.Platform, says}}))
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/calls"}})
	id := b.create()
	const done = `<strong>Teams</strong> <span class="badge ok">Done`
	steps := func(texts ...string) view {
		t.Helper()
		return b.get("/settings/integrations").is(200).has(append(texts, "five steps")...)
	}
	steps("Nobody is on call in the chosen teams now: put somebody on call.", `href="/oncall"`).hasNot(done, "The integration is off")
	says.Store(&answered{err: integration.Errorf(integration.KindUnavailable, "the platform is down")})
	steps("Who is on call cannot be found out now: see On call.", `href="/oncall"`).hasNot(done)
	save := func(change func(*store.Integration)) {
		t.Helper()
		in, err := s.Store.Integration(t.Context(), id)
		if err == nil {
			change(&in)
			_, err = s.Store.SaveIntegration(t.Context(), in)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	page := "/settings/integrations/" + id
	save(func(in *store.Integration) {
		in.Destinations = []platform.Ref{{Kind: integration.DestinationTeam, ID: "support"}, {Kind: integration.DestinationTeam, ID: "devops"}}
	})
	says.Store(&answered{people: []integration.OnCallEntry{{Layer: 1, User: integration.User{ID: "alice"}}}, team: "devops"})
	steps(done).hasNot("Nobody is on call") // one team with somebody will do
	save(func(in *store.Integration) { in.Destinations = nil })
	steps("Choose at least one team or router that callers can reach.", page+"#destinations").hasNot(done)
	save(func(in *store.Integration) {
		in.Destinations = []platform.Ref{{Kind: integration.DestinationRouter, ID: "main"}}
		in.Enabled = false
	})
	// A router finds somebody when it is asked.
	steps(done, "The integration is off: switch it on, then call the number.", page+"#enabled")
	b.create()
	b.get("/settings/integrations").is(200).hasNot("five steps")
}
