package known

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Capabilities asks the platform now and then. While the platform fails, the last answer serves,
// also after a restart: without it a call would leave out for good what it does only once, such as
// acknowledging for a responder. A failure counts as an answer for as long as one does: a platform
// that is down costs one timeout in 30 s, not one for each request.
func (k *Known) Capabilities(ctx context.Context, id string) integration.Capabilities {
	now := k.clock.Now()
	last, ok := k.capabilities.Get(id)
	if ok && now.Sub(last.At) < capabilitiesTTL {
		return last.Value
	}
	ctx, cancel := context.WithTimeout(ctx, PlatformTimeout)
	defer cancel()
	answer, err := k.platform.Capabilities(ctx, k.Scope(id))
	if err != nil {
		k.log.Warn("cannot read platform capabilities; using last known ones", "integration", id, "error", err)
		if answer = last.Value; !ok {
			if answer, ok = k.storedCapabilities(ctx, id); !ok {
				// Nothing is known, which is not "none": the next request asks again.
				return integration.Capabilities{}
			}
		}
	} else if !ok || answer != last.Value {
		k.storeCapabilities(ctx, id, answer)
	}
	k.capabilities.Put(id, answer, now)
	return answer
}

// capabilitiesSetting is the store's setting that holds the last known capabilities of the platform
// for an integration, as JSON.
func capabilitiesSetting(id string) string { return "platform_capabilities/" + id }

// storedCapabilities are those known before the host was restarted; false if there are none.
func (k *Known) storedCapabilities(ctx context.Context, id string) (c integration.Capabilities, ok bool) {
	// The platform may have used up the time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), PlatformTimeout)
	defer cancel()
	text, err := k.store.Setting(ctx, capabilitiesSetting(id))
	return c, err == nil && json.Unmarshal([]byte(text), &c) == nil
}

// storeCapabilities keeps them for a restart, unless they are kept already. What fails is logged:
// only a restart while the platform is down misses them.
func (k *Known) storeCapabilities(ctx context.Context, id string, c integration.Capabilities) {
	if old, ok := k.storedCapabilities(ctx, id); ok && old == c {
		return
	}
	text, err := json.Marshal(c)
	if err == nil {
		err = k.store.SetSetting(ctx, capabilitiesSetting(id), string(text))
	}
	if err != nil {
		k.log.Warn("cannot keep the platform's capabilities", "integration", id, "error", err)
	}
}

// Destinations resolves the integration's destinations. A call that is under way is never made to
// wait for the platform: with refresh false any copy of this revision will do. When the platform
// fails, the last known copy serves for a day, of whatever revision; without one, the references
// themselves.
func (k *Known) Destinations(ctx context.Context, in store.Integration, refresh bool) []integration.Destination {
	now := k.clock.Now()
	known, ok := k.destinations.Get(in.ID)
	age := now.Sub(known.At)
	if ok && known.Value.revision == in.Revision && (!refresh && age <= destinationCopy || age < destinationsTTL) {
		return slices.Clone(known.Value.list)
	}
	// A platform that hangs makes one caller in a while wait for nothing, not each of them.
	if _, failing := k.destinationsFailed.Fresh(in.ID, now, capabilitiesTTL); failing && ok && age <= destinationCopy {
		return slices.Clone(known.Value.list)
	}
	ctx, cancel := context.WithTimeout(ctx, PlatformTimeout)
	defer cancel()
	list, err := k.platform.Destinations(ctx, k.Scope(in.ID), in.Destinations)
	if err != nil {
		k.destinationsFailed.Put(in.ID, struct{}{}, now)
		k.log.Warn("cannot read destinations; using last known ones", "integration", in.ID, "error", err)
		if !ok || age > destinationCopy {
			return unnamed(in.Destinations)
		}
		return slices.Clone(known.Value.list)
	}
	list = cleanDestinations(list)
	k.destinations.Put(in.ID, resolved{slices.Clone(list), in.Revision}, now)
	k.destinationsFailed.Forget(in.ID)
	return list
}

// unnamed are destinations of which nothing but the references is known, with their ids for names.
// A call may still go to them: not to know their names is not to have none.
func unnamed(refs []platform.Ref) []integration.Destination {
	list := make([]integration.Destination, len(refs))
	for i, r := range refs {
		list[i] = integration.Destination{Kind: r.Kind, ID: r.ID, Name: r.ID}
	}
	return cleanDestinations(list)
}

// KnowsCapabilities reports whether the platform, or the store, has ever said what the platform can
// do.
func (k *Known) KnowsCapabilities(id string) bool {
	_, ok := k.capabilities.Get(id)
	return ok
}
