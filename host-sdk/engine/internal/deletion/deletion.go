package deletion

import (
	"context"
	"log/slog"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Config says what is deleted, where, and who does it. All but the functions of the host's own
// limits is required.
type Config struct {
	// Store is asked for people, who may wait for long; Patient is the same store, whose calls end
	// in time, for what is done beside.
	Store, Patient store.Store
	// Platform is the platform as it is, Alerts the same one, whose calls end in time, and Browser
	// its alerts as people see them, read in time as well; nil: it does not show them.
	Platform platform.Platform
	Browser  platform.AlertBrowser
	Alerts   interface {
		Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error)
	}
	Known Known
	Clock clock.Clock
	Log   *slog.Logger
	Owner string // of this process, among those that share the store
	// Load finds the plugin of an integration and its id, and gathers the facts for a task of a
	// session, with today's options.
	Load func(ctx context.Context, integrationID, key string) (plugin integration.Integration, pluginID string, facts integration.Facts, err error)

	KeepCalls      time.Duration // see the engine's Config
	KeepRecordings time.Duration // see the engine's Config
}

// Known is what is known of integrations and plugins.
type Known interface {
	Scope(integrationID string) platform.Scope
	Integration(ctx context.Context, id string) (store.Integration, error)
	Description(ctx context.Context, pluginID string) (integration.Description, error)
	// Show saves a finding, or clears it if it is there.
	Show(ctx context.Context, integrationID string, f integration.Finding)
}

// Deletions deletes. Use New; Erase must be running, and Sweep be called now and then.
type Deletions struct {
	cfg     Config
	patient store.Store
	erasing chan struct{} // something is to be deleted at a foreign service
}

// New returns deletions of what a host keeps.
func New(cfg Config) *Deletions {
	return &Deletions{cfg: cfg, patient: cfg.Patient, erasing: make(chan struct{}, 1)}
}
