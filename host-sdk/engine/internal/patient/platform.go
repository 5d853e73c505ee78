package patient

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Platform wraps a platform, and counts its calls. A call that is abandoned counts for its
// integration alone: a platform may be slow about one integration and well for all others.
type Platform struct {
	platform.Platform
	patience *Patience
	shared   platform.InStore // its alerts are in the store's database; nil: they are not
}

// Platform wraps a platform. shared is the same one if its alerts are in the store's database; nil:
// they are not.
func (p *Patience) Platform(of platform.Platform, shared platform.InStore) Platform {
	return Platform{of, p, shared}
}

// ask calls a method of the platform, on behalf of an integration ("": none).
func ask[T any](ctx context.Context, x Platform, method, integrationID string, call func(ctx context.Context) (T, error)) (T, error) {
	begun := time.Now()
	v, err := within(ctx, x.patience, callee{"platform", integrationID}, call)
	x.patience.counts.Asked(method, time.Since(begun), err)
	return v, err
}

// tell is ask for a method that returns an error alone.
func tell(ctx context.Context, x Platform, method, integrationID string, call func(ctx context.Context) error) error {
	_, err := ask(ctx, x, method, integrationID, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	return err
}

func (x Platform) Capabilities(ctx context.Context, scope platform.Scope) (integration.Capabilities, error) {
	return ask(ctx, x, "capabilities", scope.Integration, func(ctx context.Context) (integration.Capabilities, error) {
		return x.Platform.Capabilities(ctx, scope)
	})
}

func (x Platform) Destinations(ctx context.Context, scope platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	return ask(ctx, x, "destinations", scope.Integration, func(ctx context.Context) ([]integration.Destination, error) {
		return x.Platform.Destinations(ctx, scope, refs)
	})
}

func (x Platform) Teams(ctx context.Context, scope platform.Scope) ([]integration.Destination, error) {
	return ask(ctx, x, "teams", scope.Integration, func(ctx context.Context) ([]integration.Destination, error) { return x.Platform.Teams(ctx, scope) })
}

func (x Platform) OnCall(ctx context.Context, scope platform.Scope, team string, layer int, at time.Time) ([]integration.OnCallEntry, error) {
	return ask(ctx, x, "on_call", scope.Integration, func(ctx context.Context) ([]integration.OnCallEntry, error) {
		return x.Platform.OnCall(ctx, scope, team, layer, at)
	})
}

func (x Platform) Route(ctx context.Context, scope platform.Scope, router string, facts []byte, at time.Time) (integration.RouteVerdict, error) {
	return ask(ctx, x, "route", scope.Integration, func(ctx context.Context) (integration.RouteVerdict, error) {
		return x.Platform.Route(ctx, scope, router, facts, at)
	})
}

func (x Platform) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	return ask(ctx, x, "alert", scope.Integration, func(ctx context.Context) (integration.AlertSnapshot, error) { return x.Platform.Alert(ctx, scope, key) })
}

func (x Platform) User(ctx context.Context, scope platform.Scope, id string) (integration.User, error) {
	return ask(ctx, x, "user", scope.Integration, func(ctx context.Context) (integration.User, error) { return x.Platform.User(ctx, scope, id) })
}

func (x Platform) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	return tell(ctx, x, "apply", scope.Integration, func(ctx context.Context) error { return x.Platform.Apply(ctx, scope, cmd) })
}

// Batches reports whether the platform is a platform.BatchApplier.
func (x Platform) Batches() bool {
	_, ok := x.Platform.(platform.BatchApplier)
	return ok
}

// ApplyAll must only be called if Batches says so.
func (x Platform) ApplyAll(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (int, error) {
	return ask(ctx, x, "apply_all", scope.Integration, func(ctx context.Context) (int, error) {
		return x.Platform.(platform.BatchApplier).ApplyAll(ctx, scope, cmds)
	})
}

// InStore reports whether the alerts are in the store's database.
func (x Platform) InStore() bool { return x.shared != nil }

// Decide must only be called if InStore says so. It counts as applying the commands.
func (x Platform) Decide(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (platform.AlertChange, error) {
	return ask(ctx, x, "apply", scope.Integration, func(ctx context.Context) (platform.AlertChange, error) {
		return x.shared.Decide(ctx, scope, cmds)
	})
}

func (x Platform) Audience(ctx context.Context, scope platform.Scope, audience integration.Audience, teams []string, at time.Time) ([]string, error) {
	return ask(ctx, x, "audience", scope.Integration, func(ctx context.Context) ([]string, error) {
		return x.Platform.Audience(ctx, scope, audience, teams, at)
	})
}

// Watch is called for as long as the engine runs, so it has no deadline and none is counted: its
// goroutine may outlive the engine by as long as the platform takes to notice.
func (x Platform) Watch(ctx context.Context, hint func(platform.Hint)) error {
	begun, ended := time.Now(), make(chan error, 1)
	go func() { ended <- x.Platform.Watch(ctx, hint) }()
	select {
	case err := <-ended:
		if ctx.Err() == nil {
			x.patience.counts.Asked(counting.Watch, time.Since(begun), err)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (x Platform) Health(ctx context.Context) error {
	return tell(ctx, x, "health", "", x.Platform.Health)
}

// Finds reports whether the platform is a platform.Finder.
func (x Platform) Finds() bool {
	_, ok := x.Platform.(platform.Finder)
	return ok
}

// Findings returns what the platform finds; nothing if it is no platform.Finder.
func (x Platform) Findings(ctx context.Context) ([]string, error) {
	finder, ok := x.Platform.(platform.Finder)
	if !ok {
		return nil, nil
	}
	return ask(ctx, x, "findings", "", func(context.Context) ([]string, error) { return finder.Findings(), nil })
}
