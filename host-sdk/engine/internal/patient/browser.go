package patient

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Browser is the alerts of a platform as people see them, for what reads them beside calls: reading
// ends in time. It is counted for no integration.
type Browser struct {
	platform.AlertBrowser
	patience *Patience
}

// Browser is the platform's alerts; nil: it does not show them.
func (x Platform) Browser() platform.AlertBrowser {
	shown, ok := x.Platform.(platform.AlertBrowser)
	if !ok {
		return nil
	}
	return Browser{shown, x.patience}
}

func (b Browser) ListAlerts(ctx context.Context, filter platform.AlertFilter) ([]platform.AlertRecord, string, error) {
	return within2(ctx, b.patience, callee{name: "platform"}, func(ctx context.Context) ([]platform.AlertRecord, string, error) {
		return b.AlertBrowser.ListAlerts(ctx, filter)
	})
}

func (b Browser) GetAlert(ctx context.Context, id string) (platform.AlertRecord, error) {
	return within(ctx, b.patience, callee{name: "platform"}, func(ctx context.Context) (platform.AlertRecord, error) {
		return b.AlertBrowser.GetAlert(ctx, id)
	})
}
