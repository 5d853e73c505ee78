package oncall

import (
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// WhoWouldAnswer is whowouldanswer. It has all flags of serve, as it opens the store itself
// where no host runs.
type WhoWouldAnswer struct {
	command.HostFlags
	Integration string `name:"integration" required:"" placeholder:"ID" help:"Id of the integration that is called, as integration list shows it."`
	At          string `name:"at" placeholder:"TIME" help:"Time of the call, such as 2026-12-24T18:00 (this machine's time zone) or 2026-12-24T18:00:00Z (default: now)."`
	Digits      string `name:"digits" placeholder:"DIGITS" help:"Keys that the caller presses in the menu (default: none)."`
	From        string `name:"from" placeholder:"NUMBER" help:"Caller's number, for router rules that use it (default: withheld)."`
	To          string `name:"to" placeholder:"NUMBER" help:"Number that is called, for router rules that use it."`
	command.LinesFlag
}

// Help is shown by whowouldanswer --help.
func (WhoWouldAnswer) Help() string {
	return "Shows what a caller would hear and who would be called in which order, without placing a call. Asks the running host: the one on the same data directory, or with PostgreSQL whichever answers at the public address. If none is running, opens the database briefly. With --host, asks the one at that address. The exit status is 1 when nobody would be reached."
}

// Run prints what the integration's plugin says. Lines that need attention begin with "!", and the
// exit status is 1 if nobody would be reached, so that a script can watch for it.
func (c WhoWouldAnswer) Run(s *command.Surroundings) error { return c.Print(s, c.run) }

// resolve are the settings. Where this program may have to do without a host, the switchboard file
// must be good; a host that is named has one of its own.
func (c WhoWouldAnswer) resolve(s *command.Surroundings) (settings.Settings, error) {
	if c.Host != "" {
		return c.Settings(s)
	}
	file, err := command.LoadFile(s, c.Path())
	if err != nil {
		return settings.Settings{}, err
	}
	return settings.ForFile(c.Flags, file, s.ExeDir)
}

// run prints the lines.
func (c WhoWouldAnswer) run(s *command.Surroundings) error {
	values := map[string]string{integration.ValueDigits: c.Digits, integration.ValueFrom: c.From, integration.ValueTo: c.To}
	if c.At != "" {
		at, err := parseTime("--at", c.At)
		if err != nil {
			return err
		}
		// The plugin knows no time zone of this machine.
		values[integration.ValueAt] = at.UTC().Format(time.RFC3339)
	}
	resolved, err := c.resolve(s)
	if err != nil {
		return err
	}
	result, err := admin.Ask(s.Ctx, resolved, c.Integration, integration.ActionWhoWouldAnswer, values)
	if err != nil {
		return command.ListedBy("switchboard integration list", fmt.Sprintf("there is no integration %q", c.Integration), err)
	}
	// Both marks are of the same width, so that the lines stand below each other.
	for _, l := range result.Lines {
		mark := "  "
		if l.Level == "warning" || l.Level == "error" {
			mark = "! "
		}
		if _, err := fmt.Fprintln(s.Stdout, mark+l.Text); err != nil {
			return err
		}
	}
	if !result.OK {
		return command.ErrSaid
	}
	return nil
}
