package host

import (
	"fmt"
	"os"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/doctor"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Doctor is doctor.
type Doctor struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	Send           bool `name:"send" help:"Also send a test mail to the sender's own address, and a test to each channel of the teams."`
	JSON           bool `name:"json" help:"Print JSON."`
}

// Help is shown by doctor --help.
func (Doctor) Help() string {
	return "Looks at the settings, the switchboard file, the plugins, the running host with its database and platform, the public address from outside in (its name, its certificate, and whether it leads to this host), the mail server, the services at which people are notified, the clock, the disk, and each integration by its plugin's own check. Changes nothing, and sends nothing without --send. Each part has a time limit; all together take a minute at most, and each integration another one. The exit status is 1 when something keeps callers from being served."
}

// examinedLine is a line of doctor as --json prints it.
type examinedLine struct {
	Level string `json:"level"` // ok, note, warning, error
	Text  string `json:"text"`
}

// Run prints a line for each thing that was looked at. Status 1: a line is an error.
func (c Doctor) Run(s *command.Surroundings) error {
	lines := c.examine(s)
	bad := false
	shown := make([]examinedLine, 0, len(lines))
	for _, l := range lines {
		bad = bad || l.Level == inspect.Error
		shown = append(shown, examinedLine{string(l.Level), l.Text})
	}
	if c.JSON {
		if err := command.PrintJSON(s.Stdout, shown); err != nil {
			return err
		}
	} else {
		for _, l := range lines {
			_, _ = fmt.Fprintln(s.Stdout, strings.ReplaceAll(l.String(), "\n", "; "))
		}
	}
	if bad {
		return command.ErrSaid
	}
	return nil
}

// examine looks at everything, whatever is wrong with the parts before. Settings that cannot be
// used end it early: nothing else could be found.
func (c Doctor) examine(s *command.Surroundings) (lines []inspect.Line) {
	file, given, lines := c.file()
	resolved, err := settings.Resolve(c.Flags, given, s.ExeDir)
	if err != nil {
		for text := range strings.SplitSeq(err.Error(), "\n") {
			lines = append(lines, inspect.Line{Level: inspect.Error, Text: "settings: " + text})
		}
		return append(lines, doctor.Clock())
	}
	resolved.Version = s.Version
	lines = append(lines, inspect.Line{Level: inspect.OK, Text: "the settings can be used"})
	lines = append(lines, doctor.Plugins(resolved.PluginDir)...)
	return append(lines, admin.Examine(s.Ctx, resolved, file, c.Send)...)
}

// file reads the switchboard file. given are its settings, also of a file with errors, as far as
// they can be read. lines has its problems.
func (c Doctor) file() (file *switchboardfile.File, given map[string]string, lines []inspect.Line) {
	if _, err := os.Stat(c.Path()); err != nil {
		return nil, nil, []inspect.Line{{Level: inspect.Error, Text: fmt.Sprintf("%s: there is no such file: name the switchboard file with --config, or create one with: switchboard config sample > switchboard.yaml", c.Path())}}
	}
	loaded, problems := switchboardfile.Load(c.Path())
	file = loaded
	for _, p := range problems {
		level := inspect.Error
		if p.Warning {
			level = inspect.Warning
		}
		lines = append(lines, inspect.Line{Level: level, Text: p.String()})
	}
	if file == nil {
		return nil, switchboardfile.SettingsOf(c.Path()), lines
	}
	return file, file.Settings, append(lines, inspect.Line{Level: inspect.OK, Text: "the switchboard file " + c.Path() + " can be used"})
}
