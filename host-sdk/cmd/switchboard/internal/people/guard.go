package people

import (
	"fmt"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
)

// Identify says whose a request is: that of its token, or else of its browser's login. A wrong
// token is not made good by a login. why is for requests that are nobody's. err is a store that
// cannot be read, and then nobody is known.
func (p *People) Identify(r *http.Request) (who Identity, why Refused, err error) {
	if token, ok := bearer(r); ok {
		who, err = p.fromToken(r.Context(), token)
		return who, NeverLoggedIn, err
	}
	return p.fromBrowser(r)
}

// Still reports whether a request that was let in would be let in again, with an identity that may
// do what it does. It is asked while an answer goes on for long, such as the stream of events.
func (p *People) Still(r *http.Request, a Action) bool {
	who, _, err := p.Identify(r)
	if err != nil { // the store is away for a moment: an answer under way goes on
		p.cfg.Log.WarnContext(r.Context(), "the login of a request cannot be read", "error", err.Error())
		return true
	}
	return who.May(a, "")
}

// WrongToken counts a wrong token of the request; see [httpkit.Attempts.Wrong].
func (p *People) WrongToken(w http.ResponseWriter, r *http.Request, where string) (seconds int) {
	return p.cfg.Attempts.Wrong(w, r, where)
}

// API lets requests through that are somebody's, and answers the others in JSON: 401, or 429 once
// too many wrong tokens came from the address. What is allowed is for each route to ask. Wrong
// tokens alone are counted: a program without one needs no limit.
func (p *People) API(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _, err := p.Identify(r)
		if err != nil {
			p.cfg.Log.WarnContext(r.Context(), "whose a request is cannot be read", "error", err.Error())
			w.Header().Set("Retry-After", "5")
			httpkit.WriteError(w, http.StatusServiceUnavailable, "unavailable", "who you are cannot be read at the moment: try again")
			return
		}
		if who.Known() {
			// The mux below sets the pattern on the request that it is given, which is this copy.
			known := r.WithContext(With(r.Context(), who))
			// The request log reads the matched route from its own.
			defer func() { r.Pattern = known.Pattern }()
			next.ServeHTTP(w, known)
			return
		}
		if _, ok := bearer(r); ok {
			if seconds := p.WrongToken(w, r, "api"); seconds > 0 {
				httpkit.WriteError(w, http.StatusTooManyRequests, "unauthorized",
					fmt.Sprintf("too many wrong API tokens from your address: try again in %d s, or send the right one", seconds))
				return
			}
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="switchboard"`)
		httpkit.WriteError(w, http.StatusUnauthorized, "unauthorized", "send an API token in the header Authorization: Bearer TOKEN; switchboard token create makes one")
	})
}
