package goalertsim

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"time"
)

// queries answers the fields of Query.
var queries map[string]lazy

func init() { // a package variable would refer to itself
	queries = map[string]lazy{
		"service": func(x *execution, args arguments) (any, error) {
			if err := x.load("services"); err != nil {
				return nil, err
			}
			s := x.db.service(args["id"].(string))
			if s == nil {
				return nil, open("the answer for the unknown service %q", args["id"])
			}
			return x.service(s), nil
		},
		"user": func(x *execution, args arguments) (any, error) {
			if err := x.load("users"); err != nil {
				return nil, err
			}
			id, given := args["id"].(string)
			if !given {
				if x.who.user == nil {
					return nil, open("who a key is")
				}
				return x.user(x.who.user), nil
			}
			u := x.db.user(id)
			if u == nil {
				return nil, open("the answer for the unknown user %q", args["id"])
			}
			return x.user(u), nil
		},
		"alert": func(x *execution, args arguments) (any, error) {
			if err := x.load("alerts"); err != nil {
				return nil, err
			}
			a := x.db.alert(number(args["id"]))
			if a == nil {
				return nil, nil
			}
			return x.alert(a), nil
		},
		"services": (*execution).services, "users": (*execution).users,
		"alerts": (*execution).alerts, "labelValues": (*execution).labelValues,
	}
}

// number is an Int: a literal's or a variable's.
func number(v any) int {
	switch v := v.(type) {
	case int64:
		return int(v)
	case float64:
		return int(v)
	default:
		return 0
	}
}

var labelSearch = regexp.MustCompile(`^[^\s=*!]+/[^\s=*!]+=[^*]+$`)

// services lists services by name, all or those with a label.
func (x *execution) services(args arguments) (any, error) {
	in, err := input[struct {
		First         *int
		After, Search string
	}](args)
	if err != nil {
		return nil, err
	}
	if in.Search != "" && !labelSearch.MatchString(in.Search) {
		return nil, open("the search %q for services: only label=value was seen", in.Search)
	}
	found := slices.DeleteFunc(slices.Clone(x.db.services), func(s *service) bool {
		return in.Search != "" && !s.matches(in.Search)
	})
	slices.SortFunc(found, func(a, b *service) int { return strings.Compare(a.name, b.name) })
	return page(x, found, in.First, in.After, func(s *service) string { return s.name }, x.service)
}

// users finds who has a contact method.
func (x *execution) users(args arguments) (any, error) {
	in, err := input[struct{ Dest *destination }](args)
	if err != nil {
		return nil, err
	}
	if in.Dest == nil {
		return nil, open("a list of users that is not by destination")
	}
	if err := x.call(); err != nil {
		return nil, err
	}
	nodes := []any{}
	for _, u := range x.db.users {
		if slices.ContainsFunc(u.methods, func(m *contactMethod) bool { return m.dest.equal(*in.Dest) }) {
			nodes = append(nodes, x.user(u))
		}
	}
	return object{"nodes": nodes}, nil
}

// alerts lists alerts by number.
func (x *execution) alerts(args arguments) (any, error) {
	in, err := input[struct {
		FilterByServiceID, FilterByStatus []string
		First                             *int
		After                             string
	}](args)
	if err != nil {
		return nil, err
	}
	if len(in.FilterByServiceID) > 50 {
		return nil, failUnspecified("filterByServiceID has more than 50 services")
	}
	found := slices.DeleteFunc(slices.Clone(x.db.alerts), func(a *alert) bool {
		return len(in.FilterByServiceID) > 0 && !slices.Contains(in.FilterByServiceID, a.service.id) ||
			len(in.FilterByStatus) > 0 && !slices.Contains(in.FilterByStatus, a.status)
	})
	return page(x, found, in.First, in.After, func(a *alert) string { return alertCursor(a.id) }, x.alert)
}

// labelValues lists the values that services have for a label's key.
func (x *execution) labelValues(args arguments) (any, error) {
	in, err := input[struct{ Key string }](args)
	if err != nil {
		return nil, err
	}
	if in.Key == "" {
		return nil, open("values of labels without a key")
	}
	var values []string
	for _, s := range x.db.services {
		for _, l := range s.labels {
			if l.Key == in.Key {
				values = append(values, l.Value)
			}
		}
	}
	slices.Sort(values)
	return object{"nodes": list(slices.Compact(values), func(v string) any { return v })}, x.call()
}

// maxPage is the largest "first".
const maxPage = 1000

// page is the part of a list after a cursor. The list is in the order of key.
func page[T any](x *execution, all []T, first *int, after string, key func(T) string, of func(T) any) (any, error) {
	if first == nil {
		return nil, open("how many are listed without first")
	}
	if *first < 1 || *first > maxPage {
		return nil, failUnspecified("first is not from 1 to %d", maxPage)
	}
	if err := x.call(); err != nil {
		return nil, err
	}
	if after != "" {
		last, err := base64.RawURLEncoding.DecodeString(after)
		if err != nil {
			return nil, open("the cursor %q, which no answer contained", after)
		}
		all = slices.DeleteFunc(all, func(item T) bool { return key(item) <= string(last) })
	}
	info := object{"hasNextPage": len(all) > *first, "endCursor": nil}
	all = all[:min(len(all), *first)]
	if len(all) > 0 {
		info["endCursor"] = base64.RawURLEncoding.EncodeToString([]byte(key(all[len(all)-1])))
	}
	return object{"nodes": list(all, of), "pageInfo": info}, nil
}

func (x *execution) service(s *service) any {
	return object{
		"id": s.id, "name": s.name, "escalationPolicyID": s.policy.id, "labels": labels(s.labels),
		"maintenanceExpiresAt": timeOrNull(s.maintenance),
		"escalationPolicy":     lazy(func(x *execution, _ arguments) (any, error) { return policyObject(s.policy), x.load("policies") }),
		"onCallUsers": lazy(func(x *execution, _ arguments) (any, error) {
			return list(s.onCall, func(o onCall) any {
				return object{"userID": o.user.id, "userName": o.user.name, "stepNumber": o.step}
			}), x.call()
		}),
		"integrationKeys": lazy(func(x *execution, _ arguments) (any, error) {
			return list(s.keys, func(k integrationKey) any {
				return x.integrationKey(k)
			}), x.call()
		}),
		"recentEvents": lazy(func(x *execution, args arguments) (any, error) {
			return x.recent(args, func(e event) bool { return e.alert.service == s })
		}),
	}
}

func policyObject(p *policy) any {
	steps := []any{}
	for i, s := range p.steps {
		steps = append(steps, stepObject(i, s))
	}
	return object{"id": p.id, "repeat": p.repeat, "steps": steps, "labels": []any{}}
}

func stepObject(number int, s *step) object {
	return object{"stepNumber": number, "delayMinutes": int(s.delay / time.Minute), "actions": list(s.actions, destObject)}
}

func destObject(d destination) any { return object{"type": d.Type, "args": d.Args} }

func labels(all []label) []any {
	return list(all, func(l label) any { return object{"key": l.Key, "value": l.Value} })
}

func (x *execution) user(u *user) any {
	return object{
		"id": u.id, "name": u.name, "role": u.role,
		"contactMethods": lazy(func(x *execution, _ arguments) (any, error) {
			return list(u.methods, func(m *contactMethod) any { return methodObject(m) }), x.call()
		}),
		"notificationRules": lazy(func(x *execution, _ arguments) (any, error) {
			return list(u.rules, func(r notificationRule) any {
				return object{"delayMinutes": int(r.delay / time.Minute), "contactMethodID": r.method.id}
			}), x.call()
		}),
	}
}

func methodObject(m *contactMethod) object {
	return object{"id": m.id, "disabled": m.disabled, "pending": false, "dest": destObject(m.dest)}
}

func (x *execution) alert(a *alert) any {
	var noise any
	if a.noise != nil {
		noise = *a.noise
	}
	return object{
		"alertID": a.id, "status": a.status, "noiseReason": noise,
		"state": lazy(func(x *execution, _ arguments) (any, error) {
			if a.status == closed || len(a.service.policy.steps) == 0 {
				return nil, x.load("states")
			}
			return object{"stepNumber": a.step, "repeatCount": a.repeats, "lastEscalation": timeOrNull(a.escalated)}, x.load("states")
		}),
		"meta": lazy(func(x *execution, _ arguments) (any, error) { return labels(a.meta), x.load("meta") }),
		"recentEvents": lazy(func(x *execution, args arguments) (any, error) {
			return x.recent(args, func(e event) bool { return e.alert == a })
		}),
	}
}

// recent lists lines of the log.
func (x *execution) recent(args arguments, wanted func(event) bool) (any, error) {
	in, err := input[struct {
		Since *time.Time
		Limit *int
	}](args)
	if err != nil {
		return nil, err
	}
	if in.Limit == nil {
		return nil, open("how many recentEvents are listed without limit")
	}
	found := slices.DeleteFunc(slices.Clone(x.db.events), func(e event) bool {
		early := in.Since != nil && (e.at.Before(*in.Since) || x.cfg.SinceExclusive && e.at.Equal(*in.Since))
		return early || !wanted(e)
	})
	if !x.cfg.OldestFirst {
		slices.Reverse(found)
	}
	return object{"nodes": list(found[:min(len(found), *in.Limit)], func(e event) any {
		o := object{"id": e.id, "alertID": e.alert.id, "timestamp": e.at, "message": e.message, "messageID": nil}
		if e.msgID != "" {
			o["messageID"] = e.msgID
		}
		return o
	})}, x.call()
}

func timeOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return *t
}

func (x *execution) integrationKey(k integrationKey) object {
	return object{"href": x.publicURL("/api/v2/generic/incoming?token=" + k.id)}
}
