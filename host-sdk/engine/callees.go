package engine

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// The types of this file are the callees of the engine with the engine's patience: their methods do
// what those of the wrapped value do, and return when their context has ended, whatever the wrapped
// value does. See patience.

// patientPlatform wraps a platform, and counts its calls. A call that is abandoned counts for its
// integration alone: a platform may be slow about one integration and well for all others.
type patientPlatform struct {
	platform.Platform
	patience *patience
	shared   platform.InStore // its alerts are in the store's database; nil: they are not
}

// methodWatch is the platform's method that lasts as long as the engine.
const methodWatch = "watch"

// ask calls a method of the platform, on behalf of an integration ("": none).
func ask[T any](ctx context.Context, x patientPlatform, method, integrationID string, call func(ctx context.Context) (T, error)) (T, error) {
	begun := time.Now()
	v, err := within(ctx, x.patience, callee{"platform", integrationID}, call)
	x.patience.metrics.asked(method, time.Since(begun), err)
	return v, err
}

// tell is ask for a method that returns an error alone.
func tell(ctx context.Context, x patientPlatform, method, integrationID string, call func(ctx context.Context) error) error {
	_, err := ask(ctx, x, method, integrationID, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	return err
}

func (x patientPlatform) Capabilities(ctx context.Context, scope platform.Scope) (integration.Capabilities, error) {
	return ask(ctx, x, "capabilities", scope.Integration, func(ctx context.Context) (integration.Capabilities, error) {
		return x.Platform.Capabilities(ctx, scope)
	})
}

func (x patientPlatform) Destinations(ctx context.Context, scope platform.Scope, refs []platform.Ref) ([]integration.Destination, error) {
	return ask(ctx, x, "destinations", scope.Integration, func(ctx context.Context) ([]integration.Destination, error) {
		return x.Platform.Destinations(ctx, scope, refs)
	})
}

func (x patientPlatform) Teams(ctx context.Context, scope platform.Scope) ([]integration.Destination, error) {
	return ask(ctx, x, "teams", scope.Integration, func(ctx context.Context) ([]integration.Destination, error) { return x.Platform.Teams(ctx, scope) })
}

func (x patientPlatform) OnCall(ctx context.Context, scope platform.Scope, team string, layer int, at time.Time) ([]integration.OnCallEntry, error) {
	return ask(ctx, x, "on_call", scope.Integration, func(ctx context.Context) ([]integration.OnCallEntry, error) {
		return x.Platform.OnCall(ctx, scope, team, layer, at)
	})
}

func (x patientPlatform) Route(ctx context.Context, scope platform.Scope, router string, facts []byte, at time.Time) (integration.RouteVerdict, error) {
	return ask(ctx, x, "route", scope.Integration, func(ctx context.Context) (integration.RouteVerdict, error) {
		return x.Platform.Route(ctx, scope, router, facts, at)
	})
}

func (x patientPlatform) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	return ask(ctx, x, "alert", scope.Integration, func(ctx context.Context) (integration.AlertSnapshot, error) { return x.Platform.Alert(ctx, scope, key) })
}

func (x patientPlatform) User(ctx context.Context, scope platform.Scope, id string) (integration.User, error) {
	return ask(ctx, x, "user", scope.Integration, func(ctx context.Context) (integration.User, error) { return x.Platform.User(ctx, scope, id) })
}

func (x patientPlatform) Apply(ctx context.Context, scope platform.Scope, cmd integration.AlertCommand) error {
	return tell(ctx, x, "apply", scope.Integration, func(ctx context.Context) error { return x.Platform.Apply(ctx, scope, cmd) })
}

// batches reports whether the platform is a platform.BatchApplier.
func (x patientPlatform) batches() bool {
	_, ok := x.Platform.(platform.BatchApplier)
	return ok
}

// ApplyAll must only be called if batches says so.
func (x patientPlatform) ApplyAll(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (int, error) {
	return ask(ctx, x, "apply_all", scope.Integration, func(ctx context.Context) (int, error) {
		return x.Platform.(platform.BatchApplier).ApplyAll(ctx, scope, cmds)
	})
}

// inStore reports whether the alerts are in the store's database.
func (x patientPlatform) inStore() bool { return x.shared != nil }

// decide must only be called if inStore says so. It counts as applying the commands.
func (x patientPlatform) decide(ctx context.Context, scope platform.Scope, cmds []integration.AlertCommand) (platform.AlertChange, error) {
	return ask(ctx, x, "apply", scope.Integration, func(ctx context.Context) (platform.AlertChange, error) {
		return x.shared.Decide(ctx, scope, cmds)
	})
}

func (x patientPlatform) Audience(ctx context.Context, scope platform.Scope, audience integration.Audience, teams []string, at time.Time) ([]string, error) {
	return ask(ctx, x, "audience", scope.Integration, func(ctx context.Context) ([]string, error) {
		return x.Platform.Audience(ctx, scope, audience, teams, at)
	})
}

// Watch is called for as long as the engine runs, so it has no deadline and none is counted: its
// goroutine may outlive the engine by as long as the platform takes to notice.
func (x patientPlatform) Watch(ctx context.Context, hint func(platform.Hint)) error {
	begun, ended := time.Now(), make(chan error, 1)
	go func() { ended <- x.Platform.Watch(ctx, hint) }()
	select {
	case err := <-ended:
		if ctx.Err() == nil {
			x.patience.metrics.asked(methodWatch, time.Since(begun), err)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (x patientPlatform) Health(ctx context.Context) error {
	return tell(ctx, x, "health", "", x.Platform.Health)
}

// findings returns what the platform finds; nothing if it is no platform.Finder.
func (x patientPlatform) findings(ctx context.Context) ([]string, error) {
	finder, ok := x.Platform.(platform.Finder)
	if !ok {
		return nil, nil
	}
	return ask(ctx, x, "findings", "", func(context.Context) ([]string, error) { return finder.Findings(), nil })
}

// InTime is a plugin whose handlers return when their context has ended, whatever its process does,
// as those of a launched plugin do. They are called as they are; of all others the engine gives up
// those that do not return, for which each call needs a goroutine.
type InTime interface {
	// ReturnsInTime does nothing: having it is the promise.
	ReturnsInTime()
}

// patientPlugin wraps a plugin. Calls about no integration yet, such as Describe and
// ValidateOptions, are counted together.
type patientPlugin struct {
	integration.Integration
	patience *patience
}

func (x patientPlugin) Describe(ctx context.Context, req integration.DescribeRequest) (integration.Description, error) {
	return within(ctx, x.patience, callee{name: "plugin"}, func(ctx context.Context) (integration.Description, error) { return x.Integration.Describe(ctx, req) })
}

func (x patientPlugin) OptionsSchema(ctx context.Context, req integration.OptionsSchemaRequest) (integration.OptionsSchema, error) {
	return within(ctx, x.patience, callee{name: "plugin"}, func(ctx context.Context) (integration.OptionsSchema, error) {
		return x.Integration.OptionsSchema(ctx, req)
	})
}

func (x patientPlugin) ValidateOptions(ctx context.Context, req integration.ValidateOptionsRequest) (integration.ValidateOptionsResponse, error) {
	return within(ctx, x.patience, callee{name: "plugin"}, func(ctx context.Context) (integration.ValidateOptionsResponse, error) {
		return x.Integration.ValidateOptions(ctx, req)
	})
}

func (x patientPlugin) HandleWebhook(ctx context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	return handle(ctx, x, req.Facts.Instance.ID, req, integration.Integration.HandleWebhook)
}

func (x patientPlugin) HandleAlert(ctx context.Context, req integration.AlertRequest) (integration.Outcome, error) {
	return handle(ctx, x, req.Facts.Instance.ID, req, integration.Integration.HandleAlert)
}

func (x patientPlugin) HandleTask(ctx context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	return handle(ctx, x, req.Facts.Instance.ID, req, integration.Integration.HandleTask)
}

// handle calls a handler of a plugin on behalf of an integration.
func handle[Req any](ctx context.Context, x patientPlugin, id string, req Req, method func(integration.Integration, context.Context, Req) (integration.Outcome, error)) (integration.Outcome, error) {
	if _, inTime := x.Integration.(InTime); !inTime {
		return handleApart(ctx, x, id, req, method)
	}
	return here(ctx, x.patience, callee{"plugin", id}, func(ctx context.Context) (integration.Outcome, error) { return method(x.Integration, ctx, req) })
}

// handleApart is handle in a goroutine. It is a function of its own, so that a request which needs
// no goroutine stays on the stack.
func handleApart[Req any](ctx context.Context, x patientPlugin, id string, req Req, method func(integration.Integration, context.Context, Req) (integration.Outcome, error)) (integration.Outcome, error) {
	return within(ctx, x.patience, callee{"plugin", id}, func(ctx context.Context) (integration.Outcome, error) { return method(x.Integration, ctx, req) })
}

func (x patientPlugin) Perform(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
	return within(ctx, x.patience, callee{"plugin", req.Facts.Instance.ID}, func(ctx context.Context) (integration.TaskResult, error) { return x.Integration.Perform(ctx, req) })
}

func (x patientPlugin) RunAction(ctx context.Context, req integration.ActionRequest) (integration.ActionResult, error) {
	return within(ctx, x.patience, callee{"plugin", req.Facts.Instance.ID}, func(ctx context.Context) (integration.ActionResult, error) { return x.Integration.RunAction(ctx, req) })
}

// patientPlugins wraps the plugins that it returns.
type patientPlugins struct {
	Plugins
	patience *patience
}

// Plugin implements Plugins.
func (x patientPlugins) Plugin(id string) (integration.Integration, bool) {
	p, ok := x.Plugins.Plugin(id)
	if !ok {
		return nil, false
	}
	return patientPlugin{p, x.patience}, true
}

// patientMailer wraps a mailer. There is one mail server for all integrations.
type patientMailer struct {
	mailer   Mailer
	patience *patience
}

// Send implements Mailer.
func (x patientMailer) Send(ctx context.Context, m OutgoingMail) error {
	return do(ctx, x.patience, callee{name: "mail server"}, func(ctx context.Context) error { return x.mailer.Send(ctx, m) })
}

// patientStore wraps a store: the methods that the engine uses. The others are those of the wrapped
// store, without patience.
type patientStore struct {
	store.Store
	patience *patience
}

func (x patientStore) Session(ctx context.Context, id, key string) (store.Session, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Session, error) { return x.Store.Session(ctx, id, key) })
}

func (x patientStore) SessionByAlert(ctx context.Context, id, alertKey string) (store.Session, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Session, error) { return x.Store.SessionByAlert(ctx, id, alertKey) })
}

func (x patientStore) SessionsByKey(ctx context.Context, key string) ([]store.Session, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Session, error) { return x.Store.SessionsByKey(ctx, key) })
}

func (x patientStore) ListSessions(ctx context.Context, filter store.SessionFilter) ([]store.Session, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Session, error) { return x.Store.ListSessions(ctx, filter) })
}

func (x patientStore) Occupied(ctx context.Context, id, exceptKey string) (map[string]string, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (map[string]string, error) { return x.Store.Occupied(ctx, id, exceptKey) })
}

func (x patientStore) WaitingFor(ctx context.Context, id string, users []string) ([]string, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]string, error) { return x.Store.WaitingFor(ctx, id, users) })
}

func (x patientStore) Commit(ctx context.Context, c store.Commit) (int64, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int64, error) { return x.Store.Commit(ctx, c) })
}

func (x patientStore) StoreSeen(ctx context.Context, list []store.Seen) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.StoreSeen(ctx, list) })
}

func (x patientStore) SilentSessions(ctx context.Context, from, to time.Time, limit int) ([]store.Seen, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Seen, error) {
		return x.Store.SilentSessions(ctx, from, to, limit)
	})
}

func (x patientStore) SessionUnchanged(ctx context.Context, id, key string, version int64) (time.Time, bool, error) {
	return within2(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (time.Time, bool, error) {
		return x.Store.SessionUnchanged(ctx, id, key, version)
	})
}

func (x patientStore) ListCalls(ctx context.Context, filter store.CallFilter) ([]store.Call, string, error) {
	return within2(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Call, string, error) { return x.Store.ListCalls(ctx, filter) })
}

func (x patientStore) LookAtOld(ctx context.Context, q store.OldCalls) ([]store.Call, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Call, error) { return x.Store.LookAtOld(ctx, q) })
}

func (x patientStore) ExpireCalls(ctx context.Context, calls []store.CallRef, before time.Time, d store.Deletion) (int, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int, error) { return x.Store.ExpireCalls(ctx, calls, before, d) })
}

func (x patientStore) ExpireRecordings(ctx context.Context, calls []store.CallRef, before time.Time, d store.Deletion, line store.StoryLine) (int, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int, error) {
		return x.Store.ExpireRecordings(ctx, calls, before, d, line)
	})
}

func (x patientStore) UnheardRecordings(ctx context.Context, ended time.Time) ([]store.Unheard, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Unheard, error) { return x.Store.UnheardRecordings(ctx, ended) })
}

func (x patientStore) ClaimErasures(ctx context.Context, owner string, now time.Time, lease time.Duration, limit int) ([]store.Erasure, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Erasure, error) {
		return x.Store.ClaimErasures(ctx, owner, now, lease, limit)
	})
}

func (x patientStore) FinishErasure(ctx context.Context, done store.Erasure, line store.StoryLine) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.FinishErasure(ctx, done, line) })
}

func (x patientStore) FailErasure(ctx context.Context, failed store.Erasure, due time.Time, reason string, givenUp bool) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.FailErasure(ctx, failed, due, reason, givenUp) })
}

func (x patientStore) ListErasures(ctx context.Context, integrationID string, limit int) ([]store.Erasure, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Erasure, error) {
		return x.Store.ListErasures(ctx, integrationID, limit)
	})
}

func (x patientStore) ExpireErasures(ctx context.Context, before time.Time) (int, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int, error) { return x.Store.ExpireErasures(ctx, before) })
}

func (x patientStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int, error) { return x.Store.DeleteExpired(ctx, now) })
}

func (x patientStore) ListIntegrations(ctx context.Context) ([]store.Integration, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Integration, error) { return x.Store.ListIntegrations(ctx) })
}

func (x patientStore) Integration(ctx context.Context, id string) (store.Integration, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Integration, error) { return x.Store.Integration(ctx, id) })
}

func (x patientStore) KeptIntegration(ctx context.Context, id string) (store.Integration, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Integration, error) { return x.Store.KeptIntegration(ctx, id) })
}

func (x patientStore) IntegrationOptions(ctx context.Context, id string, revision int64) ([]byte, int, error) {
	return within2(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]byte, int, error) { return x.Store.IntegrationOptions(ctx, id, revision) })
}

func (x patientStore) SaveIntegration(ctx context.Context, in store.Integration) (int64, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int64, error) { return x.Store.SaveIntegration(ctx, in) })
}

func (x patientStore) DeleteIntegration(ctx context.Context, id string) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.DeleteIntegration(ctx, id) })
}

func (x patientStore) Findings(ctx context.Context, id string) ([]integration.Finding, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]integration.Finding, error) { return x.Store.Findings(ctx, id) })
}

func (x patientStore) SaveFindings(ctx context.Context, id string, findings []integration.Finding) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.SaveFindings(ctx, id, findings) })
}

func (x patientStore) PutMedium(ctx context.Context, m store.Medium) (store.Medium, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Medium, error) { return x.Store.PutMedium(ctx, m) })
}

func (x patientStore) Medium(ctx context.Context, ref string) (store.Medium, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Medium, error) { return x.Store.Medium(ctx, ref) })
}

func (x patientStore) MediumInfo(ctx context.Context, ref string) (store.Medium, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Medium, error) { return x.Store.MediumInfo(ctx, ref) })
}

func (x patientStore) Claim(ctx context.Context, c store.Claim) ([]store.Item, time.Time, error) {
	return within2(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Item, time.Time, error) { return x.Store.Claim(ctx, c) })
}

func (x patientStore) ClaimLane(ctx context.Context, it store.Item, now time.Time, limit int) ([]store.Item, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Item, error) { return x.Store.ClaimLane(ctx, it, now, limit) })
}

func (x patientStore) StartItem(ctx context.Context, it store.Item) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.StartItem(ctx, it) })
}

func (x patientStore) RetryItem(ctx context.Context, it store.Item, due time.Time) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.RetryItem(ctx, it, due) })
}

func (x patientStore) FinishItem(ctx context.Context, it store.Item, result []byte) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.FinishItem(ctx, it, result) })
}

func (x patientStore) DeleteItem(ctx context.Context, it store.Item) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.DeleteItem(ctx, it) })
}

func (x patientStore) AddItem(ctx context.Context, it store.Item) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.AddItem(ctx, it) })
}

func (x patientStore) ReleaseLeases(ctx context.Context, owner string) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.ReleaseLeases(ctx, owner) })
}

func (x patientStore) Ping(ctx context.Context) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.Ping(ctx) })
}
