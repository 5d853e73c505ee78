package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// UntilStopped is a context that ends when the process is told to: by SIGTERM, SIGINT, or SIGHUP of
// a terminal that is closed. A second signal has its usual effect, which ends the process at once;
// only SIGHUP is not counted again, as a closed terminal may send several.
func UntilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGINT}
	if !signal.Ignored(syscall.SIGHUP) { // nohup asks for that
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	context.AfterFunc(ctx, func() {
		signal.Ignore(syscall.SIGHUP)
		stop()
	})
	return ctx, stop
}
