package login

import (
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates
var templates embed.FS

// Login serves the pages of log-in and log-out.
type Login struct {
	site     *layout.Site
	guard    *httpkit.Guard
	sessions *sessions
}

// New adds the pages of the log-in to a site. Logins keeps the sessions; guard knows the token.
func New(site *layout.Site, logins store.Logins, guard *httpkit.Guard) (*Login, error) {
	l := &Login{site: site, guard: guard, sessions: newSessions(site, logins, guard.Key("login session"))}
	return l, site.Parse(templates, nil, "login", "me")
}

// Valid reports whether a request comes from a browser that is logged in. While that cannot be found
// out, it does not.
func (l *Login) Valid(r *http.Request) bool {
	state, err := l.sessions.check(r)
	if err != nil {
		l.site.Log.WarnContext(r.Context(), "the login of a request cannot be read", "error", err)
	}
	return state == sessionValid
}

// Protect lets requests through whose browser is logged in. The others log in first and come back.
func (l *Login) Protect(h layout.Handler) layout.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		state, err := l.sessions.check(r)
		if err != nil {
			return err
		}
		if state == sessionValid {
			return h(w, r)
		}
		l.askLogin(w, r, state == sessionExpired)
		return nil
	}
}

// loginBody is what the log-in page shows.
type loginBody struct {
	Next    string
	Expired bool   // there was a session, and it has expired
	Unsaved bool   // a form was submitted and not saved
	Out     bool   // has just logged out
	Wrong   string // why the log-in was refused
}

// show shows the log-in page.
func (l *Login) show(w http.ResponseWriter, r *http.Request, status int, body loginBody) {
	l.site.Show(w, r, status, layout.Page{Title: "Log in", Template: "login", Body: body})
}

// askLogin sends a browser to the log-in page and, afterwards, back to where it is now. A script
// that reads a page again gets a status instead of the log-in page.
func (l *Login) askLogin(w http.ResponseWriter, r *http.Request, expired bool) {
	if r.Header.Get(layout.FragmentHeader) != "" {
		http.Error(w, "log in again", http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		// The browser still has what was typed, and going back shows it: a redirect would lose it.
		next := "/"
		if u, err := url.Parse(r.Header.Get("Referer")); err == nil && u.Path != "" {
			next = l.site.Path(u.Path)
		}
		l.show(w, r, http.StatusUnauthorized, loginBody{Next: safeNext(next), Expired: expired, Unsaved: true})
		return
	}
	q := url.Values{}
	if next := r.URL.RequestURI(); next != "/" {
		q.Set("next", next)
	}
	if expired {
		q.Set("ended", "1")
	}
	path := "/login"
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	l.site.Redirect(w, r, path)
}

// ShowLogin shows the form, or leads on where the browser is logged in already.
func (l *Login) ShowLogin(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	next := safeNext(q.Get("next"))
	if l.Valid(r) {
		l.site.Redirect(w, r, next)
		return nil
	}
	l.show(w, r, http.StatusOK, loginBody{Next: next, Expired: q.Get("ended") != "", Out: q.Get("out") != ""})
	return nil
}

// Login checks the token of the form. The right one leads to the page that was wanted, by way of
// the question whom the browser acts as.
func (l *Login) Login(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	next := safeNext(r.PostFormValue("next"))
	// The token is checked first: whoever has the right one is let in, however many wrong ones came
	// from the same address.
	if !l.guard.CheckToken(strings.TrimSpace(r.PostFormValue("token"))) {
		if seconds := l.guard.Wrong(w, r, "login"); seconds > 0 {
			l.show(w, r, http.StatusTooManyRequests, loginBody{Next: next,
				Wrong: fmt.Sprintf("Too many wrong tokens from your address. Try again in %d seconds. The right token is accepted at once.", seconds)})
			return nil
		}
		l.site.Log.WarnContext(r.Context(), "login refused: wrong token", "remote", httpkit.Remote(r))
		l.show(w, r, http.StatusForbidden, loginBody{Next: next, Wrong: "That is not the API token of this switchboard."})
		return nil
	}
	if err := l.sessions.begin(w, r); err != nil {
		return err
	}
	if len(l.site.Everybody()) > 0 && !l.site.Asked(r) {
		l.site.Redirect(w, r, "/me?next="+url.QueryEscape(next))
		return nil
	}
	l.site.Redirect(w, r, next)
	return nil
}

// Logout ends the session of this browser. Whom it acts as is remembered.
func (l *Login) Logout(w http.ResponseWriter, r *http.Request) error {
	if err := l.sessions.end(w, r); err != nil {
		return err
	}
	l.guard.SessionEnded()
	l.site.Redirect(w, r, "/login?out=1")
	return nil
}

// safeNext is a path of these pages, or "/": never another site.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(u.Path, "//") || u.Path == "/login" || u.Path == "/logout" {
		return "/"
	}
	return u.RequestURI()
}
