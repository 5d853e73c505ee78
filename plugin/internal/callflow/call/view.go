package call

import (
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// View pictures a call for pages and APIs, in words that a host passes on without knowing them. The
// first leg is the caller's.
func View(s State) *integration.CallView {
	v := &integration.CallView{
		ID: s.Caller.Sid, From: s.Caller.Shown(), To: s.Caller.Called, State: string(s.Phase), Ended: string(s.End),
		StartedAt: s.ArrivedAt, EndedAt: s.EndedAt, Unproven: !s.Verify.Proven(),
	}
	if s.Phase == "" {
		v.State = string(PhaseArrived)
	}
	if s.Team != nil {
		v.Team, v.TeamName = s.Team.ID, s.Team.Name
	}
	callerState := v.State
	if s.Phase == PhaseDelivering {
		callerState = string(PhaseEnded)
	}
	over := s.GoneAt
	if over.IsZero() {
		over = s.EndedAt
	}
	v.Legs = append(v.Legs, integration.LegView{
		ID: "caller", Role: integration.RoleCaller, Name: s.Caller.Name, Phone: s.Caller.Shown(), State: callerState, StartedAt: s.ArrivedAt, EndedAt: over,
	})
	for i := range s.Legs {
		l := &s.Legs[i]
		v.Legs = append(v.Legs, integration.LegView{
			ID: l.ID, Role: integration.RoleResponder, User: l.User, Name: l.Name, Phone: l.Phone, State: string(l.State), Reason: string(l.Reason),
			StartedAt: l.PlannedAt, EndedAt: l.EndedAt,
		})
	}
	return v
}

// Occupies lists the users whom other calls must not ring, each once, in order of their legs.
// People who share a phone that rings are occupied together.
func Occupies(s State) []string {
	var users []string
	add := func(user string) {
		if !slices.Contains(users, user) {
			users = append(users, user)
		}
	}
	for i := range s.Legs {
		l := &s.Legs[i]
		if !l.Live() {
			continue
		}
		add(l.User)
		for _, p := range s.People {
			if slices.Contains(p.Phones, l.Phone) {
				add(p.User) // the same phone
			}
		}
	}
	return users
}

// WaitsFor lists the users whom this call would ring, now or when their turn comes: younger calls
// leave them alone. Users who have passed, or cannot be rung, are left to them.
func WaitsFor(s State) []string {
	if s.Phase == PhaseDelivering {
		return listenersAwaited(s)
	}
	if s.Phase != PhaseHolding || s.Exit != "" {
		return nil
	}
	occupied := Occupies(s)
	claimed := !s.Alert.FailedAck && slices.ContainsFunc(s.People, func(p Person) bool { return len(p.Acks) > 0 })
	var users []string
	for i := range s.People {
		p := &s.People[i]
		wanted := p.OnCall || p.Promised || len(p.Acks) > 0
		if p.Passed || s.Unringable(p) || slices.Contains(occupied, p.User) || !wanted || claimed && len(p.Acks) == 0 {
			continue
		}
		users = append(users, p.User)
	}
	return users
}

// listenersAwaited are the people who are rung for the message when another call lets them go.
func listenersAwaited(s State) []string {
	var users []string
	for i := range s.People {
		p := &s.People[i]
		// A guest hears the message on another call's leg, which is over when that call lets them
		// go.
		guest := slices.ContainsFunc(s.Legs, func(l Leg) bool { return l.Guest && l.Live() && l.User == p.User })
		hangingUp := !p.StartAt.IsZero() && len(p.Dialed) == 0 // with the other call
		if p.OnCall && !p.Passed && (p.OccupiedBy != "" || hangingUp) || guest {
			users = append(users, p.User)
		}
	}
	return users
}

// PlayedMedia lists the references of the audio that may be played to people, each once: the host
// gives addresses of it with each request.
func PlayedMedia(s State) []string {
	if s.Phase != PhaseDelivering {
		return nil
	}
	var refs []string
	for i := range s.Voicemail.Recordings {
		if r := &s.Voicemail.Recordings[i]; r.Media != nil && !slices.Contains(refs, r.Media.Ref) {
			refs = append(refs, r.Media.Ref)
		}
	}
	return refs
}

// Live reports whether the call still runs, or something of it is still to be told to people.
func Live(s State) bool { return s.Phase != "" && s.Phase != PhaseArrived && s.Phase != PhaseEnded }
