package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// How old a copy may be that serves a request. Without these copies each tick of the hold music
// would ask store and platform several things that hardly ever change.
const (
	instanceTTL = time.Second // how long another process' save may go unnoticed
	// How long a platform's changed capabilities may go unnoticed.
	capabilitiesTTL = 30 * time.Second
	destinationsTTL = 5 * time.Second // the menu of a new call is at most this old
	destinationCopy = 24 * time.Hour  // and this if the platform cannot say
	platformTimeout = 2 * time.Second // one question to the platform, while a caller waits
)

// instance reads an integration, from memory if it is fresh. One that was deleted is read for as
// long as it is kept for the calls it had (see store.Integrations). When the store fails, the last
// known copy serves: no call must be lost for that.
func (e *Engine) instance(ctx context.Context, id string) (store.Integration, error) {
	now := e.clock.Now()
	if in, ok := e.known.instances.fresh(id, now, instanceTTL); ok {
		return in, nil
	}
	in, err := e.store.KeptIntegration(ctx, id)
	switch {
	case err == nil:
		e.known.instances.put(in.ID, in, now)
	case integration.KindOf(err) == integration.KindNotFound:
		e.known.instances.forget(id)
	default:
		if old, ok := e.known.instances.get(id); ok {
			e.log.Warn("cannot read integration; using last known copy", "integration", id, "error", err)
			return old.value, nil
		}
	}
	return in, err
}

// instanceFacts turns a stored integration into what a handler sees, with the options document
// given.
func (e *Engine) instanceFacts(ctx context.Context, in store.Integration, options []byte, format int, revision int64) (integration.Instance, error) {
	inst := integration.Instance{
		ID: in.ID, Name: in.Name, Revision: revision, SavedAt: in.UpdatedAt, Options: options, OptionsFormat: format,
		EndpointURL: e.cfg.EndpointURL(in.ID), TokenKey: in.TokenKey, Urgency: in.Urgency, State: integration.HostActive,
		ProtocolMinor: integration.ProtocolMinor, Capabilities: e.capabilities(ctx, in.ID),
	}
	// Mails and notifications may be the host's own, where the platform has none.
	inst.Capabilities.Mail = inst.Capabilities.Mail || e.cfg.Mailer != nil
	inst.Capabilities.Notifies = inst.Capabilities.Notifies || e.cfg.Notifies
	inst.Capabilities.CallMedia = e.cfg.GuardedMediaURL != nil
	switch {
	case !in.DeletedAt.IsZero():
		inst.State = e.deletedState(ctx, in.Plugin)
	case !in.Enabled:
		inst.State = integration.HostDisabled
	case in.Maintenance:
		inst.State = integration.HostMaintenance
	}
	var err error
	inst.MediaURLs, inst.MediaSlices, err = e.media(ctx, options)
	return inst, err
}

// deletedState is how a plugin hears that its integration was deleted: one of an earlier minor than
// the state hears the nearest that it knows.
func (e *Engine) deletedState(ctx context.Context, pluginID string) integration.HostState {
	if desc, err := e.description(ctx, pluginID); err == nil && desc.ProtocolMinor < hintMinor {
		return integration.HostDisabled
	}
	return integration.HostDeleted
}

// options returns the options document of a revision, its format, and the revision it is of. Its
// secrets are always today's: after a rotated token a running call must go on.
func (e *Engine) options(ctx context.Context, in store.Integration, revision int64) ([]byte, int, int64, error) {
	// The common case: no call pins an older document.
	if revision == in.Revision {
		return in.Options, in.OptionsFormat, in.Revision, nil
	}
	// The key names both revisions, so once new secrets are saved, no copy with the old ones is
	// found.
	key := pinKey{in.ID, revision, in.Revision}
	if p, ok := e.known.pinned.get(key); ok {
		return p.value.options, p.value.format, revision, nil
	}
	options, format, err := e.store.IntegrationOptions(ctx, in.ID, revision)
	if err != nil {
		// The pinned document is gone; today's serves the caller better than none.
		e.log.Warn("cannot read pinned options; using current ones", "integration", in.ID, "revision", revision, "error", err)
		return in.Options, in.OptionsFormat, in.Revision, nil
	}
	if options, err = form.Overlay(options, in.Options, in.SecretFields); err != nil {
		return nil, 0, 0, err
	}
	e.known.pinned.put(key, pinnedOptions{options, format}, e.clock.Now())
	return options, format, revision, nil
}

// capabilities asks the platform now and then. While the platform fails, the last answer serves,
// also after a restart: without it a call would leave out for good what it does only once, such as
// acknowledging for a responder. A failure counts as an answer for as long as one does: a platform
// that is down costs one timeout in 30 s, not one for each request.
func (e *Engine) capabilities(ctx context.Context, id string) integration.Capabilities {
	now := e.clock.Now()
	last, ok := e.known.capabilities.get(id)
	if ok && now.Sub(last.at) < capabilitiesTTL {
		return last.value
	}
	ctx, cancel := context.WithTimeout(ctx, platformTimeout)
	defer cancel()
	answer, err := e.platform.Capabilities(ctx, e.scope(id))
	if err != nil {
		e.log.Warn("cannot read platform capabilities; using last known ones", "integration", id, "error", err)
		if answer = last.value; !ok {
			if answer, ok = e.storedCapabilities(ctx, id); !ok {
				// Nothing is known, which is not "none": the next request asks again.
				return integration.Capabilities{}
			}
		}
	} else if !ok || answer != last.value {
		e.storeCapabilities(ctx, id, answer)
	}
	e.known.capabilities.put(id, answer, now)
	return answer
}

// capabilitiesSetting is the store's setting that holds the last known capabilities of the platform
// for an integration, as JSON.
func capabilitiesSetting(id string) string { return "platform_capabilities/" + id }

// storedCapabilities are those known before the host was restarted; false if there are none.
func (e *Engine) storedCapabilities(ctx context.Context, id string) (c integration.Capabilities, ok bool) {
	// The platform may have used up the time.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), platformTimeout)
	defer cancel()
	text, err := e.store.Setting(ctx, capabilitiesSetting(id))
	return c, err == nil && json.Unmarshal([]byte(text), &c) == nil
}

// storeCapabilities keeps them for a restart, unless they are kept already. What fails is logged:
// only a restart while the platform is down misses them.
func (e *Engine) storeCapabilities(ctx context.Context, id string, c integration.Capabilities) {
	if old, ok := e.storedCapabilities(ctx, id); ok && old == c {
		return
	}
	text, err := json.Marshal(c)
	if err == nil {
		err = e.store.SetSetting(ctx, capabilitiesSetting(id), string(text))
	}
	if err != nil {
		e.log.Warn("cannot keep the platform's capabilities", "integration", id, "error", err)
	}
}

// media finds the media references in an options document and says where each is served, whole and
// in slices.
func (e *Engine) media(ctx context.Context, options []byte) (urls map[string]string, slices map[string][]string, err error) {
	// Most documents name no media, and need not be parsed.
	if !bytes.Contains(options, []byte("media:")) {
		return nil, nil, nil
	}
	var doc map[string]any
	if json.Unmarshal(options, &doc) != nil {
		return nil, nil, nil //nolint:nilerr // what is no object has no media; validation says so
	}
	urls = map[string]string{}
	for _, v := range doc {
		ref, ok := v.(string)
		if !ok || !strings.HasPrefix(ref, "media:") {
			continue
		}
		m, err := e.store.MediumInfo(ctx, ref)
		switch {
		// A medium that is not public has no address that anybody may fetch: it is left out.
		case err == nil && m.Public:
			urls[ref] = e.cfg.MediaURL(m)
			if e.cfg.MediaSlices == nil {
				continue
			}
			if pieces := e.cfg.MediaSlices(m); len(pieces) > 0 {
				if slices == nil {
					slices = map[string][]string{}
				}
				slices[ref] = pieces
			}
		case err != nil && integration.KindOf(err) != integration.KindNotFound:
			return nil, nil, err
		}
	}
	return urls, slices, nil
}

// destinations resolves the integration's destinations. A call that is under way is never made to
// wait for the platform: with refresh false any copy of this revision will do. When the platform
// fails, the last known copy serves for a day, of whatever revision; without one, the references
// themselves.
func (e *Engine) destinations(ctx context.Context, in store.Integration, refresh bool) []integration.Destination {
	now := e.clock.Now()
	known, ok := e.known.destinations.get(in.ID)
	age := now.Sub(known.at)
	if ok && known.value.revision == in.Revision && (!refresh && age <= destinationCopy || age < destinationsTTL) {
		return slices.Clone(known.value.list)
	}
	// A platform that hangs makes one caller in a while wait for nothing, not each of them.
	if _, failing := e.known.destinationsFailed.fresh(in.ID, now, capabilitiesTTL); failing && ok && age <= destinationCopy {
		return slices.Clone(known.value.list)
	}
	ctx, cancel := context.WithTimeout(ctx, platformTimeout)
	defer cancel()
	list, err := e.platform.Destinations(ctx, e.scope(in.ID), in.Destinations)
	if err != nil {
		e.known.destinationsFailed.put(in.ID, struct{}{}, now)
		e.log.Warn("cannot read destinations; using last known ones", "integration", in.ID, "error", err)
		if !ok || age > destinationCopy {
			return unnamed(in.Destinations)
		}
		return slices.Clone(known.value.list)
	}
	list = cleanDestinations(list)
	e.known.destinations.put(in.ID, resolved{slices.Clone(list), in.Revision}, now)
	e.known.destinationsFailed.forget(in.ID)
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

// findings reads the findings of an integration, at most once a second. While the store fails the
// last known ones serve; known is false if there are none, which does not mean that there is no
// finding.
func (e *Engine) findings(ctx context.Context, id string) (list []integration.Finding, known bool) {
	now := e.clock.Now()
	last, ok := e.known.findings.get(id)
	if ok && now.Sub(last.at) < instanceTTL {
		return slices.Clone(last.value), true
	}
	list, err := e.store.Findings(ctx, id)
	if err != nil {
		e.log.Warn("cannot read findings; using last known ones", "integration", id, "error", err)
		return slices.Clone(last.value), ok
	}
	e.known.findings.put(id, list, now)
	return slices.Clone(list), true
}
