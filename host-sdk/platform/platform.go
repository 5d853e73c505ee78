// Package platform is what an incident-management platform supplies so that a host can be built on
// it: teams, who is on call, alerts. Implement [Platform], run platformtest on it, hand it to the
// engine.
//
//	platform.go  Platform, Scope, Hint
//	browser.go   AlertBrowser: optional, for a host that shows alerts on pages of its own
//	people.go    UserByEmail: optional, for a host whose accounts are e-mail addresses
//	batch.go     BatchApplier: optional, for commands that are handed over together
//	turns.go     Turns: for an adapter of which one of several hosts is to ask a server
//	instore.go   InStore: optional, for alerts in the database of the host's store
//	finder.go    Finder: optional, for what is wrong although the platform answers
//	away.go      errors of a platform that does not answer
//	eraser.go    Eraser: optional, where the host can delete recordings and alerts
//	platformtest/ the conformance suite
//	embedded/    teams and escalation from a YAML file, alert tables of its own
package platform

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Scope says on whose behalf a call is made.
type Scope struct {
	Tenant      string // "" on hosts with one tenant
	Integration string // instance id; alert keys are unique within it
}

// Platform is an existing incident-management platform. Methods may be called concurrently; errors
// are *integration.Error (anything else counts as internal and is retried). Every method must
// return within its context's deadline.
type Platform interface {
	// Capabilities says what this platform can do. It may change while the host runs; it is asked
	// for each session.
	Capabilities(ctx context.Context, scope Scope) (integration.Capabilities, error)

	// Destinations resolves references, in their order. Unknown ones come back with Missing set.
	Destinations(ctx context.Context, scope Scope, refs []Ref) ([]integration.Destination, error)

	// Teams lists all teams, by name, case-insensitively.
	Teams(ctx context.Context, scope Scope) ([]integration.Destination, error)

	// OnCall says who is on call for the team at a time: layer 0 means all layers, by layer.
	// Unknown team: not_found.
	OnCall(ctx context.Context, scope Scope, team string, layer int, at time.Time) ([]integration.OnCallEntry, error)

	// Route asks a router for its verdict on facts (a JSON object). Unknown router: not_found. No
	// routers: unsupported.
	Route(ctx context.Context, scope Scope, router string, facts []byte, at time.Time) (integration.RouteVerdict, error)

	// Alert reads the snapshot of the alert of this key. None: not_found.
	Alert(ctx context.Context, scope Scope, key string) (integration.AlertSnapshot, error)

	// User reads a person. Unknown: not_found.
	User(ctx context.Context, scope Scope, id string) (integration.User, error)

	// Apply runs one alert command. Commands of one session come in the order of their numbers,
	// each at least once; a command that the platform has applied before is applied again without
	// effect. A platform without [integration.Capabilities.UnroutedAlerts] gets nothing of an alert
	// before the first route is among its commands: the engine holds what comes before, and then
	// hands all of it on in order, the route included. It never hears of an alert that is resolved,
	// or given up after a day, without a route.
	Apply(ctx context.Context, scope Scope, cmd integration.AlertCommand) error

	// Audience resolves a group to e-mail addresses, each once.
	Audience(ctx context.Context, scope Scope, audience integration.Audience, teams []string, at time.Time) ([]string, error)

	// Watch calls hint whenever an alert of any integration may have changed, until ctx ends; hints
	// may be lost, repeated and early. It returns ctx's error, or another one when watching broke
	// and must be begun again.
	Watch(ctx context.Context, hint func(Hint)) error

	// Health is nil when the platform can be used. The error is shown at /readyz.
	Health(ctx context.Context) error
}

// Ref names a destination.
type Ref struct {
	Kind integration.DestinationKind `json:"kind"`
	ID   string                      `json:"id"`
}

// Hint says that an alert may have changed. The zero Hint says so of every alert, after a change of
// people or teams: one value for any number of alerts, of which few are those of a call in
// progress.
type Hint struct {
	Scope    Scope
	AlertKey string
}
