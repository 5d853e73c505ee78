package goalertsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Limits of a request, as observed.
const (
	maxBody    = 256 << 10
	maxWaiting = 100
	maxWait    = 20 * time.Second
)

// caller is who a request comes from: a user's session or an API key.
type caller struct {
	user *user   // nil: a key
	key  *apiKey // nil: a session
}

// admin tells whether the caller is an administrator's session, with which set-up was observed.
func (c caller) admin() bool { return c.user != nil && c.user.role == "admin" }

// apiKey lets one document be run.
type apiKey struct {
	id, token, role, document string
	expires                   time.Time
}

// logIn begins a session. Without a Referer below the public URL it redirects.
func (s *Sim) logIn(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Referer(), s.publicURL("/")) {
		http.Redirect(w, r, s.publicURL("/"), http.StatusTemporaryRedirect)
		return
	}
	if r.URL.Query().Get("noRedirect") != "1" {
		s.refuse(w, "a log-in without noRedirect=1")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.db.users {
		if u.username == r.PostFormValue("username") && u.password == r.PostFormValue("password") {
			token := newID() + newID()
			s.db.sessions[token] = u
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, token)
			return
		}
	}
	http.Error(w, "unknown username/password", http.StatusBadRequest)
}

// token is what a request authenticates with.
func token(r *http.Request) string {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return bearer
	}
	return r.URL.Query().Get("token")
}

// callerOf finds whose token a request has. A key that has expired is a bad key.
func (s *Sim) callerOf(r *http.Request) (caller, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.db.sessions[token(r)]; u != nil {
		return caller{user: u}, true
	}
	if k := s.db.apiKeys[token(r)]; k != nil && s.clock.Now().Before(k.expires) {
		return caller{key: k}, true
	}
	return caller{}, false
}

// lines has one place for each session and key: their requests are served one after the other.
type lines struct {
	mu sync.Mutex
	of map[string]*line
}

type line struct {
	place   chan struct{}
	waiting int
}

// errLine says that a request did not get its place.
var errLine = errors.New("too many requests of one session or key wait, or one waits too long")

// enter waits for the place of a token; leave gives it back.
func (l *lines) enter(ctx context.Context, s *Sim, token string) (leave func(), err error) {
	l.mu.Lock()
	own := l.of[token]
	if own == nil {
		own = &line{place: make(chan struct{}, 1)}
		l.of[token] = own
	}
	if own.waiting >= maxWaiting {
		l.mu.Unlock()
		return nil, errLine
	}
	own.waiting++
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		own.waiting--
		l.mu.Unlock()
	}()
	timer := s.clock.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case own.place <- struct{}{}:
		return func() { <-own.place }, nil
	case <-timer.C:
		return nil, errLine
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Waiting returns how many requests wait for the place of a session or key.
func (s *Sim) Waiting(token string) int {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	if l := s.lines.of[token]; l != nil {
		return l.waiting
	}
	return 0
}

// Serving tells whether a request of a session or key is being served.
func (s *Sim) Serving(token string) bool {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	l := s.lines.of[token]
	return l != nil && len(l.place) == 1
}

// inLine reads a request, waits for the place of its session or key, and serves it.
func (s *Sim) inLine(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		s.refuse(w, fmt.Sprintf("the answer to a body over %d bytes, which is refused", maxBody))
		return
	} else if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if t := token(r); t != "" {
		leave, err := s.lines.enter(r.Context(), s, t)
		if errors.Is(err, errLine) {
			s.refuse(w, "the answer to a request that does not get its place: "+err.Error())
			return
		} else if err != nil {
			return
		}
		defer leave()
	}
	var named struct{ OperationName string }
	_ = json.Unmarshal(body, &named)
	s.serveWithFault(w, r, named.OperationName)
}
