package schedule

import (
	"slices"
	"time"
)

// Gap is a time in which nobody is on call for a layer.
type Gap struct {
	Layer    int // from 1; 0: nobody in any layer
	From, To time.Time
}

// Gaps lists the times between from and to in which a layer has nobody, by layer; those in which no
// layer has anybody come first, with layer 0. Gaps come from overrides without users, from people
// who are away, and from windows that leave a time out. The result is for pages and warnings; calls
// ask OnCallAt.
func (s *Schedule) Gaps(from, to time.Time) []Gap {
	if s.resolved == nil {
		return nil
	}
	var all, perLayer []Gap
	for i := range s.resolved.layers {
		empty := s.resolved.gaps(&s.resolved.layers[i], i+1, from, to)
		perLayer = append(perLayer, empty...)
		if i == 0 {
			all = empty
			continue
		}
		all = intersect(all, empty)
	}
	out := make([]Gap, 0, len(all)+len(perLayer))
	for _, g := range all {
		out = append(out, Gap{From: g.From, To: g.To})
	}
	return append(out, perLayer...)
}

// gaps lists the times in which a layer has nobody, joined where they touch and cut to the time
// asked about. What cannot make a gap, the turns of a rotation whose people are never away, is not
// looked at. A rotation over a year has thousands of turns, and none of them can be empty unless
// somebody is away.
func (r *resolved) gaps(l *layer, number int, from, to time.Time) []Gap {
	l = l.inOrder()
	if !slices.ContainsFunc(l.users, func(id string) bool { return len(r.away[id]) > 0 }) {
		l.every = 0
	}
	var out []Gap
	for at := from; at.Before(to); {
		// until is after at in any case, so the loop ends.
		users, until, _ := r.at(l, at)
		if until.IsZero() || until.After(to) {
			until = to
		}
		if n := len(out); len(users) == 0 && n > 0 && out[n-1].To.Equal(at) {
			out[n-1].To = until
		} else if len(users) == 0 {
			out = append(out, Gap{Layer: number, From: at, To: until})
		}
		at = until
	}
	return out
}

// intersect returns the times that are in both lists, which are in order without overlap. Each step
// drops the one that ends first, as nothing later can overlap it.
func intersect(a, b []Gap) []Gap {
	var out []Gap
	for len(a) > 0 && len(b) > 0 {
		from, to := a[0].From, a[0].To
		if b[0].From.After(from) {
			from = b[0].From
		}
		if b[0].To.Before(to) {
			to = b[0].To
		}
		if from.Before(to) {
			out = append(out, Gap{From: from, To: to})
		}
		if a[0].To.After(b[0].To) {
			b = b[1:]
		} else {
			a = a[1:]
		}
	}
	return out
}
