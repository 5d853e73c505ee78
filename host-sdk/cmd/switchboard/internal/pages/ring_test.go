package pages_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// looks is a phone that is rung for a test: each look waits for its answer.
type looks chan integration.ActionResult

func (l looks) ringer(by ...store.Integration) *ways.Ringer {
	return ways.NewRinger(ways.RingerConfig{
		Clock:        hosttest.Skipping(),
		Integrations: func(context.Context) ([]store.Integration, error) { return by, nil },
		TestRing: func(ctx context.Context, _, _ string, _ map[string]string) (integration.ActionResult, error) {
			select {
			case r := <-l:
				return r, nil
			case <-ctx.Done():
				return integration.ActionResult{}, ctx.Err()
			}
		},
	})
}

// The lines of a ring that goes on, and of one that is over.
var (
	rings = integration.ActionResult{Lines: []integration.ActionLine{
		{Field: integration.RingNumber, Choice: "+12025550143"}, {Field: integration.RingUnderWay, Choice: "CA1", Text: "The phone is being rung."}}}
	confirmed = integration.ActionResult{Lines: []integration.ActionLine{{Field: integration.RingOutcome, Choice: integration.RingConfirmed, Text: "Answered, and confirmed with 1."}}}
)

// TestAPageSaysHowFarATestRingHasCome: the button answers at once, the page looks again by itself,
// with scripts or without, until it says the outcome.
func TestAPageSaysHowFarATestRingHasCome(t *testing.T) {
	t.Parallel()
	phone := make(looks)
	s, sent := peopled(t, options{ringer: phone.ringer(store.Integration{ID: "one", Name: "Hotline", Enabled: true}, store.Integration{ID: "two", Name: "Night line", Enabled: true})})
	const reloads, polls = `<noscript><meta http-equiv="refresh" content="2"></noscript>`, `data-poll="2"`
	bob := s.as(sent, "Bob@example.com")
	bob.get("/me").is(200).has("Hotline makes it, unless you choose another integration", `<option value="two">Night line</option>`).hasNot(reloads, polls)
	v := bob.post("/me/test", url.Values{"way": {ways.Ring}}).is(200).has(reloads, polls)
	if v.path != "/me?ring=1" {
		t.Errorf("the button leads to %s", v.path)
	}
	hosttest.Eventually(t, "the page says who begins the call", func() bool {
		return strings.Contains(bob.get("/me?ring=1").is(200).body, "Hotline begins the call…")
	})
	bob.post("/me/test", url.Values{"way": {ways.Ring}}).is(200).has("is being rung already")
	phone <- rings
	hosttest.Eventually(t, "the page says that the phone rings", func() bool {
		return strings.Contains(bob.get("/me?ring=1").is(200).body, "Hotline calls +1 202-555-0143: The phone is being rung.")
	})
	phone <- confirmed
	hosttest.Eventually(t, "the page says the outcome", func() bool {
		return strings.Contains(bob.get("/me?ring=1").is(200).body, "Hotline rang +1 202-555-0143: Answered, and confirmed with 1.")
	})
	bob.get("/me?ring=1").hasNot(reloads, polls)
	s.as(sent, "alice@example.com").get("/me?ring=1").is(200).has("This host knows of no test call").hasNot(reloads)
}

// TestAnAdminRingsSomebodyElse: the page of people says whom, and how far it has come.
func TestAnAdminRingsSomebodyElse(t *testing.T) {
	t.Parallel()
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(peopleFile))
	if file == nil {
		t.Fatal(problems)
	}
	phone := make(looks)
	s, sent := peopled(t, options{
		ringer: phone.ringer(store.Integration{ID: "one", Name: "Hotline", Enabled: true}),
		ways:   ways.New(ways.Config{File: func() *switchboardfile.File { return file }, Clock: clock.System()}),
	})
	admin := s.as(sent, "alice@example.com")
	admin.get("/settings/people").is(200).has("Hotline makes it.").hasNot("data-poll")
	v := admin.post("/settings/people/users/vera/test", url.Values{"way": {ways.Ring}}).is(200).has("<bdi>Vera Example</bdi>", `data-poll="2"`)
	if v.path != "/settings/people/users/vera/test" {
		t.Errorf("the button leads to %s", v.path)
	}
	hosttest.Eventually(t, "the page says who begins the call", func() bool {
		return strings.Contains(admin.get("/settings/people/users/vera/test").is(200).body, "Hotline begins the call…")
	})
	phone <- integration.ActionResult{Lines: []integration.ActionLine{{Field: integration.RingOutcome, Choice: integration.RingOccupied, Text: "A call has Vera."}}}
	hosttest.Eventually(t, "the page says the outcome", func() bool {
		return strings.Contains(admin.get("/settings/people/users/vera/test").is(200).body, "Hotline did not ring the phone: A call has Vera.")
	})
	admin.get("/settings/audit").is(200).has("Sent a person a test", "ring")
}

// TestAPageSaysThatNobodyCanRing where no integration is in use, or none is able.
func TestAPageSaysThatNobodyCanRing(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{ringer: make(looks).ringer(store.Integration{ID: "one", Name: "Hotline"})})
	bob := s.as(sent, "Bob@example.com")
	bob.get("/me").is(200).has("No integration is in use that could ring you.").hasNot(`id="test-ring"`)
	bob.post("/me/test", url.Values{"way": {ways.Ring}}).is(200).has("No integration is in use that could ring: make one")
	bob.post("/me/test", url.Values{"way": {ways.Ring}, "integration": {"none"}}).is(200).has("there is none of this id")
}

// TestOnlyAProductsTokenRingsThePeopleInWhoseNameItActs: a token that acts on alerts wakes nobody,
// and a product's sends nobody a test by other ways.
func TestOnlyAProductsTokenRingsThePeopleInWhoseNameItActs(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{ringer: make(looks).ringer()})
	admin := s.as(sent, "alice@example.com")
	for role, want := range map[string]int{"viewer": 403, "responder": 403, "product": 409, "admin": 409} {
		made := admin.post("/settings/people/tokens", url.Values{"name": {role}, "role": {role}}).is(201)
		send := func(way string) hosttest.Answer {
			r := s.Request("POST", "/api/v1/users/bob/test", map[string]string{"way": way})
			r.Header.Set("Authorization", "Bearer "+regexp.MustCompile(`swb_[A-Z0-9]+`).FindString(made.body))
			return s.Send(r)
		}
		if a := send(ways.Mail); role != "admin" && a.Status != 403 {
			t.Errorf("%s, by mail: %d %s", role, a.Status, a.Body)
		}
		if a := send(ways.Ring); a.Status != want || (want == 409 && !strings.Contains(string(a.Body), "no integration is in use")) {
			t.Errorf("%s: %d %s", role, a.Status, a.Body)
		}
	}
}
