package platform

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// BatchApplier is implemented by platforms that gain from getting commands together, such as one
// that makes an alert, routes it and describes it in one request. The engine then hands over all
// commands of an alert that wait, and calls Apply for none.
type BatchApplier interface {
	// ApplyAll runs commands of one alert as Apply would, one after the other: cmds is not empty,
	// and its numbers rise. It returns how many of them, from the first on, are done: run now, or
	// found to have been run before. If that is not all of them, the error is that of the command
	// behind those, and nothing of what is behind it was done: after a final error its handler
	// hears of it and the engine goes on with the next one, after any other it repeats from there.
	// What was done without being counted is repeated, as with Apply.
	ApplyAll(ctx context.Context, scope Scope, cmds []integration.AlertCommand) (done int, err error)
}
