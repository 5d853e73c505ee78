package admin

import (
	"context"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// ReadStatus asks the running host how it is. Where none runs, it is what the store knows. Its
// Status is serve.NotRunning then.
func ReadStatus(ctx context.Context, s settings.Settings) (out api.Status, err error) {
	fromHost := func(ctx context.Context, base string) (out api.Status, err error) {
		return out, askAPI(ctx, s, base, http.MethodGet, "/status", nil, &out)
	}
	return ask(ctx, s, serve.StoredStatus, fromHost)
}
