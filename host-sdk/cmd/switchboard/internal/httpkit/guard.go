package httpkit

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// Guard decides who may use the guarded part: requests with the token, or with a session.
type Guard struct {
	token    [sha256.Size]byte
	attempts *attempts
	clock    clock.Clock
	wrong    *prometheus.CounterVec
	// Session accepts a request that carries a login session. nil: nobody is logged in by session.
	Session func(*http.Request) bool

	mu    sync.Mutex
	ended chan struct{} // closed when a session ends
}

// NewGuard guards by a token; "" admits nobody. Wrong tokens are limited to DefaultWrongTokens a
// minute and network; see Limit.
func NewGuard(token string) *Guard {
	g := &Guard{wrong: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "switchboard_wrong_tokens_total",
		Help: "Wrong API tokens, by where they were given (api, login) and what became of them: refused, or limited because the address had sent too many.",
	}, []string{"where", "result"})}
	if token != "" {
		g.token = sha256.Sum256([]byte(token))
	}
	return g.Limit(clock.System(), DefaultWrongTokens)
}

// SessionEnded tells everybody who waits for Ended. Call it when a session was ended.
func (g *Guard) SessionEnded() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended != nil {
		close(g.ended)
		g.ended = nil
	}
}

// Ended is closed when a session, of whomever, is ended from now on. An answer that goes on for long
// asks Allows again then, and from time to time, as a session also ends by its age.
func (g *Guard) Ended() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended == nil {
		g.ended = make(chan struct{})
	}
	return g.ended
}

// Limit sets how many wrong tokens a minute of the clock one network may send. Call it before the
// guard is used.
func (g *Guard) Limit(c clock.Clock, perMinute int) *Guard {
	g.clock, g.attempts = c, newAttempts(c, perMinute)
	return g
}

// Among divides what Limit allows by the number of hosts, over which a load balancer spreads the tries.
// Call it after Limit.
func (g *Guard) Among(hosts func() int) *Guard {
	g.attempts.hosts = hosts
	return g
}

// Collector has the guard's counts.
func (g *Guard) Collector() prometheus.Collector { return g.wrong }

// CheckToken reports whether the token is the right one, in a time that does not depend on where it
// differs.
func (g *Guard) CheckToken(token string) bool {
	sum := sha256.Sum256([]byte(token)) // equal lengths for the comparison
	return token != "" && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// Wrong counts a wrong token of the request. Above 0: too many came from its network, and w says
// after how many seconds it is heard again; answer 429. where is api or login.
func (g *Guard) Wrong(w http.ResponseWriter, r *http.Request, where string) (seconds int) {
	wait := g.attempts.wrong(r)
	if wait <= 0 {
		g.wrong.WithLabelValues(where, "refused").Inc()
		return 0
	}
	g.wrong.WithLabelValues(where, "limited").Inc()
	seconds = max(1, int(math.Ceil(g.clock.Real(wait).Seconds())))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	w.Header().Set("Connection", "close") // the next try costs a connection of its own
	return seconds
}

// Key is a key for a purpose, derived from the token: what it signs is worth nothing once the token
// is another one.
func (g *Guard) Key(purpose string) []byte {
	h := hmac.New(sha256.New, g.token[:])
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

// bearer is the token in a request's header; false if it has none.
func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// Allows reports whether the request may use the guarded part.
func (g *Guard) Allows(r *http.Request) bool {
	if token, ok := bearer(r); ok {
		return g.CheckToken(token)
	}
	return g.Session != nil && g.Session(r)
}

// API lets allowed requests through and answers the others in JSON: 401, or 429 once too many wrong
// tokens came from the address.
func (g *Guard) API(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Allows(r) {
			next.ServeHTTP(w, r)
			return
		}
		if _, ok := bearer(r); ok {
			if seconds := g.Wrong(w, r, "api"); seconds > 0 {
				WriteError(w, http.StatusTooManyRequests, "unauthorized",
					fmt.Sprintf("too many wrong API tokens from your address: try again in %d seconds, or send the right one", seconds))
				return
			}
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="switchboard"`)
		WriteError(w, http.StatusUnauthorized, "unauthorized", "send the API token in the header Authorization: Bearer TOKEN")
	})
}
