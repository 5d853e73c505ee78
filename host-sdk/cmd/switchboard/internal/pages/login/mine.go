package login

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// shiftDays is how far one's own shifts are listed, as on the calendars of teams. It does not
// matter which weekday it is.
const shiftDays = 31

// myShift is a time in which somebody is on call.
type myShift struct {
	Team, TeamName string
	Layer          int // layer 1 is paged first
	From, To       time.Time
	Now, Changed   bool // it has begun; somebody entered it beside the schedule
	Beyond         bool // it goes on after the days that are listed
}

// shiftsOf lists when somebody is on call in the next month, the first to begin first. file may be
// nil. Times are in the zone of each team. A person may be in several layers at once.
func shiftsOf(file *switchboardfile.File, user string, now time.Time) []myShift {
	if file == nil || user == "" {
		return nil
	}
	end := now.AddDate(0, 0, shiftDays)
	var list []myShift
	for _, t := range file.TeamsByName() {
		for i := range t.Schedule.Layers {
			for _, s := range t.Schedule.Segments(i+1, now, end) {
				if !slices.Contains(s.Users, user) {
					continue
				}
				zone := t.Schedule.Zone()
				list = append(list, myShift{Team: t.ID, TeamName: t.Name, Layer: i + 1, From: s.From.In(zone), To: s.To.In(zone),
					Now: !s.From.After(now), Changed: s.Overridden, Beyond: !s.To.Before(end)})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b myShift) int { return a.From.Compare(b.From) })
	return list
}
