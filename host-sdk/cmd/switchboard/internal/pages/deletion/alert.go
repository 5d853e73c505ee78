package deletion

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// alertBody is what the page that asks about an alert shows. It embeds what the platform says, so
// that templates name its fields.
type alertBody struct {
	platform.AlertRecord
	Call string // id of the call whose record stays; "": there is none
}

// alert reads the alert that an address names. The error is a refusal for people where there is
// none to delete.
func (d *Deletion) alert(r *http.Request) (platform.AlertRecord, error) {
	if d.browser == nil {
		return platform.AlertRecord{}, &layout.Refusal{Status: http.StatusNotFound, Title: "Alerts are kept elsewhere", Message: "The platform behind this switchboard keeps its alerts: delete them there."}
	}
	rec, err := d.browser.GetAlert(r.Context(), r.PathValue("id"))
	if integration.KindOf(err) == integration.KindNotFound {
		return rec, &layout.Refusal{Status: http.StatusNotFound, Title: "No such alert", Message: "There is no alert with this id, or it has been deleted."}
	}
	return rec, err
}

// ConfirmAlert asks before an alert is deleted.
func (d *Deletion) ConfirmAlert(w http.ResponseWriter, r *http.Request) error {
	rec, err := d.alert(r)
	if err != nil {
		return err
	}
	body := alertBody{AlertRecord: rec}
	// Without an answer the page goes without the sentence about the call: it is only a hint.
	if c, err := d.store.CallByAlert(r.Context(), rec.Integration, rec.Key); err == nil {
		body.Call = c.Key
	}
	d.site.Show(w, r, http.StatusOK, layout.Page{Title: "Delete this alert?", Template: "alertdelete", Nav: "alerts", Body: body})
	return nil
}

// Alert deletes an alert with its log. That somebody else was faster is no error. The engine
// refuses an alert that is not over, or whose call is live. The record of the call stays.
func (d *Deletion) Alert(w http.ResponseWriter, r *http.Request) error {
	rec, err := d.alert(r)
	if err == nil {
		err = d.engine.DeleteAlert(r.Context(), rec.Integration, rec.Key)
	}
	switch integration.KindOf(err) {
	case "", integration.KindNotFound:
		skipped(r, err)
		d.site.Redirect(w, r, "/alerts?deleted=1")
		return nil
	case integration.KindUnsupported:
		return &layout.Refusal{Status: http.StatusNotImplemented, Title: "Nothing was deleted", Message: httpkit.Message(err)}
	default:
		return refused(err)
	}
}
