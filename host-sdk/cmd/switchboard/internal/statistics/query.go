package statistics

import (
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

const (
	// MaxWeeks bounds a report: a year, and the week that it ends in.
	MaxWeeks = 53
	// defaultWeeks is how many weeks a report has that nobody has given a beginning: about a
	// quarter.
	defaultWeeks = 12
)

// Query says what a report is about, as people write it. The zero Query is about all teams in the
// last twelve weeks. The fields are texts as typed; span reads them.
type Query struct {
	Team string // id; "": all teams
	From string // a day of the first week, such as 2026-03-31; "": eleven weeks before the last
	To   string // a day of the last week; "": today
	Zone string // time zone in which weeks begin, such as Europe/Vienna; "": see zoneOf
}

// FieldError says what is wrong with a field of a query: team, from, to or zone. It is an
// integration.Error of kind invalid, too. A page marks the field, the API says the message.
type FieldError struct{ Field, Message string }

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// Unwrap returns the error as the contract knows it.
func (e *FieldError) Unwrap() error {
	return &integration.Error{Kind: integration.KindInvalid, Message: e.Error()}
}

// wrong is a FieldError.
func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Sprintf(format, args...)}
}

// span is the weeks of a report. Weeks are counted by the calendar, so one with a change of clocks
// is an hour shorter or longer.
type span struct {
	zone  *time.Location
	first time.Time // midnight of the first Monday
	weeks int       // 1 to MaxWeeks
}

// week is the beginning of a week of the span, from 0; that of span.weeks is the end of the last.
// By days and not by hours, for the same reason.
func (s span) week(i int) time.Time { return s.first.AddDate(0, 0, 7*i) }

// Check returns the error that Read would have, without reading a call.
func (q Query) Check(now time.Time, file *switchboardfile.File) error {
	_, err := q.span(now, file)
	return err
}

// span reads the query. The order of its checks is that in which the fields depend on each other:
// without a zone no day can be read.
func (q Query) span(now time.Time, file *switchboardfile.File) (s span, err error) {
	name := q.Zone
	if name == "" {
		name = zoneOf(file, q.Team)
	}
	if s.zone, err = schedule.LoadZone(name); err != nil {
		return s, wrong("zone", "there is no time zone %.60q: write it as Europe/Vienna, or UTC", name)
	}
	last := monday(now.In(s.zone))
	if q.To != "" {
		to, err := q.day("to", q.To, s.zone)
		if err != nil {
			return s, err
		}
		if to := monday(to); to.Before(last) {
			last = to // weeks that have not begun have no calls
		}
	}
	s.first = last.AddDate(0, 0, -7*(defaultWeeks-1))
	if q.From != "" {
		from, err := q.day("from", q.From, s.zone)
		if err != nil {
			return s, err
		}
		s.first = monday(from)
	}
	if s.first.After(last) {
		return s, wrong("from", "the first week begins at %s, after the last one, which begins at %s: choose an earlier day",
			s.first.Format(time.DateOnly), last.Format(time.DateOnly))
	}
	// Counted rather than divided, as weeks are not equally long.
	for s.weeks = 1; s.week(s.weeks - 1).Before(last); s.weeks++ {
		if s.weeks == MaxWeeks {
			return s, wrong("from", "more than %d weeks from %s: choose a later day, or an earlier last day", MaxWeeks, s.first.Format(time.DateOnly))
		}
	}
	return s, nil
}

// day reads a date. The error names the field, as the query's own name for it.
func (Query) day(field, text string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return t, wrong(field, "the day %.40q cannot be read: write it as 2026-03-31", text)
	}
	return t, nil
}

// monday is the beginning of a time's week, by ISO 8601. Midnight that a change of clocks skips
// becomes the time right after it.
func monday(t time.Time) time.Time {
	back := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-back, 0, 0, 0, 0, t.Location())
}

// zoneOf is the time zone of reports that name none: that of the team's schedule, or of all teams
// where they have the same, else UTC. Platforms other than the embedded one do not tell. So a team
// sees its own weeks without asking for them.
func zoneOf(file *switchboardfile.File, team string) string {
	if zones := Zones(file, team); len(zones) == 1 {
		return zones[0]
	}
	return time.UTC.String()
}

// File is the switchboard file that a platform goes by; nil where it has its schedules elsewhere. A
// reading of it at one time is used for the whole report.
func File(p platform.Platform) *switchboardfile.File {
	if keeper, ok := p.(interface{ File() *switchboardfile.File }); ok {
		return keeper.File()
	}
	return nil
}

// Zones are the time zones of the schedules of a team, or with "" of all teams, each once, in the
// order of the switchboard file. file may be nil.
func Zones(file *switchboardfile.File, team string) []string {
	if file == nil {
		return nil
	}
	var zones []string
	seen := map[string]bool{"": true}
	for i := range file.Teams {
		t := &file.Teams[i]
		if zone := t.Schedule.Timezone; !seen[zone] && (team == "" || t.ID == team) {
			seen[zone], zones = true, append(zones, zone)
		}
	}
	return zones
}
