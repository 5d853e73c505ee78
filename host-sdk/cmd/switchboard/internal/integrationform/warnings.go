package integrationform

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// warningTime bounds the validation of stored options: the page must not wait for a slow plugin.
const warningTime = 3 * time.Second

// warnings is what the plugin says today of options that it accepted when they were saved. Without
// an answer there are none: the page is more important. Problems are among them, as the options are
// in use all the same.
func (f *Forms) warnings(ctx context.Context, in store.Integration) []integration.Problem {
	plugin, ok := f.cfg.Plugins.Plugin(in.Plugin)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, warningTime)
	defer cancel()
	destinations, err := f.cfg.Platform.Destinations(ctx, f.scope(in.ID), in.Destinations)
	if err != nil {
		return nil
	}
	capabilities, err := f.cfg.Platform.Capabilities(ctx, f.scope(in.ID))
	if err != nil {
		return nil
	}
	// As the engine tells it to handlers.
	state := integration.HostActive
	switch {
	case !in.Enabled:
		state = integration.HostDisabled
	case in.Maintenance:
		state = integration.HostMaintenance
	}
	verdict, err := plugin.ValidateOptions(ctx, integration.ValidateOptionsRequest{
		Options: in.Options, Destinations: destinations, Now: f.cfg.Clock.Now(), Instance: integration.Instance{
			ID: in.ID, Name: in.Name, Revision: in.Revision, SavedAt: in.UpdatedAt, Options: in.Options, OptionsFormat: in.OptionsFormat,
			EndpointURL: f.cfg.EndpointURL(in.ID), TokenKey: in.TokenKey, State: state, Urgency: in.Urgency,
			Capabilities: capabilities, MediaURLs: f.mediaURLs(ctx, in.Options),
		},
	})
	if err != nil {
		f.cfg.Log.WarnContext(ctx, "plugin could not validate the stored options", "integration", in.ID, "error", err.Error())
		return nil
	}
	return append(verdict.Warnings, verdict.Problems...)
}

// mediaURLs is the public address of each file that the options name, by its reference. Only the
// values at the top are looked at, as options have no deeper ones with files.
func (f *Forms) mediaURLs(ctx context.Context, options []byte) map[string]string {
	values := map[string]any{}
	if json.Unmarshal(options, &values) != nil {
		return nil
	}
	urls := map[string]string{}
	for _, v := range values {
		if ref, ok := v.(string); ok && strings.HasPrefix(ref, "media:") {
			if m, err := f.cfg.Store.MediumInfo(ctx, ref); err == nil {
				urls[ref] = httpkit.PublicMediaURL(f.cfg.PublicURL, m)
			}
		}
	}
	return urls
}
