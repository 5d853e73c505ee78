package pages

import (
	"net/http"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// meCookieName holds the user id in whose name somebody acts; "-" for somebody who only looks.
const meCookieName = "switchboard_me"

const (
	nobody    = "-"
	meCookies = 365 * 24 * time.Hour
)

type person struct{ ID, Name string }

// meCookie is what was chosen; false: nothing yet.
func (p *Pages) meCookie(r *http.Request) (string, bool) {
	c, err := r.Cookie(meCookieName)
	if err != nil || c.Value == "" {
		return "", false
	}
	id, err := url.QueryUnescape(c.Value)
	return id, err == nil
}

// me is the person in whose name the browser acts: none, if nobody was chosen or the platform no longer knows them.
func (p *Pages) me(r *http.Request) person {
	id, ok := p.meCookie(r)
	if !ok || id == nobody {
		return person{}
	}
	u, err := p.cfg.Platform.User(r.Context(), p.scope(""), id)
	if err != nil {
		return person{}
	}
	return person{u.ID, nameOf(u)}
}

func (p *Pages) remember(w http.ResponseWriter, id string) {
	if id == "" {
		id = nobody
	}
	c := p.sessions.cookie(meCookieName, url.QueryEscape(id), meCookies)
	http.SetCookie(w, &c)
}

// everybody lists who may be chosen; nil when the platform does not tell.
func (p *Pages) everybody() []person {
	if p.people == nil {
		return nil
	}
	var all []person
	for _, u := range p.people.Users() {
		all = append(all, person{u.ID, nameOf(u)})
	}
	return all
}

func nameOf(u integration.User) string {
	if u.Name == "" {
		return u.ID
	}
	return u.Name
}

type meBody struct {
	Next    string
	Chosen  string
	Problem string
}

func (p *Pages) showMe(w http.ResponseWriter, r *http.Request) error {
	p.show(w, r, http.StatusOK, page{Title: "Who are you?", Template: "me", Body: meBody{Next: safeNext(r.URL.Query().Get("next")), Chosen: p.me(r).ID}})
	return nil
}

func (p *Pages) setMe(w http.ResponseWriter, r *http.Request) error {
	if err := readSmallForm(w, r); err != nil {
		return err
	}
	next, id := safeNext(r.PostFormValue("next")), r.PostFormValue("user")
	if id != "" {
		if _, err := p.cfg.Platform.User(r.Context(), p.scope(""), id); integration.KindOf(err) == integration.KindNotFound {
			p.show(w, r, http.StatusUnprocessableEntity, page{Title: "Who are you?", Template: "me", Body: meBody{Next: next,
				Problem: "There is no person with this id: choose another one."}})
			return nil
		} else if err != nil {
			return err
		}
	}
	p.remember(w, id)
	p.redirect(w, r, next)
	return nil
}
