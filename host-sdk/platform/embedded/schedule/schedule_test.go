package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func utc(text string) time.Time {
	t, err := time.Parse("2006-01-02T15:04Z", text)
	if err != nil {
		panic(err)
	}
	return t
}

func schedule(t testing.TB, zone string, layers []Layer, overrides ...Override) *Schedule {
	t.Helper()
	s := &Schedule{Timezone: zone, Layers: layers, Overrides: overrides}
	if err := s.Resolve(); err != nil {
		t.Fatal(err)
	}
	return s
}

func turns(start string, every time.Duration, users ...string) []Layer {
	return []Layer{{Rotation: &Rotation{Start: start, Every: Duration(every), Users: users}}}
}

const (
	hour = time.Hour
	day  = 24 * time.Hour
	week = 7 * day
)

func TestInstantOverChangesOfClocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, wall, want string }{
		{"America/New_York", "2026-03-07T02:30", "2026-03-07T07:30Z"},
		// Jumped over: the moment of the jump.
		{"America/New_York", "2026-03-08T02:30", "2026-03-08T07:00Z"},
		{"America/New_York", "2026-03-08T02:00", "2026-03-08T07:00Z"},
		{"America/New_York", "2026-03-08T03:00", "2026-03-08T07:00Z"},
		{"America/New_York", "2026-03-08T09:00", "2026-03-08T13:00Z"},
		{"America/New_York", "2026-11-01T00:59", "2026-11-01T04:59Z"},
		{"America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z"}, // twice: the first time
		{"America/New_York", "2026-11-01T02:00", "2026-11-01T07:00Z"},
		{"Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00Z"},
		{"Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z"},
		{"Europe/London", "2026-10-25T01:30", "2026-10-25T00:30Z"},
		{"Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z"}, // half an hour
		{"Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z"},
		{"Australia/Sydney", "2026-10-04T02:30", "2026-10-03T16:00Z"},
		// Clocks go back for a month.
		{"Africa/Casablanca", "2026-02-15T02:30", "2026-02-15T01:30Z"},
		{"Asia/Kolkata", "2026-06-01T09:00", "2026-06-01T03:30Z"},
		{"Pacific/Apia", "2011-12-30T09:00", "2011-12-30T10:00Z"}, // a whole day that never was
		{"UTC", "2026-01-01T00:00", "2026-01-01T00:00Z"},
		{"America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00Z"}, // midnight jumped over
	} {
		loc, err := LoadZone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		w, err := ParseLocalTime(c.wall)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.instant(loc); !got.Equal(utc(c.want)) {
			t.Errorf("%s in %s is %s, want %s", c.wall, c.zone, got.Format(time.RFC3339), c.want)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	ny := "America/New_York"
	weekly := schedule(t, ny, turns("2026-01-05T09:00", week, "alice", "bob"))
	daily := schedule(t, ny, turns("2026-01-05T02:30", day, "alice", "bob"))
	shifts := schedule(t, ny, turns("2026-01-05T06:00", 12*hour, "alice", "bob"))
	hourly := schedule(t, ny, turns("2026-03-08T00:00", hour, "a", "b", "c", "d"))
	for _, c := range []struct {
		name string
		s    *Schedule
		at   string
		want string
	}{
		{"before the start, counted backwards", weekly, "2026-01-05T13:59Z", "bob"},
		{"at the start", weekly, "2026-01-05T14:00Z", "alice"},
		{"second week", weekly, "2026-01-12T14:00Z", "bob"},
		{"handoff in winter is 14:00 UTC", weekly, "2026-03-02T14:00Z", "alice"},
		{"handoff in summer is 13:00 UTC: just before", weekly, "2026-03-09T12:59Z", "alice"},
		{"handoff in summer is 13:00 UTC", weekly, "2026-03-09T13:00Z", "bob"},
		{"after clocks went back: just before", weekly, "2026-11-02T13:59Z", "alice"},
		{"after clocks went back", weekly, "2026-11-02T14:00Z", "bob"},
		{"long ago: an odd number of weeks before", weekly, "1999-01-04T14:00Z", "bob"},
		{"handoff time that does not exist: before the jump", daily, "2026-03-08T06:59Z", "bob"},
		{"handoff time that does not exist: at the jump", daily, "2026-03-08T07:00Z", "alice"},
		{"handoff time that comes twice has not come", shifts, "2026-11-01T05:30Z", "bob"},
		{"twelve-hour shifts keep 06:00 over the spring night", shifts, "2026-03-08T09:59Z", "bob"},
		{"twelve-hour shifts keep 06:00 over the spring night, after", shifts, "2026-03-08T10:00Z", "alice"},
		{"twelve-hour shifts keep 06:00 over the autumn night", shifts, "2026-11-01T10:59Z", "bob"},
		{"twelve-hour shifts keep 06:00 over the autumn night, after", shifts, "2026-11-01T11:00Z", "alice"},
		{"hourly, before the jump", hourly, "2026-03-08T06:59Z", "b"},
		{"hourly: the turn of the hour that is no hour is left out", hourly, "2026-03-08T07:00Z", "d"},
	} {
		if got := strings.Join(c.s.OnCallAt(1, utc(c.at)), ","); got != c.want {
			t.Errorf("%s: at %s %s is on call, want %s", c.name, c.at, got, c.want)
		}
	}
	// 01:30 daily: the second 01:15 of the autumn night belongs to the turn that began with the
	// first 01:30.
	twice := schedule(t, ny, turns("2026-10-31T01:30", day, "sat", "sun"))
	for at, want := range map[string]string{"2026-11-01T05:29Z": "sat", "2026-11-01T05:30Z": "sun", "2026-11-01T06:15Z": "sun", "2026-11-01T06:30Z": "sun", "2026-11-02T06:29Z": "sun", "2026-11-02T06:30Z": "sat"} {
		if got := twice.OnCallAt(1, utc(at)); !slices.Equal(got, []string{want}) {
			t.Errorf("01:30 daily: at %s %v is on call, want %s", at, got, want)
		}
	}
	if got := weekly.OnCallAt(2, utc("2026-01-05T14:00Z")); got != nil {
		t.Errorf("a layer that does not exist has %v", got)
	}
}

func TestOverridesHandoffsAndGaps(t *testing.T) {
	t.Parallel()
	s := schedule(t, "America/New_York",
		append(turns("2026-01-05T09:00", week, "alice", "bob"), Layer{Users: []string{"carol", "dave"}}),
		Override{Layer: 1, From: "2026-01-06T09:00", To: "2026-01-07T09:00", Users: []string{"carol"}},
		Override{Layer: 1, From: "2026-01-06T12:00", To: "2026-01-06T13:00", Users: nil},
		Override{Layer: 2, From: "2026-01-06T12:30", To: "2026-01-06T14:00", Users: nil},
		Override{Layer: 2, From: "2026-01-06T14:00", To: "2026-01-06T15:00", Users: nil},
	)
	for at, want := range map[string]string{
		"2026-01-06T13:59Z": "alice", "2026-01-06T14:00Z": "carol", "2026-01-06T17:00Z": "", "2026-01-06T18:00Z": "carol",
		"2026-01-07T13:59Z": "carol", "2026-01-07T14:00Z": "alice",
	} {
		if got := strings.Join(s.OnCallAt(1, utc(at)), ","); got != want {
			t.Errorf("layer 1 at %s: %q, want %q", at, got, want)
		}
	}
	if got := s.OnCallAt(2, utc("2026-01-06T13:59Z")); !slices.Equal(got, []string{"carol", "dave"}) {
		t.Errorf("layer 2: %v", got)
	}
	at := utc("2026-01-05T14:00Z")
	var handoffs []string
	for range 5 {
		next, users := s.NextHandoff(1, at)
		handoffs = append(handoffs, next.Format("01-02T15:04 ")+strings.Join(users, ","))
		at = next
	}
	if diff := cmp.Diff([]string{"01-06T14:00 carol", "01-06T17:00 ", "01-06T18:00 carol", "01-07T14:00 alice", "01-12T14:00 bob"}, handoffs); diff != "" {
		t.Error(diff)
	}
	gaps := s.Gaps(utc("2026-01-05T00:00Z"), utc("2026-01-10T00:00Z"))
	want := []Gap{
		{0, utc("2026-01-06T17:30Z"), utc("2026-01-06T18:00Z")},
		{1, utc("2026-01-06T17:00Z"), utc("2026-01-06T18:00Z")},
		{2, utc("2026-01-06T17:30Z"), utc("2026-01-06T20:00Z")},
	}
	if diff := cmp.Diff(want, gaps); diff != "" {
		t.Error(diff)
	}
	if gaps := s.Gaps(utc("2026-01-06T17:45Z"), utc("2026-01-06T17:50Z")); len(gaps) != 3 || !gaps[0].From.Equal(utc("2026-01-06T17:45Z")) {
		t.Errorf("gaps are not cut to the time asked about: %v", gaps)
	}
	alone := schedule(t, "UTC", turns("2026-01-05T09:00", day, "alice"))
	if next, _ := alone.NextHandoff(1, at); !next.IsZero() {
		t.Errorf("a rotation of one hands over at %v", next)
	}
	always := schedule(t, "UTC", []Layer{{Users: []string{"a"}}})
	if next, _ := always.NextHandoff(1, at); !next.IsZero() {
		t.Errorf("a list of users hands over at %v", next)
	}
}
