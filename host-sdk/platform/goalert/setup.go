package goalert

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// SetupRequest is what an administrator of GoAlert wants set up.
type SetupRequest struct {
	URL                string // GoAlert's public URL, exactly
	Username, Password Secret // of an administrator; used for this set-up and stored nowhere
	// Services are ids or names of the services that calls may be routed to; empty: all that can
	// be. Those that are named, or found by Label, get an integration key if they have none.
	Services []string
	// Label is the key of a label, such as example.com/team: each of its values is a team. "" makes
	// each service a team.
	Label string
	// Expires is when the API keys expire.
	Expires time.Time
	// DryRun looks and makes nothing.
	DryRun bool
	HTTP   *http.Client // nil: one of its own
}

// Installation is what [Config] needs, and what people are to know of it. It holds secrets: the
// keys and, within Services, those of the integrations.
type Installation struct {
	CallKey, PollKey Secret
	// GoAlert's ids of the keys, by which an administrator can delete them.
	KeyIDs   []string
	Services []Service
	// Found describes Services, in their order.
	Found []FoundService
	// Warnings say, in a sentence each, which services were left out or will page nobody, and what
	// to do about it.
	Warnings []string
}

// FoundService is a service that takes calls, as people know it. It is for a report, and holds no
// secret.
type FoundService struct {
	Name   string
	Layers int      // steps of its escalation policy
	OnCall []string // names of who is on call now, in the order of the layers, each once
	NewKey bool     // it got an integration key, or would without DryRun
}

// Setup logs in, chooses the services, and makes two API keys. With an error nothing was made,
// except for what the error names. It reads everything and decides before it makes anything, so
// most mistakes leave nothing behind.
func Setup(ctx context.Context, req SetupRequest, now time.Time) (Installation, error) {
	c, err := newClient(req.URL, req.HTTP)
	if err != nil {
		return Installation{}, err
	}
	// GoAlert would make a key that nothing accepts.
	if !req.Expires.After(now) {
		return Installation{}, integration.Errorf(integration.KindInvalid, "expires: %s is not in the future", req.Expires.Format(time.DateOnly))
	}
	session, err := c.login(ctx, req.Username, req.Password)
	if err != nil {
		return Installation{}, err
	}
	all, err := session.services(ctx)
	if err != nil {
		return Installation{}, err
	}
	in := setup{req: req, now: now, admin: session}
	chosen, err := in.choose(all)
	if err != nil {
		return Installation{}, err
	}
	if err := in.warnOfTelephones(ctx, chosen); err != nil {
		return Installation{}, err
	}
	if !req.DryRun {
		err = in.make(ctx)
	}
	return in.out, err
}

// DeleteKeys takes API keys of an earlier set-up away, by their ids. Of req it reads the URL and
// the log-in. It returns the ids that GoAlert did not delete with the error. It stops at the first
// that fails; the caller keeps the ids that are left.
func DeleteKeys(ctx context.Context, req SetupRequest, ids []string) (left []string, err error) {
	c, err := newClient(req.URL, req.HTTP)
	if err != nil {
		return ids, err
	}
	session, err := c.login(ctx, req.Username, req.Password)
	if err != nil {
		return ids, err
	}
	for i, id := range ids {
		if err := session.run(ctx, "DeleteKey", deleteKey, map[string]any{"id": id}, nil); err != nil {
			return ids[i:], integration.Errorf(integration.KindOf(err), "delete the API key %s: %w", id, err)
		}
	}
	return nil, nil
}

// setup is one run of Setup. Each step adds to out, so that a dry run has the same report as a real
// one.
type setup struct {
	req   SetupRequest
	now   time.Time
	admin admin
	out   Installation
}

func (in *setup) warn(format string, args ...any) {
	in.out.Warnings = append(in.out.Warnings, fmt.Sprintf(format, args...))
}

// choose takes the services that were asked for, in the order of their names. It makes nothing.
// Whatever is left out is a warning that says how to have it taken.
func (in *setup) choose(all []listed) (chosen []listed, err error) {
	for _, want := range in.req.Services {
		if !slices.ContainsFunc(all, func(s listed) bool { return s.is(want) }) {
			return nil, integration.Errorf(integration.KindNotFound, "services: GoAlert has no service with the id or name %q", want)
		}
	}
	taken := map[string]string{} // the name of the service that is for a team
	for _, s := range all {
		named := slices.ContainsFunc(in.req.Services, s.is)
		if len(in.req.Services) > 0 && !named {
			continue
		}
		// Without a key it is kept all the same where it was named or has the label: make gives it
		// one.
		one := Service{ID: s.ID, Key: s.key(), Team: s.label(in.req.Label)}
		switch {
		case in.req.Label != "" && one.Team == "":
			if named {
				in.warn("Service %q is left out: it has no label %s.", s.Name, in.req.Label)
			}
			continue
		case taken[one.team()] != "":
			in.warn("Service %q is left out: calls for the team %q go to %q, which has the same label.", s.Name, one.Team, taken[one.team()])
			continue
		case one.Key == "" && !named && one.Team == "":
			in.warn("Service %q is left out: it has no integration key of type Generic API. Name the service (--service), and it gets one.", s.Name)
			continue
		}
		taken[one.team()] = s.Name
		chosen, in.out.Services, in.out.Found = append(chosen, s), append(in.out.Services, one), append(in.out.Found, s.found(one))
		if t := s.trouble(in.now); t != "" {
			in.warn("%s.", t)
		} else if len(s.OnCallUsers) == 0 {
			in.warn("Nobody is on call for service %q now: calls for it are offered what the call flow has without anybody, such as leaving a message.", s.Name)
		}
	}
	// Nothing to route calls to is an error, which repeats why each service was left out.
	if len(chosen) == 0 {
		why := "GoAlert has none: create one with an escalation policy."
		if len(all) > 0 {
			why = strings.Join(in.out.Warnings, " ")
		}
		if in.req.Label != "" && why == "" {
			why = fmt.Sprintf("No service has the label %s.", in.req.Label)
		}
		return nil, integration.Errorf(integration.KindInvalid, "services: none can take calls. %s", why)
	}
	return chosen, nil
}

// found describes a service. Layers count as in an escalation policy, and a person who is in
// several is named at the first.
func (s listed) found(one Service) FoundService {
	f := FoundService{Name: s.Name, NewKey: one.Key == ""}
	if s.EscalationPolicy != nil {
		f.Layers = len(s.EscalationPolicy.Steps)
	}
	users := slices.Clone(s.OnCallUsers)
	slices.SortStableFunc(users, func(a, b onCallUser) int { return a.StepNumber - b.StepNumber })
	for _, u := range users {
		if !slices.Contains(f.OnCall, u.UserName) {
			f.OnCall = append(f.OnCall, u.UserName)
		}
	}
	return f
}

// warnOfTelephones looks for people on call whom nobody can ring. It only warns: GoAlert may reach
// such a person by push or e-mail, though our calls cannot.
func (in *setup) warnOfTelephones(ctx context.Context, chosen []listed) error {
	var ids []string
	services := map[string][]string{} // by person
	for _, s := range chosen {
		for _, u := range s.OnCallUsers {
			if services[u.UserID] == nil {
				ids = append(ids, u.UserID)
			}
			if !slices.Contains(services[u.UserID], s.Name) {
				services[u.UserID] = append(services[u.UserID], s.Name)
			}
		}
	}
	people := map[string]integration.User{}
	for some := range slices.Chunk(ids, slots) {
		var answer personAnswer
		if err := in.admin.run(ctx, "People", Document, fill(some), &answer); err != nil {
			return err
		}
		answer.into(people)
	}
	for _, id := range ids {
		if u, known := people[id]; known && len(u.Phones) == 0 {
			in.warn("%s, on call for %s, has no verified telephone in GoAlert: no call reaches them. Add a contact method and verify it.", u.Name, strings.Join(services[id], ", "))
		}
	}
	return nil
}

// make makes what is missing: integration keys of services, and two API keys. GoAlert has no
// transaction over several requests, so an error names what was made before it.
func (in *setup) make(ctx context.Context) error {
	var made []string
	failed := func(what string, err error) error {
		if len(made) > 0 {
			what = fmt.Sprintf("%s (made so far, to delete in GoAlert: %s)", what, strings.Join(made, ", "))
		}
		in.out = Installation{}
		return integration.Errorf(integration.KindOf(err), "%s: %w", what, err)
	}
	for i := range in.out.Services {
		if in.out.Services[i].Key != "" {
			continue
		}
		key, err := in.admin.addServiceKey(ctx, in.out.Services[i].ID)
		if err != nil {
			return failed(fmt.Sprintf("give the service %q an integration key", in.out.Found[i].Name), err)
		}
		in.out.Services[i].Key = key
		made = append(made, fmt.Sprintf("the integration key of service %q", in.out.Found[i].Name))
	}
	for _, one := range []struct {
		name string
		into *Secret
	}{{"live call routing, calls", &in.out.CallKey}, {"live call routing, polling", &in.out.PollKey}} {
		// The time keeps the keys of two set-ups apart, for GoAlert and for people.
		name := fmt.Sprintf("%s, %s", one.name, in.now.UTC().Format("2006-01-02 150405.000"))
		id, token, err := in.admin.makeKey(ctx, name, in.req.Expires)
		if err != nil {
			return failed("make the API keys", err)
		}
		*one.into = token
		in.out.KeyIDs = append(in.out.KeyIDs, id)
		made = append(made, fmt.Sprintf("the API key %q", name))
	}
	return nil
}
