package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/account"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/calls"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/command"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/data"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/host"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/integrations"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/oncall"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/platform"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/plugin"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/setup"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli/token"
)

// commands is the whole command line. kong reads it from the fields' tags; help and completion
// follow. Their order is that of the help.
type commands struct {
	Init   setup.Init  `cmd:"" help:"Ask six questions, and write a switchboard file and the environment."`
	Serve  host.Serve  `cmd:"" help:"Run the host until it is stopped."`
	Status host.Status `cmd:"" help:"Show how the running host is, and what to do where something is wrong."`
	Doctor host.Doctor `cmd:"" help:"Look at everything that callers depend on, and say what is wrong and what to do."`
	Config struct {
		Check  host.ConfigCheck  `cmd:"" help:"Check the switchboard file and print every problem."`
		Push   host.ConfigPush   `cmd:"" help:"Put the switchboard file into force for all hosts that share a PostgreSQL database."`
		Sample host.ConfigSample `cmd:"" help:"Print a sample switchboard file."`
	} `cmd:"" help:"Check the switchboard file, put it into force, or print a sample."`
	DB struct {
		Copy data.DBCopy `cmd:"" help:"Copy everything from SQLite to PostgreSQL, while no host runs."`
	} `cmd:"" name:"db" help:"Move to another database."`
	Backup   data.Backup  `cmd:"" help:"Write a backup of the database and the switchboard file, while switchboard runs."`
	Restore  data.Restore `cmd:"" help:"Check a backup, and put it into the data directory."`
	Rekey    data.Rekey   `cmd:"" help:"Change the secret key while hosts run."`
	Override struct {
		Add    oncall.OverrideAdd    `cmd:"" help:"Put somebody on call for a while, or say that somebody is away."`
		List   oncall.OverrideList   `cmd:"" help:"List the shifts and absences that people entered."`
		Remove oncall.OverrideRemove `cmd:"" help:"Take a shift or an absence back: the schedule counts again."`
	} `cmd:"" help:"Change who is on call, beside the switchboard file."`
	Alert struct {
		Delete   calls.AlertDelete   `cmd:"" help:"Delete an alert that is resolved or dropped."`
		List     calls.AlertList     `cmd:"" help:"List alerts."`
		Show     calls.AlertShow     `cmd:"" help:"Show one alert with its history."`
		Ack      calls.AlertAck      `cmd:"" help:"Acknowledge an alert in somebody's name."`
		Decline  calls.AlertDecline  `cmd:"" help:"Decline an alert in the name of somebody who was paged."`
		Escalate calls.AlertEscalate `cmd:"" help:"Page the next layer, in somebody's name."`
		Resolve  calls.AlertResolve  `cmd:"" help:"Resolve an alert in somebody's name."`
	} `cmd:"" help:"List, show, acknowledge, decline, escalate, resolve and delete alerts."`
	Call struct {
		Delete calls.CallDelete `cmd:"" help:"Delete the record of a call with its recordings, here and at the telephone service."`
		List   calls.CallList   `cmd:"" help:"List calls."`
		Show   calls.CallShow   `cmd:"" help:"Show one call with its story, phones, recordings and notes."`
	} `cmd:"" help:"List, show and delete calls."`
	Note struct {
		Add    calls.NoteAdd    `cmd:"" help:"Add a note to a call in somebody's name."`
		List   calls.NoteList   `cmd:"" help:"List the notes of a call."`
		Delete calls.NoteDelete `cmd:"" help:"Delete a note of a call."`
	} `cmd:"" help:"Add, list and delete notes of calls."`
	Integration struct {
		List integrations.List `cmd:"" help:"List the integrations."`
		Show integrations.Show `cmd:"" help:"Show one integration, and what is wrong with it."`
	} `cmd:"" help:"List and show integrations."`
	Oncall         oncall.OnCall         `cmd:"" help:"Show who is on call according to the switchboard file, or the platform that it names."`
	Stats          calls.Stats           `cmd:"" help:"Count calls by week and team, and how long callers waited for a person."`
	WhoWouldAnswer oncall.WhoWouldAnswer `cmd:"" name:"whowouldanswer" help:"Show who would answer a call, without placing one."`
	Token          struct {
		Create token.Create `cmd:"" help:"Make a token for a program that uses the API."`
		List   token.List   `cmd:"" help:"List the tokens of programs."`
		Revoke token.Revoke `cmd:"" help:"End a token."`
	} `cmd:"" help:"Make, list and revoke API tokens."`
	Login struct {
		List account.LoginList `cmd:"" help:"List where people are logged in."`
		End  account.LoginEnd  `cmd:"" help:"Log a browser out."`
	} `cmd:"" help:"List and end logins."`
	Audit struct {
		List account.AuditList `cmd:"" help:"List who did what."`
	} `cmd:"" help:"Show who did what."`
	User struct {
		Test oncall.UserTest `cmd:"" help:"Send a person a test by their ways."`
	} `cmd:"" help:"Try how people are told of calls."`
	Recording struct {
		Delete calls.RecordingDelete `cmd:"" help:"Delete a recording, here and at the telephone service."`
	} `cmd:"" help:"Delete recordings."`
	Forget calls.Forget `cmd:"" help:"Remove all that is known of a caller."`
	Plugin struct {
		Install plugin.Install `cmd:"" help:"Install a plugin, or another version of one, while calls go on."`
		List    plugin.List    `cmd:"" help:"List the installed plugins."`
		Verify  plugin.Verify  `cmd:"" help:"Check a plugin's signature, its manifest and the hash of its executable."`
		Remove  plugin.Remove  `cmd:"" help:"Remove a plugin that nothing needs."`
		Trust   plugin.Trust   `cmd:"" help:"Accept plugins that a key has signed, or list the keys."`
	} `cmd:"" help:"Install, list, verify and remove plugins."`
	Platform struct {
		OpenAPI platform.OpenAPI `cmd:"" name:"openapi" help:"Print the OpenAPI document of the protocol for platforms in any language."`
		Test    platform.Test    `cmd:"" help:"Try a platform behind HTTP and say what is wrong with it."`
		Suite   platform.Suite   `cmd:"" hidden:"" help:"Started by platform test."`
		Setup   struct {
			GoAlert setup.GoAlert `cmd:"" name:"goalert" help:"Set a GoAlert server up as the platform: keys, rights, services."`
		} `cmd:"" help:"Make what a platform needs."`
	} `cmd:"" help:"Connect a platform that exists."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Completion completionCommand `cmd:"" help:"Print a completion script for a shell."`
	Man        manCommand        `cmd:"" help:"Print the manual page."`
}

// Binary is what the program knows of itself. Tests give their own; main gives that of the process.
type Binary struct {
	Dir     string    // its folder
	Version string    // "" = what the build information says
	Sample  []byte    // a sample switchboard file
	Stdin   io.Reader // nil: there is nothing to read
}

// exited carries the status of kong's own exits (--help) out of its parser.
type exited int

// runner is what kong chooses by the words of the command line. Every field of commands that has no
// commands below it is one; choose relies on that.
type runner interface {
	Run(s *command.Surroundings) error
}

// Run runs one command and returns the exit status: 0, or 1 with one line on stderr that says what
// is wrong. What platform test could not test has the status 2.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer, binary Binary) (status int) {
	// Only our own exits are caught: any other panic is a defect and must be seen.
	defer func() {
		switch p := recover().(type) {
		case nil:
		case exited:
			status = int(p)
		default:
			panic(p)
		}
	}()
	chosen, err := choose(args, stdout, stderr)
	if err == nil {
		err = chosen.Run(&command.Surroundings{Ctx: ctx, Stdin: binary.Stdin, Stdout: stdout, Stderr: stderr, ExeDir: binary.Dir, Version: cmp.Or(binary.Version, builtVersion()), Sample: binary.Sample, Model: model})
	}
	if err != nil {
		return complain(stderr, err)
	}
	return 0
}

// choose reads the command line. It does not run the command, as kong would: what kong has made for
// it, some MiB, would be kept for as long as a host runs.
func choose(args []string, stdout, stderr io.Writer) (runner, error) {
	parser, err := newParser(stdout, stderr)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		said := fmt.Errorf("%w: see %s --help", err, meant(err))
		if meant(err) == "switchboard platform test" {
			said = command.Untested{Reason: said}
		}
		return nil, said
	}
	return parsed.Selected().Target.Addr().Interface().(runner), nil
}

// newParser makes what reads the command line.
func newParser(stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("switchboard"),
		kong.Description("A self-hosted hotline: callers reach the person on call.\n\n"+
			"A flag takes precedence over its environment variable, and that over the section \"settings\" of the switchboard file."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exited(code)) }), // os.Exit would end the tests, too
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
}

// model is the whole command line, made anew.
func model() (*kong.Application, error) {
	parser, err := newParser(io.Discard, io.Discard)
	if err != nil {
		return nil, err
	}
	return parser.Model, nil
}

// meant is the command that a wrong command line names, as far as it could be read. It goes into
// the error, so that the help of that command is shown and not that of all. It is "switchboard" if
// not even the first word is a command.
func meant(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		for i := len(wrong.Context.Path) - 1; i >= 0; i-- {
			if c := wrong.Context.Path[i].Command; c != nil {
				return c.FullPath()
			}
		}
	}
	return "switchboard"
}

// complain prints an error in one line, unless the command has printed it already, and returns the
// exit status.
func complain(stderr io.Writer, err error) int {
	if !errors.Is(err, command.ErrSaid) {
		_, _ = fmt.Fprintln(stderr, "switchboard: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	// Also around ErrSaid: the report has said why, and the status is 2 all the same.
	if undecided := (command.Untested{}); errors.As(err, &undecided) {
		return 2
	}
	return 1
}
