package router

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// byTimeOfDay presents different teams in the two halves of a day.
const byTimeOfDay = `---
rules:
  - match:
      $timeBetween:
          timeformat: 'hh:mm a'
          timezone: 'America/New_York'
          starttime: '12:00 pm'
          endtime: '12:00 am'
    actions:
    - type: assign
      receiver: tem_b # spoken first
    - type: assign
      receiver: tem_a
  - match:
      $timeBetween:
          timeformat: 'hh:mm a'
          timezone: 'America/New_York'
          starttime: '12:00 am'
          endtime: '12:00 pm'
    actions:
    - type: assign
      receiver: [tem_c, tem_d, tem_c]
    - type: assign
      receiver: tem_a
`

func TestTimeOfDayRouter(t *testing.T) {
	t.Parallel()
	afternoon, morning := []string{"tem_b", "tem_a"}, []string{"tem_c", "tem_d", "tem_a"}
	r := mustParse(t, byTimeOfDay)
	// Where both rules hold, the first wins.
	for _, tt := range []struct {
		at   string
		want []string
		both bool
	}{
		{"2026-01-05T11:59:59.999", morning, false},
		{"2026-01-05T12:00:00", afternoon, true},
		{"2026-01-05T12:00:00.0009", afternoon, true},
		{"2026-01-05T12:00:00.001", afternoon, false},
		{"2026-01-05T12:00:30", afternoon, false},
		{"2026-01-05T23:59:59.999", afternoon, false},
		{"2026-01-06T00:00:00", afternoon, true},
		{"2026-01-06T00:00:30", morning, false},
		{"2026-07-06T11:59:59.999", morning, false}, // daylight-saving time
		{"2026-07-06T12:00:01", afternoon, false},
	} {
		at := instant(t, tt.at, "America/New_York")
		if got := evaluate(t, r, nil, at); !cmp.Equal(got.Receivers, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.at, got, tt.want)
		}
		holding := 0
		for i := range r.rules {
			if r.rules[i].match(&evaluation{now: at}, nil) {
				holding++
			}
		}
		if (holding == 2) != tt.both {
			t.Errorf("%s: %d rules hold, both: %v expected", tt.at, holding, tt.both)
		}
	}
}

func TestClockFunctions(t *testing.T) {
	t.Parallel()
	between := func(zone, from, to string) string {
		return fmt.Sprintf("{$timeBetween: {timezone: %s, starttime: %q, endtime: %q}}", zone, from, to)
	}
	tests := []struct {
		name, match, at string // at: UTC
		want            bool
	}{
		{"Sunday is 7", "{$day: {$eq: 7}}", "2026-01-04T12:00:00", true},
		{"Monday is 1", "{$day: {$in: [1, 2]}}", "2026-01-05T00:00:00", true},
		{"day in a zone", "{$day: {timezone: America/Los_Angeles, $in: [6, 7]}}", "2026-01-05T07:59:59", true},
		{"day in a zone, an hour on", "{$day: {timezone: America/Los_Angeles, $in: [6, 7]}}", "2026-01-05T08:00:00", false},
		{"day with order", "{$day: {$gte: 1, $lte: 5}}", "2026-01-09T12:00:00", true},
		{"zone in any case", "{$day: {timezone: america/los_angeles, $in: [6, 7]}}", "2026-01-05T07:59:59", true},
		{"zone of odd case", "{$day: {timezone: america/PORT-AU-prince, $eq: 7}}", "2026-01-05T04:59:59", true},
		{"now's default format", "{$now: {$eq: \"2026-01-05\"}}", "2026-01-05T23:59:59", true},
		{"holidays", "{$now: {timezone: America/Chicago, format: MM-DD, $in: [\"01-01\", \"12-25\"]}}", "2026-12-26T05:59:59", true},
		{"holidays, the day after", "{$now: {timezone: America/Chicago, format: MM-DD, $in: [\"01-01\", \"12-25\"]}}", "2026-12-26T06:00:00", false},
		{"now with $regex", "{$now: {format: \"dddd, Do\", $regex: ^mon, $options: i}}", "2026-01-05T12:00:00", true},
		{"office hours", "{$and: [" + between("Europe/London", "08:00 am", "05:00 pm") + ", {$day: {timezone: Europe/London, $in: [1,2,3,4,5]}}]}", "2026-07-06T07:00:00", true},
		{"office hours, too early", "{$and: [" + between("Europe/London", "08:00 am", "05:00 pm") + "]}", "2026-07-06T06:59:59", false},
		{"office hours, last moment", between("Europe/London", "08:00 am", "05:00 pm"), "2026-01-05T17:00:00", true},
		{"office hours, a moment later", between("Europe/London", "08:00 am", "05:00 pm"), "2026-01-05T17:00:00.001", false},
		{"over midnight, before", between("Etc/UTC", "10:00 pm", "06:00 am"), "2026-01-05T23:00:00", true},
		{"over midnight, after", between("Etc/UTC", "10:00 pm", "06:00 am"), "2026-01-05T06:00:00", true},
		{"over midnight, outside", between("Etc/UTC", "10:00 pm", "06:00 am"), "2026-01-05T12:00:00", false},
		{"until 24:00", "{$timeBetween: {timeformat: HH:mm, starttime: '08:00', endtime: '24:00'}}", "2026-01-05T23:59:59", true},
		{"default zone is UTC", "{$timeBetween: {starttime: '08:00 am', endtime: '09:00 am'}}", "2026-01-05T08:30:00", true},
		{"start is end: that moment", between("Etc/UTC", "08:00 am", "08:00 am"), "2026-01-05T08:00:00", true},
		{"start is end: no other", between("Etc/UTC", "08:00 am", "08:00 am"), "2026-01-05T20:00:00", false},
		{"inside $not", "{$not: " + between("Etc/UTC", "08:00 am", "05:00 pm") + "}", "2026-01-05T20:00:00", true},
		// 8 March 2026: New York has no 02:00 to 03:00. 07:00 UTC is 03:00 there.
		{"missing hour: 01:59:59", between("America/New_York", "02:30 am", "03:30 am"), "2026-03-08T06:59:59", false},
		{"missing hour: 03:00", between("America/New_York", "02:30 am", "03:30 am"), "2026-03-08T07:00:00", true},
		{"missing hour: 03:31", between("America/New_York", "02:30 am", "03:30 am"), "2026-03-08T07:31:00", false},
		{"only in the missing hour", between("America/New_York", "02:10 am", "02:50 am"), "2026-03-08T07:10:00", false},
		// 1 November 2026: New York has 01:00 to 02:00 twice.
		{"doubled hour, first time", between("America/New_York", "01:15 am", "01:45 am"), "2026-11-01T05:30:00", true},
		{"doubled hour, between", between("America/New_York", "01:15 am", "01:45 am"), "2026-11-01T06:00:00", false},
		{"doubled hour, second time", between("America/New_York", "01:15 am", "01:45 am"), "2026-11-01T06:30:00", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := mustParse(t, ruleFor(tt.match))
			if got := evaluate(t, r, nil, instant(t, tt.at, "UTC")).Rule == 1; got != tt.want {
				t.Errorf("%s at %s: got %v, want %v", tt.match, tt.at, got, tt.want)
			}
		})
	}
}

// Every zone of the list can be loaded, whatever the machine has.
func TestZones(t *testing.T) {
	t.Parallel()
	for lower, name := range zonesByLowerName() {
		zone, err := loadZone(lower)
		if err != nil || zone.String() != name {
			t.Errorf("%s: %v %v", lower, zone, err)
		}
	}
	if n := len(zonesByLowerName()); n < 590 {
		t.Errorf("only %d zones", n)
	}
}
