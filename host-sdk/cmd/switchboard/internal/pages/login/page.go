package login

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// pageBody is what the page behind the link in a page shows: nothing of the caller, as programs
// that look into mails open it too. The team is enough to recognise the page by.
type pageBody struct {
	Token string
	Teams string
}

// ShowPage shows the button of the link in a page, and changes nothing. Opening the link must not
// log anybody in: scanners of mails would be let in.
func (l *Login) ShowPage(w http.ResponseWriter, r *http.Request) error {
	_, alert, _, problem, err := l.people.PageLink(r.PathValue("token"), l.findAlert(r))
	if err != nil {
		return err
	}
	if problem != "" {
		l.show(w, r, http.StatusGone, loginBody{Next: "/", Problem: problem})
		return nil
	}
	body := pageBody{Token: r.PathValue("token"), Teams: strings.Join(l.site.Names(r).Teams(alert.Teams), ", ")}
	l.site.Show(w, r, http.StatusOK, layout.Page{Title: "You are paged", Template: "page", Body: body})
	return nil
}

// findAlert reads an alert of the platform's. It is a function of the id, as package people decides
// whether the alert is read at all.
func (l *Login) findAlert(r *http.Request) func(string) (platform.AlertRecord, error) {
	return func(id string) (platform.AlertRecord, error) {
		if l.browser == nil {
			return platform.AlertRecord{}, layout.NothingHere(nil, r)
		}
		return l.browser.GetAlert(r.Context(), id)
	}
}

// OpenPage opens the alert of a link. Somebody who is logged in stays who they are. It replaces an
// older login of this kind, which was for another alert.
func (l *Login) OpenPage(w http.ResponseWriter, r *http.Request) error {
	link, _, ends, problem, err := l.people.PageLink(r.PathValue("token"), l.findAlert(r))
	if err != nil {
		return err
	}
	if problem != "" {
		l.show(w, r, http.StatusGone, loginBody{Next: "/", Problem: problem})
		return nil
	}
	who, _, err := l.people.Identify(r)
	if err != nil {
		return err
	}
	// A login of one's own allows more than the link.
	if !who.Known() || who.Alert != "" {
		if err := l.people.LogInWithPage(w, r, link, ends); err != nil {
			return err
		}
	}
	l.site.Redirect(w, r, "/alerts/"+url.PathEscape(link.Alert))
	return nil
}
