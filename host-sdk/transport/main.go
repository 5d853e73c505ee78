package transport

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/garbage"
)

// Described is what a plugin binary prints, as JSON, when it is run with the argument "describe":
// enough to check an installation without a handshake.
type Described struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Version  string            `json:"version"`
	Protocol DescribedProtocol `json:"protocol"`
	Formats  DescribedFormats  `json:"formats"`
	Actions  []DescribedAction `json:"actions"`
}

// DescribedProtocol is the protocol a plugin speaks.
type DescribedProtocol struct {
	Version int `json:"version"`
	Minor   int `json:"minor"`
}

// DescribedFormats are the formats a plugin writes; see integration.Formats.
type DescribedFormats struct {
	State   int `json:"state"`
	Task    int `json:"task"`
	Path    int `json:"path"`
	Options int `json:"options"`
}

// DescribedAction is one of the plugin's actions.
type DescribedAction struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// Main is the whole main function of a plugin binary: with the argument "describe" it prints a
// [Described], without arguments it serves what build returns to the host that started it. It ends
// the process when build fails or the arguments are wrong. While the plugin serves, its garbage is
// collected about twice a second when it is busy, unless GOGC or GOMEMLIMIT is set.
func Main(build func(log *slog.Logger) (integration.Integration, error)) {
	log := PluginLogger()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, log, build, func(impl integration.Integration) {
		garbage.CollectAsNeeded()
		Serve(impl, ServeOptions{Logger: log})
	}))
}

// run returns the exit status of the process.
func run(
	args []string, stdout, stderr io.Writer, log *slog.Logger,
	build func(*slog.Logger) (integration.Integration, error), serve func(integration.Integration),
) int {
	if len(args) > 1 || len(args) == 1 && args[0] != "describe" {
		_, _ = fmt.Fprintf(stderr, "unknown arguments %q: this is a plugin; its host starts it without any, \"describe\" prints what it is\n", args)
		return 2
	}
	impl, err := build(log)
	if err != nil {
		log.Error("the plugin cannot start", "error", err)
		return 1
	}
	if len(args) == 0 {
		serve(impl)
		return 0
	}
	if err := describe(stdout, impl); err != nil {
		_, _ = fmt.Fprintf(stderr, "describe: %v\n", err)
		return 1
	}
	return 0
}

// describe prints a Described. The time limit is generous, as nobody waits but the person at the
// terminal.
func describe(w io.Writer, impl integration.Integration) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	d, err := impl.Describe(ctx, integration.DescribeRequest{})
	if err != nil {
		return err
	}
	out := Described{
		ID:       d.ID,
		Name:     d.Name,
		Version:  d.Version,
		Protocol: DescribedProtocol{Version: d.ProtocolVersion, Minor: d.ProtocolMinor},
		Formats: DescribedFormats{
			State: d.Formats.State, Task: d.Formats.Task, Path: d.Formats.Path, Options: d.Formats.Options,
		},
		Actions: []DescribedAction{},
	}
	for _, a := range d.Actions {
		out.Actions = append(out.Actions, DescribedAction{Name: a.Name, Label: a.Label})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
