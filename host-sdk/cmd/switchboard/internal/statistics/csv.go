package statistics

import (
	"encoding/csv"
	"io"
	"strconv"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
)

// WriteCSV writes a line for each week and team with calls, the newest week first, after a line
// with the names of the columns, which are those of the JSON. Totals are not among the lines:
// whoever sums up a column would count them twice.
func (r Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	if err := out.Write([]string{"week", "from", "to", "time_zone", "team", "team_name", "calls", "answered", "messages", "hang_ups", "missed", "rejected",
		"seconds_to_person", "seconds_to_person_90th"}); err != nil {
		return err
	}
	for _, week := range r.Weeks {
		for _, t := range week.Teams {
			line := []string{week.Week, week.From, week.To, r.Zone, lists.Cell(t.Team), lists.Cell(t.Name)}
			for _, n := range []int{t.Calls, t.Answered, t.Messages, t.HangUps, t.Missed, t.Rejected} {
				line = append(line, strconv.Itoa(n))
			}
			if err := out.Write(append(line, decimal(t.Median), decimal(t.P90))); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// decimal is a number with a point; "" where it is not known. Independent of any language's comma.
func decimal(f *float64) string {
	if f == nil {
		return ""
	}
	return strconv.FormatFloat(*f, 'f', -1, 64)
}
