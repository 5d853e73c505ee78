package api

import (
	"net/http"

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
func (a *API) switchPlugin(w http.ResponseWriter, r *http.Request) error {
	if a.cfg.SwitchPlugin == nil {
		return refuse(http.StatusNotImplemented, "unsupported", "this host does not exchange plugins while it runs")
	}
	var body struct {
		Version string `json:"version"`
	}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	switched, err := a.cfg.SwitchPlugin(r.Context(), r.PathValue("id"), body.Version)
	if err != nil {
		return err
	}
	people.About(r.Context(), switched.ID, switched.Before+" → "+switched.Version)
	httpkit.WriteJSON(w, http.StatusOK, switched)
	return nil
}

// removePlugin answers DELETE /plugins/{id}. One that something needs is a conflict.
func (a *API) removePlugin(w http.ResponseWriter, r *http.Request) error {
	if a.cfg.RemovePlugin == nil {
		return refuse(http.StatusNotImplemented, "unsupported", "this host does not remove plugins while it runs")
	}
	if err := a.cfg.RemovePlugin(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
