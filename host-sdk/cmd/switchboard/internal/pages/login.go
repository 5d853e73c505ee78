package pages

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type loginBody struct {
	Next    string
	Ended   bool   // a log-in had ended
	Unsaved bool   // and something was sent that was not saved
	Out     bool   // has just logged out
	Wrong   string // why the try failed
}

// askLogin sends a browser to the log-in page and, afterwards, back to where it is now. A script that reads a page again is
// told by the status.
func (p *Pages) askLogin(w http.ResponseWriter, r *http.Request, ended bool) error {
	if r.Header.Get(fragmentHeader) != "" {
		http.Error(w, "log in again", http.StatusUnauthorized)
		return nil
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		// What was typed is in the browser still: say so, on a page that Back leads away from.
		next := "/"
		if u, err := url.Parse(r.Header.Get("Referer")); err == nil && u.Path != "" {
			next = strings.TrimPrefix(u.Path, p.base)
		}
		p.show(w, r, http.StatusUnauthorized, page{Title: "Log in", Template: "login", Body: loginBody{Next: safeNext(next), Ended: ended, Unsaved: true}})
		return nil
	}
	q := url.Values{}
	if next := r.URL.RequestURI(); next != "/" {
		q.Set("next", next)
	}
	if ended {
		q.Set("ended", "1")
	}
	path := "/login"
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	p.redirect(w, r, path)
	return nil
}

func (p *Pages) showLogin(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	next := safeNext(q.Get("next"))
	if p.sessions.check(r) == sessionValid {
		p.redirect(w, r, next)
		return nil
	}
	p.show(w, r, http.StatusOK, page{Title: "Log in", Template: "login", Body: loginBody{Next: next, Ended: q.Get("ended") != "", Out: q.Get("out") != ""}})
	return nil
}

func (p *Pages) login(w http.ResponseWriter, r *http.Request) error {
	if err := readSmallForm(w, r); err != nil {
		return err
	}
	next := safeNext(r.PostFormValue("next"))
	refused, err := p.throttle.wait(r)
	if err != nil {
		return err
	}
	if refused > 0 {
		seconds := int(math.Ceil(p.cfg.Clock.Real(refused).Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		p.show(w, r, http.StatusTooManyRequests, page{Title: "Log in", Template: "login", Body: loginBody{Next: next,
			Wrong: fmt.Sprintf("Too many wrong tokens from your address. Try again in %d seconds.", seconds)}})
		return nil
	}
	if !p.cfg.Guard.CheckToken(strings.TrimSpace(r.PostFormValue("token"))) {
		p.throttle.wrong(r)
		p.log.WarnContext(r.Context(), "login refused: wrong token", "remote", peer(r).Addr().String())
		p.show(w, r, http.StatusForbidden, page{Title: "Log in", Template: "login", Body: loginBody{Next: next,
			Wrong: "That is not the API token of this switchboard."}})
		return nil
	}
	p.throttle.right(r)
	p.sessions.begin(w)
	if p.people != nil && p.me(r).ID == "" && r.PostFormValue("me") == "" {
		if _, asked := p.meCookie(r); !asked {
			p.redirect(w, r, "/me?next="+url.QueryEscape(next))
			return nil
		}
	}
	p.redirect(w, r, next)
	return nil
}

func (p *Pages) logout(w http.ResponseWriter, r *http.Request) error {
	p.sessions.end(w)
	p.redirect(w, r, "/login?out=1")
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

// maxSmallForm bounds forms without files.
const maxSmallForm = 64 << 10

func readSmallForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxSmallForm)
	if err := r.ParseForm(); err != nil {
		return &refusal{http.StatusBadRequest, "Not understood", "The request of your browser could not be read. Go back and try again."}
	}
	return nil
}
