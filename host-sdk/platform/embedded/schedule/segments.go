package schedule

import (
	"slices"
	"time"
)

// Segment is a time in which the people on call for a layer do not change.
type Segment struct {
	From, To   time.Time
	Users      []string // ids, in the schedule's order; nil: nobody
	Overridden bool     // an override decides
	Absent     bool     // nobody is on call since all who would be are away
}

// MaxSegments is how many segments are listed at most: a month of a rotation that hands over each
// hour.
const MaxSegments = 800

// Segments lists who is on call for a layer between two times, in order, joined where the people
// stay the same. After [MaxSegments] it ends early.
func (s *Schedule) Segments(number int, from, to time.Time) []Segment {
	l := s.layer(number)
	if l == nil {
		return nil
	}
	l = l.inOrder()
	var out []Segment
	for at := from; at.Before(to) && len(out) < MaxSegments; {
		users, until, overridden := s.resolved.at(l, at)
		if until.IsZero() || until.After(to) {
			until = to
		}
		absent := false
		if len(users) == 0 && len(s.resolved.away) > 0 {
			// Asked once more as if nobody were away: a page says "away" rather than "nobody".
			planned := resolved{zone: s.resolved.zone, holidays: s.resolved.holidays}
			would, _, _ := planned.at(l, at)
			absent = len(would) > 0
		}
		if n := len(out); n > 0 && slices.Equal(out[n-1].Users, users) && out[n-1].Overridden == overridden && out[n-1].Absent == absent {
			out[n-1].To = until
		} else {
			out = append(out, Segment{From: at, To: until, Users: slices.Clone(users), Overridden: overridden, Absent: absent})
		}
		at = until
	}
	return out
}
