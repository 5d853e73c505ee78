package oncall

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// askTime bounds questions to a platform behind a network.
const askTime = time.Minute

// OnCall is oncall. It reads the file, with the shifts that people changed beside it, or
// asks the platform that the file names, so that it answers while no host runs, and for a file that
// is not in use yet.
type OnCall struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	At             string `name:"at" placeholder:"TIME" help:"Time, such as 2026-12-24T18:00 (this machine's time zone) or 2026-12-24T18:00:00Z (default: now)."`
	Team           string `name:"team" placeholder:"ID" help:"Only this team."`
	JSON           bool   `name:"json" help:"Print JSON."`
}

// Run prints a line for each layer. "Until" is in the team's own time zone, in which its people
// think.
func (c OnCall) Run(s *command.Surroundings) error {
	at := clock.System().Now()
	if c.At != "" {
		var err error
		if at, err = parseTime("--at", c.At); err != nil {
			return err
		}
	}
	// A file that is wrong ends the command here: who is on call cannot be said then.
	loaded, err := command.LoadFile(s, c.Path())
	if err != nil {
		return err
	}
	// Only the embedded platform lets people change shifts here; others keep their own overrides.
	if loaded.Platform.Kind == switchboardfile.KindEmbedded {
		loaded = c.changed(s, loaded, at)
	}
	all := loaded.OnCall(at, 0)
	if loaded.Platform.Kind != switchboardfile.KindEmbedded {
		if all, err = c.ask(s, loaded, at); err != nil {
			return err
		}
	}
	// The ids of all teams go into the error, so that nobody has to open the file to find the right
	// one.
	var known []string
	var rows []switchboardfile.TeamOnCall
	for _, t := range all {
		known = append(known, t.Team.ID)
		if c.Team == "" || c.Team == t.Team.ID {
			rows = append(rows, t)
		}
	}
	if len(rows) == 0 {
		return fmt.Errorf("there is no team %q: there are %s", c.Team, strings.Join(known, ", "))
	}
	if c.JSON {
		return command.PrintJSON(s.Stdout, onCallJSON(rows))
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "TEAM\tLAYER\tON CALL\tPHONES\tUNTIL\tTHEN")
	for _, t := range rows {
		zone, err := time.LoadLocation(t.Timezone)
		if err != nil {
			zone = time.UTC // cannot happen: the file was refused otherwise
		}
		for _, l := range t.Layers {
			until, then := "-", "-"
			if !l.Until.IsZero() {
				until, then = l.Until.In(zone).Format("Mon 2006-01-02 15:04 MST"), people(l.Next)
			}
			who := people(l.Users)
			if l.Override {
				who += " (override)"
			}
			_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", t.Team.Name, l.Layer, who, phones(l.Users), until, then)
		}
	}
	return w.Flush()
}

// layerOnCall is a layer as oncall prints it with --json. Programs read it: names are not changed.
type layerOnCall struct {
	Team     string     `json:"team"`
	TeamName string     `json:"team_name"`
	Layer    int        `json:"layer"` // layer 1 is paged first
	Users    []personal `json:"users"`
	Override bool       `json:"override"`
	Until    *time.Time `json:"until"` // null: it is not known, or for ever
	Next     []personal `json:"next"`  // on call from then on
}

// personal is a person on call.
type personal struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Phones []string `json:"phones"`
}

// onCallJSON is a flat list of layers, in the order of the table. Lists are never null. Times are
// in UTC.
func onCallJSON(rows []switchboardfile.TeamOnCall) []layerOnCall {
	list := []layerOnCall{}
	who := func(users []integration.User) []personal {
		out := make([]personal, 0, len(users))
		for _, u := range users {
			out = append(out, personal{u.ID, u.Name, append([]string{}, u.Phones...)})
		}
		return out
	}
	for _, t := range rows {
		for _, l := range t.Layers {
			one := layerOnCall{Team: t.Team.ID, TeamName: t.Team.Name, Layer: l.Layer, Users: who(l.Users), Override: l.Override, Next: who(l.Next)}
			if until := l.Until.UTC(); !l.Until.IsZero() {
				one.Until = &until
			}
			list = append(list, one)
		}
	}
	return list
}

// changed is the file with the shifts that people changed. Those that cannot be read are missing,
// and said to be.
func (c OnCall) changed(s *command.Surroundings, file *switchboardfile.File, at time.Time) *switchboardfile.File {
	resolved, err := settings.ForFile(c.Flags, file, s.ExeDir)
	var list []api.Override
	if err == nil {
		list, err = admin.Overrides(s.Ctx, resolved, at.Truncate(time.Second))
	}
	// Without one nobody has changed anything. The schedule without changes is still worth more
	// than no answer.
	if err != nil && !errors.Is(err, datadir.ErrNoDatabase) {
		_, _ = fmt.Fprintf(s.Stderr, "switchboard: shifts that people changed are not counted: %s\n", err)
		return file
	}
	return file.WithShifts(admin.ShiftsOf(list))
}

// ask reads who is on call from the platform, which does not say until when. It returns one row for
// each team, with a layer for each that has somebody on call.
func (c OnCall) ask(s *command.Surroundings, file *switchboardfile.File, at time.Time) (rows []switchboardfile.TeamOnCall, err error) {
	resolved, err := settings.ForFile(c.Flags, file, s.ExeDir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.Ctx, askTime)
	defer cancel()
	// Its own statement: rows must be read after the function has filled it.
	err = serve.WithPlatform(ctx, resolved, file, func(p platform.Platform) error {
		teams, err := p.Teams(ctx, platform.Scope{})
		for _, t := range teams {
			row := switchboardfile.TeamOnCall{Team: t}
			entries, err := p.OnCall(ctx, platform.Scope{}, t.ID, 0, at)
			if err != nil {
				return err
			}
			for _, e := range entries { // ordered by layer
				if n := len(row.Layers); n == 0 || row.Layers[n-1].Layer != e.Layer {
					row.Layers = append(row.Layers, switchboardfile.LayerOnCall{Layer: e.Layer})
				}
				last := &row.Layers[len(row.Layers)-1]
				last.Users = append(last.Users, e.User)
			}
			rows = append(rows, row)
		}
		return err
	})
	return rows, err
}

// people lists names for a column of the table; "nobody" for none, as an empty cell reads like a
// mistake.
func people(users []integration.User) string {
	if len(users) == 0 {
		return "nobody"
	}
	names := make([]string, len(users))
	for i, u := range users {
		names[i] = u.Name
	}
	return strings.Join(names, ", ")
}

// phones lists the numbers of all users, in the order in which they would be called.
func phones(users []integration.User) string {
	var list []string
	for _, u := range users {
		for _, number := range u.Phones {
			list = append(list, phone.Display(number))
		}
	}
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}

// parseTime reads a time with a zone, or in the time zone of this machine where it has none. The
// forms without seconds or "T" are what people type. The flag's name is for errors. A year that the
// API would refuse is refused here, too.
func parseTime(flag, text string) (time.Time, error) {
	t, _, err := readTime(flag, text)
	return t, err
}

// readTime is parseTime, with what the text shows on this machine's clock where it has no zone.
func readTime(flag, text string) (t time.Time, shown *schedule.LocalTime, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err = time.Parse(layout, text); err != nil {
			continue
		}
		// A time that the change of clocks skips, or that comes twice, is the one of the
		// switchboard file and of the pages.
		if layout != time.RFC3339 {
			local := schedule.Shown(t)
			t, shown = local.In(time.Local).In(time.Local), &local
		}
		if year := t.UTC().Year(); year < api.FirstYear || year > api.LastYear {
			return t, nil, fmt.Errorf("%s %q is in the year %d: choose a time from %d to %d", flag, text, year, api.FirstYear, api.LastYear)
		}
		return t, shown, nil
	}
	return t, nil, fmt.Errorf("%s %q is not a time: use one such as 2026-12-24T18:00 or 2026-12-24T18:00:00Z", flag, text)
}
