package calls

import (
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/statistics"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Stats is stats.
type Stats struct {
	command.AskFlags
	Team string `name:"team" placeholder:"ID" help:"Only the calls that reached this team."`
	From string `name:"from" placeholder:"DATE" help:"A day of the first week, such as 2026-03-31 (default: eleven weeks before the last one)."`
	To   string `name:"to" placeholder:"DATE" help:"A day of the last week (default: today)."`
	Zone string `name:"zone" placeholder:"ZONE" help:"Time zone in which weeks begin, such as Europe/Vienna (default: that of the team's schedule, or of all teams where they have the same, else UTC)."`
}

// Help is shown by stats --help.
func (Stats) Help() string {
	text := "Counts calls by week and team, at most 53 weeks:\n\n"
	for _, d := range statistics.Definitions {
		text += d.Column + ": " + d.Meaning + ".\n\n"
	}
	return text + "Calls in progress, and rejected ones, are not counted. " + command.HowAsked
}

// Run prints a line for each week and team, the newest week first, and one for all together.
func (c Stats) Run(s *command.Surroundings) error {
	// It says which zone is the team's.
	file, _ := switchboardfile.Load(c.Path())
	query := statistics.Query{Team: c.Team, From: c.From, To: c.To, Zone: c.Zone}
	if err := query.Check(clock.System().Now(), file); err != nil {
		if wrong := (*statistics.FieldError)(nil); errors.As(err, &wrong) {
			return fmt.Errorf("--%w", err)
		}
		return err
	}
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	report, err := admin.Statistics(s.Ctx, resolved, file, query)
	if err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, report)
	}
	return printStatistics(s, report)
}

// printStatistics writes the table for people.
func printStatistics(s *command.Surroundings, r statistics.Report) error {
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "WEEK (%s)\tTEAM\tCALLS\tANSWERED\tMESSAGES\tHANG-UPS\tMISSED\tMEDIAN\t90 %%\n", r.Zone)
	line := func(week, team string, c statistics.Counts) {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", week, team, c.Calls, c.Answered, c.Messages, c.HangUps, c.Missed, secondsOf(c.Median), secondsOf(c.P90))
	}
	for _, week := range r.Weeks {
		for _, t := range week.Teams {
			if t.Team == "" {
				t.Name = "(no team reached)"
			}
			line(week.Week, t.Name, t.Counts)
		}
	}
	line("all", "all", r.Total)
	return w.Flush()
}

// secondsOf is a time to a person. nil: no call was answered, so there is no median.
func secondsOf(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	if *seconds < 60 {
		return strconv.FormatFloat(*seconds, 'f', -1, 64) + " s"
	}
	return oneline.Lasting(time.Duration(*seconds * float64(time.Second)))
}
