package login

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
)

// sessionTime is how long a log-in is valid.
const sessionTime = 12 * time.Hour

// cookieTime is how long a browser keeps the cookie: longer than the log-in is valid, so that an
// expired session can be distinguished from none, and the log-in page can say so.
const cookieTime = 30 * 24 * time.Hour

// sessionState is what the cookie of a request says.
type sessionState int

const (
	sessionNone    sessionState = iota // never logged in, or logged out
	sessionExpired                     // too old, or signed under another token
	sessionValid
)

// sessions issues and checks the cookie of a log-in. The cookie holds its end and a random number,
// signed: nothing is stored here, and every process with the same token accepts it.
type sessions struct {
	key   []byte
	clock clock.Clock
	site  *layout.Site
	name  string // of the cookie
}

// newSessions derives the name of the cookie from the public address. key is derived from the API
// token, so that a new token ends every session.
func newSessions(site *layout.Site, key []byte) *sessions {
	s := &sessions{key: key, clock: site.Clock, site: site, name: "switchboard_session"}
	if site.Secure() && site.URL("") == "" {
		s.name = "__Host-" + s.name // browsers then refuse one set by a neighbouring host
	}
	return s
}

// sessionBytes is the length of the signed part of the cookie: 8 bytes of end (Unix milliseconds)
// and 16 random bytes. A dot and the HMAC-SHA256 of these follow.
const sessionBytes = 8 + 16

// begin gives the browser a session.
func (s *sessions) begin(w http.ResponseWriter) {
	body := binary.BigEndian.AppendUint64(nil, uint64(s.clock.Now().Add(sessionTime).UnixMilli()))
	body = append(body, make([]byte, 16)...)
	_, _ = rand.Read(body[8:]) // never fails, see crypto/rand
	value := base64.RawURLEncoding.EncodeToString(body) + "." + base64.RawURLEncoding.EncodeToString(s.sign(body))
	http.SetCookie(w, s.site.Cookie(s.name, value, cookieTime))
}

// end takes the browser's session away. A copy of the cookie stays valid until it expires, as
// nothing is stored here: to end all sessions, change the token.
func (s *sessions) end(w http.ResponseWriter) { http.SetCookie(w, s.site.Cookie(s.name, "", -1)) }

// check reads the session of a request. A cookie that cannot be read counts as expired, so that the
// log-in page explains why it appears.
func (s *sessions) check(r *http.Request) sessionState {
	c, err := r.Cookie(s.name)
	if err != nil || c.Value == "" {
		return sessionNone
	}
	text, mac, ok := strings.Cut(c.Value, ".")
	body, err := base64.RawURLEncoding.DecodeString(text)
	sum, err2 := base64.RawURLEncoding.DecodeString(mac)
	if !ok || err != nil || err2 != nil || len(body) != sessionBytes || !hmac.Equal(sum, s.sign(body)) {
		return sessionExpired
	}
	end := time.UnixMilli(int64(binary.BigEndian.Uint64(body)))
	if !s.clock.Now().Before(end) {
		return sessionExpired
	}
	return sessionValid
}

// sign is the signature of a cookie's body.
func (s *sessions) sign(body []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(body)
	return h.Sum(nil)
}
