// Package schedule is who is on call when: layers of rotations and fixed lists of people, with
// overrides, on the wall clock of one time zone. It is pure: it knows users by id and reads no
// clock.
//
//	schedule.go  Schedule: who is on call, and until when
//	spans.go     when which override decides
//	gaps.go      where nobody is
//	localtime.go local time to instant, over daylight-saving nights; time zones
//	duration.go  5m, 1h30m, 1w
package schedule

import (
	"errors"
	"slices"
	"time"
)

// Schedule says who is on call when. Layer 1 is Layers[0].
type Schedule struct {
	Timezone  string     `json:"timezone"`
	Layers    []Layer    `json:"layers"`
	Overrides []Override `json:"overrides"`

	resolved *resolved // set when the file is checked
}

// Layer is a rotation, or a list of users who are all on call always.
type Layer struct {
	Rotation *Rotation `json:"rotation"`
	Users    []string  `json:"users"`
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

// resolved is a schedule with its local times turned into instants as far as possible.
type resolved struct {
	zone   *time.Location
	layers []layer
}

type layer struct {
	users     []string
	start     LocalTime
	every     int64      // seconds of a turn; 0: all users always
	overrides []override // in the order of the file
	replaced  []span     // the times in which an override decides, in order, none within another
}

type override struct {
	from, to time.Time
	users    []string
}

// Resolve makes the schedule ready to be asked. It fails on what a checked file does not have: an
// unknown zone, a local time that is none, a rotation without users. Overrides of layers that do
// not exist are left out.
func (s *Schedule) Resolve() error {
	zone, err := LoadZone(s.Timezone)
	if err != nil {
		return err
	}
	r := &resolved{zone: zone}
	for _, l := range s.Layers {
		out := layer{users: l.Users}
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
// begins and ends. It is the last turn whose time on the wall clock has been reached.
func (l *layer) turn(t time.Time, zone *time.Location) (number int64, begin, end time.Time) {
	passed := reachedAt(t, zone).seconds - l.start.seconds
	number = passed / l.every
	if passed%l.every < 0 { // Go rounds towards zero
		number--
	}
	startOf := func(turn int64) time.Time { return LocalTime{l.start.seconds + turn*l.every}.instant(zone) }
	return number, startOf(number), startOf(number + 1)
}

// at returns who is on call at t, and until when at least that stays so (zero: for ever).
// overridden reports whether an override decided it.
func (l *layer) at(t time.Time, zone *time.Location) (users []string, until time.Time, overridden bool) {
	next := l.spanAfter(t)
	if next < len(l.replaced) && !t.Before(l.replaced[next].from) {
		return l.replaced[next].users, l.replaced[next].to, true
	}
	users = l.users
	if l.every > 0 {
		turn, _, end := l.turn(t, zone)
		n := int64(len(l.users))
		users = []string{l.users[((turn%n)+n)%n]} // Go's remainder is negative before the start
		until = end
	}
	if next < len(l.replaced) && (until.IsZero() || l.replaced[next].from.Before(until)) {
		until = l.replaced[next].from
	}
	return users, until, false
}

// OnCallAt returns the ids of the people on call for a layer (from 1) at t, in the schedule's
// order. A layer the schedule does not have has nobody.
func (s *Schedule) OnCallAt(number int, t time.Time) []string {
	l := s.layer(number)
	if l == nil {
		return nil
	}
	users, _, _ := l.at(t, s.resolved.zone)
	return slices.Clone(users)
}

// OverriddenAt reports whether an override decides who is on call for a layer at t.
func (s *Schedule) OverriddenAt(number int, t time.Time) bool {
	l := s.layer(number)
	if l == nil {
		return false
	}
	_, _, overridden := l.at(t, s.resolved.zone)
	return overridden
}

// maxTurns bounds the search for a handoff: turns that hand over to the same person are passed
// over.
const maxTurns = 500

// NextHandoff returns when the people on call for a layer change for the first time after t, and to
// whom. Zero: never, or not within the next 500 turns and overrides.
func (s *Schedule) NextHandoff(number int, t time.Time) (time.Time, []string) {
	l := s.layer(number)
	if l == nil {
		return time.Time{}, nil
	}
	now, until, _ := l.at(t, s.resolved.zone)
	for range maxTurns {
		if until.IsZero() {
			return time.Time{}, nil
		}
		next, after, _ := l.at(until, s.resolved.zone)
		if !slices.Equal(now, next) {
			return until, slices.Clone(next)
		}
		until = after
	}
	return time.Time{}, nil
}
