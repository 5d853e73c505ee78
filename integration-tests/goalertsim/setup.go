package goalertsim

import (
	"regexp"
	"slices"
	"time"
	"unicode"
)

// Limits by default.
const (
	maxSteps          = 10
	maxActions        = 20
	maxContactMethods = 10
	maxUnacknowledged = 200
)

// mutations answers the fields of Mutation.
var mutations map[string]lazy

func init() { // as queries
	mutations = map[string]lazy{
		"createGQLAPIKey": adminOnly((*execution).createKey), "deleteGQLAPIKey": adminOnly((*execution).deleteKey),
		"createIntegrationKey": adminOnly((*execution).createIntegrationKey), "createUser": adminOnly((*execution).createUser),
		"createUserContactMethod":       adminOnly((*execution).createMethod),
		"sendContactMethodVerification": adminOnly((*execution).sendVerification),
		"verifyContactMethod":           adminOnly((*execution).verify),
		"createRotation":                adminOnly((*execution).createRotation), "createSchedule": adminOnly((*execution).createSchedule),
		"createUserOverride":         adminOnly((*execution).createOverride),
		"createEscalationPolicy":     adminOnly((*execution).createPolicy),
		"createEscalationPolicyStep": adminOnly((*execution).createStep), "createService": adminOnly((*execution).createService),
		"setScheduleOnCallNotificationRules": (*execution).notifySchedule, "updateService": (*execution).updateService,
		"createAlert": (*execution).createAlert, "updateAlerts": (*execution).updateAlerts,
		"escalateAlerts": (*execution).escalateAlerts, "closeMatchingAlert": (*execution).closeMatching,
	}
}

// adminOnly is a mutation that was seen with an administrator's session.
func adminOnly(f lazy) lazy {
	return func(x *execution, args arguments) (any, error) {
		if !x.who.admin() {
			return nil, open("set-up by anybody but an administrator's session")
		}
		return f(x, args)
	}
}

func (x *execution) createKey(args arguments) (any, error) {
	in, err := input[struct {
		ExpiresAt   time.Time
		Role, Query string
	}](args)
	if err != nil {
		return nil, err
	}
	x.mu.Unlock() // document locks
	_, err = x.document(in.Query)
	x.mu.Lock()
	if err != nil {
		return nil, err
	}
	k := &apiKey{id: newID(), token: "eyJ" + newID() + newID(), role: in.Role, document: in.Query, expires: in.ExpiresAt}
	x.db.apiKeys[k.token] = k
	return object{"id": k.id, "token": k.token}, nil
}

func (x *execution) deleteKey(args arguments) (any, error) {
	for token, k := range x.db.apiKeys {
		if k.id == args["id"] {
			delete(x.db.apiKeys, token)
			return true, nil
		}
	}
	return nil, open("the answer for the unknown API key %q", args["id"])
}

func (x *execution) createIntegrationKey(args arguments) (any, error) {
	in, err := input[struct{ ServiceID, Name string }](args)
	if err != nil {
		return nil, err
	}
	s := x.db.service(in.ServiceID)
	if s == nil {
		return nil, open("integration keys of the unknown service %q", in.ServiceID)
	}
	s.keys = append(s.keys, integrationKey{newID(), in.Name})
	return x.integrationKey(s.keys[len(s.keys)-1]), nil
}

func (x *execution) createRotation(args arguments) (any, error) {
	in, err := input[struct {
		TimeZone    string
		Start       time.Time
		ShiftLength int
		UserIDs     []string
	}](args)
	if err != nil {
		return nil, err
	}
	if _, err := time.LoadLocation(in.TimeZone); err != nil || in.TimeZone != "UTC" {
		return nil, open("rotations in the time zone %q: only UTC was seen", in.TimeZone)
	}
	if in.ShiftLength < 1 || len(in.UserIDs) == 0 || slices.ContainsFunc(in.UserIDs, func(id string) bool { return x.db.user(id) == nil }) {
		return nil, open("rotations without a length of the shift, without users or with unknown ones")
	}
	r := &rotation{id: newID(), shift: time.Duration(in.ShiftLength) * 7 * 24 * time.Hour, users: in.UserIDs}
	r.next = in.Start.Add(r.shift)
	if now := x.clock.Now(); in.Start.After(now) || !r.next.After(now) {
		return nil, open("who is first in a rotation that starts later, or started more than one shift ago")
	}
	x.db.rotations[r.id] = r
	return object{"id": r.id, "activeUserIndex": r.index, "nextHandoffTimes": []any{r.next}, "labels": []any{}}, nil
}

func (x *execution) createSchedule(args arguments) (any, error) {
	in, err := input[struct {
		TimeZone string
		Targets  []struct {
			Target struct{ ID string }
			Rules  []struct {
				Start, End    string
				WeekdayFilter []bool
			}
		}
	}](args)
	if err != nil {
		return nil, err
	}
	if _, err := time.LoadLocation(in.TimeZone); err != nil {
		return nil, open("the unknown time zone %q", in.TimeZone)
	}
	s := &schedule{id: newID()}
	for _, target := range in.Targets {
		if x.db.rotations[target.Target.ID] == nil {
			return nil, open("schedules with the unknown rotation %q", target.Target.ID)
		}
		if len(target.Rules) != 1 || target.Rules[0].Start != "00:00" || target.Rules[0].End != "00:00" ||
			len(target.Rules[0].WeekdayFilter) != 7 || slices.Contains(target.Rules[0].WeekdayFilter, false) {
			return nil, open("rules of schedules other than one from 00:00 to 00:00 on all seven days")
		}
		s.rotations = append(s.rotations, target.Target.ID)
	}
	x.db.schedules[s.id] = s
	return object{"id": s.id, "labels": []any{}}, nil
}

func (x *execution) createOverride(args arguments) (any, error) {
	in, err := input[struct {
		ScheduleID, AddUserID, RemoveUserID string
		Start, End                          time.Time
	}](args)
	if err != nil {
		return nil, err
	}
	for _, id := range []string{in.AddUserID, in.RemoveUserID} {
		if id != "" && x.db.user(id) == nil {
			return nil, open("overrides with the unknown user %q", id)
		}
	}
	if x.db.schedules[in.ScheduleID] == nil || in.AddUserID == "" && in.RemoveUserID == "" || !in.Start.Before(in.End) {
		return nil, open("overrides without a known schedule, without a user, or that end before they start")
	}
	x.db.overrides = append(x.db.overrides, override{in.ScheduleID, in.AddUserID, in.RemoveUserID, in.Start, in.End})
	return object{"id": newID()}, nil
}

func (x *execution) notifySchedule(args arguments) (any, error) {
	in, err := input[struct {
		ScheduleID string
		Rules      []struct{ Dest destination }
	}](args)
	if err != nil {
		return nil, err
	}
	s := x.db.schedules[in.ScheduleID]
	if s == nil {
		return nil, open("the unknown schedule %q", in.ScheduleID)
	}
	s.notify = nil
	for _, rule := range in.Rules {
		if err := x.webhook(rule.Dest); err != nil {
			return nil, err
		}
		s.notify = append(s.notify, rule.Dest)
	}
	return true, nil
}

func (x *execution) createPolicy(args arguments) (any, error) {
	in, err := input[struct {
		Name   string
		Repeat *int
	}](args)
	if err != nil {
		return nil, err
	}
	p := &policy{id: newID(), name: in.Name, repeat: 3}
	if in.Repeat != nil {
		p.repeat = *in.Repeat
	}
	if p.repeat < -1 {
		return nil, open("a policy that repeats %d times", p.repeat)
	}
	for _, other := range x.db.policies {
		if other.name == p.name {
			return nil, open("a second policy named %q", p.name)
		}
	}
	x.db.policies[p.id] = p
	return policyObject(p), nil
}

func (x *execution) createStep(args arguments) (any, error) {
	in, err := input[struct {
		EscalationPolicyID string
		DelayMinutes       int
		Actions            []destination
	}](args)
	if err != nil {
		return nil, err
	}
	p := x.db.policies[in.EscalationPolicyID]
	switch {
	case p == nil:
		return nil, open("the unknown policy %q", in.EscalationPolicyID)
	case in.DelayMinutes < 1:
		return nil, fail("must not be below 1")
	case len(p.steps) >= maxSteps:
		return nil, failUnspecified("the policy has %d steps", maxSteps)
	case len(in.Actions) > maxActions:
		return nil, failUnspecified("more than %d actions", maxActions)
	}
	for _, a := range in.Actions {
		if err := x.action(a); err != nil {
			return nil, err
		}
	}
	p.steps = append(p.steps, &step{delay: time.Duration(in.DelayMinutes) * time.Minute, actions: in.Actions})
	return stepObject(len(p.steps)-1, p.steps[len(p.steps)-1]), nil
}

// action checks what a step does.
func (x *execution) action(a destination) error {
	known := false
	switch a.Type {
	case destUser:
		known = len(a.Args) == 1 && x.db.user(a.Args["user_id"]) != nil
	case destRotation:
		known = len(a.Args) == 1 && x.db.rotations[a.Args["rotation_id"]] != nil
	case destSchedule:
		known = len(a.Args) == 1 && x.db.schedules[a.Args["schedule_id"]] != nil
	case destWebhook:
		return x.webhook(a)
	}
	if !known {
		return open("steps with the action %q, %v", a.Type, a.Args)
	}
	return nil
}

var (
	serviceName = regexp.MustCompile(`^\pL.{1,63}$`)
	labelKey    = regexp.MustCompile(`^[a-z][a-z0-9.-]{2,}/\S+$`)
)

func (x *execution) createService(args arguments) (any, error) {
	in, err := input[struct {
		Name, EscalationPolicyID string
		Labels                   []label
		NewIntegrationKeys       []struct{ Name string }
	}](args)
	if err != nil {
		return nil, err
	}
	s := &service{id: newID(), name: in.Name, policy: x.db.policies[in.EscalationPolicyID], labels: in.Labels}
	switch {
	case s.policy == nil:
		return nil, open("services with the unknown policy %q", in.EscalationPolicyID)
	case !serviceName.MatchString(s.name):
		return nil, failUnspecified("the name has not 2 to 64 characters, or does not begin with a letter")
	case find(x.db.services, func(other *service) bool { return other.name == s.name }) != nil:
		return nil, open("a second service named %q", s.name)
	}
	for _, l := range s.labels {
		if !labelKey.MatchString(l.Key) || l.Value == "" {
			return nil, failUnspecified("the label key %q is not prefix/name with a prefix of 3 or more characters", l.Key)
		}
	}
	for _, k := range in.NewIntegrationKeys {
		s.keys = append(s.keys, integrationKey{newID(), k.Name})
	}
	x.db.services = append(x.db.services, s)
	return x.service(s), nil
}

func (x *execution) updateService(args arguments) (any, error) {
	in, err := input[struct {
		ID                   string
		MaintenanceExpiresAt *time.Time
	}](args)
	if err != nil {
		return nil, err
	}
	s := x.db.service(in.ID)
	if s == nil || in.MaintenanceExpiresAt == nil {
		return nil, open("updates of unknown services, or without maintenanceExpiresAt")
	}
	s.maintenance = in.MaintenanceExpiresAt
	return true, nil
}

// ascii tells whether a text has only ASCII characters.
func ascii(s string) bool {
	return !slices.ContainsFunc([]rune(s), func(r rune) bool { return r > unicode.MaxASCII })
}
