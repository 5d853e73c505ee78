package live

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// doneNotices say afterwards what was done. An action that is not here does not exist.
var doneNotices = map[platform.AlertAction]string{
	platform.ActAcknowledge: "You acknowledged this alert.",
	platform.ActReject:      "You declined. The other people on call are still being paged.",
	platform.ActEscalate:    "Escalated to the next layer.",
	platform.ActResolve:     "Resolved.",
}

// possible says what a person can do with an alert; "" is a browser that has not said whom it acts
// as, which is offered all and asked then. The platform decides when the button is pressed: the
// page may be out of date.
func possible(rec platform.AlertRecord, me string) map[string]bool {
	open := rec.Status == integration.AlertOpen
	return map[string]bool{
		string(platform.ActAcknowledge): open || rec.Status == integration.AlertQueued || rec.Status == integration.AlertDropped,
		string(platform.ActReject):      open && len(rec.Paged) > 0 && (me == "" || slices.Contains(rec.Paged, me)),
		string(platform.ActEscalate):    open,
		string(platform.ActResolve):     rec.Status != integration.AlertResolved && rec.Status != integration.AlertDeleted,
	}
}

// ActOnAlert does what a button of the alert says, in the name of the person whom the browser acts
// as or whom the form names.
func (l *Live) ActOnAlert(w http.ResponseWriter, r *http.Request) error {
	if l.browser == nil {
		return layout.NothingHere(w, r)
	}
	action := platform.AlertAction(r.PathValue("action"))
	if doneNotices[action] == "" {
		return layout.NothingHere(w, r)
	}
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	user := r.PostFormValue("user")
	if user == "" { // the form has no field for it when the browser acts as somebody
		user = l.site.Me(r).ID
	}
	if user == "" {
		return l.drawAlert(w, r, http.StatusUnprocessableEntity, "", []layout.Notice{{Tone: "bad", Text: "Nothing was changed: choose who you are and press the button again."}})
	}
	if l.site.MayOnlyLook(user) {
		return l.drawAlert(w, r, http.StatusForbidden, user, []layout.Notice{{Tone: "bad", Text: "Nothing was changed: the role of your account lets you look only. Whoever keeps the switchboard file can change it."}})
	}
	_, err := l.browser.Act(r.Context(), r.PathValue("id"), action, user)
	switch {
	case err == nil:
		if l.site.Me(r).ID == "" { // chosen beside the button: not asked again for the next alert
			l.site.Remember(w, user)
		}
		l.site.Redirect(w, r, "/alerts/"+url.PathEscape(r.PathValue("id"))+"?done="+string(action))
		return nil
	// Somebody else was faster, mostly: the page shows what the alert has become.
	case integration.KindOf(err) == integration.KindConflict:
		return l.drawAlert(w, r, http.StatusConflict, user, []layout.Notice{{Tone: "warn", Text: "Nothing was changed. " + httpkit.Message(err)}})
	case integration.KindOf(err) == integration.KindNotFound:
		if _, gone := l.browser.GetAlert(r.Context(), r.PathValue("id")); gone == nil {
			return l.drawAlert(w, r, http.StatusUnprocessableEntity, "", []layout.Notice{{Tone: "bad", Text: "Nothing was changed: the person you are acting as is no longer known. Choose who you are and press the button again."}})
		}
	}
	return err
}

// BackToAlert leads from the address of an action to the alert. A refused action shows the alert at
// its own address, which the script reads again and which stays in the browser's history.
func (l *Live) BackToAlert(w http.ResponseWriter, r *http.Request) error {
	l.site.Redirect(w, r, "/alerts/"+url.PathEscape(r.PathValue("id")))
	return nil
}
