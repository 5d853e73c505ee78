package api

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// listHosts answers GET /hosts: the running hosts that share the store, as of some seconds ago.
func (a *API) listHosts(w http.ResponseWriter, _ *http.Request) error {
	var hosts []store.Host
	if a.cfg.Hosts != nil {
		hosts = a.cfg.Hosts()
	}
	httpkit.WriteJSON(w, http.StatusOK, list(hosts))
	return nil
}
