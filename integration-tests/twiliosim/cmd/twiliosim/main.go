// Command twiliosim runs a simulated Twilio account, and drives one that runs: it places calls,
// answers telephones and prints what each side hears.
//
//	main.go    the commands
//	serve.go   serve: the simulator itself
//	drive.go   call, answer, phone, calls: they drive a simulator that runs in another process
//	client.go  the control API
//	print.go   events as lines for people
//	demo.go    demo: the whole hotline on this machine
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// cli is the command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run a simulated Twilio account: REST API, control API and a page."`
	Call    callCmd    `cmd:"" help:"Place a call and print what each side hears."`
	Answer  answerCmd  `cmd:"" help:"Answer a telephone that rings (or will ring) and print what is heard."`
	Phone   phoneCmd   `cmd:"" help:"Say how a telephone behaves when it rings."`
	Calls   callsCmd   `cmd:"" help:"List the calls."`
	Demo    demoCmd    `cmd:"" help:"Start the simulator, switchboard and the plugin with sample teams, and say what to try."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// environment is what commands get besides their flags.
type environment struct {
	in  io.Reader
	out io.Writer
}

func main() {
	os.Exit(run(os.Args[1:], &environment{in: os.Stdin, out: os.Stdout}, os.Stderr))
}

// run is main with its surroundings; it returns the exit code.
func run(args []string, env *environment, errOut io.Writer) int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	// A closed terminal ends it, unless nohup asks for the contrary.
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	return runContext(ctx, args, env, errOut)
}

// errExit ends kong's own printing (help) without leaving the process.
type errExit int

func (e errExit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// runContext is run with a context of the caller's, for tests. It returns 0, 1 after a command that
// failed, or 2 for a wrong command line.
func runContext(ctx context.Context, args []string, env *environment, errOut io.Writer) (code int) {
	// kong ends the process after printing help. A panic takes the place of that exit, so that
	// tests can run every command.
	defer func() {
		if p := recover(); p != nil {
			exit, ok := p.(errExit)
			if !ok {
				panic(p)
			}
			code = int(exit)
		}
	}()
	var c cli
	parser, err := kong.New(&c, kong.Name("twiliosim"), kong.Description("A simulated Twilio account."),
		kong.UsageOnError(), kong.Writers(env.out, errOut), kong.Exit(func(code int) { panic(errExit(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(env), kong.Vars{
			"account": twiliosim.DefaultAccountSid, "token": twiliosim.DefaultAuthToken, "key": twiliosim.DefaultAPIKey,
			"secret": twiliosim.DefaultAPISecret, "script_help": scriptHelp})
	if err != nil {
		_, _ = fmt.Fprintln(errOut, "twiliosim:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		_, _ = fmt.Fprintf(errOut, "twiliosim: %v: see twiliosim --help\n", err)
		return 2
	}
	if err := parsed.Run(); err != nil {
		if !errors.Is(err, context.Canceled) { // Ctrl-C needs no explanation
			_, _ = fmt.Fprintln(errOut, "twiliosim:", err)
		}
		return 1
	}
	return 0
}

// version is set when a release is built (-ldflags "-X main.version=…").
var version string

// versionCmd prints the release's version, else that of the module as Go has recorded it.
type versionCmd struct{}

func (versionCmd) Run(env *environment) error {
	v := version
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = info.Main.Version
	}
	_, err := fmt.Fprintln(env.out, "twiliosim", v)
	return err
}
