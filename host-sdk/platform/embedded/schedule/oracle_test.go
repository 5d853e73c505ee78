package schedule

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones are all zones of the time zone database.
func zones(t testing.TB) []*time.Location {
	t.Helper()
	names, err := os.ReadFile("../../../router/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []*time.Location
	for name := range strings.FieldsSeq(string(names)) {
		zone, err := LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, zone)
	}
	if len(out) < 500 {
		t.Fatalf("only %d zones", len(out))
	}
	return out
}

// shownAt is what a clock in zone shows, as seconds: the oracle reads the fields of the date.
func shownAt(t time.Time, zone *time.Location) int64 {
	l := t.In(zone)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC).Unix()
}

// lookBack is longer than any clock was ever put back, and longer than zones differ.
const lookBack = 50 * time.Hour

// TestClocksNeverGoBackInAnyZone looks at clocks every five minutes around every change of clocks,
// in every zone, and compares the latest time that they have shown with reachedAt, and the first
// time at which they show it with instant.
func TestClocksNeverGoBackInAnyZone(t *testing.T) {
	t.Parallel()
	const grain = 300 // seconds
	changes := 0
	for _, zone := range zones(t) {
		for _, year := range []int{2000, 2005, 2011, 2024, 2026, 2037, 2100} {
			at := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
			for _, change := at.In(zone).ZoneBounds(); !change.IsZero() && change.Year() <= year; _, change = change.ZoneBounds() {
				changes++
				latest := LocalTime{}
				for probe := change.Add(-lookBack); probe.Before(change.Add(lookBack)); probe = probe.Add(grain * time.Second) {
					if shown := shownAt(probe, zone); shown > latest.seconds {
						latest = LocalTime{shown}
						if got := latest.instant(zone); probe.After(change.Add(-lookBack)) && !got.Equal(probe) {
							t.Fatalf("%s: clocks show %d for the first time at %v, not at %v", zone, shown, probe.UTC(), got)
						}
					}
					if got := reachedAt(probe, zone).seconds; got < latest.seconds || got >= latest.seconds+grain {
						t.Fatalf("%s: up to %v clocks have shown %d, not %d", zone, probe.UTC(), latest.seconds, got)
					}
				}
			}
		}
	}
	if changes < 1000 {
		t.Errorf("only %d changes of clocks were looked at", changes)
	}
}

// anyInstant draws an instant of the years 1 to 9999, often one within two days of a change of
// clocks in zone: others rarely meet the hour that matters.
func anyInstant(r *rapid.T, zone *time.Location) time.Time {
	first, last := time.Date(1, 1, 3, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 29, 0, 0, 0, 0, time.UTC)
	if rapid.Bool().Draw(r, "our time") {
		first, last = time.Date(1840, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2110, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	at := time.Unix(rapid.Int64Range(first.Unix(), last.Unix()).Draw(r, "at"), rapid.Int64Range(0, 999_999_999).Draw(r, "ns")).UTC()
	if _, change := at.In(zone).ZoneBounds(); rapid.Bool().Draw(r, "near a change") && !change.IsZero() {
		at = change.Add(time.Duration(rapid.Int64Range(-2*24*3600, 2*24*3600).Draw(r, "seconds")) * time.Second).UTC()
	}
	return at
}

// TestReachedToTheSecond is the slow oracle: every second of two days. The years before 1920 have
// changes of clocks by odd seconds and by whole days.
func TestReachedToTheSecond(t *testing.T) {
	t.Parallel()
	all := zones(t)
	rapid.Check(t, func(r *rapid.T) {
		zone := rapid.SampledFrom(all).Draw(r, "zone")
		at := anyInstant(r, zone)
		step := time.Minute
		if _, change := at.In(zone).ZoneBounds(); !change.IsZero() && change.Sub(at).Abs() < lookBack {
			step = time.Second
		}
		latest := shownAt(at, zone)
		for probe := at; probe.After(at.Add(-lookBack)); probe = probe.Add(-step) {
			latest = max(latest, shownAt(probe, zone))
		}
		if got := reachedAt(at, zone).seconds; got < latest || got >= latest+int64(step/time.Second) {
			r.Fatalf("%s: up to %v clocks have shown %d, not %d", zone, at, latest, got)
		}
	})
}

// TestRotationProperties holds for any rotation, in any year from 1 to 9999, in every zone: exactly
// one person is on call; the turn contains the time; turns follow one another without gap or
// overlap; a turn begins when clocks reach the time that the calendar has for it; and it is that
// turn's person who is on call.
func TestRotationProperties(t *testing.T) {
	t.Parallel()
	all := zones(t)
	rapid.Check(t, func(r *rapid.T) {
		zone := rapid.SampledFrom(all).Draw(r, "zone")
		n, unit := rapid.IntRange(1, 40).Draw(r, "n"), rapid.SampledFrom([]int{1, 24, 7 * 24}).Draw(r, "unit")
		first := anyInstant(r, zone).Truncate(time.Minute)
		users := rapid.IntRange(2, 5).Draw(r, "users")
		l := &layer{start: LocalTime{first.Unix()}, every: int64(n * unit * 3600)}
		for i := range users {
			l.users = append(l.users, fmt.Sprint(i))
		}
		at := anyInstant(r, zone)
		k, begin, end := l.turn(at, zone)
		if at.Before(begin) || !at.Before(end) {
			r.Fatalf("turn %d is %v to %v, which does not contain %v", k, begin, end, at)
		}
		if k2, begin2, _ := l.turn(end, zone); k2 <= k || !begin2.Equal(end) {
			r.Fatalf("turn %d ends at %v, turn %d begins at %v", k, end, k2, begin2)
		}
		if k1, _, end1 := l.turn(begin.Add(-time.Nanosecond), zone); k1 >= k || !end1.Equal(begin) {
			r.Fatalf("turn %d begins at %v, turn %d ends at %v", k, begin, k1, end1)
		}
		// The calendar counts the turn's hours, or days, from the start.
		wanted := time.Date(first.Year(), first.Month(), first.Day(), first.Hour()+int(k)*n, first.Minute(), 0, 0, time.UTC)
		if unit > 1 {
			wanted = time.Date(first.Year(), first.Month(), first.Day()+int(k)*n*unit/24, first.Hour(), first.Minute(), 0, 0, time.UTC)
		}
		if now := reachedAt(begin, zone).seconds; now < wanted.Unix() || reachedAt(begin.Add(-time.Second), zone).seconds >= wanted.Unix() {
			r.Fatalf("turn %d begins at %v, when clocks have reached %v; want %v", k, begin, time.Unix(now, 0).UTC(), wanted)
		}
		who := int(k) % users
		if who < 0 {
			who += users
		}
		if got, until, _ := (&resolved{zone: zone}).at(l, at); !slices.Equal(got, []string{fmt.Sprint(who)}) || !until.Equal(end) {
			r.Fatalf("turn %d: %v on call until %v, want %d until %v", k, got, until, who, end)
		}
	})
}

// TestOverridesProperties compares the times in which overrides decide with a look at every
// override in turn, the last in the file first.
func TestOverridesProperties(t *testing.T) {
	t.Parallel()
	base := utc("2026-01-05T00:00Z")
	rapid.Check(t, func(r *rapid.T) {
		s := &Schedule{Timezone: "UTC", Layers: []Layer{{Users: []string{"base"}}, {Users: []string{"base"}}}}
		for i := range rapid.IntRange(0, 8).Draw(r, "overrides") {
			from := rapid.IntRange(0, 20).Draw(r, "from")
			to := from + rapid.IntRange(1, 6).Draw(r, "hours")
			o := Override{Layer: rapid.IntRange(1, 2).Draw(r, "layer"), From: base.Add(time.Duration(from) * hour).Format(localFormat), To: base.Add(time.Duration(to) * hour).Format(localFormat)}
			if rapid.Bool().Draw(r, "somebody") {
				o.Users = []string{fmt.Sprint(i)}
			}
			s.Overrides = append(s.Overrides, o)
		}
		if err := s.Resolve(); err != nil {
			r.Fatal(err)
		}
		onCall := func(number int, at time.Time) (users []string) {
			for _, o := range slices.Backward(s.resolved.layers[number-1].overrides) {
				if !at.Before(o.from) && at.Before(o.to) {
					return o.users
				}
			}
			return []string{"base"}
		}
		from, to := base.Add(time.Duration(rapid.IntRange(0, 5).Draw(r, "begin"))*hour), base.Add(28*hour)
		gaps := s.Gaps(from, to)
		inGap := func(number int, at time.Time) bool {
			return slices.ContainsFunc(gaps, func(g Gap) bool { return g.Layer == number && !at.Before(g.From) && at.Before(g.To) })
		}
		for at := from; at.Before(to); at = at.Add(hour / 2) {
			empty := 0
			for number := 1; number <= 2; number++ {
				want := onCall(number, at)
				if got := s.OnCallAt(number, at); !slices.Equal(got, want) {
					r.Fatalf("layer %d at %v: %v, want %v", number, at, got, want)
				}
				if len(want) == 0 {
					empty++
				}
				if inGap(number, at) != (len(want) == 0) {
					r.Fatalf("layer %d at %v has %v, gaps are %v", number, at, want, gaps)
				}
				change, next := at, want
				for change.Before(to) && slices.Equal(next, want) {
					change = change.Add(hour / 2)
					next = onCall(number, change)
				}
				if change.Before(to) {
					change = change.Truncate(hour)
				} else {
					change, next = time.Time{}, nil
				}
				if got, users := s.NextHandoff(number, at); !got.Equal(change) || !slices.Equal(users, next) {
					r.Fatalf("layer %d at %v: hands over at %v to %v, want %v to %v", number, at, got, users, change, next)
				}
			}
			if inGap(0, at) != (empty == 2) {
				r.Fatalf("at %v %d layers have nobody, gaps are %v", at, empty, gaps)
			}
		}
	})
}

// TestManyOverridesAreAnsweredAtOnce holds that the work does not grow with the square of their
// number: as many as a file can hold, all overlapping, in two layers.
func TestManyOverridesAreAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	s := &Schedule{Timezone: "America/New_York", Layers: []Layer{{Users: []string{"a"}}, {Users: []string{"b"}}}}
	base := utc("2026-01-05T00:00Z")
	const number = 25_000
	for i := range number {
		from, to := base.Add(time.Duration(i)*time.Minute), base.Add(time.Duration(2*number+i)*time.Minute)
		s.Overrides = append(s.Overrides, Override{Layer: i%2 + 1, From: from.Format(localFormat), To: to.Format(localFormat)})
	}
	if err := s.Resolve(); err != nil {
		t.Fatal(err)
	}
	if got := len(s.resolved.layers[0].replaced); got != number/2 {
		t.Errorf("%d times in which an override decides, want %d", got, number/2)
	}
	if gaps := s.Gaps(base, base.AddDate(1, 0, 0)); len(gaps) != 3 {
		t.Errorf("%d gaps, want one for each layer and one for both", len(gaps))
	}
}

// FuzzDuration holds that a length of time that is read lies within its limits.
func FuzzDuration(f *testing.F) {
	for _, text := range []string{"90s", "1h30m", "1w2d", "520w", "9999999999w", strings.Repeat("9999d", 40), "-1h", "1.5h", "٣m"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err == nil && (d < time.Second || d > 10*365*24*time.Hour || Spoken(d) == "0 seconds") {
			t.Fatalf("%q is %v", text, d)
		}
	})
}

// FuzzSchedule holds that any schedule that can be read is answered, at any time.
func FuzzSchedule(f *testing.F) {
	f.Add("America/New_York", "2026-01-05T09:00", "1w", "2026-12-24T09:00", "2026-12-26T09:00", int64(1767225600))
	f.Add("UTC", "0206-01-05T09:00", "1h", "1600-01-01T00:00", "9026-01-01T00:00", int64(-62135596800))
	f.Add("Pacific/Apia", "2011-12-30T00:00", "9999w", "2011-12-30T00:00", "2011-12-31T00:00", int64(253402300799))
	f.Add("America/Juneau", "2000-01-01T00:00", "1h", "2100-12-31T23:59", "2000-01-01T00:00", int64(1)<<62)
	f.Fuzz(func(t *testing.T, zone, start, every, from, to string, at int64) {
		length, err := ParseDuration(every)
		if err != nil || length < time.Second || length%time.Second != 0 {
			return
		}
		s := &Schedule{Timezone: zone, Layers: append(turns(start, length, "a", "b", "b"), Layer{Users: []string{"c"}}),
			Overrides: []Override{{Layer: 1, From: from, To: to, Users: []string{"d"}}, {Layer: 2, From: start, To: to}}}
		if s.Resolve() != nil {
			return
		}
		now := time.Unix(at%(1<<40), 0)
		for number := 1; number <= 2; number++ {
			who := s.OnCallAt(number, now)
			if len(who) != 1 && (number == 1 || !s.OverriddenAt(number, now)) {
				t.Fatalf("%v are on call", who)
			}
			if next, then := s.NextHandoff(number, now); !next.IsZero() && (!next.After(now) || slices.Equal(then, who)) {
				t.Fatalf("at %v %v, handoff at %v to %v", now, who, next, then)
			}
		}
		_ = s.Gaps(now, now.Add(24*time.Hour))
	})
}
