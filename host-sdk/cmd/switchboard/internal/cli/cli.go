package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// commands is the whole command line. kong reads it from the fields' tags; help and completion
// follow.
type commands struct {
	Init   initCommand   `cmd:"" help:"Ask six questions, and write a switchboard file and the environment."`
	Serve  serveCommand  `cmd:"" help:"Run the host until it is stopped."`
	Status statusCommand `cmd:"" help:"Show how the running host is, and what to do where something is wrong."`
	Doctor doctorCommand `cmd:"" help:"Look at everything that callers depend on, and say what is wrong and what to do."`
	Config struct {
		Check  configCheckCommand  `cmd:"" help:"Check the switchboard file and print every problem."`
		Push   configPushCommand   `cmd:"" help:"Put the switchboard file into force for all hosts that share a PostgreSQL database."`
		Sample configSampleCommand `cmd:"" help:"Print a sample switchboard file."`
	} `cmd:"" help:"Check the switchboard file, put it into force, or print a sample."`
	DB struct {
		Copy dbCopyCommand `cmd:"" help:"Copy everything from SQLite to PostgreSQL, while no host runs."`
	} `cmd:"" name:"db" help:"Move to another database."`
	Backup   backupCommand  `cmd:"" help:"Write a backup of the database and the switchboard file, while switchboard runs."`
	Restore  restoreCommand `cmd:"" help:"Check a backup, and put it into the data directory."`
	Rekey    rekeyCommand   `cmd:"" help:"Change the secret key while hosts run."`
	Override struct {
		Add    overrideAddCommand    `cmd:"" help:"Put somebody on call for a while, or say that somebody is away."`
		List   overrideListCommand   `cmd:"" help:"List the shifts and absences that people entered."`
		Remove overrideRemoveCommand `cmd:"" help:"Take a shift or an absence back: the schedule counts again."`
	} `cmd:"" help:"Change who is on call, beside the switchboard file."`
	Alert struct {
		Delete  alertDeleteCommand  `cmd:"" help:"Delete an alert that is resolved or dropped."`
		List    alertListCommand    `cmd:"" help:"List alerts."`
		Show    alertShowCommand    `cmd:"" help:"Show one alert with its history."`
		Ack     alertAckCommand     `cmd:"" help:"Acknowledge an alert in somebody's name."`
		Resolve alertResolveCommand `cmd:"" help:"Resolve an alert in somebody's name."`
	} `cmd:"" help:"List, show, acknowledge and resolve alerts."`
	Call struct {
		List callListCommand `cmd:"" help:"List calls."`
	} `cmd:"" help:"List calls."`
	Oncall         onCallCommand         `cmd:"" help:"Show who is on call according to the switchboard file, or the platform that it names."`
	Stats          statsCommand          `cmd:"" help:"Count calls by week and team, and how long callers waited for a person."`
	WhoWouldAnswer whoWouldAnswerCommand `cmd:"" name:"whowouldanswer" help:"Show who would answer a call, without placing one."`
	Token          struct {
		Create tokenCreateCommand `cmd:"" help:"Make a token for a program that uses the API."`
		List   tokenListCommand   `cmd:"" help:"List the tokens of programs."`
		Revoke tokenRevokeCommand `cmd:"" help:"End a token."`
	} `cmd:"" help:"Make, list and revoke API tokens."`
	User struct {
		Test userTestCommand `cmd:"" help:"Send a person a test by their ways."`
	} `cmd:"" help:"Try how people are told of calls."`
	Recording struct {
		Delete recordingDeleteCommand `cmd:"" help:"Delete a recording, here and at the telephone service."`
	} `cmd:"" help:"Delete recordings."`
	Forget forgetCommand `cmd:"" help:"Remove all that is known of a caller."`
	Plugin struct {
		Install pluginInstallCommand `cmd:"" help:"Install a plugin, or another version of one, while calls go on."`
		List    pluginListCommand    `cmd:"" help:"List the installed plugins."`
		Verify  pluginVerifyCommand  `cmd:"" help:"Check a plugin's signature, its manifest and the hash of its executable."`
		Remove  pluginRemoveCommand  `cmd:"" help:"Remove a plugin that nothing needs."`
		Trust   pluginTrustCommand   `cmd:"" help:"Accept plugins that a key has signed, or list the keys."`
	} `cmd:"" help:"Install, list, verify and remove plugins."`
	Platform struct {
		OpenAPI platformOpenAPICommand `cmd:"" name:"openapi" help:"Print the OpenAPI document of the protocol for platforms in any language."`
		Test    platformTestCommand    `cmd:"" help:"Try a platform behind HTTP and say what is wrong with it."`
		Suite   platformSuiteCommand   `cmd:"" hidden:"" help:"Started by platform test."`
		Setup   struct {
			GoAlert setupGoAlertCommand `cmd:"" name:"goalert" help:"Set a GoAlert server up as the platform: keys, rights, services."`
		} `cmd:"" help:"Make what a platform needs."`
	} `cmd:"" help:"Connect a platform that exists."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Completion completionCommand `cmd:"" help:"Print a completion script for a shell."`
	Man        manCommand        `cmd:"" help:"Print the manual page."`
}

// Binary is what the program knows of itself.
type Binary struct {
	Dir     string    // its folder
	Version string    // "" = what the build information says
	Sample  []byte    // a sample switchboard file
	Stdin   io.Reader // nil: there is nothing to read
}

// surroundings is what the commands may touch of the outside world.
type surroundings struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	exeDir         string // folder of the binary
	sample         []byte
	version        string
	model          *kong.Application
}

// errSaid ends a command with status 1 whose output has said already what is wrong.
var errSaid = errors.New("")

// exited carries the status of kong's own exits (--help) out of its parser.
type exited int

// command is what kong chooses by the words of the command line.
type command interface {
	Run(s *surroundings) error
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
	chosen, model, err := choose(args, stdout, stderr)
	if err == nil {
		err = chosen.Run(&surroundings{ctx: ctx, stdin: binary.Stdin, stdout: stdout, stderr: stderr, exeDir: binary.Dir, version: cmp.Or(binary.Version, builtVersion()), sample: binary.Sample, model: model})
	}
	if err != nil {
		return complain(stderr, err)
	}
	return 0
}

// choose reads the command line. It does not run the command, as kong would: what kong has made for
// it, some MiB, would be kept for as long as a host runs.
func choose(args []string, stdout, stderr io.Writer) (command, *kong.Application, error) {
	parser, err := kong.New(&commands{},
		kong.Name("switchboard"),
		kong.Description("A self-hosted hotline: callers reach the person on call.\n\n"+
			"A flag takes precedence over its environment variable, and that over the section \"settings\" of the switchboard file."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exited(code)) }), // os.Exit would end the tests, too
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		said := fmt.Errorf("%w: see %s --help", err, meant(err))
		if meant(err) == "switchboard platform test" {
			said = untested{said}
		}
		return nil, nil, said
	}
	return parsed.Selected().Target.Addr().Interface().(command), parser.Model, nil
}

// meant is the command that a wrong command line names, as far as it could be read.
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
	if !errors.Is(err, errSaid) {
		_, _ = fmt.Fprintln(stderr, "switchboard: "+strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if undecided := (untested{}); errors.As(err, &undecided) {
		return 2
	}
	return 1
}

// versionCommand is version.
type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints what this binary was built from.
func (c versionCommand) Run(s *surroundings) error {
	if c.JSON {
		return printJSON(s.stdout, map[string]string{"version": s.version, "plugin_protocol": fmt.Sprintf("%d.%d", integration.ProtocolVersion, integration.ProtocolMinor),
			"go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
	}
	_, err := fmt.Fprintf(s.stdout, "switchboard %s (plugin protocol %d.%d, %s, %s/%s)\n",
		s.version, integration.ProtocolVersion, integration.ProtocolMinor, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// builtVersion is the module's, or the commit it was built from. "+changes" says that the working
// tree held more than the commit.
func builtVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				modified = "+changes"
			}
		}
	}
	if revision == "" {
		return "devel"
	}
	return "devel-" + revision + modified
}
