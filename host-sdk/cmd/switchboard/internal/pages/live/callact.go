package live

import (
	"net/http"
	"net/url"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// callNotices say afterwards what was done. The keys stand in the address after a redirect.
var callNotices = map[string]string{
	"note": "The note was added.", "unnote": "The note was deleted.", "heard": "Marked as heard.",
	"unrecorded": "The recording was deleted. It is being deleted at the telephone service too; what happened says when that is done.",
}

// callPage is the address of a call's page. done is a key of callNotices, or "".
func callPage(key, done string) string {
	address := "/calls/" + url.PathEscape(key)
	if done != "" {
		address += "?done=" + done
	}
	return address
}

// notedOn is the page on which a form about a call was filled in: of its alert, a list of alerts,
// or the call itself. It is made of ids and a query that are escaped again, so a form cannot lead
// to another site.
func notedOn(r *http.Request, key, done string) string {
	if alert := r.PostFormValue("alert"); alert != "" {
		address := "/alerts/" + url.PathEscape(alert)
		if done != "heard" { // the recording says so itself
			address += "?done=" + done
		}
		return address
	}
	// The list's query is taken apart and put together anew: it is typed by nobody, but could be.
	if list, err := url.ParseQuery(r.PostFormValue("list")); err == nil && r.PostForm.Has("list") {
		return "/alerts?" + list.Encode()
	}
	return callPage(key, done)
}

// asPerson is acting for what the platform is not asked about, so somebody whom it does not know is
// found out here. Notes and hearing are written into the store, which knows no people; the platform
// would have refused an unknown one itself.
func (l *Live) asPerson(w http.ResponseWriter, r *http.Request) (id string, wrong *layout.Refusal) {
	if id, wrong = l.acting(r); wrong != nil {
		return "", wrong
	}
	// While the platform cannot say, the person is who they say they are.
	if _, err := l.site.Platform.User(r.Context(), l.site.Scope(""), id); integration.KindOf(err) == integration.KindNotFound {
		return "", &layout.Refusal{Status: http.StatusUnprocessableEntity, Message: "Nothing was changed: the person you are acting as is not known. Choose who you are and press the button again."}
	}
	if l.site.Me(r).ID == "" { // chosen beside the button: not asked again
		l.site.Remember(w, id)
	}
	return id, nil
}

// actOnCall reads a form about a call and does what it asks for in a person's name. What people can
// mend is shown above the page with the draft of their note. act returns where to go then, and an
// error of kind invalid for what people can mend.
func (l *Live) actOnCall(w http.ResponseWriter, r *http.Request, act func(c store.Call, me string) (address string, err error)) error {
	c, err := l.findCall(r)
	if err != nil {
		return err
	}
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	// The page on which the form was, with what is wrong above it.
	refused := func(status int, text string) error {
		if alert := r.PostFormValue("alert"); alert != "" {
			// drawAlert reads the id of the alert from the address, which is that of a call here.
			r.SetPathValue("id", alert)
			return l.drawAlert(w, r, status, l.site.Me(r).ID, []layout.Notice{{Tone: "bad", Text: text}})
		}
		l.drawCall(w, r, status, c, []layout.Notice{{Tone: "bad", Text: text}}, r.PostFormValue("text"))
		return nil
	}
	me, wrong := l.asPerson(w, r)
	if wrong != nil {
		return refused(wrong.Status, wrong.Message)
	}
	address, err := act(c, me)
	if integration.KindOf(err) == integration.KindInvalid {
		return refused(http.StatusUnprocessableEntity, "Nothing was changed. "+httpkit.Message(err))
	}
	if err != nil {
		return err
	}
	l.site.Redirect(w, r, address)
	return nil
}

// AddNote adds a note to a call. An empty or too long text is refused by the store.
func (l *Live) AddNote(w http.ResponseWriter, r *http.Request) error {
	return l.actOnCall(w, r, func(c store.Call, me string) (string, error) {
		_, err := l.store.AddNote(r.Context(), c.Integration, c.Key, store.Note{At: l.site.Clock.Now(), By: me, Text: r.PostFormValue("text")})
		return notedOn(r, c.Key, "note"), err
	})
}

// DeleteNote deletes a note of a call. A second click is no error. Whoever may write notes may
// delete those of others, too.
func (l *Live) DeleteNote(w http.ResponseWriter, r *http.Request) error {
	c, err := l.findCall(r)
	if err != nil {
		return err
	}
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	if l.onlyLooks(r, l.site.Me(r).ID) {
		return people.Identity{Role: people.Viewer}.Refuse(people.Respond)
	}
	// not_found: somebody else was faster.
	err = l.store.DeleteNote(r.Context(), c.Integration, c.Key, r.PathValue("note"))
	if integration.KindOf(err) == integration.KindNotFound {
		people.SkipAudit(r.Context())
	} else if err != nil {
		return err
	}
	l.site.Redirect(w, r, notedOn(r, c.Key, "unnote"))
	return nil
}

// MarkHeard notes that a person has heard a recording, and leads back to the page it was heard on.
// The script posts it when a recording was played nearly to its end; without scripts there is a
// button.
func (l *Live) MarkHeard(w http.ResponseWriter, r *http.Request) error {
	return l.actOnCall(w, r, func(c store.Call, me string) (string, error) {
		// The link in a page allows hearing, but of its own alert alone. The right is checked here,
		// as only the call's record says which alert that is.
		if who := people.From(r.Context()); who.Alert != "" && c.Alert.ID != who.Alert {
			return "", who.Refuse(people.Hear)
		}
		return notedOn(r, c.Key, "heard"), l.store.MarkHeard(r.Context(), c.Integration, c.Key, r.PostFormValue("ref"), store.Heard{By: me, At: l.site.Clock.Now()})
	})
}

// BackToCall leads from the address of an action to the call, as BackToAlert does.
func (l *Live) BackToCall(w http.ResponseWriter, r *http.Request) error {
	l.site.Redirect(w, r, callPage(r.PathValue("sid"), ""))
	return nil
}
