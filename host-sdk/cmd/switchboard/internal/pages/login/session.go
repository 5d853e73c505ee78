package login

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// sessionTime is how long a login is valid.
const sessionTime = 12 * time.Hour

// cookieTime is how long a browser keeps the cookie: longer than the login is valid, so that an
// expired session can be distinguished from none, and the login page can say so.
const cookieTime = 30 * 24 * time.Hour

// sessionState is what the cookie of a request says.
type sessionState int

const (
	sessionNone    sessionState = iota // never logged in, or logged out
	sessionExpired                     // too old, ended elsewhere, or begun under another token
	sessionValid
)

// sessions begins, checks and ends logins. The cookie is a random text; the store knows the login by
// an id derived from it, so that whoever reads the store cannot log in.
type sessions struct {
	key   []byte
	store store.Logins
	clock clock.Clock
	site  *layout.Site
	name  string // of the cookie
}

// newSessions derives the name of the cookie from the public address. key is derived from the API
// token and the ids from it, so that a new token ends every session.
func newSessions(site *layout.Site, logins store.Logins, key []byte) *sessions {
	s := &sessions{key: key, store: logins, clock: site.Clock, site: site, name: "switchboard_session"}
	if site.Secure() && site.URL("") == "" {
		s.name = "__Host-" + s.name // browsers then refuse one set by a neighbouring host
	}
	return s
}

// begin gives the browser a session.
func (s *sessions) begin(w http.ResponseWriter, r *http.Request) error {
	value := rand.Text() + rand.Text()
	if err := s.store.BeginLogin(r.Context(), s.id(value), s.clock.Now().Add(sessionTime)); err != nil {
		return err
	}
	http.SetCookie(w, s.site.Cookie(s.name, value, cookieTime))
	return nil
}

// end ends the session of a request, for every copy of its cookie.
func (s *sessions) end(w http.ResponseWriter, r *http.Request) error {
	if err := s.store.EndLogin(r.Context(), s.id(s.cookie(r))); err != nil {
		return err
	}
	http.SetCookie(w, s.site.Cookie(s.name, "", -1))
	return nil
}

// check reads the session of a request. A cookie that nobody knows counts as expired, so that the
// login page explains why it appears.
func (s *sessions) check(r *http.Request) (sessionState, error) {
	value := s.cookie(r)
	if value == "" {
		return sessionNone, nil
	}
	ends, err := s.store.Login(r.Context(), s.id(value))
	switch {
	case integration.KindOf(err) == integration.KindNotFound:
		return sessionExpired, nil
	case err != nil:
		return sessionNone, err
	case !s.clock.Now().Before(ends):
		return sessionExpired, nil
	}
	return sessionValid, nil
}

// cookie is the value of a request's cookie; "" if it has none.
func (s *sessions) cookie(r *http.Request) string {
	c, err := r.Cookie(s.name)
	if err != nil {
		return ""
	}
	return c.Value
}

// id is how the store knows the login of a cookie.
func (s *sessions) id(cookie string) string {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(cookie))
	return hex.EncodeToString(h.Sum(nil))
}
