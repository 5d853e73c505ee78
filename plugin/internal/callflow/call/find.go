package call

import "slices"

// Person finds somebody who was brought in, or nil.
func (s *State) Person(user string) *Person {
	for i := range s.People {
		if s.People[i].User == user {
			return &s.People[i]
		}
	}
	return nil
}

// Number finds what is known of a phone; it is added if need be.
func (s *State) Number(phone string) *Number {
	for i := range s.Numbers {
		if s.Numbers[i].Phone == phone {
			return &s.Numbers[i]
		}
	}
	s.Numbers = append(s.Numbers, Number{Phone: phone})
	return &s.Numbers[len(s.Numbers)-1]
}

// Known is Number without adding: a question alone must leave the state as it is.
func (s *State) Known(phone string) Number {
	for _, n := range s.Numbers {
		if n.Phone == phone {
			return n
		}
	}
	return Number{Phone: phone}
}

// Usable are the person's phones that Twilio does not refuse, in their order.
func (s *State) Usable(p *Person) []string {
	var out []string
	for _, phone := range p.Phones {
		if !s.Known(phone).Refused {
			out = append(out, phone)
		}
	}
	return out
}

// Unringable reports whether nothing can make this person's phone ring.
func (s *State) Unringable(p *Person) bool {
	return s.AccountRefused || len(s.Usable(p)) == 0
}

// AtWork reports whether a phone of the person is being dialed, rings, or asks. A number that two
// people share counts for both.
func (s *State) AtWork(p *Person) bool {
	return slices.ContainsFunc(s.Legs, func(l Leg) bool {
		return l.Live() && (l.User == p.User || slices.Contains(p.Phones, l.Phone))
	})
}

// Leg finds the leg that an event is about, or nil: ids stand in addresses, and those of legs that
// were forgotten may still come.
func (s *State) Leg(id string) *Leg {
	for i := range s.Legs {
		if s.Legs[i].ID == id {
			return &s.Legs[i]
		}
	}
	return nil
}

// LegIn finds the leg in a state that one leg at most can have.
func (s *State) LegIn(state LegState) *Leg {
	for i := range s.Legs {
		if s.Legs[i].State == state {
			return &s.Legs[i]
		}
	}
	return nil
}

// LiveLegs counts the legs that may still take the call.
func (s *State) LiveLegs() int {
	n := 0
	for i := range s.Legs {
		if s.Legs[i].Live() {
			n++
		}
	}
	return n
}

// TeamID is the team that the caller waits for; "" before one was chosen.
func (s *State) TeamID() string {
	if s.Team == nil {
		return ""
	}
	return s.Team.ID
}

// TeamIDs are the teams that the call is for: the chosen one, else all of them.
func (s *State) TeamIDs() []string {
	if s.Team != nil {
		return []string{s.Team.ID}
	}
	var ids []string
	for _, t := range s.Teams {
		ids = append(ids, t.ID)
	}
	return ids
}
