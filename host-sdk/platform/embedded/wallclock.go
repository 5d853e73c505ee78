package embedded

import (
	"fmt"
	"time"
	_ "time/tzdata" // so that zones are known on machines without a zone database
)

// wallFormat is how local times are written in the file.
const wallFormat = "2006-01-02T15:04"

// wall is a wall-clock time without a zone: the fields of a time.Time in UTC that stand for what a clock on the wall
// shows. Arithmetic on it never meets daylight saving; only instant does.
type wall struct{ t time.Time }

func parseWall(text string) (wall, error) {
	t, err := time.Parse(wallFormat, text)
	if err != nil {
		return wall{}, fmt.Errorf("time %q: want an existing date and time such as 2026-01-05T09:00", text)
	}
	return wall{t}, nil
}

// wallOf is what a clock in loc shows at t.
func wallOf(t time.Time, loc *time.Location) wall {
	l := t.In(loc)
	return wall{time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)}
}

// instant is the first moment at which a clock in loc shows w or, where clocks jump over w, the moment of the jump. When
// clocks are put back and w comes twice, it is the first time. It never decreases as w grows.
func (w wall) instant(loc *time.Location) time.Time {
	guess := time.Date(w.t.Year(), w.t.Month(), w.t.Day(), w.t.Hour(), w.t.Minute(), w.t.Second(), w.t.Nanosecond(), loc)
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
		_, offset := n.In(loc).Zone()
		candidate := w.t.Add(-time.Duration(offset) * time.Second)
		if wallOf(candidate, loc).t.Equal(w.t) && (first.IsZero() || candidate.Before(first)) {
			first = candidate
		}
	}
	if !first.IsZero() {
		return first.UTC()
	}
	for _, jump := range []time.Time{begin, end} { // no clock ever shows w
		if !jump.IsZero() && wallOf(jump, loc).t.After(w.t) && wallOf(jump.Add(-time.Nanosecond), loc).t.Before(w.t) {
			return jump.UTC()
		}
	}
	return guess.UTC()
}
