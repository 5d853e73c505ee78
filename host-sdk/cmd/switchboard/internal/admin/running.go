package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// AskRunning sends a request to the API of the running host, decodes its answer into v, and returns
// it as it came. What it asks for belongs to the platform as much as to the database, so without a
// running host it is an error. A nil body sends none. path is that of the API, without its prefix.
func AskRunning(ctx context.Context, s settings.Settings, method, path string, body, v any) (json.RawMessage, error) {
	return ask(ctx, s,
		func(context.Context, settings.Settings) (json.RawMessage, error) {
			return nil, errors.New("no switchboard runs with this data directory: start it with switchboard serve, or name the directory of the running one with --data-dir")
		},
		func(ctx context.Context, base string) (json.RawMessage, error) {
			return askFor(ctx, s, base, method, path, body, v)
		})
}

// RunningHosts asks the host that runs on the data directory which hosts share its database. It
// asks without looking for the lock: the caller knows that a host runs.
func RunningHosts(ctx context.Context, s settings.Settings) (hosts []store.Host, err error) {
	return hosts, askAPI(ctx, s, datadir.Address(s), http.MethodGet, "/hosts", nil, &hosts)
}
