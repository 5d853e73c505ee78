package login

import (
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// meBody is what the page that asks for the person shows. Chosen is what the browser remembers now,
// to be shown as chosen.
type meBody struct {
	Next    string
	Chosen  string
	Problem string
}

// accountBody is what the page of one's own account shows. Ways and shifts are those of the
// platform's user that the account stands for; without one there are none.
type accountBody struct {
	Logins []store.Login
	Ways   []ways.Way // by which the person is told
	Paged  bool       // the switchboard file says how
	Ring   layout.Ring
	Shifts []myShift
	Keeps  bool // the platform keeps schedules here
}

// ShowMe shows one's own account. Somebody who has logged in with the API token, which does not say
// who they are, is asked as whom the browser acts. Both are at one address, as menus link to it
// without knowing how somebody logged in.
func (l *Login) ShowMe(w http.ResponseWriter, r *http.Request) error {
	who := people.From(r.Context())
	if who.Shared() {
		l.askMe(w, r, http.StatusOK, meBody{Next: safeNext(r.URL.Query().Get("next")), Chosen: l.site.Me(r).Choice})
		return nil
	}
	var notices []layout.Notice
	if r.URL.Query().Get("ended") != "" {
		notices = append(notices, layout.Notice{Tone: "ok", Text: "That browser is logged out."})
	}
	return l.drawMe(w, r, notices)
}

// drawMe shows the page of one's own account. It is also the answer to a test that was refused,
// hence the notices.
func (l *Login) drawMe(w http.ResponseWriter, r *http.Request, notices []layout.Notice) error {
	who := people.From(r.Context())
	logins, err := l.people.Logins(r.Context(), who.Email)
	if err != nil {
		return err
	}
	body := accountBody{Logins: logins, Ways: l.site.WaysOf(who.User), Paged: l.site.Ways != nil && who.User != ""}
	if keeper, ok := l.site.Platform.(interface{ File() *switchboardfile.File }); ok && who.User != "" {
		body.Keeps, body.Shifts = true, shiftsOf(keeper.File(), who.User, clock.Wall(l.site.Clock))
	}
	// The redirect after a ring was begun has ring in its query.
	if body.Ring, err = l.site.RingOf(r, who.User, r.Method == http.MethodGet && r.URL.Query().Has("ring")); err != nil {
		return err
	}
	l.site.Show(w, r, http.StatusOK, layout.Page{Title: "Me", Template: "account", Nav: "me", Poll: body.Ring.Poll(), Notices: notices, Body: body})
	return nil
}

// TestMe sends whoever is logged in a test by their ways. It sends only to oneself, so every role
// may.
func (l *Login) TestMe(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	who := people.From(r.Context())
	if !who.Person() || who.User == "" {
		return &layout.Refusal{Status: http.StatusConflict, Title: "Not possible", Message: "The platform knows nobody with this account: there is nobody to tell."}
	}
	people.About(r.Context(), who.User, r.PostFormValue("way"))
	if layout.WantsRing(r) {
		notices, err := l.site.StartRing(r, who.User)
		if err == nil && notices == nil {
			l.site.Redirect(w, r, "/me?ring=1#ring")
			return nil
		}
		if err != nil {
			return err
		}
		return l.drawMe(w, r, notices)
	}
	notices, err := l.site.TestWays(r, who.User)
	if err != nil {
		return err
	}
	return l.drawMe(w, r, notices)
}

// EndLogin logs another browser of one's own out. An id of somebody else's is not found.
func (l *Login) EndLogin(w http.ResponseWriter, r *http.Request) error {
	ended, err := l.people.EndLogin(r.Context(), people.From(r.Context()), r.PathValue("id"))
	// A second click, or the id of somebody else's: nothing has ended, so the audit has no line.
	if integration.KindOf(err) == integration.KindNotFound {
		people.SkipAudit(r.Context())
	} else if err != nil {
		return err
	}
	people.About(r.Context(), ended.Email, "by "+ended.How+", "+ended.Agent)
	l.site.Redirect(w, r, "/me?ended=1")
	return nil
}

// askMe shows the page that asks whom the browser acts as.
func (l *Login) askMe(w http.ResponseWriter, r *http.Request, status int, body meBody) {
	l.site.Show(w, r, status, layout.Page{Title: "Who are you?", Template: "me", Body: body})
}

// SetMe remembers whom the browser acts as, and leads on to the page that was wanted. "" is nobody:
// the browser only looks, and is not asked again.
func (l *Login) SetMe(w http.ResponseWriter, r *http.Request) error {
	// A person must not act in another's name: the audit and the alert would be wrong.
	if !people.From(r.Context()).Shared() {
		return &layout.Refusal{Status: http.StatusConflict, Title: "Not possible", Message: "You are logged in as yourself, and act in your own name. To be somebody else, log out first."}
	}
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
