package switchboardfile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
)

// TeamOnCall is one team's row of who is on call, for pages and the command line.
type TeamOnCall struct {
	Team     integration.Destination
	Timezone string
	Layers   []LayerOnCall
	Gaps     []schedule.Gap // within the horizon asked for
}

// LayerOnCall is who is on call for a layer.
type LayerOnCall struct {
	Layer    int // from 1
	Users    []integration.User
	Override bool               // an override decides who it is
	Timeout  time.Duration      // how long the layer has before the next one is paged
	Until    time.Time          // next handoff; zero: none to be seen
	Next     []integration.User // who is on call from Until on
}

// OnCall says for each team, by name, who is on call at a time, when it hands over, and where
// nobody is on call between at and at+horizon. at decides for all teams, each in its own zone.
func (f *File) OnCall(at time.Time, horizon time.Duration) []TeamOnCall {
	var out []TeamOnCall
	for _, t := range f.TeamsByName() {
		row := TeamOnCall{Team: t.Destination(), Timezone: t.Schedule.Timezone, Gaps: t.Schedule.Gaps(at, at.Add(horizon))}
		for i := range t.Schedule.Layers {
			// From at on, so a hand-off at this very moment has happened.
			until, next := t.Schedule.NextHandoff(i+1, at)
			row.Layers = append(row.Layers, LayerOnCall{
				Layer: i + 1, Users: f.People(t.Schedule.OnCallAt(i+1, at)), Override: t.Schedule.OverriddenAt(i+1, at),
				Timeout: time.Duration(t.Escalation.Layers[i].Timeout), Until: until, Next: f.People(next),
			})
		}
		out = append(out, row)
	}
	return out
}

// TeamsByName sorts the teams case-insensitively: the order in which callers hear them. Names may
// be equal but for their case only in files that were not checked; ids make the order certain all
// the same.
func (f *File) TeamsByName() []*Team {
	out := make([]*Team, 0, len(f.Teams))
	for i := range f.Teams {
		out = append(out, &f.Teams[i])
	}
	slices.SortStableFunc(out, func(a, b *Team) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return out
}

// People finds people by id, in that order. Unknown ids are left out. The result is a copy, which
// the caller may change.
func (f *File) People(ids []string) []integration.User {
	var out []integration.User
	for _, id := range ids {
		if u := f.users[id]; u != nil {
			out = append(out, u.Contract())
		}
	}
	return out
}
