package schedule

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // so that zones are known on machines without a zone database
)

// localFormat is how local times are written in the file.
const localFormat = "2006-01-02T15:04"

// LocalTime is a date and time without a zone, as a clock on the wall shows it. Arithmetic on it
// never meets daylight saving; only its conversion to an instant does.
type LocalTime struct {
	t time.Time // in UTC, which has no daylight saving; only its fields count
}

// ParseLocalTime reads "2026-01-05T09:00". It refuses dates that do not exist.
func ParseLocalTime(text string) (LocalTime, error) {
	t, err := time.Parse(localFormat, text)
	if err != nil {
		return LocalTime{}, fmt.Errorf("time %q: want an existing date and time such as 2026-01-05T09:00", text)
	}
	return LocalTime{t}, nil
}

// Before reports whether a clock shows l before other.
func (l LocalTime) Before(other LocalTime) bool { return l.t.Before(other.t) }

// localTimeOf is what a clock in zone shows at t.
func localTimeOf(t time.Time, zone *time.Location) LocalTime {
	l := t.In(zone)
	return LocalTime{time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)}
}

// instant is the first time at which a clock in zone shows l or, where clocks jump over l, the time
// of the jump. When clocks are put back and l comes twice, it is the first of the two. It never
// decreases as l grows.
func (l LocalTime) instant(zone *time.Location) time.Time {
	// time.Date does not say which of two instants it returns, nor what it makes of a time that
	// does not exist. So the offsets in force before, at and after its answer are tried.
	guess := time.Date(l.t.Year(), l.t.Month(), l.t.Day(), l.t.Hour(), l.t.Minute(), l.t.Second(), l.t.Nanosecond(), zone)
	begin, end := guess.ZoneBounds()
	near := []time.Time{guess}
	if !begin.IsZero() {
		near = append(near, begin.Add(-time.Nanosecond))
	}
	if !end.IsZero() {
		near = append(near, end)
	}
	var first time.Time
	for _, n := range near {
		_, offset := n.In(zone).Zone()
		candidate := l.t.Add(-time.Duration(offset) * time.Second)
		if localTimeOf(candidate, zone).t.Equal(l.t) && (first.IsZero() || candidate.Before(first)) {
			first = candidate
		}
	}
	if !first.IsZero() {
		return first.UTC()
	}
	for _, jump := range []time.Time{begin, end} { // no clock ever shows l
		if !jump.IsZero() && localTimeOf(jump, zone).t.After(l.t) && localTimeOf(jump.Add(-time.Nanosecond), zone).t.Before(l.t) {
			return jump.UTC()
		}
	}
	return guess.UTC()
}

// LoadZone finds a time zone by its IANA name. It refuses what time.LoadLocation takes for
// convenience: "" and "Local", which mean something else on each machine.
func LoadZone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("time zone %q: name a zone such as America/New_York or Europe/Berlin", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not known: names look like America/New_York or Europe/Berlin", name)
	}
	return zone, nil
}
