package known

import (
	"context"
	"log/slog"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/cache"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// PlatformTimeout bounds one question to the platform, while a caller waits.
const PlatformTimeout = 2 * time.Second

// HintMinor is the protocol minor from which on a plugin knows the timers of the host, what became
// of its mails, and that its integration was deleted.
const HintMinor = 1

// How old a copy may be that serves a request. Without these copies each tick of the hold music
// would ask store and platform several things that hardly ever change.
const (
	instanceTTL = time.Second // how long another process' save may go unnoticed
	// How long a platform's changed capabilities may go unnoticed.
	capabilitiesTTL = 30 * time.Second
	destinationsTTL = 5 * time.Second // the menu of a new call is at most this old
	destinationCopy = 24 * time.Hour  // and this if the platform cannot say
	descriptionTTL  = time.Minute     // how long a plugin's new description may go unnoticed
)

// Known reads what the engine must know. Use New.
type Known struct {
	store    store.Store
	platform platform.Platform
	plugins  Plugins
	cfg      Config
	clock    clock.Clock
	log      *slog.Logger

	instances    cache.Cache[string, store.Integration]
	findings     cache.Cache[string, []integration.Finding]
	capabilities cache.Cache[string, integration.Capabilities]
	destinations cache.Cache[string, resolved]

	destinationsFailed cache.Cache[string, struct{}] // since when the platform cannot say them

	onCall       *cache.Cache[onCallKey, []integration.OnCallEntry] // now
	users        *cache.Cache[userKey, integration.User]
	descriptions cache.Cache[string, integration.Description] // by plugin id
	pinned       *cache.Cache[pinKey, pinnedOptions]
}

// Plugins finds the running plugin of an id.
type Plugins interface {
	Plugin(id string) (integration.Integration, bool)
}

// Config says whom to ask, and what the host adds to the answers. All but the functions of media is
// required.
type Config struct {
	Store    store.Store
	Platform platform.Platform
	Plugins  Plugins
	Clock    clock.Clock
	Log      *slog.Logger
	Tenant   string // for platform.Scope

	// EndpointURL, MediaURL and MediaSlices are those of the engine's Config.
	EndpointURL func(integrationID string) string
	MediaURL    func(m store.Medium) string
	MediaSlices func(m store.Medium) []string
	Mail        bool // the host sends mails itself
	Notifies    bool // the host notifies people itself
	CallMedia   bool // calls get addresses of their own media
}

// copiesKept is how many answers of the platform are kept before those too old to be used are
// dropped.
const copiesKept = 4096

// pinnedKept is how many old options documents are kept: revisions in use at once are few.
const pinnedKept = 256

// New returns a Known that remembers nothing yet.
func New(cfg Config) *Known {
	return &Known{
		store: cfg.Store, platform: cfg.Platform, plugins: cfg.Plugins, cfg: cfg, clock: cfg.Clock, log: cfg.Log,
		onCall: cache.New[onCallKey, []integration.OnCallEntry](copiesKept, onCallCopy),
		users:  cache.New[userKey, integration.User](copiesKept, userCopy),
		// With keep 0 a full cache starts over rather than grow.
		pinned: cache.New[pinKey, pinnedOptions](pinnedKept, 0),
	}
}

// Scope names an integration to the platform.
func (k *Known) Scope(integrationID string) platform.Scope {
	return platform.Scope{Tenant: k.cfg.Tenant, Integration: integrationID}
}

// Integration reads an integration, from memory if it is fresh. One that was deleted is read for as
// long as it is kept for the calls it had (see store.Integrations). When the store fails, the last
// known copy serves: no call must be lost for that.
func (k *Known) Integration(ctx context.Context, id string) (store.Integration, error) {
	now := k.clock.Now()
	if in, ok := k.instances.Fresh(id, now, instanceTTL); ok {
		return in, nil
	}
	in, err := k.store.KeptIntegration(ctx, id)
	switch {
	case err == nil:
		k.instances.Put(in.ID, in, now)
	case integration.KindOf(err) == integration.KindNotFound:
		k.instances.Forget(id)
	default:
		if old, ok := k.instances.Get(id); ok {
			k.log.Warn("cannot read integration; using last known copy", "integration", id, "error", err)
			return old.Value, nil
		}
	}
	return in, err
}

// LastIntegration is the last known copy of an integration, however old; false: there is none.
func (k *Known) LastIntegration(id string) (store.Integration, bool) {
	in, ok := k.instances.Get(id)
	return in.Value, ok
}

// IntegrationChanged makes the next reader ask the store.
func (k *Known) IntegrationChanged(id string) { k.instances.Forget(id) }
