package statistics

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Definitions say what the columns count, in the order of the table, for pages and documentation.
var Definitions = []struct{ Column, Meaning string }{
	{"Calls", "calls that began in the week and have ended: the sum of the next four columns"},
	{"Answered", "the caller talked with a person"},
	{"Messages", "the caller left a message"},
	{"Hang-ups", "the caller hung up while choosing a team, waiting, or being connected"},
	{"Missed", "the caller stayed to the end, and neither reached a person nor left a message"},
	{"To a person, median", "from the beginning of the call until the caller talked with a person: half of the answered calls took this long or shorter"},
	{"To a person, 90 %", "the same: nine of ten answered calls took this long or shorter"},
}

// Report is the calls of some weeks. It is the API's answer; its JSON names are part of the API.
type Report struct {
	Zone  string `json:"time_zone"` // in which weeks begin, on Monday at midnight
	Team  string `json:"team"`      // id of the only team; "": all teams
	From  string `json:"from"`      // the first Monday
	To    string `json:"to"`        // the last Sunday
	Weeks []Week `json:"weeks"`     // the newest first, also those without calls
	Total Counts `json:"total"`     // of all weeks
}

// Week is the calls that began in a week. Total is not the sum of the teams' medians, hence a field
// of its own.
type Week struct {
	Week  string `json:"week"` // by ISO 8601, such as 2026-W48
	From  string `json:"from"` // Monday
	To    string `json:"to"`   // Sunday
	Total Counts `json:"total"`
	// Those with calls, by name; callers who reached no team are last.
	Teams []TeamCounts `json:"teams"`
}

// TeamCounts is the calls of a team in a week.
type TeamCounts struct {
	Team string `json:"team"`      // id; "": the callers reached no team
	Name string `json:"team_name"` // as the newest call has it
	Counts
}

// Counts are the columns of the table; see [Definitions].
type Counts struct {
	Calls    int `json:"calls"`
	Answered int `json:"answered"`
	Messages int `json:"messages"`
	HangUps  int `json:"hang_ups"`
	Missed   int `json:"missed"`
	// Not let in, such as banned numbers: not among calls.
	Rejected int `json:"rejected"`
	// Half of the answered calls; null: none, or it is not known.
	Median *float64 `json:"seconds_to_person"`
	P90    *float64 `json:"seconds_to_person_90th"` // nine of ten of the answered calls
}

// Read makes a report. A query that cannot be read is invalid and names the field. file, for time
// zones, may be nil. It costs the store one question for each week and one for the total, and one
// more for each week with several teams. now decides which week is the last.
func Read(ctx context.Context, calls store.Calls, file *switchboardfile.File, q Query, now time.Time) (Report, error) {
	s, err := q.span(now, file)
	if err != nil {
		return Report{}, err
	}
	r := Report{Zone: s.zone.String(), Team: q.Team, From: s.first.Format(time.DateOnly), To: s.week(s.weeks).AddDate(0, 0, -1).Format(time.DateOnly)}
	if r.Total, err = total(ctx, calls, q.Team, s.first, s.week(s.weeks)); err != nil {
		return r, err
	}
	// Only where the file says which teams there are, and no earlier call proves that there was
	// one.
	if file != nil && len(file.Teams) > 0 {
		var there []string
		for i := range file.Teams {
			there = append(there, file.Teams[i].ID)
		}
		if err := r.known(q, there); err != nil {
			return r, err
		}
	}
	// "" is the name of no team.
	named := teamNames{ctx: ctx, calls: calls, known: map[string]string{"": ""}}
	for i := s.weeks - 1; i >= 0; i-- {
		w, err := readWeek(ctx, calls, q.Team, s.week(i), s.week(i+1), &named)
		if err != nil {
			return r, err
		}
		r.Weeks = append(r.Weeks, w)
	}
	return r, nil
}

// ReadOf is Read for the calls of a platform, which also says which teams there are where no file
// does. While it does not answer, every team may be asked for.
func ReadOf(ctx context.Context, calls store.Calls, p platform.Platform, q Query, now time.Time) (Report, error) {
	file := File(p)
	r, err := Read(ctx, calls, file, q, now)
	if err != nil || file != nil || q.Team == "" {
		return r, err
	}
	teams, err := p.Teams(ctx, platform.Scope{})
	if err != nil {
		return r, nil //nolint:nilerr // The report is of use without the platform.
	}
	there := make([]string, len(teams))
	for i, t := range teams {
		there[i] = t.ID
	}
	return r, r.known(q, there)
}

// known is nil for a team that there is, or that a call of the report has reached. A report without
// calls, of a team that is misspelt, would read as that of a quiet one.
func (r Report) known(q Query, there []string) error {
	if q.Team == "" || r.Total.Calls+r.Total.Rejected > 0 || slices.Contains(there, q.Team) {
		return nil
	}
	return wrong("team", "there is no team %.60q, and no call of this time reached it: %s", q.Team, lists.OneOf(there))
}

// readWeek counts the calls that began in a week. from and to are midnights of Mondays; to is not
// in it.
func readWeek(ctx context.Context, calls store.Calls, team string, from, to time.Time, named *teamNames) (Week, error) {
	year, number := from.ISOWeek()
	w := Week{Week: fmt.Sprintf("%d-W%02d", year, number), From: from.Format(time.DateOnly), To: to.AddDate(0, 0, -1).Format(time.DateOnly), Teams: []TeamCounts{}}
	list, err := calls.CountCalls(ctx, store.CountFilter{From: from, To: to, Team: team, ByTeam: true})
	if err != nil {
		return w, err
	}
	for _, c := range list {
		name, err := named.of(c.Team)
		if err != nil {
			return w, err
		}
		w.Teams = append(w.Teams, TeamCounts{c.Team, name, counts(c)})
	}
	sortTeams(w.Teams)
	// A median of several teams cannot be made of theirs, so the store is asked again where there
	// are several.
	if len(list) == 1 {
		w.Total = w.Teams[0].Counts
		return w, nil
	}
	if len(list) > 1 {
		w.Total, err = total(ctx, calls, team, from, to)
	}
	return w, err
}

// total counts the calls of all teams, or of one, together. The store answers with one line at
// most, as it is not asked by team.
func total(ctx context.Context, calls store.Calls, team string, from, to time.Time) (Counts, error) {
	list, err := calls.CountCalls(ctx, store.CountFilter{From: from, To: to, Team: team})
	if err != nil || len(list) == 0 {
		return Counts{}, err
	}
	return counts(list[0]), nil
}

// counts are the columns of what the store has counted. Timed is how many of the answered calls say
// when a person answered; records of older releases do not.
func counts(c store.CallCounts) Counts {
	out := Counts{Calls: c.Calls, Answered: c.Answered, Messages: c.Messages, HangUps: c.HangUps, Missed: c.Missed, Rejected: c.Rejected}
	if c.Timed > 0 {
		out.Median, out.P90 = seconds(c.Median), seconds(c.P90)
	}
	return out
}

// seconds is a duration in seconds, to a tenth. A pointer, as JSON has null for what is not known.
func seconds(d time.Duration) *float64 {
	s := math.Round(d.Seconds()*10) / 10
	return &s
}
