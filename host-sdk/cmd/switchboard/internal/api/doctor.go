package api

import (
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
)

// examine answers POST /doctor: what this host stands on, line by line. It may take most of a
// minute; see httpkit.TimeFor.
func (a *API) examine(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Send bool `json:"send"`
	}
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	if a.cfg.Examine == nil {
		return apikit.Refuse(http.StatusNotImplemented, "unsupported", "this host does not look at what it stands on")
	}
	httpkit.Extend(w, time.Now(), httpkit.ExamineTime) // wall clock: a deadline of real I/O
	type line struct {
		Level string `json:"level"`
		Text  string `json:"text"`
	}
	lines := []line{}
	for _, l := range a.cfg.Examine(r.Context(), body.Send) {
		lines = append(lines, line{string(l.Level), l.Text})
	}
	httpkit.WriteJSON(w, http.StatusOK, lines)
	return nil
}
