package callflow

import "time"

// CallView is the host-neutral picture of a call.
type CallView struct {
	From, To  string // E.164; From "" = withheld
	State     string // a [Phase]
	Ended     string // an [End]; "" while it runs
	Reason    string // of the end, a short sentence without a period
	TeamID    string
	TeamName  string
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs
	Legs      []LegView
}

// LegView is one phone connection of a call. The first is the caller's.
type LegView struct {
	ID        string
	Role      string // caller or responder
	User      string
	Name      string
	Phone     string
	State     string // a [LegState]; of the caller's, a [Phase]
	Reason    string // a [LegReason]
	StartedAt time.Time
	EndedAt   time.Time
	Seconds   int // of conversation
}

// View pictures a call for pages and APIs.
func View(s State) CallView {
	v := CallView{
		From: s.Caller.Number, To: s.Caller.Called, State: string(s.Phase), Ended: string(s.End), Reason: s.Reason,
		StartedAt: s.ArrivedAt, EndedAt: s.EndedAt,
	}
	if s.Phase == "" {
		v.State = string(PhaseArrived)
	}
	if s.Team != nil {
		v.TeamID, v.TeamName = s.Team.ID, s.Team.Name
	}
	over := s.GoneAt
	if over.IsZero() {
		over = s.EndedAt
	}
	v.Legs = append(v.Legs, LegView{
		ID: "caller", Role: "caller", Name: s.Caller.Name, Phone: s.Caller.Number, State: v.State, StartedAt: s.ArrivedAt, EndedAt: over,
	})
	for i := range s.Legs {
		l := &s.Legs[i]
		v.Legs = append(v.Legs, LegView{
			ID: l.ID, Role: "responder", User: l.User, Name: l.Name, Phone: l.Phone, State: string(l.State), Reason: string(l.Reason),
			StartedAt: l.PlannedAt, EndedAt: l.EndedAt, Seconds: l.Seconds,
		})
	}
	return v
}

// Occupies lists the users whom other calls must not ring, each once, in order of their legs.
func Occupies(s State) []string {
	var users []string
	seen := map[string]bool{}
	for i := range s.Legs {
		l := &s.Legs[i]
		if l.live() && !l.Occupied && !seen[l.User] {
			seen[l.User] = true
			users = append(users, l.User)
		}
	}
	return users
}

// Live reports whether the call still runs.
func Live(s State) bool { return s.Phase != "" && s.Phase != PhaseArrived && s.Phase != PhaseEnded }
