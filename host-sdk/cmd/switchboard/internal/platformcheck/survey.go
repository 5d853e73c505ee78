package platformcheck

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/record"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/platformcheck/result"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// survey asks every question once. It finds out what the platform claims and whether the teams and
// people that were named will do. It changes nothing on the platform.
func (r *run) survey(ctx context.Context) error {
	c := r.must("the platform says what it can do")
	x := r.get(ctx, "/v1/capabilities")
	caps, ok := record.Read[wire.Capabilities](x)
	if !ok {
		c.Wrong("GET /v1/capabilities is answered with %s.", x.Says())
		c.Exchanges = []string{x.Text()}
		r.stop("the capabilities cannot be read")
		return nil
	}
	r.caps = caps
	c.Say("%s", claims(caps))
	if !r.cfg.OpenAPIOnly {
		r.people(ctx)
	}
	if r.stopped == "" {
		r.questions(ctx)
	}
	if r.cfg.OpenAPIOnly {
		return nil
	}
	// Nobody must be woken by a test that they have not heard of.
	if (caps.PagesByItself || caps.Notifies) && !r.cfg.Yes && r.stopped == "" {
		c := r.must("people may be paged")
		c.Leave(result.NotTested, "The platform says that it reaches people by itself (pages_by_itself or notifies): the tests that follow make about 60 alerts for the teams %s and %s, and real people would be paged for each. Repeat with --yes if they may be, or use teams whose people are not real.", r.cfg.Team, r.cfg.OtherTeam)
		r.stop("real people would be paged: --yes is missing")
	}
	return nil
}

// claims lists the capabilities in words.
func claims(c wire.Capabilities) string {
	var has, not []string
	for _, x := range []struct {
		name string
		has  bool
	}{
		{"unrouted_alerts", c.UnroutedAlerts}, {"reopen", c.Reopen}, {"escalate", c.Escalate}, {"acknowledge_as", c.AcknowledgeAs},
		{"acknowledged_by_user", c.AcknowledgedByUser}, {"annotations", c.Annotations}, {"routers", c.Routers},
		{"pages_by_itself", c.PagesByItself}, {"audiences", c.Audiences}, {"notifies", c.Notifies},
	} {
		if x.has {
			has = append(has, x.name)
		} else {
			not = append(not, x.name)
		}
	}
	return fmt.Sprintf("It claims %s; it does not claim %s.", orNothing(has), orNothing(not))
}

// orNothing lists words for a sentence.
func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// questions asks what changes nothing. What the answers should say is the suite's affair; here they
// must come.
func (r *run) questions(ctx context.Context) {
	c := r.check("every question is answered")
	if c == nil {
		return
	}
	at := time.Now().UTC().Format(time.RFC3339)
	onCall := r.in()
	onCall.Set("layer", "0")
	onCall.Set("at", at)
	asks := []ask{{method: http.MethodGet, path: "/v1/health"}, {method: http.MethodGet, path: "/v1/teams", query: r.in()}}
	for _, team := range []string{r.cfg.Team, r.cfg.OtherTeam, r.cfg.IdleTeam} {
		if team != "" {
			asks = append(asks, ask{method: http.MethodGet, path: "/v1/teams/" + url.PathEscape(team) + "/on-call", query: onCall})
		}
	}
	for _, user := range r.cfg.Users {
		asks = append(asks, ask{method: http.MethodGet, path: "/v1/users/" + url.PathEscape(user), query: r.in()})
	}
	if r.cfg.Router != "" && r.caps.Routers {
		asks = append(asks, ask{method: http.MethodPost, path: "/v1/routers/" + url.PathEscape(r.cfg.Router) + "/route", query: r.in(), body: map[string]any{"facts": map[string]any{}, "at": at}})
	}
	if r.caps.Audiences && r.cfg.Team != "" {
		asks = append(asks, ask{method: http.MethodPost, path: "/v1/audience", query: r.in(), body: map[string]any{"audience": "team", "teams": []string{r.cfg.Team}, "at": at}})
	}
	for _, a := range asks {
		switch x := r.send(ctx, a); {
		case x.Status == http.StatusNotFound && x.Kind() == "not_found" && a.path != "/v1/health" && a.path != "/v1/teams":
			c.Leave(result.NotTested, "%s %s: the platform does not know that team, user or router. Are the flags right?", a.method, a.path)
		case x.Err != nil || x.Status != http.StatusOK:
			c.Wrong("%s %s was answered with %s.", a.method, a.path, x.Says())
			c.Exchanges = append(c.Exchanges, x.Text())
		}
	}
	for _, path := range []string{"/v1/alerts/livecall-test-" + random(), "/v1/users/livecall-test-unknown"} {
		if x := r.get(ctx, path); x.Status != http.StatusNotFound || x.Kind() != "not_found" {
			c.Wrong("GET %s, which does not exist, was answered with %s: 404 with a problem document of the kind not_found is right.", path, x.Says())
			c.Exchanges = append(c.Exchanges, x.Text())
		}
	}
}

// people sees whether the teams and people of the flags will do, and says which would. Without them
// the tests of behaviour would fail for a wrong reason.
func (r *run) people(ctx context.Context) {
	if missing := r.cfg.fixture(); len(missing) > 0 {
		c := r.must("teams and people for the tests are named")
		c.Leave(result.NotTested, "These flags are missing: %s. %s", strings.Join(missing, ", "), r.candidates(ctx))
		r.stop("the teams and people to test with were not named")
		return
	}
	c := r.must("the teams and people that were named will do")
	for _, want := range []struct {
		flag, team string
		layers     int
	}{{"--team", r.cfg.Team, 2}, {"--other-team", r.cfg.OtherTeam, 1}, {"--idle-team", r.cfg.IdleTeam, 0}} {
		if want.team == "" {
			c.Note("%s was not given: what needs it is left out.", want.flag)
			continue
		}
		layers, x := r.layers(ctx, want.team)
		if x != nil {
			c.Leave(result.NotTested, "%s %s: who is on call was answered with %s.", want.flag, want.team, x.Says())
			continue
		}
		switch staffed := len(layers) - slices.Index(append(layers, 0), 0); {
		case want.layers == 0 && len(layers) > 0:
			c.Leave(result.NotTested, "%s %s: somebody is on call, but the tests need a team with nobody.", want.flag, want.team)
		case want.layers == 2 && (len(layers) < 2 || layers[0] == 0 || layers[1] == 0 || staffed < 0):
			c.Leave(result.NotTested, "%s %s: the tests need somebody on call in layer 1 and in layer 2; on call are %v people by layer.", want.flag, want.team, layers)
		case want.layers == 1 && len(layers) == 0:
			c.Leave(result.NotTested, "%s %s: nobody is on call, but the tests need somebody.", want.flag, want.team)
		}
	}
	if r.cfg.Team == r.cfg.OtherTeam || r.cfg.Users[0] == r.cfg.Users[1] {
		c.Leave(result.NotTested, "--team and --other-team, and the two --user, must be different ones.")
	}
	if r.cfg.Router == "" && r.caps.Routers {
		c.Note("--router was not given: the verdicts of routers are left out.")
	}
	if c.Outcome == result.NotTested {
		c.Say("%s", r.candidates(ctx))
		r.stop("the teams and people that were named will not do")
	}
}

// layers counts who is on call for a team by layer; the exchange is one that failed. A layer
// without anybody is 0; more than a hundred layers are not looked at.
func (r *run) layers(ctx context.Context, team string) ([]int, *record.Exchange) {
	q := r.in()
	q.Set("layer", "0")
	q.Set("at", time.Now().UTC().Format(time.RFC3339))
	x := r.send(ctx, ask{method: http.MethodGet, path: "/v1/teams/" + url.PathEscape(team) + "/on-call", query: q})
	answer, ok := record.Read[wire.OnCallAnswer](x)
	if !ok {
		return nil, x
	}
	var out []int
	for _, e := range answer.OnCall {
		for len(out) < e.Layer && e.Layer <= 100 {
			out = append(out, 0)
		}
		if e.Layer >= 1 && e.Layer <= len(out) {
			out[e.Layer-1]++
		}
	}
	return out, nil
}

// candidates names teams and people that would do. Nobody should have to search for them: at most
// thirty teams are asked.
func (r *run) candidates(ctx context.Context) string {
	teams, ok := record.Read[wire.TeamsAnswer](r.get(ctx, "/v1/teams"))
	if !ok {
		return "The list of teams could not be read."
	}
	var two, one, none, people []string
	for _, team := range teams.Teams[:min(len(teams.Teams), 30)] {
		layers, x := r.layers(ctx, team.ID)
		switch {
		case x != nil:
			continue
		case len(layers) >= 2 && layers[0] > 0 && layers[1] > 0:
			two = append(two, team.ID)
		case len(layers) > 0:
			one = append(one, team.ID)
		default:
			none = append(none, team.ID)
		}
		people = append(people, r.onCallFor(team.ID)...)
	}
	slices.Sort(people)
	people = slices.Compact(people)
	return fmt.Sprintf("Of the platform's teams, two layers have somebody on call in: %s (one is --team, another may be --other-team); one layer in: %s; nobody is on call in: %s (--idle-team). On call are the users: %s.",
		orNothing(two), orNothing(one), orNothing(none), orNothing(people[:min(len(people), 10)]))
}

// onCallFor reads the people out of the last answer about a team.
func (r *run) onCallFor(team string) []string {
	var out []string
	all := r.rec.Recorded()
	for _, x := range slices.Backward(all) {
		if x.Operation == "onCall" && strings.Contains(x.Target, url.PathEscape(team)+"/on-call") {
			answer, _ := record.Read[wire.OnCallAnswer](x)
			for _, e := range answer.OnCall {
				out = append(out, e.User.ID)
			}
			break
		}
	}
	return out
}
