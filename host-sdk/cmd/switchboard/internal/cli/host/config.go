package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/admin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/publicurl"
)

// ConfigCheck is config check. It has all flags of serve, as they say where the host keeps
// which numbers are its own.
type ConfigCheck struct {
	settings.Flags `group:"The host, its data and its settings, as for switchboard serve:"`
	command.LinesFlag
	Online bool `help:"Ask the platform, too, all that changes nothing on it: credentials, teams, who is on call, destinations of the integrations, accounts."`
}

// Help is shown by config check --help.
func (ConfigCheck) Help() string {
	return "Prints every problem of the switchboard file and its settings with its line. Where a host has run already, phones are compared with the numbers that callers dialed: a person whose phone is the hotline itself is a warning. The exit status is 1 when the file cannot be used, or with --online when callers would not be served as they should be."
}

// Run prints problems as FILE:LINE:COLUMN: what, and a summary when there are none.
func (c ConfigCheck) Run(s *command.Surroundings) error { return c.Print(s, c.run) }

// run prints the lines. Warnings alone leave the status at 0.
func (c ConfigCheck) run(s *command.Surroundings) error {
	path := c.Path()
	if err := command.Present(path); err != nil {
		return err
	}
	loaded, problems := switchboardfile.Load(path)
	// Settings do not depend on the rest of the file, and Load does not know what they mean.
	problems = append(problems, settingProblems(path, switchboardfile.SettingsOf(path), s.ExeDir)...)
	if loaded != nil {
		_, platform := settings.ReadPlatform(loaded) // nor this
		problems = append(problems, platform...)
	}
	switchboardfile.InOrder(problems)
	for _, p := range problems {
		_, _ = fmt.Fprintln(s.Stdout, p.String())
	}
	if switchboardfile.Fatal(problems) {
		return command.ErrSaid
	}
	c.warn(s, loaded)
	holds := []string{command.Plural(len(loaded.Users), "user"), command.Plural(len(loaded.Teams), "team"), command.Plural(len(loaded.Routers), "router")}
	if loaded.Platform.Kind != switchboardfile.KindEmbedded {
		holds = []string{"the platform is " + loaded.Platform.Kind + " at " + loaded.Platform.URL, command.Plural(len(loaded.Accounts()), "account")}
	}
	if _, err := fmt.Fprintf(s.Stdout, "%s is valid: %s\n", path, strings.Join(holds, ", ")); err != nil || !c.Online {
		return err
	}
	return c.ask(s, loaded)
}

// warn prints what works, but will disappoint callers: a public address that no carrier can call,
// and whose phone is one of the hotline's own numbers. A file may be checked where no host runs, or
// without its secrets: then there is nothing to compare numbers with. Nothing of it makes the
// status 1.
func (c ConfigCheck) warn(s *command.Surroundings, file *switchboardfile.File) {
	resolved, err := settings.Resolve(c.Flags, file.Settings, s.ExeDir)
	if err != nil {
		return
	}
	public := resolved.PublicURL
	if err := publicurl.Check(public); public != "" && err != nil && !publicurl.OfThisMachine(public) {
		p := switchboardfile.SettingProblem(c.Path(), "public_url", fmt.Sprintf("public_url: no telephone carrier can call it: %s. Use the https address at which the Internet reaches this host", err))
		p.Warning = true
		_, _ = fmt.Fprintln(s.Stdout, p.String())
	}
	hotlines, err := admin.Hotlines(s.Ctx, resolved)
	if err != nil {
		_, _ = fmt.Fprintf(s.Stdout, "%s: warning: phones could not be compared with the hotline's own numbers: %s\n", c.Path(), err)
	}
	own := map[string]string{}
	for _, h := range hotlines {
		for _, number := range h.Numbers {
			own[number] = h.ID
		}
	}
	for _, p := range file.Loops(own) {
		_, _ = fmt.Fprintln(s.Stdout, p.String())
	}
}

// ask prints what the platform says. Only an error makes the exit status 1.
func (c ConfigCheck) ask(s *command.Surroundings, file *switchboardfile.File) error {
	resolved, err := settings.ForFile(c.Flags, file, s.ExeDir)
	if err != nil {
		return err
	}
	resolved.Version = s.Version
	// Without a database the platform is still asked.
	subject := inspect.Subject{Accounts: file.Accounts()}
	if subject.Hotlines, err = admin.Hotlines(s.Ctx, resolved); err != nil {
		_, _ = fmt.Fprintf(s.Stdout, "warning: the destinations of the integrations cannot be checked: %s\n", err)
	}
	var lines []inspect.Line
	err = serve.WithPlatform(s.Ctx, resolved, file, func(p platform.Platform) error {
		subject.Platform = p
		lines = inspect.Run(s.Ctx, subject)
		return nil
	})
	wrong := false
	for _, l := range lines {
		wrong = wrong || l.Level == inspect.Error
		_, _ = fmt.Fprintln(s.Stdout, l)
	}
	if err == nil && wrong {
		return command.ErrSaid
	}
	return err
}

// ConfigPush is config push. It has all flags of serve, as they say where the running host
// and the database are.
type ConfigPush struct {
	command.LinesFlag
	command.HostFlags
}

// Help is shown by config push --help.
func (ConfigPush) Help() string {
	return "Hosts that share a PostgreSQL database share the switchboard file in force. A host that is started with another file stays at the one in force until it is pushed. The running host is asked to do it; without one it is written to the database, where all hosts find it within seconds. A file with problems is refused. Its section settings is left out, as it is each host's own."
}

// Run prints the hash of the file that is in force now.
func (c ConfigPush) Run(s *command.Surroundings) error { return c.Print(s, c.run) }

// run prints the lines. The file is checked here, before any host is asked.
func (c ConfigPush) run(s *command.Surroundings) error {
	file, err := command.LoadFile(s, c.Path())
	if err != nil {
		return err
	}
	resolved, err := c.Settings(s)
	if err != nil {
		return err
	}
	hash, err := admin.PushFile(s.Ctx, resolved, file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Stdout, "%s is in force on all hosts (%.12s)\n", c.Path(), hash)
	return err
}

// ConfigSample is config sample.
type ConfigSample struct{}

// Run prints the sample.
func (ConfigSample) Run(s *command.Surroundings) error {
	_, err := s.Stdout.Write(s.Sample)
	return err
}

// settingProblems is what is wrong with the file's own settings, whatever flags and environment
// would say.
func settingProblems(path string, given map[string]string, exeDir string) (out []switchboardfile.Problem) {
	_, err := settings.Resolve(settings.Flags{Config: settings.Config{Config: path}}, given, exeDir)
	if err == nil {
		return nil
	}
	// Resolve joins all problems: each has its own line of the file.
	found := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // the outermost error alone is the list
		found = joined.Unwrap()
	}
	for _, e := range found {
		var p *settings.Problem
		name := ""
		if errors.As(e, &p) {
			name = p.Name
		}
		if name == "database_url" && strings.Contains(p.Error(), "SWITCHBOARD_") {
			continue // secrets do not belong into the file
		}
		out = append(out, switchboardfile.SettingProblem(path, name, strings.ReplaceAll(e.Error(), "\n", "; ")))
	}
	return out
}
