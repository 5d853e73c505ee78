// Command switchboard is the ready-made host for live call routing: one binary with teams and
// schedules from a file, alerts of its own, web pages, a JSON API and a command line. It knows
// nothing of any telephone carrier: the plugin knows what a call is.
//
//	main.go             hands over to the command line
//	internal/cli        commands
//	internal/settings   flags, environment, file
//	internal/serve      joins the parts into one process
//	internal/admin      acts for a person at a terminal, by the running host or without one
//	internal/database   backup, restore, a move to PostgreSQL, another secret key
//	internal/datadir    the data directory: its lock, its host's address, its database
//	internal/plugins    the launched plugins
//	internal/inforce    the switchboard file in force
//	internal/health     how the parts of the host are
//	internal/logging    the log
//	internal/wording    errors as people read them
//	internal/api        JSON API
//	internal/pages      web pages
//	internal/inspect    what config check asks a platform
//	internal/platformcheck  platform test
//	internal/httpkit    what all HTTP answers have in common
//	internal/names      names of teams and people
//	internal/audio      what uploaded prompts are
//	internal/hosttest   a host for tests
package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // schedules work on machines without a time zone database

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli"
)

//go:embed sample.yaml
var sample []byte

// version is set when a release is built (-ldflags "-X main.version=…").
var version string

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "switchboard: cannot find its own folder:", err)
		return 1
	}
	return cli.Run(context.Background(), args, os.Stdout, os.Stderr, cli.Binary{Dir: filepath.Dir(exe), Version: version, Sample: sample, Stdin: os.Stdin})
}
