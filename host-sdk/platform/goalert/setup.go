package goalert

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// SetupRequest is what an administrator of GoAlert wants set up.
type SetupRequest struct {
	URL                string // GoAlert's public URL, exactly
	Username, Password Secret // of an administrator; used for this set-up and stored nowhere
	// Services are ids or names of the services that calls may be routed to; empty: all that can be.
	Services []string
	// Label is the key of a label, such as example.com/team: each of its values is a team. "" makes
	// each service a team.
	Label string
	// Expires is when the API keys expire.
	Expires time.Time
	HTTP    *http.Client // nil: one of its own
}

// Installation is what [Config] needs.
type Installation struct {
	CallKey, PollKey Secret
	KeyIDs           []string // GoAlert's ids of the keys, by which an administrator can delete them
	Services         []Service
	// Warnings say, in a sentence each, which services were left out or will page nobody, and what to
	// do about it.
	Warnings []string
}

// The requests of an administrator's session. Fifteen services are 75 database calls; GoAlert
// allows 100.
const (
	listServices = `query Services($after:String){services(input:{first:15,after:$after}){
	nodes{id name labels{key value} maintenanceExpiresAt onCallUsers{userID userName stepNumber}
		escalationPolicy{repeat steps{stepNumber delayMinutes}} integrationKeys{href}}
	pageInfo{hasNextPage endCursor}}}`
	createKey = `mutation CreateKey($i:CreateGQLAPIKeyInput!){createGQLAPIKey(input:$i){id token}}`
)

// listed is a service as the set-up sees it.
type listed struct {
	service

	Labels          []struct{ Key, Value string }
	IntegrationKeys []struct{ Href string }
}

// Setup logs in, chooses the services, and makes two API keys of role user, the least that suffices.
// With an error nothing was made, except for a key that the error names.
func Setup(ctx context.Context, req SetupRequest, now time.Time) (Installation, error) {
	var in Installation
	c, err := newClient(req.URL, req.HTTP)
	if err != nil {
		return in, err
	}
	if !req.Expires.After(now) {
		return in, integration.Errorf(integration.KindInvalid, "expires: %s is not in the future", req.Expires.Format(time.DateOnly))
	}
	session, err := c.login(ctx, req.Username, req.Password)
	if err != nil {
		return in, err
	}
	all, err := c.services(ctx, session)
	if err != nil {
		return in, err
	}
	if err := in.choose(req, all, now); err != nil {
		return in, err
	}
	for name, into := range map[string]*Secret{"live call routing, calls": &in.CallKey, "live call routing, polling": &in.PollKey} {
		var answer struct {
			CreateGQLAPIKey struct {
				ID    string
				Token Secret
			}
		}
		err := c.graphql(ctx, session, request{Query: createKey, OperationName: "CreateKey", Variables: map[string]any{"i": map[string]any{
			"name": fmt.Sprintf("%s, %s", name, now.UTC().Format("2006-01-02 150405.000")), "description": "made by the set-up of live call routing",
			"expiresAt": req.Expires.UTC().Format(time.RFC3339), "role": "user", "query": Document,
		}}}, &answer)
		if err != nil {
			return Installation{}, integration.Errorf(integration.KindOf(err), "making the API keys, which needs the role admin: %w (keys made so far, to delete in GoAlert: %q)", err, in.KeyIDs)
		}
		*into = answer.CreateGQLAPIKey.Token
		in.KeyIDs = append(in.KeyIDs, answer.CreateGQLAPIKey.ID)
	}
	return in, nil
}

// login begins a session by name and password.
func (c *client) login(ctx context.Context, username, password Secret) (Secret, error) {
	form := url.Values{"username": {string(username)}, "password": {string(password)}}
	status, answer, err := c.send(ctx, "/api/v2/identity/providers/basic?noRedirect=1", "application/x-www-form-urlencoded", "", []byte(form.Encode()))
	switch {
	case err != nil:
		return "", err
	case status == http.StatusBadRequest || status == http.StatusUnauthorized:
		return "", integration.Errorf(integration.KindUnauthorized, "GoAlert does not accept the user name or the password")
	case status != http.StatusOK || len(answer) == 0:
		return "", c.unexpected(status)
	}
	return Secret(strings.TrimSpace(string(answer))), nil
}

// services lists all services.
func (c *client) services(ctx context.Context, session Secret) ([]listed, error) {
	var out []listed
	for variables := map[string]any{}; ; {
		var answer struct {
			Services struct {
				Nodes    []listed
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		if err := c.graphql(ctx, session, request{Query: listServices, OperationName: "Services", Variables: variables}, &answer); err != nil {
			return nil, err
		}
		out = append(out, answer.Services.Nodes...)
		if !answer.Services.PageInfo.HasNextPage || answer.Services.PageInfo.EndCursor == "" {
			slices.SortFunc(out, func(a, b listed) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
			return out, nil
		}
		variables["after"] = answer.Services.PageInfo.EndCursor
	}
}

// choose takes the services that were asked for, in the order of their names.
func (in *Installation) choose(req SetupRequest, all []listed, now time.Time) error {
	for _, want := range req.Services {
		if !slices.ContainsFunc(all, func(s listed) bool { return s.is(want) }) {
			return integration.Errorf(integration.KindNotFound, "services: GoAlert has no service with the id or name %q", want)
		}
	}
	warn := func(format string, args ...any) { in.Warnings = append(in.Warnings, fmt.Sprintf(format, args...)) }
	taken := map[string]string{}
	for _, s := range all {
		if len(req.Services) > 0 && !slices.ContainsFunc(req.Services, s.is) {
			continue
		}
		one := Service{ID: s.ID, Key: s.key(), Team: s.label(req.Label)}
		switch {
		case req.Label != "" && one.Team == "":
			if len(req.Services) > 0 {
				warn("Service %q is left out: it has no label %s.", s.Name, req.Label)
			}
			continue
		case one.Key == "":
			warn("Service %q is left out: it has no integration key of type Generic API. Add one on the service's page in GoAlert.", s.Name)
			continue
		case taken[one.team()] != "":
			warn("Service %q is left out: calls for the team %q go to %q, which has the same label.", s.Name, one.Team, taken[one.team()])
			continue
		}
		taken[one.team()] = s.Name
		in.Services = append(in.Services, one)
		if t := s.trouble(now); t != "" {
			warn("%s.", t)
		} else if len(s.OnCallUsers) == 0 {
			warn("Nobody is on call for service %q now.", s.Name)
		}
	}
	if len(in.Services) == 0 {
		return integration.Errorf(integration.KindInvalid, "services: none can take calls. %s", strings.Join(in.Warnings, " "))
	}
	return nil
}

func (s listed) is(want string) bool { return s.ID == want || s.Name == want }

// label is the value of the service's label; "" if it has none.
func (s listed) label(key string) string {
	for _, l := range s.Labels {
		if key != "" && l.Key == key {
			return l.Value
		}
	}
	return ""
}

// key finds the key in the address of a Generic API integration.
func (s listed) key() Secret {
	for _, k := range s.IntegrationKeys {
		if u, err := url.Parse(k.Href); err == nil && strings.HasSuffix(u.Path, genericPath) {
			return Secret(u.Query().Get("token"))
		}
	}
	return ""
}
