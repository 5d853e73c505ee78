package api

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// listHosts answers GET /hosts: the running hosts that share the store, as of some seconds ago. On
// SQLite it is this host alone.
func (a *API) listHosts(w http.ResponseWriter, _ *http.Request) error {
	var hosts []store.Host
	if a.cfg.Hosts != nil {
		hosts = a.cfg.Hosts()
	}
	httpkit.WriteJSON(w, http.StatusOK, apikit.List(hosts))
	return nil
}

// maxFile bounds the body that holds a switchboard file of 4 MiB, as JSON, in MiB.
const maxFile = 10

// pushFile answers PUT /switchboard-file: the file comes into force for all hosts. A file with
// errors is refused whole, with all of them in the message.
func (a *API) pushFile(w http.ResponseWriter, r *http.Request) error {
	if a.cfg.PushFile == nil {
		return apikit.Refuse(http.StatusNotImplemented, "unsupported", "on SQLite the host takes its own switchboard file over when it changes: there is nothing to push")
	}
	var body struct {
		Text string `json:"text"`
	}
	if err := apikit.ReadJSONOf(w, r, maxFile, &body); err != nil {
		return err
	}
	hash, err := a.cfg.PushFile(r.Context(), []byte(body.Text))
	if err != nil {
		return err
	}
	people.About(r.Context(), hash, "")
	httpkit.WriteJSON(w, http.StatusOK, map[string]string{"hash": hash})
	return nil
}
