package vitals

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/health"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inforce"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/hosts"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve/tell"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Host is the parts of a host that are looked at. All are required unless said otherwise. It is a
// value: Site hands it on for each use.
type Host struct {
	Store      store.Store
	PagesStore store.Store // for what metrics and the status read
	Platform   platform.Platform
	// PlatformPage is where people find a platform elsewhere; "": the platform is this host's own.
	PlatformPage string
	Plugins      engine.Plugins
	Clock        clock.Clock
	Logger       *slog.Logger
	Closing      context.Context // ends when the host stops; nil: never

	File   *switchboardfile.Source // nil: there is none
	Shared *inforce.Shared         // nil: the switchboard file is this host's alone
	Mail   *tell.MailWatch         // nil: there is no mail server
	Hosts  *hosts.Presence         // nil: nothing is known of other hosts

	// For metrics and the status alone.
	Ready    *health.Readiness
	Attempts *httpkit.Attempts      // wrong tokens
	Metrics  *engine.Metrics        // nil: the engine's counts are not served
	Reloads  *prometheus.CounterVec // of the switchboard file; nil: not served
	Sends    *prometheus.CounterVec // nil: not counted
}
