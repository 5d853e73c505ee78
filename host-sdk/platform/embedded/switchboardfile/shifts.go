package switchboardfile

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
)

// Shift is a change that somebody made to the schedule of a team while the file stayed as it is.
// The file knows nothing of rows and authors; package shifts makes these of its own.
type Shift struct {
	Team     string // id
	Layer    int    // from 1
	From, To time.Time
	Users    []string
}

// Shifts are the changes that people made, the later ones before the earlier ones where two
// overlap.
type Shifts struct {
	Changes []Shift
	Away    []schedule.Absence
}

// WithShifts returns the file with the shifts that people changed, which count after the overrides
// of the file. Those of teams and layers that the file does not have any more are left out, and so
// are people who have left it. f itself stays as it is: whoever works with it goes on with what it
// said.
func (f *File) WithShifts(s Shifts) *File {
	other := *f
	other.Teams = slices.Clone(f.Teams)
	other.teams = make(map[string]*Team, len(f.Teams))
	for i := range other.Teams {
		t := &other.Teams[i]
		t.Schedule.Changes, t.Schedule.Away = nil, s.Away
		for _, c := range s.Changes {
			users := f.known(c.Users)
			// A shift of nobody but people who have left would leave the layer empty, and callers
			// without anybody: the schedule counts again.
			if c.Team != t.ID || len(users) == 0 && len(c.Users) > 0 {
				continue
			}
			t.Schedule.Changes = append(t.Schedule.Changes, schedule.Change{Layer: c.Layer, From: c.From, To: c.To, Users: users})
		}
		// What was resolved once is resolved again: changes are instants, which cannot be wrong.
		if err := t.Schedule.Resolve(); err != nil {
			t.Schedule = f.Teams[i].Schedule
		}
		addFirst(other.teams, t.ID, t)
	}
	return &other
}

// known leaves out the ids of people whom the file does not have.
func (f *File) known(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return f.users[id] == nil })
}
