package embedded

import (
	"slices"
	"time"
)

// Schedule says who is on call when. Layer 1 is Layers[0].
type Schedule struct {
	Timezone  string     `json:"timezone"`
	Layers    []Layer    `json:"layers"`
	Overrides []Override `json:"overrides"`

	compiled *compiledSchedule // set when the file is checked
}

// Layer is a rotation, or a list of users who are all on call always.
type Layer struct {
	Rotation *Rotation `json:"rotation"`
	Users    []string  `json:"users"`
}

// Rotation hands over from user to user. Every is a number of hours, days or weeks on the wall clock; the first turn
// begins at Start, and the turns before it are counted backwards, so that somebody is always on call.
type Rotation struct {
	Start string   `json:"start"` // local time, see wallFormat
	Every Duration `json:"every"`
	Users []string `json:"users"`
}

// Override replaces the users of a layer from From (included) to To (excluded), both local times.
type Override struct {
	Layer int      `json:"layer"` // from 1
	From  string   `json:"from"`
	To    string   `json:"to"`
	Users []string `json:"users"` // empty: nobody
}

type compiledSchedule struct {
	loc    *time.Location
	layers []compiledLayer
}

type compiledLayer struct {
	users     []string
	start     wall
	every     time.Duration // 0: all users always
	overrides []compiledOverride
}

type compiledOverride struct {
	from, to time.Time
	users    []string
}

// compile resolves a schedule that passed its checks.
func (s *Schedule) compile() error {
	loc, err := loadZone(s.Timezone)
	if err != nil {
		return err
	}
	c := &compiledSchedule{loc: loc}
	for _, l := range s.Layers {
		out := compiledLayer{users: l.Users}
		if l.Rotation != nil {
			out.users, out.every = l.Rotation.Users, time.Duration(l.Rotation.Every)
			if out.start, err = parseWall(l.Rotation.Start); err != nil {
				return err
			}
		}
		c.layers = append(c.layers, out)
	}
	for _, o := range s.Overrides {
		from, err := parseWall(o.From)
		if err != nil {
			return err
		}
		to, err := parseWall(o.To)
		if err != nil {
			return err
		}
		if o.Layer < 1 || o.Layer > len(c.layers) {
			continue // refused by the checks
		}
		l := &c.layers[o.Layer-1]
		l.overrides = append(l.overrides, compiledOverride{from: from.instant(loc), to: to.instant(loc), users: o.Users})
	}
	s.compiled = c
	return nil
}

// turn returns the number of the turn that t falls into (negative before the start) and when it begins and ends.
func (l *compiledLayer) turn(t time.Time, loc *time.Location) (k int64, begin, end time.Time) {
	at := func(k int64) time.Time { return wall{l.start.t.Add(time.Duration(k) * l.every)}.instant(loc) }
	// What the wall shows is right but for the hours around a change of clocks; the loops settle those.
	k = int64(wallOf(t, loc).t.Sub(l.start.t) / l.every)
	for at(k).After(t) {
		k--
	}
	for !at(k + 1).After(t) {
		k++
	}
	return k, at(k), at(k + 1)
}

// users says who is on call at t, and until when at least that stays so (zero: for ever). Override tells whether an
// override decided it.
func (l *compiledLayer) at(t time.Time, loc *time.Location) (users []string, until time.Time, override bool) {
	sooner := func(end time.Time) {
		if until.IsZero() || end.Before(until) {
			until = end
		}
	}
	users = l.users
	if l.every > 0 {
		k, _, end := l.turn(t, loc)
		n := int64(len(l.users))
		users = []string{l.users[((k%n)+n)%n]}
		until = end
	}
	for _, o := range l.overrides { // the later in the file counts
		if !t.Before(o.from) && t.Before(o.to) {
			users, override = o.users, true
			sooner(o.to)
		} else if t.Before(o.from) && o.from.Before(o.to) {
			sooner(o.from)
		}
	}
	return users, until, override
}

// OnCallAt returns the ids of the people on call for a layer (from 1) at t, in the schedule's order. A layer the
// schedule does not have has nobody.
func (s *Schedule) OnCallAt(layer int, t time.Time) []string {
	if s.compiled == nil || layer < 1 || layer > len(s.compiled.layers) {
		return nil
	}
	users, _, _ := s.compiled.layers[layer-1].at(t, s.compiled.loc)
	return slices.Clone(users)
}

// maxSteps bounds the search for a handoff: turns that hand over to the same person are passed over.
const maxSteps = 500

// NextHandoff returns when the people on call for a layer change for the first time after t, and to whom. Zero: never, or
// not within the next 500 turns.
func (s *Schedule) NextHandoff(layer int, t time.Time) (time.Time, []string) {
	if s.compiled == nil || layer < 1 || layer > len(s.compiled.layers) {
		return time.Time{}, nil
	}
	l := &s.compiled.layers[layer-1]
	now, until, _ := l.at(t, s.compiled.loc)
	for range maxSteps {
		if until.IsZero() {
			return time.Time{}, nil
		}
		next, after, _ := l.at(until, s.compiled.loc)
		if !slices.Equal(now, next) {
			return until, slices.Clone(next)
		}
		until = after
	}
	return time.Time{}, nil
}

// Gap is a time in which nobody is on call for a layer.
type Gap struct {
	Layer    int // from 1; 0: nobody in any layer
	From, To time.Time
}

// Gaps lists the times between from and to in which a layer has nobody, by layer; those in which no layer has anybody
// come first, with layer 0. Only overrides without users make gaps.
func (s *Schedule) Gaps(from, to time.Time) []Gap {
	if s.compiled == nil {
		return nil
	}
	var perLayer []Gap
	empty := make([][]Gap, len(s.compiled.layers))
	for i := range s.compiled.layers {
		empty[i] = s.layerGaps(i+1, from, to)
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

func (s *Schedule) layerGaps(layer int, from, to time.Time) []Gap {
	l := &s.compiled.layers[layer-1]
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
		if users, _, _ := l.at(edges[i], s.compiled.loc); len(users) > 0 {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To.Equal(edges[i]) {
			out[n-1].To = edges[i+1]
			continue
		}
		out = append(out, Gap{Layer: layer, From: edges[i], To: edges[i+1]})
	}
	return out
}

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
