package oncall

import (
	"cmp"
	"errors"
	"fmt"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
)

// overrideFlags are those of all override commands. They ask the running host, and write to the
// database where none runs.
type overrideFlags struct {
	command.AskFlags
}

// table writes overrides for people.
func table(s *command.Surroundings, list []api.Override) error {
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ID\tWHO\tWHAT\tFROM\tTO\tBY\tNOTE")
	for _, o := range list {
		what := "away"
		if o.Team != "" {
			what = fmt.Sprintf("layer %d of %s", o.Layer, o.Team)
		}
		if o.Idle != "" {
			what += " (does not count: " + o.Idle + ")"
		}
		if o.Unrung != "" {
			what += " (" + o.Unrung + ")"
		}
		const shown = "2006-01-02 15:04 MST"
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.User, what, o.From.Local().Format(shown), o.To.Local().Format(shown), o.By, cmp.Or(o.Note, "-"))
	}
	return w.Flush()
}

// OverrideAdd is override add.
type OverrideAdd struct {
	overrideFlags
	User  string `name:"user" required:"" placeholder:"ID" help:"Who is on call, or away."`
	Team  string `name:"team" placeholder:"ID" help:"The team; without it the person is away, from all teams."`
	Layer int    `name:"layer" placeholder:"N" help:"The layer, from 1; layer 1 is paged first (default: 1)."`
	From  string `name:"from" placeholder:"TIME" help:"Time, such as 2026-12-24T18:00 (this machine's time zone) or 2026-12-24T18:00:00Z (default: now)."`
	To    string `name:"to" required:"" placeholder:"TIME" help:"Time at which it ends."`
	Away  bool   `name:"away" help:"The person is away."`
	Note  string `name:"note" placeholder:"TEXT" help:"A note for people, at most 200 characters."`
}

// Help is shown by override add --help.
func (OverrideAdd) Help() string {
	return "It counts at once, until --to. Of two shifts at the same time the later one entered counts. Whoever is away is not on call in any team, and nobody steps in by itself: see the gaps with switchboard oncall, or on the On-call page. The running host is asked to do it; without one it is written to the database."
}

// Run prints what was entered.
func (c OverrideAdd) Run(s *command.Surroundings) error {
	switch {
	case c.Away && c.Team != "":
		return errors.New("--team does not go with --away: whoever is away is away from all teams")
	case !c.Away && c.Team == "":
		return errors.New("name a team with --team, or say --away")
	case c.Away && c.Layer != 0:
		return errors.New("--layer does not go with --away: whoever is away is not on call in any layer")
	}
	o := api.Override{Team: c.Team, Layer: c.Layer, User: c.User, Note: c.Note, From: clock.System().Now(), By: by()}
	// Layer 0 means that the flag was not given; an override of somebody who is away keeps it.
	if !c.Away && o.Layer == 0 {
		o.Layer = 1
	}
	if err := c.times(&o); err != nil {
		return err
	}
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	if o, err = admin.AddOverride(s.Ctx, resolved, o); err != nil {
		return err
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, o)
	}
	if o.Untold != "" {
		_, _ = fmt.Fprintln(s.Stderr, o.Untold)
	}
	return table(s, []api.Override{o})
}

// times reads the flags into o, whose From is now.
func (c OverrideAdd) times(o *api.Override) (err error) {
	var from, to *schedule.LocalTime
	if c.From != "" {
		if o.From, from, err = readTime("--from", c.From); err != nil {
			return err
		}
	}
	if o.To, to, err = readTime("--to", c.To); err != nil {
		return err
	}
	if from != nil && to != nil {
		if why := from.Skipped(*to, time.Local); why != "" {
			return fmt.Errorf("--from and --to: %s", why)
		}
	}
	return nil
}

// by names who works at this machine. It is shown beside the override for as long as that is kept.
func by() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username + " at a terminal"
	}
	return "an admin at a terminal"
}

// OverrideList is override list.
type OverrideList struct {
	overrideFlags
	From string `name:"from" placeholder:"TIME" help:"Those that end after this time (default: now). They are kept for 40 days after their end."`
}

// Run prints them in the order in which they were entered.
func (c OverrideList) Run(s *command.Surroundings) error {
	from := clock.System().Now()
	if c.From != "" {
		var err error
		if from, err = parseTime("--from", c.From); err != nil {
			return err
		}
	}
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	// The API takes whole seconds, so the database is asked for the same.
	list, err := admin.Overrides(s.Ctx, resolved, from.Truncate(time.Second))
	if err != nil {
		return err
	}
	// A program gets an empty list; a person gets a sentence in place of an empty table.
	switch {
	case c.JSON:
		return command.PrintJSON(s.Stdout, apikit.List(list))
	case len(list) == 0:
		_, err := fmt.Fprintf(s.Stdout, "Nobody has changed who is on call, or is away, after %s: the switchboard file alone says who is on call.\n", command.When(from))
		return err
	}
	return table(s, list)
}

// OverrideRemove is override remove.
type OverrideRemove struct {
	overrideFlags
	ID string `arg:"" help:"Its id, as override list prints it."`
}

// Run says that it is removed.
func (c OverrideRemove) Run(s *command.Surroundings) error {
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	if err := admin.RemoveOverride(s.Ctx, resolved, c.ID); err != nil {
		return command.ListedBy("switchboard override list", "it may have been removed already", err)
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, map[string]string{"id": c.ID})
	}
	_, err = fmt.Fprintf(s.Stdout, "%s is removed: the schedule counts again\n", c.ID)
	return err
}
