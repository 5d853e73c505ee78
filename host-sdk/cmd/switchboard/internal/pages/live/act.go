package live

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// doneNotices say afterwards what was done. An action that is not here does not exist.
var doneNotices = map[platform.AlertAction]string{
	platform.ActAcknowledge: "You acknowledged this alert.",
	platform.ActReject:      "You declined. The alert still waits for the other people on call.",
	platform.ActEscalate:    "Escalated to the next layer.",
	platform.ActResolve:     "Resolved.",
}

// needs is what whoever does something with an alert must be allowed to do. Taking is allowed by
// the link in a page too; moving or ending the alert is for those who are logged in.
func needs(action platform.AlertAction) people.Action {
	if action == platform.ActAcknowledge || action == platform.ActReject {
		return people.TakeAlert
	}
	return people.Respond
}

// possible says what a person can do with an alert; "" is a browser that has not said whom it acts
// as, which is offered all and asked then. The platform decides when the button is pressed: the
// page may be out of date. who is the identity of the request, whose role may allow less than the
// platform would.
func possible(rec platform.AlertRecord, me string, who people.Identity) map[string]bool {
	open := rec.Status == integration.AlertOpen
	can := map[string]bool{
		string(platform.ActAcknowledge): open || rec.Status == integration.AlertQueued || rec.Status == integration.AlertDropped,
		// Declining means something only while the person is being paged.
		string(platform.ActReject):   open && len(rec.Paged) > 0 && (me == "" || slices.Contains(rec.Paged, me)),
		string(platform.ActEscalate): open,
		string(platform.ActResolve):  rec.Status != integration.AlertResolved && rec.Status != integration.AlertDeleted,
	}
	// A person whom the platform does not know can do nothing, as nothing could be recorded in
	// their name.
	for action := range can {
		can[action] = can[action] && who.May(needs(platform.AlertAction(action)), rec.ID) && (me != "" || !who.Person())
	}
	return can
}

// ActOnAlert does what a button of the alert says, in the name of whoever is logged in, or with the
// API token of the person whom the browser acts as or whom the form names. It returns a handler, as
// the routes name the action and not the address.
func (l *Live) ActOnAlert(action platform.AlertAction) layout.Handler {
	return func(w http.ResponseWriter, r *http.Request) error { return l.actOnAlert(w, r, action) }
}

// unknownPerson says why somebody whose role is enough can do nothing.
const unknownPerson = "the platform knows nobody with your account. Whoever keeps the switchboard file can name your user there."

// acting is the platform's id of the person in whose name a form acts; otherwise what is wrong, for
// a notice, and the status. A person acts in their own name alone, whatever the form says; only
// with the API token, which is nobody's, does the form's or the cookie's choice count.
func (l *Live) acting(r *http.Request) (id string, wrong *layout.Refusal) {
	id = l.site.Me(r).ID
	if people.From(r.Context()).Person() {
		if id == "" {
			wrong = &layout.Refusal{Status: http.StatusUnprocessableEntity, Message: "Nothing was changed: " + unknownPerson}
		}
		return id, wrong
	}
	// The form has no field for it when the browser acts as somebody.
	if named := r.PostFormValue("user"); named != "" {
		id = named
	}
	if id == "" {
		return "", &layout.Refusal{Status: http.StatusUnprocessableEntity, Message: "Nothing was changed: choose who you are and press the button again."}
	}
	if l.onlyLooks(r, id) {
		return "", &layout.Refusal{Status: http.StatusForbidden, Message: "Nothing was changed: the role of your account lets you look only. Whoever keeps the switchboard file can change it."}
	}
	return id, nil
}

// onlyLooks reports whether a person in whose name the API token is used may only look. The token
// may do everything, but a viewer who uses it must not be on record as having taken an alert or
// written a note. While the platform does not answer, the user's id alone decides.
func (l *Live) onlyLooks(r *http.Request, user string) bool {
	if user == "" || !people.From(r.Context()).Shared() {
		return false
	}
	u, err := l.site.Platform.User(r.Context(), l.site.Scope(""), user)
	if err != nil {
		u = integration.User{ID: user}
	}
	return l.site.People.OnlyLooks(u)
}

// actOnAlert does the action and redirects to the alert, so that a reload does not do it twice. A
// refusal shows the alert as it is now, with the reason above it.
func (l *Live) actOnAlert(w http.ResponseWriter, r *http.Request, action platform.AlertAction) error {
	if l.browser == nil {
		return layout.NothingHere(w, r)
	}
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	user, wrong := l.acting(r)
	if wrong != nil {
		return l.drawAlert(w, r, wrong.Status, l.site.Me(r).ID, []layout.Notice{{Tone: "bad", Text: wrong.Message}})
	}
	_, err := l.browser.Act(r.Context(), r.PathValue("id"), action, user)
	switch {
	case err == nil:
		// Chosen beside the button, with the API token: not asked again for the next alert.
		if l.site.Me(r).ID == "" {
			l.site.Remember(w, user)
		}
		l.site.Redirect(w, r, "/alerts/"+url.PathEscape(r.PathValue("id"))+"?done="+string(action))
		return nil
	// Somebody else was faster, mostly: the page shows what the alert has become.
	case integration.KindOf(err) == integration.KindConflict:
		return l.drawAlert(w, r, http.StatusConflict, user, []layout.Notice{{Tone: "warn", Text: "Nothing was changed. " + httpkit.Message(err)}})
	case integration.KindOf(err) == integration.KindNotFound:
		// not_found is said of the alert and of the person alike: reading the alert again tells
		// which.
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
