package schedule

import "time"

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
	var all, perLayer []Gap
	for i := range s.resolved.layers {
		empty := s.resolved.layers[i].gaps(i+1, from, to)
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

// gaps lists the overrides without users, joined where they touch and cut to the time asked about.
func (l *layer) gaps(number int, from, to time.Time) []Gap {
	var out []Gap
	add := func(begin, end time.Time) {
		if begin.Before(from) {
			begin = from
		}
		if end.After(to) {
			end = to
		}
		if n := len(out); n > 0 && out[n-1].To.Equal(begin) {
			out[n-1].To = end
		} else if begin.Before(end) {
			out = append(out, Gap{Layer: number, From: begin, To: end})
		}
	}
	for i := l.spanAfter(from); i < len(l.replaced) && l.replaced[i].from.Before(to); i++ {
		if len(l.replaced[i].users) == 0 {
			add(l.replaced[i].from, l.replaced[i].to)
		}
	}
	return out
}

// intersect returns the times that are in both lists, which are in order without overlap.
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
