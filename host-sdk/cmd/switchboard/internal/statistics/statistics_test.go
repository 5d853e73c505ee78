package statistics

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
)

// played is a store with scripted calls.
type played struct {
	*sqlstore.Store
	t *testing.T
	n int
}

func open(t *testing.T) *played {
	t.Helper()
	return &played{sqlstoretest.Open(t, clock.System()), t, 0}
}

// commit writes a state of the call with this number.
func (p *played) commit(now time.Time, version int64, live bool, v integration.CallView) {
	p.t.Helper()
	key := fmt.Sprint("CA", p.n)
	_, err := p.Commit(context.Background(), store.Commit{Integration: "a", Key: key, Version: version, Now: now,
		Session: &store.Session{Live: live, Call: &v}, Call: &store.CallUpdate{New: version == 0, View: &v, Live: live}})
	if err != nil {
		p.t.Fatal(err)
	}
}

// call is a call that begins at a time and ends in a way. One that is connected has waited some
// seconds for a person before.
func (p *played) call(at time.Time, team, ended string, waited int) {
	p.t.Helper()
	p.n++
	v := integration.CallView{Team: team, TeamName: strings.ToUpper(team), StartedAt: at}
	p.commit(at, 0, true, v)
	version := int64(1)
	if waited > 0 {
		v.Legs = []integration.LegView{{Role: integration.RoleResponder, State: integration.LegTalking}}
		p.commit(at.Add(time.Duration(waited)*time.Second), 1, true, v)
		version++
		v.Legs = []integration.LegView{{Role: integration.RoleResponder, State: "ended", Reason: integration.LegTalked}}
	}
	v.Ended, v.EndedAt = ended, at.Add(time.Hour)
	p.commit(v.EndedAt, version, ended == "", v)
}

// file is a switchboard file whose teams have these time zones.
func file(zones ...string) *switchboardfile.File {
	f := &switchboardfile.File{}
	for i, zone := range zones {
		var t switchboardfile.Team
		t.ID, t.Schedule.Timezone = fmt.Sprint("team", i+1), zone
		f.Teams = append(f.Teams, t)
	}
	return f
}

func number(f float64) *float64 { return &f }

// Each call whose end is known is counted once, in the week in which it began in the time zone of
// the report.
func TestEachCallIsCountedOnce(t *testing.T) {
	t.Parallel()
	p := open(t)
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	// The Monday at 0:30 in Vienna is Sunday in UTC.
	// The clocks went forward the night before.
	monday := time.Date(2026, 3, 30, 0, 30, 0, 0, vienna)
	p.call(monday, "web", store.EndConnected, 12)
	p.call(monday.Add(time.Hour), "web", store.EndConnected, 30)
	p.call(monday.Add(2*time.Hour), "web", "no_message", 0)
	p.call(monday.Add(3*time.Hour), "devops", store.EndMessageLeft, 0)
	p.call(monday.Add(4*time.Hour), "", store.EndHungUp, 0)
	p.call(monday.Add(5*time.Hour), "", store.EndRejected, 0)
	p.call(monday.Add(6*time.Hour), "devops", "", 0)                // in progress
	p.call(monday.Add(-time.Hour), "devops", store.EndConnected, 7) // the week before
	now := monday.Add(24 * time.Hour)

	got, err := Read(t.Context(), p, file("Europe/Vienna"), Query{From: "2026-03-20"}, now)
	if err != nil {
		t.Fatal(err)
	}
	web := Counts{Calls: 3, Answered: 2, Missed: 1, Median: number(12), P90: number(30)}
	before := Counts{Calls: 1, Answered: 1, Median: number(7), P90: number(7)}
	want := Report{Zone: "Europe/Vienna", From: "2026-03-16", To: "2026-04-05",
		Total: Counts{Calls: 6, Answered: 3, Messages: 1, HangUps: 1, Missed: 1, Rejected: 1, Median: number(12), P90: number(30)},
		Weeks: []Week{
			{Week: "2026-W14", From: "2026-03-30", To: "2026-04-05",
				Total: Counts{Calls: 5, Answered: 2, Messages: 1, HangUps: 1, Missed: 1, Rejected: 1, Median: number(12), P90: number(30)},
				Teams: []TeamCounts{{"devops", "DEVOPS", Counts{Calls: 1, Messages: 1}}, {"web", "WEB", web}, {"", "", Counts{Calls: 1, HangUps: 1, Rejected: 1}}}},
			{Week: "2026-W13", From: "2026-03-23", To: "2026-03-29", Total: before, Teams: []TeamCounts{{"devops", "DEVOPS", before}}},
			{Week: "2026-W12", From: "2026-03-16", To: "2026-03-22", Teams: []TeamCounts{}},
		}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, w := range got.Weeks {
		for _, c := range append(w.Teams, TeamCounts{Counts: w.Total}, TeamCounts{Counts: got.Total}) {
			if c.Answered+c.Messages+c.HangUps+c.Missed != c.Calls {
				t.Errorf("%s: the parts of %+v are not its calls", w.Week, c)
			}
		}
	}

	// In UTC both calls at midnight are in the week before.
	if got, err = Read(t.Context(), p, nil, Query{From: "2026-03-23"}, now); err != nil {
		t.Fatal(err)
	}
	if got.Zone != "UTC" || got.Weeks[1].Total.Calls != 3 {
		t.Errorf("in UTC: %+v", got)
	}
	if got, err = Read(t.Context(), p, nil, Query{Team: "web", Zone: "Europe/Vienna"}, now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(web, got.Total); diff != "" || len(got.Weeks) != 12 {
		t.Errorf("of one team in %d weeks (-want +got):\n%s", len(got.Weeks), diff)
	}

	var b strings.Builder
	if err := got.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if want := "week,from,to,time_zone,team,team_name,calls,answered,messages,hang_ups,missed,rejected,seconds_to_person,seconds_to_person_90th\r\n" +
		"2026-W14,2026-03-30,2026-04-05,Europe/Vienna,web,WEB,3,2,0,0,1,0,12,30\r\n"; b.String() != want {
		t.Errorf("as CSV:\n%s\nwant:\n%s", b.String(), want)
	}
	// A name that a spreadsheet would run.
	got.Weeks[0].Teams[0].Name = "=HYPERLINK(1)"
	b.Reset()
	if err := got.WriteCSV(&b); err != nil || !strings.Contains(b.String(), ",web,'=HYPERLINK(1),3,") {
		t.Errorf("as CSV (%v):\n%s", err, b.String())
	}
}

// Weeks begin in the time zone that is asked for, else in that of the team, or of all teams where
// they have the same.
func TestWeeksBeginInATimeZone(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		file *switchboardfile.File
		q    Query
		want string
	}{
		{nil, Query{}, "UTC"},
		{file("Asia/Tokyo", "Asia/Tokyo"), Query{}, "Asia/Tokyo"},
		{file("Asia/Tokyo", "America/Lima"), Query{}, "UTC"},
		{file("Asia/Tokyo", "America/Lima"), Query{Team: "team2"}, "America/Lima"},
		{file("Asia/Tokyo"), Query{Zone: "Europe/Vienna"}, "Europe/Vienna"},
	} {
		s, err := c.q.span(now, c.file)
		if err != nil || s.zone.String() != c.want {
			t.Errorf("%+v: weeks begin in %s, want %s (%v)", c.q, s.zone, c.want, err)
		}
		if s.first.Weekday() != time.Monday || s.first.Hour() != 0 || s.weeks != 12 {
			t.Errorf("%+v: %d weeks from %s", c.q, s.weeks, s.first)
		}
	}
}

// What cannot be read is named with its field and what to write.
func TestWrongQueries(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		q           Query
		field, want string
	}{
		{Query{From: "31.3.2026"}, "from", `the day "31.3.2026" cannot be read: write it as 2026-03-31`},
		{Query{To: "2026-02-30"}, "to", "cannot be read"},
		{Query{Zone: "Vienna"}, "zone", `there is no time zone "Vienna": write it as Europe/Vienna`},
		{Query{Zone: "../etc/passwd"}, "zone", "there is no time zone"},
		{Query{From: "2026-03-12"}, "from", "choose an earlier day"},
		{Query{From: "2020-01-01"}, "from", "more than 53 weeks"},
	} {
		err := c.q.Check(now, nil)
		var wrong *FieldError
		if !errors.As(err, &wrong) || wrong.Field != c.field || !strings.Contains(wrong.Message, c.want) {
			t.Errorf("%+v: %v", c.q, err)
		}
		if integration.KindOf(err) != integration.KindInvalid {
			t.Errorf("%+v: the kind is %s", c.q, integration.KindOf(err))
		}
	}
	// The longest report, and one that ends in the future.
	for _, q := range []Query{{From: "2025-03-03"}, {To: "2030-01-01"}} {
		if err := q.Check(now, nil); err != nil {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// docs/calls.md defines the columns as the page does.
func TestTheGuideDefinesTheColumns(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../../../docs/calls.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Definitions {
		if row := "| " + d.Column + " | " + d.Meaning + " |"; !strings.Contains(string(guide), row) {
			t.Errorf("the guide has no row %s", row)
		}
	}
}
