package cli

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// serveCommand is serve.
type serveCommand struct {
	settings.Flags
}

// Help is shown by serve --help.
func (serveCommand) Help() string {
	return "The host is ready when /readyz answers 200. It shuts down cleanly on SIGTERM or SIGINT; a second signal ends it at once."
}

// Run serves until a signal.
func (c serveCommand) Run(s *surroundings) error {
	file, err := loadFile(s, c.Path())
	if err != nil {
		return err
	}
	resolved, err := settings.Resolve(c.Flags, file.Settings, s.exeDir)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(s.ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal has its usual effect
	return serve.Run(ctx, resolved, s.stderr)
}
