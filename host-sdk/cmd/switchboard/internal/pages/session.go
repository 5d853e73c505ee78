package pages

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
)

// sessionTime is how long a log-in counts.
const sessionTime = 12 * time.Hour

// cookieTime is how long a browser keeps the cookie: longer than the log-in counts, so that an ended one can be told from
// none.
const cookieTime = 30 * 24 * time.Hour

type sessionState int

const (
	sessionNone  sessionState = iota // never logged in, or logged out
	sessionEnded                     // too old, or signed under another token
	sessionValid
)

// sessions issues and checks the cookie of a log-in. It holds nothing but its end and a random number, signed: nothing is
// kept here, and every process with the same token accepts it.
type sessions struct {
	key    []byte
	clock  clock.Clock
	secure bool
	path   string
	name   string
}

func newSessions(key []byte, c clock.Clock, secure bool, path string) *sessions {
	s := &sessions{key: key, clock: c, secure: secure, path: path, name: "switchboard_session"}
	if secure && path == "/" {
		s.name = "__Host-" + s.name // browsers then refuse one set by a neighbouring host
	}
	return s
}

// The cookie: 8 bytes of end (Unix milliseconds), 16 random bytes; a dot; the HMAC-SHA256 of these.
const sessionBytes = 8 + 16

func (s *sessions) begin(w http.ResponseWriter) {
	body := binary.BigEndian.AppendUint64(nil, uint64(s.clock.Now().Add(sessionTime).UnixMilli()))
	body = append(body, make([]byte, 16)...)
	_, _ = rand.Read(body[8:]) // never fails, see crypto/rand
	s.set(w, base64.RawURLEncoding.EncodeToString(body)+"."+base64.RawURLEncoding.EncodeToString(s.sign(body)), cookieTime)
}

func (s *sessions) end(w http.ResponseWriter) { s.set(w, "", -1) }

func (s *sessions) set(w http.ResponseWriter, value string, age time.Duration) {
	c := s.cookie(s.name, value, age)
	http.SetCookie(w, &c)
}

// cookie is one that scripts cannot read and other sites' forms do not send; age below 0 deletes it.
func (s *sessions) cookie(name, value string, age time.Duration) http.Cookie {
	c := http.Cookie{Name: name, Value: value, Path: s.path, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure, MaxAge: int(age / time.Second)} // #nosec G124 -- Secure wherever the public address is https
	if age < 0 {
		c.MaxAge = -1
	}
	return c
}

func (s *sessions) check(r *http.Request) sessionState {
	c, err := r.Cookie(s.name)
	if err != nil || c.Value == "" {
		return sessionNone
	}
	text, mac, ok := strings.Cut(c.Value, ".")
	body, err := base64.RawURLEncoding.DecodeString(text)
	sum, err2 := base64.RawURLEncoding.DecodeString(mac)
	if !ok || err != nil || err2 != nil || len(body) != sessionBytes || !hmac.Equal(sum, s.sign(body)) {
		return sessionEnded
	}
	end := time.UnixMilli(int64(binary.BigEndian.Uint64(body)))
	if !s.clock.Now().Before(end) {
		return sessionEnded
	}
	return sessionValid
}

func (s *sessions) sign(body []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(body)
	return h.Sum(nil)
}
