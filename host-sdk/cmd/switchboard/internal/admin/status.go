package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/serve"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
)

// ReadStatus asks the running host how it is: the one at address, or if that is "" the one that the
// settings name. Where none runs, it is what the store knows. Its Status is serve.NotRunning then.
func ReadStatus(ctx context.Context, s settings.Settings, address string) (out api.Status, err error) {
	fromHost := func(ctx context.Context, base string) (out api.Status, err error) {
		return out, askAPI(ctx, s, base, http.MethodGet, "/status", nil, &out)
	}
	// Another machine's host: the lock of this one says nothing of it.
	if address != "" {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		return fromHost(ctx, strings.TrimRight(address, "/"))
	}
	if !datadir.HasDatabase(s) {
		return out, datadir.NoDatabase(s)
	}
	return ask(ctx, s, serve.StoredStatus, fromHost)
}
