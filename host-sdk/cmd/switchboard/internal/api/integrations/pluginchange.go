package integrations

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
)

// SwitchedPlugin says which version of a plugin is in use now.
type SwitchedPlugin struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Before  string `json:"before"`  // the version that it replaces; "": none
	Running bool   `json:"running"` // a running host took it into use
}

// switchPlugin answers POST /plugins/{id}/switch. The version must lie in the plugin folder
// already: the command line puts it there.
func (o *Operations) switchPlugin(w http.ResponseWriter, r *http.Request) error {
	if o.SwitchPlugin == nil {
		return apikit.Refuse(http.StatusNotImplemented, "unsupported", "this host does not exchange plugins while it runs")
	}
	var body struct {
		Version string `json:"version"`
	}
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	switched, err := o.SwitchPlugin(r.Context(), r.PathValue("id"), body.Version)
	if err != nil {
		return err
	}
	people.About(r.Context(), switched.ID, switched.Before+" → "+switched.Version)
	httpkit.WriteJSON(w, http.StatusOK, switched)
	return nil
}

// removePlugin answers DELETE /plugins/{id}. One that something needs is a conflict.
func (o *Operations) removePlugin(w http.ResponseWriter, r *http.Request) error {
	if o.RemovePlugin == nil {
		return apikit.Refuse(http.StatusNotImplemented, "unsupported", "this host does not remove plugins while it runs")
	}
	if err := o.RemovePlugin(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
