package calls

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"
)

// Limits of event streams that are open at a time: a connection and a subscription each. A browser
// opens one for each of its tabs, and not more than six to one host.
const (
	maxStreams    = 20   // of one login, or of one token
	maxAllStreams = 1000 // of all
)

// streams counts the open event streams by whose they are: a hash of the token or cookie. Its zero
// value is ready. One for the whole process.
type streams struct {
	// mu protects open and all.
	mu   sync.Mutex
	open map[[sha256.Size]byte]int
	all  int
}

// add counts a stream until done is called; false: too many are open. done must be called once.
func (s *streams) add(r *http.Request) (done func(), ok bool) {
	whose := sha256.Sum256([]byte(credentials(r))) // the map must not hold a token
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxAllStreams || s.open[whose] >= maxStreams {
		return nil, false
	}
	if s.open == nil {
		s.open = map[[sha256.Size]byte]int{}
	}
	s.open[whose]++
	s.all++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.open[whose]--; s.open[whose] == 0 {
			delete(s.open, whose)
		}
	}, true
}

// credentials are what a request was let in for: its token, or the cookie of its login. The guard
// has checked them; here they only tell one visitor from another. A visitor without either was not
// let in.
func credentials(r *http.Request) string {
	if token := r.Header.Get("Authorization"); token != "" {
		return token
	}
	for _, c := range r.Cookies() {
		if strings.HasSuffix(c.Name, "switchboard_session") {
			return c.Value
		}
	}
	return ""
}
