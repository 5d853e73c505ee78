package known

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Description asks a plugin once a minute what it is. The answer outlives the plugin's process: its
// fallback answers are needed just when it is gone.
func (k *Known) Description(ctx context.Context, pluginID string) (integration.Description, error) {
	return k.Describe(ctx, pluginID, descriptionTTL)
}

// Describe is Description, asked anew if the last answer is as old as this.
func (k *Known) Describe(ctx context.Context, pluginID string, old time.Duration) (integration.Description, error) {
	now := k.clock.Now()
	known, ok := k.descriptions.Get(pluginID)
	if ok && now.Sub(known.At) < old {
		return known.Value, nil
	}
	p, installed := k.plugins.Plugin(pluginID)
	if !installed {
		if ok {
			return known.Value, nil
		}
		return integration.Description{}, integration.Errorf(integration.KindUnavailable, "plugin %q is not installed", pluginID)
	}
	desc, err := p.Describe(ctx, integration.DescribeRequest{})
	if err != nil {
		if !ok {
			return integration.Description{}, err
		}
		// Good for another minute: a plugin that is down is not asked at every request.
		desc = known.Value
	}
	k.descriptions.Put(pluginID, desc, now)
	return desc, nil
}

// LastDescription is what a plugin said of itself last, however long ago; false: nothing.
func (k *Known) LastDescription(pluginID string) (integration.Description, bool) {
	desc, ok := k.descriptions.Get(pluginID)
	return desc.Value, ok
}
