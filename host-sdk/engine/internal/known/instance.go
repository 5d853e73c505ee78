package known

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// resolved is an integration's destinations as of one revision of it.
type resolved struct {
	list     []integration.Destination
	revision int64
}

// pinKey names an options document: the pinned revision's, with the secrets of the newest.
type pinKey struct {
	integration      string
	revision, newest int64
}

// pinnedOptions is an options document with the secrets filled in.
type pinnedOptions struct {
	options []byte
	format  int
}

// Instance turns a stored integration into what a handler sees, with the options document
// given.
func (k *Known) Instance(ctx context.Context, in store.Integration, options []byte, format int, revision int64) (integration.Instance, error) {
	inst := integration.Instance{
		ID: in.ID, Name: in.Name, Revision: revision, SavedAt: in.UpdatedAt, Options: options, OptionsFormat: format,
		EndpointURL: k.cfg.EndpointURL(in.ID), TokenKey: in.TokenKey, Urgency: in.Urgency, State: integration.HostActive,
		ProtocolMinor: integration.ProtocolMinor, Capabilities: k.Capabilities(ctx, in.ID),
	}
	// Mails and notifications may be the host's own, where the platform has none.
	inst.Capabilities.Mail = inst.Capabilities.Mail || k.cfg.Mail
	inst.Capabilities.Notifies = inst.Capabilities.Notifies || k.cfg.Notifies
	inst.Capabilities.CallMedia = k.cfg.CallMedia
	switch {
	case !in.DeletedAt.IsZero():
		inst.State = k.deletedState(ctx, in.Plugin)
	case !in.Enabled:
		inst.State = integration.HostDisabled
	case in.Maintenance:
		inst.State = integration.HostMaintenance
	}
	var err error
	inst.MediaURLs, inst.MediaSlices, err = k.media(ctx, options)
	return inst, err
}

// deletedState is how a plugin hears that its integration was deleted: one of an earlier minor than
// the state hears the nearest that it knows.
func (k *Known) deletedState(ctx context.Context, pluginID string) integration.HostState {
	if desc, err := k.Description(ctx, pluginID); err == nil && desc.ProtocolMinor < HintMinor {
		return integration.HostDisabled
	}
	return integration.HostDeleted
}

// Options returns the options document of a revision, its format, and the revision it is of. Its
// secrets are always today's: after a rotated token a running call must go on.
func (k *Known) Options(ctx context.Context, in store.Integration, revision int64) ([]byte, int, int64, error) {
	// The common case: no call pins an older document.
	if revision == in.Revision {
		return in.Options, in.OptionsFormat, in.Revision, nil
	}
	// The key names both revisions, so once new secrets are saved, no copy with the old ones is
	// found.
	key := pinKey{in.ID, revision, in.Revision}
	if p, ok := k.pinned.Get(key); ok {
		return p.Value.options, p.Value.format, revision, nil
	}
	options, format, err := k.store.IntegrationOptions(ctx, in.ID, revision)
	if err != nil {
		// The pinned document is gone; today's serves the caller better than none.
		k.log.Warn("cannot read pinned options; using current ones", "integration", in.ID, "revision", revision, "error", err)
		return in.Options, in.OptionsFormat, in.Revision, nil
	}
	if options, err = form.Overlay(options, in.Options, in.SecretFields); err != nil {
		return nil, 0, 0, err
	}
	k.pinned.Put(key, pinnedOptions{options, format}, k.clock.Now())
	return options, format, revision, nil
}

// media finds the media references in an options document and says where each is served, whole and
// in slices.
func (k *Known) media(ctx context.Context, options []byte) (urls map[string]string, slices map[string][]string, err error) {
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
		m, err := k.store.MediumInfo(ctx, ref)
		switch {
		// A medium that is not public has no address that anybody may fetch: it is left out.
		case err == nil && m.Public:
			urls[ref] = k.cfg.MediaURL(m)
			if k.cfg.MediaSlices == nil {
				continue
			}
			if pieces := k.cfg.MediaSlices(m); len(pieces) > 0 {
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
