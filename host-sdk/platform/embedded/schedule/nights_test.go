package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Nights in which clocks change, by an hour, half an hour or two, at midnight too, and windows and
// overrides that begin or end in them. Each row was worked out by hand: "who from-to", in UTC.
func TestNightsInWhichClocksChange(t *testing.T) {
	t.Parallel()
	on := func(windows ...Window) Layer { return Layer{Users: []string{"a"}, On: windows} }
	turns := func(start string, every Duration) Layer {
		return Layer{Rotation: &Rotation{Start: start, Every: every, Users: []string{"a", "b"}}}
	}
	instead := func(from, to string) []Override {
		return []Override{{Layer: 1, From: from, To: to, Users: []string{"o"}}}
	}
	const day = Duration(24 * time.Hour)
	sun := []string{"sun"}
	for name, tt := range map[string]struct {
		zone      string
		layer     Layer
		overrides []Override
		holidays  []string
		from, to  string
		want      string
	}{
		"an hour is skipped in a window":         {zone: "Europe/Berlin", layer: on(Window{Days: sun, From: "01:00", To: "04:00"}), from: "03-28T20:00", to: "03-29T20:00", want: "a 29 00:00-29 02:00"},
		"a window begins in the skipped hour":    {zone: "Europe/Berlin", layer: on(Window{Days: sun, From: "02:30", To: "04:00"}), from: "03-28T20:00", to: "03-29T20:00", want: "a 29 01:00-29 02:00"},
		"a window ends in the skipped hour":      {zone: "Europe/Berlin", layer: on(Window{Days: sun, From: "01:00", To: "02:30"}), from: "03-28T20:00", to: "03-29T20:00", want: "a 29 00:00-29 01:00"},
		"a window lies in the skipped hour":      {zone: "Europe/Berlin", layer: on(Window{Days: sun, From: "02:15", To: "02:45"}), from: "03-28T20:00", to: "03-29T20:00", want: ""},
		"over midnight into the skipped hour":    {zone: "Europe/Berlin", layer: on(Window{Days: []string{"sat"}, From: "22:00", To: "02:30"}), from: "03-28T12:00", to: "03-29T20:00", want: "a 28 21:00-29 01:00"},
		"over midnight and the skipped hour":     {zone: "Europe/Berlin", layer: on(Window{From: "22:00", To: "06:00"}), from: "03-28T12:00", to: "03-29T12:00", want: "a 28 21:00-29 04:00"},
		"an hour comes twice in a window":        {zone: "Europe/Berlin", layer: on(Window{Days: sun, From: "01:00", To: "04:00"}), from: "10-24T20:00", to: "10-25T20:00", want: "a 24 23:00-25 03:00"},
		"a window is the hour that comes twice":  {zone: "Europe/Berlin", layer: on(Window{Days: sun, From: "02:00", To: "03:00"}), from: "10-24T20:00", to: "10-25T20:00", want: "a 25 00:00-25 02:00"},
		"windows meet in the hour that is twice": {zone: "Europe/Berlin", layer: on(Window{Days: sun, From: "01:00", To: "02:30"}, Window{Days: sun, From: "02:30", To: "04:00"}), from: "10-24T20:00", to: "10-25T20:00", want: "a 24 23:00-25 03:00"},
		"over midnight and an hour twice":        {zone: "America/New_York", layer: on(Window{From: "22:00", To: "06:00"}), from: "10-31T18:00", to: "11-01T18:00", want: "a 01 02:00-01 11:00"},
		"a handover in the skipped hour":         {zone: "America/New_York", layer: turns("2026-03-07T02:30", day), from: "03-07T12:00", to: "03-09T12:00", want: "a 07 12:00-08 07:00, b 08 07:00-09 06:30, a 09 06:30-09 12:00"},
		"a handover in the hour that is twice":   {zone: "America/New_York", layer: turns("2026-10-31T01:30", day), from: "10-31T12:00", to: "11-02T12:00", want: "a 31 12:00-01 05:30, b 01 05:30-02 06:30, a 02 06:30-02 12:00"},
		"hourly turns over the skipped hour":     {zone: "Europe/Berlin", layer: turns("2026-03-29T00:00", Duration(time.Hour)), from: "03-29T00:00", to: "03-29T03:00", want: "b 29 00:00-29 02:00, a 29 02:00-29 03:00"},
		"hourly turns over an hour twice":        {zone: "Europe/Berlin", layer: turns("2026-10-25T00:00", Duration(time.Hour)), from: "10-24T23:00", to: "10-25T03:00", want: "b 24 23:00-25 00:00, a 25 00:00-25 02:00, b 25 02:00-25 03:00"},
		"an override begins in the skipped hour": {zone: "Europe/Berlin", layer: on(), overrides: instead("2026-03-29T02:30", "2026-03-29T05:00"), from: "03-29T00:00", to: "03-29T04:00", want: "a 29 00:00-29 01:00, o 29 01:00-29 03:00, a 29 03:00-29 04:00"},
		"an override ends in the skipped hour":   {zone: "Europe/Berlin", layer: on(), overrides: instead("2026-03-29T01:30", "2026-03-29T02:30"), from: "03-29T00:00", to: "03-29T04:00", want: "a 29 00:00-29 00:30, o 29 00:30-29 01:00, a 29 01:00-29 04:00"},
		"an override of the hour that is twice":  {zone: "Europe/Berlin", layer: on(), overrides: instead("2026-10-25T02:00", "2026-10-25T03:00"), from: "10-24T23:00", to: "10-25T03:00", want: "a 24 23:00-25 00:00, o 25 00:00-25 02:00, a 25 02:00-25 03:00"},
		"an override begins where nobody is":     {zone: "Europe/Berlin", layer: on(Window{From: "09:00", To: "17:00"}), overrides: instead("2026-01-05T07:00", "2026-01-05T10:00"), from: "01-05T04:00", to: "01-05T20:00", want: "o 05 06:00-05 09:00, a 05 09:00-05 16:00"},
		"half an hour comes twice":               {zone: "Australia/Lord_Howe", layer: on(Window{Days: sun, From: "01:45", To: "02:15"}), from: "04-04T10:00", to: "04-05T10:00", want: "a 04 14:45-04 15:45"},
		"half an hour is skipped":                {zone: "Australia/Lord_Howe", layer: on(Window{Days: sun, From: "02:15", To: "03:00"}), from: "10-03T10:00", to: "10-04T10:00", want: "a 03 15:30-03 16:00"},
		"a window lies in the skipped half hour": {zone: "Australia/Lord_Howe", layer: on(Window{Days: sun, From: "02:00", To: "02:30"}), from: "10-03T10:00", to: "10-04T10:00", want: ""},
		"quarters of an hour":                    {zone: "Asia/Kathmandu", layer: on(Window{Days: sun}), from: "01-03T00:00", to: "01-05T00:00", want: "a 03 18:15-04 18:15"},
		"two hours are skipped":                  {zone: "Antarctica/Troll", layer: on(Window{Days: sun, From: "00:30", To: "04:00"}), from: "03-28T20:00", to: "03-29T20:00", want: "a 29 00:30-29 02:00"},
		"midnight is skipped":                    {zone: "Africa/Cairo", layer: on(Window{Days: []string{"fri"}}), from: "04-23T12:00", to: "04-25T12:00", want: "a 23 22:00-24 21:00"},
		"midnight comes twice":                   {zone: "Africa/Cairo", layer: on(Window{Days: []string{"fri"}}), from: "10-29T12:00", to: "10-31T12:00", want: "a 29 22:00-30 22:00"},
		"the day before midnight comes twice":    {zone: "Africa/Cairo", layer: on(Window{Days: []string{"thu"}}), from: "10-28T12:00", to: "10-30T12:00", want: "a 28 21:00-29 22:00"},
		"a holiday of 23 hours":                  {zone: "Europe/Berlin", layer: on(Window{Days: []string{"holiday"}}), holidays: []string{"2026-03-29"}, from: "03-28T12:00", to: "03-30T12:00", want: "a 28 23:00-29 22:00"},
		"a night before a holiday":               {zone: "Europe/Berlin", layer: on(Window{Days: []string{"thu"}, From: "22:00", To: "06:00"}), holidays: []string{"2026-12-25"}, from: "12-24T12:00", to: "12-26T12:00", want: "a 24 21:00-25 05:00"},
		"a night that a holiday begins":          {zone: "Europe/Berlin", layer: on(Window{Days: []string{"fri"}, From: "22:00", To: "06:00"}), holidays: []string{"2026-12-25"}, from: "12-24T12:00", to: "12-27T12:00", want: ""},
		"a holiday on both sides of a year":      {zone: "Pacific/Kiritimati", layer: on(Window{Days: []string{"holiday"}, From: "20:00", To: "04:00"}), holidays: []string{"2025-12-31", "2026-01-01"}, from: "2025-12-31T00:00", to: "01-02T12:00", want: "a 31 06:00-31 14:00, a 01 06:00-01 14:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &Schedule{Timezone: tt.zone, Layers: []Layer{tt.layer}, Overrides: tt.overrides, Holidays: tt.holidays}
			if err := s.Resolve(); err != nil {
				t.Fatal(err)
			}
			at := func(text string) time.Time {
				if len(text) < len(localFormat) {
					text = "2026-" + text
				}
				u, err := time.Parse(localFormat, text)
				if err != nil {
					t.Fatal(err)
				}
				return u
			}
			var got []string
			for _, one := range s.Segments(1, at(tt.from), at(tt.to)) {
				if len(one.Users) > 0 {
					got = append(got, strings.Join(one.Users, "+")+" "+one.From.UTC().Format("02 15:04")+"-"+one.To.UTC().Format("02 15:04"))
				}
			}
			want := slices.DeleteFunc(strings.Split(tt.want, ", "), func(s string) bool { return s == "" })
			if diff := cmp.Diff(want, got, cmp.Transformer("list", func(l []string) string { return strings.Join(l, ", ") })); diff != "" {
				t.Error(diff)
			}
		})
	}
}
