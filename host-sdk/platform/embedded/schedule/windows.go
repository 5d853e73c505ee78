package schedule

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Window is a part of the week to which a layer is limited, on the schedule's wall clock: from From
// (included) to To (excluded) on each of Days. One whose To is not after From ends on the next day.
type Window struct {
	// Days are mon to sun and holiday; empty: every day, holidays included. A holiday is no
	// weekday: only windows for holidays, or for every day, cover it.
	Days []string `json:"days"`
	From string   `json:"from"` // such as 09:00; "": 00:00
	To   string   `json:"to"`   // such as 17:00; 24:00 or "": the end of the day
}

// Windows are read from one window or a list of them.
type Windows []Window

// UnmarshalJSON reads one window or a list. What is neither stays empty: the check of the file's
// layout says so. Most layers have one window, which nobody should have to write as a list.
func (w *Windows) UnmarshalJSON(data []byte) error {
	var list []Window
	if json.Unmarshal(data, &list) == nil {
		*w = list
		return nil
	}
	var one Window
	if json.Unmarshal(data, &one) == nil {
		*w = Windows{one}
	}
	return nil
}

// holiday is the day of a window that stands for the schedule's holidays.
const holiday = "holiday"

// dayNames are the days of a window, in the order of [time.Weekday]; the last is no weekday.
var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat", holiday}

// Check says what is wrong with a window: which of its keys, and why. "" and nil: nothing. The key
// is a path below the window, for the place of the problem in the file.
func (w Window) Check() (key string, err error) {
	for i, day := range w.Days {
		if !slices.Contains(dayNames, day) {
			return fmt.Sprintf("days/%d", i), fmt.Errorf("day %q: want mon, tue, wed, thu, fri, sat, sun or holiday", day)
		}
	}
	from, err := parseClock(w.From, 0)
	if err != nil {
		return "from", err
	}
	if from == daySeconds {
		return "from", fmt.Errorf("time of day %q: a window begins before the day ends, such as at 00:00", w.From)
	}
	if _, err := parseClock(w.To, daySeconds); err != nil {
		return "to", err
	}
	return "", nil
}

const daySeconds = 24 * 60 * 60

// parseClock reads a time of day such as 09:00, as seconds; "" is what stands for nothing.
// time.Parse takes 9:00 for 15:04 too; the length refuses what sorts and reads differently.
func parseClock(text string, nothing int64) (int64, error) {
	if text == "" {
		return nothing, nil
	}
	if text == "24:00" {
		return daySeconds, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("time of day %q: want hours and minutes between 00:00 and 24:00, such as 09:00", text)
	}
	return int64(t.Hour()*60+t.Minute()) * 60, nil
}

// ParseHoliday reads a date such as 2026-12-25 as the number of days since 1970-01-01.
func ParseHoliday(text string) (int64, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil || t.Year() < minYear || t.Year() > maxYear {
		return 0, fmt.Errorf("holiday %q: want an existing date between %d and %d, such as 2026-12-25", text, minYear, maxYear)
	}
	return t.Unix() / daySeconds, nil
}

// parseHolidays reads all holidays.
func parseHolidays(dates []string) (map[int64]bool, error) {
	out := make(map[int64]bool, len(dates))
	for _, text := range dates {
		day, err := ParseHoliday(text)
		if err != nil {
			return nil, err
		}
		out[day] = true
	}
	return out, nil
}

// window is a Window with its times as seconds from the beginning of its day.
type window struct {
	days     [8]bool // by the index of dayNames
	from, to int64   // to is after from, and may be on the next day
}

// resolve makes windows ready to be asked. It fails on what [Window.Check] refuses. A window over
// midnight ends beyond its day: its to is more than a day.
func (w Windows) resolve() ([]window, error) {
	var out []window
	for _, one := range w {
		if key, err := one.Check(); err != nil {
			return nil, fmt.Errorf("on/%s: %w", key, err)
		}
		var r window
		r.from, _ = parseClock(one.From, 0)
		r.to, _ = parseClock(one.To, daySeconds)
		if r.to <= r.from {
			r.to += daySeconds
		}
		for i, day := range dayNames {
			r.days[i] = len(one.Days) == 0 || slices.Contains(one.Days, day)
		}
		out = append(out, r)
	}
	return out, nil
}

// covers reports whether a window begins on a day, counted from 1970-01-01. A holiday is decided by
// the day on which the window begins.
func (r *resolved) covers(w window, day int64) bool {
	if r.holidays[day] {
		return w.days[len(dayNames)-1]
	}
	const thursday = 4 // the weekday of 1970-01-01
	weekday := (day + thursday) % 7
	if weekday < 0 {
		weekday += 7
	}
	return w.days[weekday]
}

// daysAhead is how far ahead the edges of windows are looked for. Where there is none within, the
// caller asks again from there.
const daysAhead = 8

// coverage is what a layer's windows cover from one time to another: spans in order, joined where
// they touch, the last of which may reach further. A layer with many windows a day would otherwise
// be worked out for each question about it.
type coverage struct {
	from, to time.Time
	spans    []span
}

// inside reports whether t is in one of the layer's windows, and until when at least that stays so.
// A false with until says when to ask again, not that a window begins then.
func (r *resolved) inside(l *layer, t time.Time) (inside bool, until time.Time) {
	c := l.ahead
	if c == nil {
		c = new(coverage)
	}
	if t.Before(c.from) || !t.Before(c.to) {
		*c = r.coverage(l.windows, t)
	}
	next := spanAfter(c.spans, t)
	switch {
	case next == len(c.spans), !c.spans[next].from.Before(c.to):
		return false, c.to
	case c.spans[next].from.After(t):
		return false, c.spans[next].from
	}
	return true, c.spans[next].to
}

// coverage is what windows cover for some days from t on.
func (r *resolved) coverage(windows []window, t time.Time) coverage {
	now := reachedAt(t, r.zone).seconds
	today := now / daySeconds
	if now%daySeconds < 0 {
		today--
	}
	var all []span
	// Two days back: one for windows over midnight, one for zones that leave out a day. Each window
	// of each day is turned into instants on its own, so a night of changing clocks makes it an
	// hour longer or shorter, as on the wall.
	for day := today - 2; day <= today+daysAhead; day++ {
		for _, w := range windows {
			if r.covers(w, day) {
				from, to := LocalTime{day*daySeconds + w.from}.instant(r.zone), LocalTime{day*daySeconds + w.to}.instant(r.zone)
				if to.After(t) && from.Before(to) {
					all = append(all, span{from: from, to: to})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b span) int { return a.from.Compare(b.from) })
	out := coverage{from: t, to: LocalTime{(today + daysAhead) * daySeconds}.instant(r.zone)}
	for _, s := range all {
		n := len(out.spans)
		if n == 0 || s.from.After(out.spans[n-1].to) {
			out.spans = append(out.spans, s)
		} else if s.to.After(out.spans[n-1].to) {
			out.spans[n-1].to = s.to
		}
	}
	return out
}
