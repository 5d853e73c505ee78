package goalert

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// The requests of an administrator's session. Fifteen services are 75 database calls; GoAlert
// allows 100.
const (
	// There is no API key yet, so these run in a session, which may send any document.
	whoAmI       = `query WhoAmI{user{id name role}}`
	listServices = `query Services($after:String){services(input:{first:15,after:$after}){
	nodes{id name labels{key value} maintenanceExpiresAt onCallUsers{userID userName stepNumber}
		escalationPolicy{repeat steps{stepNumber delayMinutes}} integrationKeys{href}}
	pageInfo{hasNextPage endCursor}}}`
	createKey     = `mutation CreateKey($i:CreateGQLAPIKeyInput!){createGQLAPIKey(input:$i){id token}}`
	deleteKey     = `mutation DeleteKey($id:ID!){deleteGQLAPIKey(id:$id)}`
	addServiceKey = `mutation AddKey($i:CreateIntegrationKeyInput!){createIntegrationKey(input:$i){href}}`
)

// admin is an administrator's session. Its token is good for as long as GoAlert keeps the session;
// nothing ends it. It is held in memory for the set-up and stored nowhere.
type admin struct {
	*client
	token Secret
}

// login begins a session, and sees whether it is an administrator's. The path and the form are
// those of GoAlert's own log-in page, as there is no other way to begin a session without a
// browser.
func (c *client) login(ctx context.Context, username, password Secret) (admin, error) {
	form := url.Values{"username": {string(username)}, "password": {string(password)}}
	// Without noRedirect GoAlert answers with a redirect to its pages and puts the token into a
	// cookie.
	status, answer, err := c.send(ctx, "/api/v2/identity/providers/basic?noRedirect=1", "application/x-www-form-urlencoded", "", []byte(form.Encode()))
	switch {
	case err != nil:
		return admin{}, err
	// GoAlert answers a wrong password with 400.
	case status == http.StatusBadRequest || status == http.StatusUnauthorized:
		return admin{}, integration.Errorf(integration.KindUnauthorized, "GoAlert does not accept the user name or the password: sign in to %s with them to see which", c.base)
	}
	token := strings.TrimSpace(string(answer))
	// An HTML page has these characters, a token never: a proxy or another program may answer at
	// this address.
	if status != http.StatusOK || token == "" || strings.ContainsAny(token, "<> \n") {
		return admin{}, c.unexpected(status)
	}
	a := admin{c, Secret(token)}
	var who struct{ User *struct{ Name, Role string } }
	if err := a.run(ctx, "WhoAmI", whoAmI, nil, &who); err != nil {
		return admin{}, err
	}
	// Found out now, rather than by an error about a mutation that says less.
	if who.User == nil || who.User.Role != "admin" {
		return admin{}, integration.Errorf(integration.KindUnauthorized, "the user %q is no administrator of GoAlert, who alone can make API keys: sign in as one, or have one give this user the role", string(username))
	}
	return a, nil
}

// run runs an operation of an administrator. What the server does not know makes it too old.
// Messages of GraphQL are the only sign of it, as GoAlert says its version nowhere that an API
// could ask.
func (a admin) run(ctx context.Context, name, query string, variables map[string]any, into any) error {
	err := a.graphql(ctx, a.token, request{Query: query, OperationName: name, Variables: variables}, into)
	var known *integration.Error
	if !errors.As(err, &known) {
		return err
	}
	for _, sign := range []string{"Cannot query field", "Unknown argument", "Unknown type", "experimental flag"} {
		if strings.Contains(known.Message, sign) {
			return integration.Errorf(integration.KindUnsupported, "GoAlert at %s is too old: update it to v0.34.1 or newer (it says %q)", a.base, known.Message)
		}
	}
	return err
}

// listed is a service as the set-up sees it. It holds the keys of the service, which only an
// administrator may read.
type listed struct {
	service

	Labels          []struct{ Key, Value string }
	IntegrationKeys []struct{ Href string }
}

// services lists all services by name. The list comes in pages of 15. A service that is renamed
// meanwhile may come twice, so ids are counted once.
func (a admin) services(ctx context.Context) ([]listed, error) {
	var out []listed
	seen := map[string]bool{}
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
		if err := a.run(ctx, "Services", listServices, variables, &answer); err != nil {
			return nil, err
		}
		before := len(seen)
		for _, s := range answer.Services.Nodes {
			if seen[s.ID] {
				continue
			}
			seen[s.ID] = true
			// The name was entered by somebody in GoAlert and goes into errors, logs and pages.
			s.Name = oneline.Clean(s.Name, oneline.MaxName)
			out = append(out, s)
		}
		next := answer.Services.PageInfo
		if next.HasNextPage && len(seen) == before { // or reading would never end
			return nil, integration.Errorf(integration.KindUnavailable, "GoAlert at %s says that there are more services and lists the same ones again: update GoAlert, or look at what stands between it and this machine", a.base)
		}
		if !next.HasNextPage || next.EndCursor == "" {
			slices.SortFunc(out, func(a, b listed) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
			return out, nil
		}
		variables["after"] = next.EndCursor
	}
}

// addServiceKey gives a service an integration key of type Generic API. GoAlert makes a new one
// each time, so it is called only for a service that has none.
func (a admin) addServiceKey(ctx context.Context, service string) (Secret, error) {
	var answer struct{ CreateIntegrationKey *struct{ Href string } }
	err := a.run(ctx, "AddKey", addServiceKey, map[string]any{"i": map[string]any{"serviceID": service, "type": "generic", "name": "Live call routing"}}, &answer)
	if err != nil {
		return "", err
	}
	if answer.CreateIntegrationKey == nil || keyIn(answer.CreateIntegrationKey.Href) == "" {
		return "", integration.Errorf(integration.KindUnavailable, "GoAlert made an integration key and did not say which")
	}
	return keyIn(answer.CreateIntegrationKey.Href), nil
}

// makeKey makes an API key for the operations of this package, of the role user: the least that
// suffices. The id is for deleting the key later: GoAlert shows the token once, and never tells
// which key a token is of.
func (a admin) makeKey(ctx context.Context, name string, expires time.Time) (id string, token Secret, err error) {
	var answer struct {
		CreateGQLAPIKey struct {
			ID    string
			Token Secret
		}
	}
	err = a.run(ctx, "CreateKey", createKey, map[string]any{"i": map[string]any{
		"name": name, "description": "made by the set-up of live call routing",
		"expiresAt": expires.UTC().Format(time.RFC3339), "role": "user", "query": Document,
	}}, &answer)
	return answer.CreateGQLAPIKey.ID, answer.CreateGQLAPIKey.Token, err
}

// People name services as they see them, or by the id in the address of their page.
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

// key finds the service's integration key of type Generic API. A service may have several; any of
// them takes alerts.
func (s listed) key() Secret {
	for _, k := range s.IntegrationKeys {
		if key := keyIn(k.Href); key != "" {
			return key
		}
	}
	return ""
}

// keyIn finds the key in the address of a Generic API integration; "" if it is another's. Keys for
// e-mail and other products have other addresses.
func keyIn(href string) Secret {
	if u, err := url.Parse(href); err == nil && strings.HasSuffix(u.Path, genericPath) {
		return Secret(u.Query().Get("token"))
	}
	return ""
}
