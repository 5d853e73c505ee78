package schedule

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // so that zones are known on machines without a zone database
)

// localFormat is how local times are written in the file.
const localFormat = "2006-01-02T15:04"

// Years that may be written in the file. Nobody plans shifts outside them: another year is a typing
// error, such as 0206 for 2026.
const (
	minYear = 2000
	maxYear = 2100
)

// LocalTime is a date and time without a zone, as a clock on the wall shows it, to the second.
// Arithmetic on it never meets daylight saving; only its conversion to an instant does.
//
// It counts seconds in whole numbers, because a time.Duration ends after 292 years.
type LocalTime struct {
	seconds int64 // that the clock has moved on since it showed 1970-01-01T00:00
}

// ParseLocalTime reads "2026-01-05T09:00". It refuses dates that do not exist and years before 2000
// or after 2100.
func ParseLocalTime(text string) (LocalTime, error) {
	t, err := time.Parse(localFormat, text)
	if err != nil {
		return LocalTime{}, fmt.Errorf("time %q: want an existing date and time such as 2026-01-05T09:00", text)
	}
	if t.Year() < minYear || t.Year() > maxYear {
		return LocalTime{}, fmt.Errorf("time %q: the year must be between %d and %d, such as 2026-01-05T09:00", text, minYear, maxYear)
	}
	return LocalTime{t.Unix()}, nil
}

// Before reports whether a clock shows l before other.
func (l LocalTime) Before(other LocalTime) bool { return l.seconds < other.seconds }

// maxOffset is more than any zone differs from UTC; the furthest in the database are Juneau and
// Manila before their date line was moved, by less than 16 hours.
const maxOffset = 24 * 60 * 60

// stretch is a time in which a zone does not change its clocks. Within one, local time and instant
// differ by a constant, so arithmetic is plain.
type stretch struct {
	from, to int64 // Unix seconds, from included
	offset   int64 // what a clock shows, less UTC, in seconds
}

// stretchAt finds the stretch of a zone around an instant. One without a beginning or an end
// reaches as far as anybody looks from that instant. Three days are more than two clocks can differ
// by, so nothing further away matters to the callers.
func stretchAt(unix int64, zone *time.Location) stretch {
	t := time.Unix(unix, 0).In(zone)
	_, offset := t.Zone()
	s := stretch{from: unix - 3*maxOffset, to: unix + 3*maxOffset, offset: int64(offset)}
	begin, end := t.ZoneBounds()
	if !begin.IsZero() {
		s.from = max(s.from, begin.Unix())
	}
	if !end.IsZero() {
		s.to = min(s.to, end.Unix())
	}
	return s
}

// reachedAt is the latest that a clock in zone has shown up to t. While an hour comes for the
// second time this stays what it was, so it never goes back.
func reachedAt(t time.Time, zone *time.Location) LocalTime {
	now := t.Unix()
	s := stretchAt(now, zone)
	latest := now + s.offset
	for s.from > now-2*maxOffset { // earlier, no clock can have shown as much
		s = stretchAt(s.from-1, zone)
		latest = max(latest, s.to-1+s.offset)
	}
	return LocalTime{latest}
}

// instant is the first time at which a clock in zone shows l or, where clocks jump over l, the time
// of the jump. When clocks are put back and l comes twice, it is the first of the two. It never
// decreases as l grows. It walks from one stretch of the zone to the next, because a guess by
// offset is wrong around a change of clocks.
func (l LocalTime) instant(zone *time.Location) time.Time {
	at := l.seconds - maxOffset // no clock shows l so early
	for at < l.seconds+maxOffset {
		s := stretchAt(at, zone)
		if first := max(at, l.seconds-s.offset); first < s.to {
			at = first
			break
		}
		at = s.to
	}
	return time.Unix(at, 0).UTC()
}

// In is the first time at which a clock in zone shows l, or the time of the jump where clocks jump
// over l.
func (l LocalTime) In(zone *time.Location) time.Time { return l.instant(zone) }

// Skipped is why the time from l to end is none in zone, where clocks jump over all of it; "": it
// is one.
func (l LocalTime) Skipped(end LocalTime, zone *time.Location) string {
	if !l.Before(end) || l.In(zone).Before(end.In(zone)) {
		return ""
	}
	name := zone.String()
	if zone == time.Local {
		name = "this machine's time zone"
	}
	const shown = "2006-01-02 15:04"
	return fmt.Sprintf("clocks in %s are put forward over all the time from %s to %s, so it never comes: choose other times", name,
		time.Unix(l.seconds, 0).UTC().Format(shown), time.Unix(end.seconds, 0).UTC().Format(shown))
}

// Shown is the date and time that t shows in its own zone.
func Shown(t time.Time) LocalTime {
	_, offset := t.Zone()
	return LocalTime{t.Unix() + int64(offset)}
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
