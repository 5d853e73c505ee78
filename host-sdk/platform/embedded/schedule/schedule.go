// Package schedule is who is on call when: layers of rotations and fixed lists of people, with
// overrides, on the wall clock of one time zone. It is pure: it knows users by id and reads no
// clock.
//
//	schedule.go  Schedule: who is on call, and until when
//	windows.go   the days and hours that a layer is limited to; holidays
//	spans.go     when which override decides, and who is away
//	gaps.go      where nobody is
//	segments.go  who is on call over a time
//	localtime.go local time to instant, over daylight-saving nights; time zones
//	duration.go  5m, 1h30m, 1w
package schedule

import (
	"errors"
	"slices"
	"time"
)

// Schedule says who is on call when. Layer 1 is Layers[0]. It is not changed once it is resolved,
// so goroutines may share it. What is asked is always of one instant: the time zone decides only
// what the file's local times mean.
type Schedule struct {
	Timezone  string     `json:"timezone"`
	Layers    []Layer    `json:"layers"`
	Overrides []Override `json:"overrides"`
	// Holidays are dates such as 2026-12-25, in the schedule's time zone: a layer that is limited
	// to weekdays does not cover them. See [Window].
	Holidays []string `json:"-"`
	// Changes are made by people while the file stays as it is. They count after Overrides, the
	// later ones before the earlier ones.
	Changes []Change `json:"-"`
	// Away are the times in which people are not on call in any layer, overrides included.
	Away []Absence `json:"-"`

	resolved *resolved // set when the file is checked
}

// Layer is a rotation, or a list of users who are all on call.
type Layer struct {
	Rotation *Rotation `json:"rotation"`
	Users    []string  `json:"users"`
	// On limits the layer to these times; at others it has nobody, and the next layer is paged. An
	// override counts at any time. Empty: always.
	On Windows `json:"on"`
}

// Rotation hands over from user to user. Every is a number of hours, days or weeks on the wall
// clock; the first turn begins at Start, and the turns before it are counted backwards, so that
// somebody is always on call.
type Rotation struct {
	Start string   `json:"start"` // local time, see localFormat
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

// Change replaces the users of a layer from From (included) to To (excluded), as an [Override]
// does.
type Change struct {
	Layer    int // from 1
	From, To time.Time
	Users    []string // empty: nobody
}

// Absence is a time from From (included) to To (excluded) in which a person is away.
type Absence struct {
	User     string
	From, To time.Time
}

// resolved is a schedule with its local times turned into instants as far as possible. Rotations
// stay on the wall clock, as their turns have no end; all else is instants.
type resolved struct {
	zone     *time.Location
	layers   []layer
	holidays map[int64]bool    // days since 1970-01-01
	away     map[string][]span // by user, in order, none within another
}

type layer struct {
	users     []string
	start     LocalTime
	every     int64      // seconds of a turn; 0: all users always
	windows   []window   // the times to which the layer is limited; empty: none
	overrides []override // in the order of the file, then changes
	replaced  []span     // the times in which an override decides, in order, none within another
	// What the windows cover, kept from one question to the next; nil: not kept.
	ahead *coverage
}

// inOrder is the layer for questions in the order of time. A window is not looked at again for each
// of them. It is not for two goroutines.
func (l layer) inOrder() *layer {
	l.ahead = new(coverage)
	return &l
}

// From the file or from a change: once resolved there is no difference.
type override struct {
	from, to time.Time
	users    []string
}

// Resolve makes the schedule ready to be asked. It fails on what a checked file does not have: an
// unknown zone, a local time that is none, a rotation without users. Overrides and changes of
// layers that do not exist are left out.
func (s *Schedule) Resolve() error {
	zone, err := LoadZone(s.Timezone)
	if err != nil {
		return err
	}
	r := &resolved{zone: zone, away: awayByUser(s.Away)}
	if r.holidays, err = parseHolidays(s.Holidays); err != nil {
		return err
	}
	for _, l := range s.Layers {
		out := layer{users: l.Users}
		if out.windows, err = l.On.resolve(); err != nil {
			return err
		}
		if l.Rotation != nil {
			out.users, out.every = l.Rotation.Users, int64(time.Duration(l.Rotation.Every)/time.Second)
			if out.start, err = ParseLocalTime(l.Rotation.Start); err != nil {
				return err
			}
			switch len(out.users) {
			case 0:
				return errors.New("a rotation needs at least one user")
			case 1:
				out.every = 0 // nobody to hand over to
			}
		}
		r.layers = append(r.layers, out)
	}
	for _, o := range s.Overrides {
		from, err := ParseLocalTime(o.From)
		if err != nil {
			return err
		}
		to, err := ParseLocalTime(o.To)
		if err != nil {
			return err
		}
		if o.Layer < 1 || o.Layer > len(r.layers) {
			continue
		}
		l := &r.layers[o.Layer-1]
		l.overrides = append(l.overrides, override{from: from.instant(zone), to: to.instant(zone), users: o.Users})
	}
	// Appended, so that they win over the file's overrides.
	for _, c := range s.Changes {
		if c.Layer >= 1 && c.Layer <= len(r.layers) && c.From.Before(c.To) {
			l := &r.layers[c.Layer-1]
			l.overrides = append(l.overrides, override{from: c.From, to: c.To, users: c.Users})
		}
	}
	for i := range r.layers {
		r.layers[i].replaced = spansOf(r.layers[i].overrides)
	}
	s.resolved = r
	return nil
}

// Zone is the schedule's time zone; UTC before Resolve.
func (s *Schedule) Zone() *time.Location {
	if s.resolved == nil {
		return time.UTC
	}
	return s.resolved.zone
}

// layer finds a layer by its number from 1; nil when the schedule has none of it.
func (s *Schedule) layer(number int) *layer {
	if s.resolved == nil || number < 1 || number > len(s.resolved.layers) {
		return nil
	}
	return &s.resolved.layers[number-1]
}

// turn returns the number of the turn that t falls into (negative before the start) and when it
// begins and ends. It is the last turn whose time on the wall clock has been reached. A handover at
// 09:00 stays at 09:00 over a night in which clocks change.
func (l *layer) turn(t time.Time, zone *time.Location) (number int64, begin, end time.Time) {
	passed := reachedAt(t, zone).seconds - l.start.seconds
	number = passed / l.every
	if passed%l.every < 0 { // Go rounds towards zero
		number--
	}
	startOf := func(turn int64) time.Time { return LocalTime{l.start.seconds + turn*l.every}.instant(zone) }
	return number, startOf(number), startOf(number + 1)
}

// at returns who is on call for a layer at t, and until when at least that stays so (zero: for
// ever). overridden reports whether an override decided it. The order: an override decides, else
// the plan within its windows; from either, people who are away are taken out.
func (r *resolved) at(l *layer, t time.Time) (users []string, until time.Time, overridden bool) {
	next := l.spanAfter(t)
	if next < len(l.replaced) && !t.Before(l.replaced[next].from) {
		users, until, overridden = l.replaced[next].users, l.replaced[next].to, true
	} else {
		users, until = r.planned(l, t)
		if next < len(l.replaced) {
			until = earlier(until, l.replaced[next].from)
		}
	}
	users, change := r.present(users, t)
	return users, earlier(until, change), overridden
}

// planned is at without overrides and absences: the rotation or the list, within the layer's
// windows. until is when it may change, which need not mean that it does.
func (r *resolved) planned(l *layer, t time.Time) (users []string, until time.Time) {
	users = l.users
	if len(l.windows) > 0 {
		inside, edge := r.inside(l, t)
		if !inside {
			return nil, edge
		}
		until = edge
	}
	if l.every > 0 {
		turn, _, end := l.turn(t, r.zone)
		n := int64(len(l.users))
		users = []string{l.users[((turn%n)+n)%n]} // Go's remainder is negative before the start
		until = earlier(until, end)
	}
	return users, until
}

// present leaves out the users who are away at t, and says when one of the users may leave or come
// back (zero: never). It returns users itself while nobody is ever away, the usual case.
func (r *resolved) present(users []string, t time.Time) (there []string, change time.Time) {
	if len(r.away) == 0 {
		return users, time.Time{}
	}
	for _, id := range users {
		spans := r.away[id]
		next := spanAfter(spans, t)
		switch {
		case next == len(spans):
			there = append(there, id)
		case t.Before(spans[next].from):
			there = append(there, id)
			change = earlier(change, spans[next].from)
		default:
			change = earlier(change, spans[next].to)
		}
	}
	return there, change
}

// earlier returns the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// OnCallAt returns the ids of the people on call for a layer (from 1) at t, in the schedule's
// order. A layer the schedule does not have has nobody.
func (s *Schedule) OnCallAt(number int, t time.Time) []string {
	l := s.layer(number)
	if l == nil {
		return nil
	}
	users, _, _ := s.resolved.at(l, t)
	return slices.Clone(users)
}

// OverriddenAt reports whether an override decides who is on call for a layer at t.
func (s *Schedule) OverriddenAt(number int, t time.Time) bool {
	l := s.layer(number)
	if l == nil {
		return false
	}
	_, _, overridden := s.resolved.at(l, t)
	return overridden
}

// maxTurns bounds the search for a handoff: turns that hand over to the same person are passed
// over.
const maxTurns = 500

// NextHandoff returns when the people on call for a layer change for the first time after t, and to
// whom. Zero: never, or not within the next 500 turns and overrides. It steps over changes that
// leave the same people, such as the edge of an override by whoever is on call anyhow.
func (s *Schedule) NextHandoff(number int, t time.Time) (time.Time, []string) {
	l := s.layer(number)
	if l == nil {
		return time.Time{}, nil
	}
	l = l.inOrder()
	now, until, _ := s.resolved.at(l, t)
	for range maxTurns {
		if until.IsZero() {
			return time.Time{}, nil
		}
		next, after, _ := s.resolved.at(l, until)
		if !slices.Equal(now, next) {
			return until, slices.Clone(next)
		}
		until = after
	}
	return time.Time{}, nil
}
