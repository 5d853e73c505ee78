package login

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// meBody is what the page that asks for the person shows.
type meBody struct {
	Next    string
	Chosen  string
	Problem string
}

// ShowMe asks whom the browser acts as.
func (l *Login) ShowMe(w http.ResponseWriter, r *http.Request) error {
	l.askMe(w, r, http.StatusOK, meBody{Next: safeNext(r.URL.Query().Get("next")), Chosen: l.site.Me(r).Choice})
	return nil
}

// askMe shows the page that asks whom the browser acts as.
func (l *Login) askMe(w http.ResponseWriter, r *http.Request, status int, body meBody) {
	l.site.Show(w, r, status, layout.Page{Title: "Who are you?", Template: "me", Body: body})
}

// SetMe remembers whom the browser acts as, and leads on to the page that was wanted.
func (l *Login) SetMe(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	next, choice := safeNext(r.PostFormValue("next")), r.PostFormValue("user")
	if choice != "" {
		_, err := l.site.Person(r.Context(), choice)
		if integration.KindOf(err) == integration.KindNotFound {
			l.askMe(w, r, http.StatusUnprocessableEntity, meBody{Next: next, Problem: "There is no such person: choose another one."})
			return nil
		}
		if err != nil {
			return err
		}
	}
	l.site.Remember(w, choice)
	l.site.Redirect(w, r, next)
	return nil
}
