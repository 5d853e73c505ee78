package httpkit

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// Guard decides who may use the guarded part: requests with the token, or with a session.
type Guard struct {
	token [sha256.Size]byte
	// Session accepts a request that carries a login session. nil: nobody is logged in by session.
	Session func(*http.Request) bool
}

// NewGuard guards by a token; "" admits nobody.
func NewGuard(token string) *Guard {
	g := &Guard{}
	if token != "" {
		g.token = sha256.Sum256([]byte(token))
	}
	return g
}

// CheckToken reports whether the token is the right one, in a time that does not depend on where it
// differs.
func (g *Guard) CheckToken(token string) bool {
	sum := sha256.Sum256([]byte(token)) // equal lengths for the comparison
	return token != "" && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// Key is a key for a purpose, derived from the token: what it signs is worth nothing once the token
// is another one.
func (g *Guard) Key(purpose string) []byte {
	h := hmac.New(sha256.New, g.token[:])
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

// Allows reports whether the request may use the guarded part.
func (g *Guard) Allows(r *http.Request) bool {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return g.CheckToken(strings.TrimSpace(token))
	}
	return g.Session != nil && g.Session(r)
}

// API lets allowed requests through and answers the others 401 in JSON.
func (g *Guard) API(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.Allows(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="switchboard"`)
			WriteError(w, http.StatusUnauthorized, "unauthorized", "send the API token in the header Authorization: Bearer TOKEN")
			return
		}
		next.ServeHTTP(w, r)
	})
}
