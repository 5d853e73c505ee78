package live

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// calendarWeeks is how far a calendar reaches, from the Monday of this week on: at least four weeks
// are ahead whatever the weekday.
const calendarWeeks = 5

// day is a day of a team's calendar, in the team's zone. A day lasts 23 or 25 hours when clocks
// change; its times are those of the wall.
type day struct {
	Date    time.Time
	Today   bool
	Past    bool
	Shifts  []dayShift
	Holiday bool
	// Uncovered are the times in which nobody is on call in any layer, such as "00:00–09:00".
	Uncovered []string
}

// dayShift is a part of a day in which the people on call for a layer stay the same. A shift over
// midnight is one part on each of its days.
type dayShift struct {
	Layer int
	// Names; "": nobody, as the layer is limited to other times, or its people are away.
	People  string
	Time    string // such as "09:00–24:00"; "": all day
	Changed bool   // an override decides
	Away    bool   // nobody, as all who would be on call are away
}

// calendar lays out who is on call in a team, week by week. The schedule computes segments for the
// whole time once a layer; each day then picks those that touch it.
func calendar(f *switchboardfile.File, t *switchboardfile.Team, now time.Time) []day {
	zone := t.Schedule.Zone()
	local := now.In(zone)
	// By calendar days, not by 24 hours, so that a change of clocks moves no midnight.
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	// Sunday is 0 in Go and last in ISO weeks.
	first := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	end := first.AddDate(0, 0, 7*calendarWeeks)
	layers := make([][]schedule.Segment, len(t.Schedule.Layers))
	for i := range layers {
		layers[i] = t.Schedule.Segments(i+1, first, end)
	}
	gaps := t.Schedule.Gaps(first, end)
	holidays := map[string]bool{}
	for _, date := range t.Schedule.Holidays {
		holidays[date] = true
	}
	var out []day
	for date := first; date.Before(end); date = date.AddDate(0, 0, 1) {
		next := date.AddDate(0, 0, 1)
		d := day{Date: date, Today: date.Equal(today), Past: date.Before(today), Holiday: holidays[date.Format(time.DateOnly)]}
		for i, segments := range layers {
			for _, s := range segments {
				if s.From.Before(next) && s.To.After(date) && (len(s.Users) > 0 || s.Overridden || s.Absent) {
					d.Shifts = append(d.Shifts, dayShift{Layer: i + 1, People: peopleNames(f, s.Users), Time: within(s.From, s.To, date, next), Changed: s.Overridden, Away: s.Absent})
				}
			}
		}
		// Layer 0 is nobody in any layer; a gap in one of several layers is seen on the list of
		// teams.
		for _, g := range gaps {
			if g.Layer == 0 && g.From.Before(next) && g.To.After(date) {
				text := within(g.From, g.To, date, next)
				if text == "" {
					text = "all day"
				}
				d.Uncovered = append(d.Uncovered, text)
			}
		}
		out = append(out, d)
	}
	return out
}

// within is the part of a day that a time covers; "": all of it. Both ends are in the day's zone;
// 24:00 rather than 00:00 says that it is the same day's end.
func within(from, to, date, next time.Time) string {
	if !from.After(date) && !to.Before(next) {
		return ""
	}
	begin, end := "00:00", "24:00"
	if from.After(date) {
		begin = from.In(date.Location()).Format("15:04")
	}
	if to.Before(next) {
		end = to.In(date.Location()).Format("15:04")
	}
	return begin + "–" + end
}

// peopleNames lists the names of people. Ids that the file no longer has are left out.
func peopleNames(f *switchboardfile.File, ids []string) string {
	text := ""
	for _, u := range f.People(ids) {
		if text != "" {
			text += ", "
		}
		text += u.Name
	}
	return text
}
