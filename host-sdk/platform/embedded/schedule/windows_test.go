package schedule

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// resolveWith makes a schedule of one layer in New York.
func resolveWith(t *testing.T, l Layer, change func(*Schedule)) *Schedule {
	t.Helper()
	s := &Schedule{Timezone: "America/New_York", Layers: []Layer{l}}
	if change != nil {
		change(s)
	}
	if err := s.Resolve(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOfficeHoursLeaveNightsWeekendsAndHolidays looks at the edges of a layer with office hours.
func TestOfficeHoursLeaveNightsWeekendsAndHolidays(t *testing.T) {
	t.Parallel()
	s := resolveWith(t, Layer{Users: []string{"a"}, On: Windows{{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00"}}},
		func(s *Schedule) { s.Holidays = []string{"2026-12-25"} })
	for at, want := range map[string]bool{
		// Monday.
		"2026-12-21T13:59Z": false, "2026-12-21T14:00Z": true, "2026-12-21T21:59Z": true, "2026-12-21T22:00Z": false,
		"2026-12-19T15:00Z": false, "2026-12-20T15:00Z": false, // the weekend
		// A Friday that is a holiday, the Monday after.
		"2026-12-25T15:00Z": false, "2026-12-28T15:00Z": true,
		"2026-07-06T13:00Z": true, "2026-07-06T12:59Z": false, // summer time
	} {
		if got := len(s.OnCallAt(1, utc(at))) == 1; got != want {
			t.Errorf("at %s on call: %v, want %v", at, got, want)
		}
	}
	if until, next := s.NextHandoff(1, utc("2026-12-24T15:00Z")); !until.Equal(utc("2026-12-24T22:00Z")) || len(next) != 0 {
		t.Errorf("hands over at %v to %v, want the end of the office hours, to nobody", until, next)
	}
	if until, next := s.NextHandoff(1, utc("2026-12-24T22:00Z")); !until.Equal(utc("2026-12-28T14:00Z")) || !slices.Equal(next, []string{"a"}) {
		t.Errorf("begins at %v with %v, want Monday after the holiday", until, next)
	}
	want := []Gap{
		{0, utc("2026-12-23T22:00Z"), utc("2026-12-24T14:00Z")}, {0, utc("2026-12-24T22:00Z"), utc("2026-12-26T00:00Z")},
		{1, utc("2026-12-23T22:00Z"), utc("2026-12-24T14:00Z")}, {1, utc("2026-12-24T22:00Z"), utc("2026-12-26T00:00Z")},
	}
	if got := s.Gaps(utc("2026-12-23T20:00Z"), utc("2026-12-26T00:00Z")); !slices.EqualFunc(got, want, func(a, b Gap) bool {
		return a.Layer == b.Layer && a.From.Equal(b.From) && a.To.Equal(b.To)
	}) {
		t.Errorf("gaps %v, want %v", got, want)
	}
}

// TestWindowOverMidnightBelongsToTheDayItBegins holds that Friday's night lasts into Saturday.
func TestWindowOverMidnightBelongsToTheDayItBegins(t *testing.T) {
	t.Parallel()
	s := resolveWith(t, Layer{Users: []string{"a"}, On: Windows{{Days: []string{"fri"}, From: "22:00", To: "06:00"}, {Days: []string{"holiday"}}}},
		func(s *Schedule) { s.Holidays = []string{"2026-12-26"} })
	for at, want := range map[string]bool{
		"2026-12-19T02:59Z": false, "2026-12-19T03:00Z": true, "2026-12-19T10:59Z": true, "2026-12-19T11:00Z": false,
		// The night of Thursday.
		"2026-12-18T10:00Z": false,
		// A Saturday that is a holiday.
		"2026-12-26T04:59Z": true, "2026-12-26T12:00Z": true, "2026-12-27T04:59Z": true, "2026-12-27T05:00Z": false,
	} {
		if got := len(s.OnCallAt(1, utc(at))) == 1; got != want {
			t.Errorf("at %s on call: %v, want %v", at, got, want)
		}
	}
}

// TestWhoIsAwayIsNotOnCall holds that absences count in rotations, lists and overrides, and that a
// change made by people counts after the overrides of the file.
func TestWhoIsAwayIsNotOnCall(t *testing.T) {
	t.Parallel()
	s := resolveWith(t, Layer{Users: []string{"a", "b"}}, func(s *Schedule) {
		s.Overrides = []Override{{Layer: 1, From: "2026-01-05T00:00", To: "2026-01-06T00:00", Users: []string{"c"}}}
		s.Changes = []Change{{Layer: 1, From: utc("2026-01-05T10:00Z"), To: utc("2026-01-05T12:00Z"), Users: []string{"d"}}}
		s.Away = []Absence{{"a", utc("2026-01-04T00:00Z"), utc("2026-01-04T02:00Z")}, {"a", utc("2026-01-04T01:00Z"), utc("2026-01-04T03:00Z")},
			{"b", utc("2026-01-04T02:00Z"), utc("2026-01-04T03:00Z")}, {"c", utc("2026-01-05T09:00Z"), utc("2026-01-05T10:30Z")}}
	})
	for at, want := range map[string][]string{
		"2026-01-03T23:59Z": {"a", "b"}, "2026-01-04T00:00Z": {"b"}, "2026-01-04T02:30Z": {}, "2026-01-04T03:00Z": {"a", "b"},
		"2026-01-05T08:00Z": {"c"}, "2026-01-05T09:30Z": {}, "2026-01-05T10:00Z": {"d"}, "2026-01-05T12:00Z": {"c"},
	} {
		if got := s.OnCallAt(1, utc(at)); !slices.Equal(got, want) {
			t.Errorf("at %s %v, want %v", at, got, want)
		}
	}
	if gaps := s.Gaps(utc("2026-01-03T00:00Z"), utc("2026-01-06T12:00Z")); len(gaps) != 4 || !gaps[0].From.Equal(utc("2026-01-04T02:00Z")) || !gaps[1].To.Equal(utc("2026-01-05T10:00Z")) {
		t.Errorf("gaps %v, want the two times when all are away, for the team and the layer", gaps)
	}
	if until, next := s.NextHandoff(1, utc("2026-01-03T00:00Z")); !until.Equal(utc("2026-01-04T00:00Z")) || !slices.Equal(next, []string{"b"}) {
		t.Errorf("changes at %v to %v", until, next)
	}
}

// TestWindowsProperties compares windows in every zone with a look at what a clock there shows each
// quarter of an hour, away from changes of clocks, and holds everywhere that what at says of the
// time until which nothing changes is true.
func TestWindowsProperties(t *testing.T) {
	t.Parallel()
	all := zones(t)
	rapid.Check(t, func(r *rapid.T) {
		zone := rapid.SampledFrom(all).Draw(r, "zone")
		s := &Schedule{Timezone: zone.String(), Layers: []Layer{{Users: []string{"a"}}}}
		for range rapid.IntRange(1, 3).Draw(r, "windows") {
			clock := rapid.Custom(func(r *rapid.T) string {
				return fmt.Sprintf("%02d:%02d", rapid.IntRange(0, 23).Draw(r, "hour"), 15*rapid.IntRange(0, 3).Draw(r, "quarter"))
			})
			s.Layers[0].On = append(s.Layers[0].On, Window{Days: rapid.SliceOfDistinct(rapid.SampledFrom(dayNames), func(d string) string { return d }).Draw(r, "days"),
				From: clock.Draw(r, "from"), To: clock.Draw(r, "to")})
		}
		begin := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(r, "month")), rapid.IntRange(1, 28).Draw(r, "day"), 0, 0, 0, 0, time.UTC)
		s.Holidays = []string{begin.AddDate(0, 0, 2).Format(time.DateOnly)}
		if err := s.Resolve(); err != nil {
			r.Fatal(err)
		}
		l := &s.resolved.layers[0]
		kept := l.inOrder()
		for at := begin; at.Before(begin.AddDate(0, 0, 5)); at = at.Add(15 * time.Minute) {
			users, until, _ := s.resolved.at(l, at)
			if !until.After(at) {
				r.Fatalf("at %v nothing changes until %v", at, until)
			}
			if later := s.OnCallAt(1, until.Add(-time.Second)); len(later) != len(users) {
				r.Fatalf("at %v %v until %v, but a second before that %v", at, users, until, later)
			}
			again, as, _ := s.resolved.at(kept, at)
			if later := s.OnCallAt(1, as.Add(-time.Second)); len(again) != len(users) || !as.After(at) || len(later) != len(users) {
				r.Fatalf("at %v %v until %v; asked in order %v until %v, and a second before that %v", at, users, until, again, as, later)
			}
			if _, a := at.Add(-72 * time.Hour).In(zone).Zone(); a != offset(at.Add(48*time.Hour), zone) {
				continue
			}
			if want := windowsCover(s, at.In(zone)); want != (len(users) > 0) {
				r.Fatalf("at %v (%v) on call: %v, want %v", at, at.In(zone), users, want)
			}
		}
	})
}

// TestManyWindowsAreAnsweredAtOnce holds that the work of a month grows with its windows alone, not
// with their square: each of them is looked at a few times, for all questions together.
func TestManyWindowsAreAnsweredAtOnce(t *testing.T) {
	var l Layer
	const number = 48
	for i := range number {
		l.On = append(l.On, Window{From: fmt.Sprintf("%02d:%02d", i/2, i%2*30), To: fmt.Sprintf("%02d:%02d", i/2, i%2*30+20)})
	}
	l.Users = []string{"a"}
	s := resolveWith(t, l, nil)
	from := utc("2026-03-01T05:00Z")
	to := from.AddDate(0, 0, 28)
	for name, ask := range map[string]func() int{
		"gaps":     func() int { return len(s.Gaps(from, to)) },
		"segments": func() int { return len(s.Segments(1, from, from.AddDate(0, 0, 8))) * 7 / 2 },
	} {
		got := 0
		// The days are looked at in four parts; asking anew for each of the 2,688 edges makes
		// 40,000.
		if pieces := testing.AllocsPerRun(1, func() { got = ask() }); pieces > 2*number*28 {
			t.Errorf("%s: %v pieces of memory", name, pieces)
		}
		if want := 2 * number * 28; got != want {
			t.Errorf("%d %s, want %d", got, name, want)
		}
	}
}

// offset is what a clock shows less UTC, in seconds.
func offset(t time.Time, zone *time.Location) int {
	_, out := t.In(zone).Zone()
	return out
}

// windowsCover is the oracle: it reads the fields of the date.
func windowsCover(s *Schedule, local time.Time) bool {
	minute := local.Hour()*60 + local.Minute()
	parse := func(text string) (minutes int) {
		var h, m int
		_, _ = fmt.Sscanf(text, "%d:%d", &h, &m)
		return h*60 + m
	}
	on := func(w Window, day time.Time) bool {
		name := dayNames[day.Weekday()]
		if slices.Contains(s.Holidays, day.Format(time.DateOnly)) {
			name = holiday
		}
		return len(w.Days) == 0 || slices.Contains(w.Days, name)
	}
	for _, w := range s.Layers[0].On {
		from, to := parse(w.From), parse(w.To)
		switch {
		case from < to && on(w, local) && minute >= from && minute < to:
			return true
		case from >= to && on(w, local) && minute >= from:
			return true
		case from >= to && on(w, local.AddDate(0, 0, -1)) && minute < to:
			return true
		}
	}
	return false
}

// TestWindowsAreChecked holds that what nobody can mean is refused, by its key.
func TestWindowsAreChecked(t *testing.T) {
	t.Parallel()
	for key, w := range map[string]Window{
		"days/1": {Days: []string{"mon", "tues"}}, "from": {From: "9"}, "to": {To: "25:00"}, "from ": {From: "24:00"}, "to ": {To: "9:00"}, "": {From: "09:00", To: "24:00"},
	} {
		got, err := w.Check()
		if got != key && got+" " != key || (err == nil) != (key == "") {
			t.Errorf("%+v: %q %v, want %q", w, got, err, key)
		}
	}
	if _, err := ParseHoliday("2026-02-30"); err == nil {
		t.Error("a day that does not exist is taken as a holiday")
	}
}

// TestSegmentsAgreeWithWhoIsOnCall compares the segments of a month with each quarter of an hour of
// it.
func TestSegmentsAgreeWithWhoIsOnCall(t *testing.T) {
	t.Parallel()
	s := resolveWith(t, Layer{Rotation: &Rotation{Start: "2026-01-05T09:00", Every: Duration(24 * hour), Users: []string{"a", "b", "b"}}, On: Windows{{From: "08:00", To: "20:00"}}}, func(s *Schedule) {
		s.Overrides = []Override{{Layer: 1, From: "2026-03-05T00:00", To: "2026-03-06T00:00", Users: []string{"c"}}}
		s.Away = []Absence{{"a", utc("2026-03-10T00:00Z"), utc("2026-03-12T15:00Z")}}
	})
	from, to := utc("2026-02-25T05:30Z"), utc("2026-03-25T00:00Z")
	segments := s.Segments(1, from, to)
	at := from
	for _, one := range segments {
		if !one.From.Equal(at) || !one.To.After(at) {
			t.Fatalf("a segment begins at %v, the one before ends at %v", one.From, at)
		}
		for ; at.Before(one.To); at = at.Add(15 * time.Minute) {
			if got := s.OnCallAt(1, at); !slices.Equal(got, one.Users) || s.OverriddenAt(1, at) != one.Overridden {
				t.Fatalf("at %v %v, but the segment has %v", at, got, one)
			}
		}
		if one.Absent != (len(one.Users) == 0 && one.From.Before(utc("2026-03-12T15:00Z")) && one.To.After(utc("2026-03-10T00:00Z")) && len(resolveBare(t, s).OnCallAt(1, one.From)) > 0) {
			t.Errorf("%v: absent is wrong", one)
		}
		at = one.To
	}
	if !at.Equal(to) || len(segments) < 50 {
		t.Errorf("%d segments end at %v, want %v", len(segments), at, to)
	}
}

// resolveBare is the same schedule with nobody away.
func resolveBare(t *testing.T, s *Schedule) *Schedule {
	t.Helper()
	bare := &Schedule{Timezone: s.Timezone, Layers: s.Layers, Overrides: s.Overrides}
	if err := bare.Resolve(); err != nil {
		t.Fatal(err)
	}
	return bare
}
