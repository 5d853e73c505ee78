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
// layer has anybody come first, with layer 0. Only overrides without users make gaps.
func (s *Schedule) Gaps(from, to time.Time) []Gap {
	if s.resolved == nil {
		return nil
	}
	var perLayer []Gap
	empty := make([][]Gap, len(s.resolved.layers))
	for i := range s.resolved.layers {
		empty[i] = s.gapsOf(i+1, from, to)
		perLayer = append(perLayer, empty[i]...)
	}
	all := []Gap{}
	if len(empty) > 0 {
		all = empty[0]
	}
	for _, other := range empty[1:] {
		all = intersect(all, other)
	}
	out := make([]Gap, 0, len(all)+len(perLayer))
	for _, g := range all {
		out = append(out, Gap{From: g.From, To: g.To})
	}
	return append(out, perLayer...)
}

// gapsOf looks at the layer between the edges of its overrides: within them nothing but the person
// of a rotation changes.
func (s *Schedule) gapsOf(number int, from, to time.Time) []Gap {
	l := s.layer(number)
	edges := []time.Time{from}
	for _, o := range l.overrides {
		for _, e := range []time.Time{o.from, o.to} {
			if e.After(from) && e.Before(to) {
				edges = append(edges, e)
			}
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	edges = append(edges, to)
	var out []Gap
	for i := range len(edges) - 1 {
		if !edges[i].Before(edges[i+1]) {
			continue
		}
		if users, _, _ := l.at(edges[i], s.resolved.zone); len(users) > 0 {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To.Equal(edges[i]) {
			out[n-1].To = edges[i+1]
			continue
		}
		out = append(out, Gap{Layer: number, From: edges[i], To: edges[i+1]})
	}
	return out
}

// intersect returns the times that are in both lists.
func intersect(a, b []Gap) []Gap {
	var out []Gap
	for _, x := range a {
		for _, y := range b {
			from, to := x.From, x.To
			if y.From.After(from) {
				from = y.From
			}
			if y.To.Before(to) {
				to = y.To
			}
			if from.Before(to) {
				out = append(out, Gap{From: from, To: to})
			}
		}
	}
	return out
}
