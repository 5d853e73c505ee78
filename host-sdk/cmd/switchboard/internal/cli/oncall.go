package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// onCallCommand is oncall. It reads the file alone, so that it answers while no host runs, and for
// a file that is not in use yet.
type onCallCommand struct {
	settings.Config
	At   string `name:"at" placeholder:"TIME" help:"Time, such as 2026-12-24T18:00 (this machine's time zone) or 2026-12-24T18:00:00Z (default: now)."`
	Team string `name:"team" placeholder:"ID" help:"Only this team."`
}

// Run prints a line for each layer. "Until" is in the team's own time zone, in which its people
// think.
func (c onCallCommand) Run(s *surroundings) error {
	at := clock.System().Now()
	if c.At != "" {
		var err error
		if at, err = parseTime(c.At); err != nil {
			return err
		}
	}
	loaded, err := loadFile(s, c.Path())
	if err != nil {
		return err
	}
	if loaded.Platform.Kind != switchboardfile.KindEmbedded {
		return fmt.Errorf("%s names another platform, which knows who is on call: see %s", c.Path(), loaded.Platform.URL)
	}
	var known []string
	var rows []switchboardfile.TeamOnCall
	for _, t := range loaded.OnCall(at, 0) {
		known = append(known, t.Team.ID)
		if c.Team == "" || c.Team == t.Team.ID {
			rows = append(rows, t)
		}
	}
	if len(rows) == 0 {
		return fmt.Errorf("there is no team %q: there are %s", c.Team, strings.Join(known, ", "))
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
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
// forms without seconds or "T" are what people type.
func parseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--at %q is not a time: use one such as 2026-12-24T18:00 or 2026-12-24T18:00:00Z", text)
}
