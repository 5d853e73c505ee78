package rest

import (
	"crypto/subtle"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

const (
	// largestForm bounds a request, in bytes.
	largestForm = 1 << 20
	// lostAfter is how long a client waits for a request that gets no answer.
	lostAfter = 10 * time.Second
)

// statusWriter remembers the status for the transcript.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(code int) {
	w.status = code
	w.ResponseWriter.WriteHeader(code)
}

// ServeHTTP implements http.Handler: it records the request and answers it, unless its host does
// not exist or a fault disturbs it.
func (api *API) ServeHTTP(plain http.ResponseWriter, r *http.Request) {
	a := api.account
	w := &statusWriter{ResponseWriter: plain}
	r.Body = http.MaxBytesReader(w, r.Body, largestForm)
	if err := r.ParseForm(); err != nil {
		writeError(w, badRequest(20001, "the form cannot be read: %v", err))
		return
	}
	region, exists := hostRegion(r.Host)
	if !exists {
		a.AddEvent(nil, transcript.Event{Kind: transcript.Problem, Text: "host " + r.Host + " does not exist: a region needs its edge, api.{edge}.{region}.twilio.com"})
		// The client sees a connection that fails, as with a name that has no address.
		panic(http.ErrAbortHandler)
	}
	// Recorded at the end, when the status is known; also for a connection that is cut off.
	defer func() {
		a.AddEvent(api.callInRequest(r), transcript.Event{Kind: transcript.REST, Method: r.Method, URL: r.URL.RequestURI(), Status: w.status, Params: account.FlatParams(r.PostForm)})
	}()
	// Faults come before the credentials: a test of an outage need not care about them.
	if disturbed := a.Faults.Take(fault.OnREST, r.Method+" "+r.URL.Path, r.PostForm.Get("To")); disturbed != nil && api.disturb(w, r, disturbed) {
		return
	}
	if e := api.authorize(r, region); e != nil {
		if e.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
		}
		writeError(w, e)
		return
	}
	if !api.enter() {
		writeError(w, &apiError{429, 20429, "Too Many Requests"})
		return
	}
	defer api.leave()
	api.routes.ServeHTTP(w, r)
}

// enter counts a request in; it reports false if there are too many at once.
func (api *API) enter() bool {
	api.mu.Lock()
	defer api.mu.Unlock()
	if most := api.account.Config.MaxConcurrentREST; most > 0 && api.active >= most {
		return false
	}
	api.active++
	return true
}

// leave counts a request out.
func (api *API) leave() {
	api.mu.Lock()
	defer api.mu.Unlock()
	api.active--
}

// disturb does what a fault says. It reports whether the request has been dealt with; it does not
// return for a request that gets no answer.
func (api *API) disturb(w http.ResponseWriter, r *http.Request, f *fault.Fault) (handled bool) {
	a := api.account
	switch f.Do {
	case fault.Reset:
		panic(http.ErrAbortHandler)
	case fault.Lose:
		a.Sleep(lostAfter)
		panic(http.ErrAbortHandler)
	case fault.LoseAnswer:
		api.routes.ServeHTTP(discard{}, r)
		a.Sleep(lostAfter)
		panic(http.ErrAbortHandler)
	case fault.Double:
		api.routes.ServeHTTP(discard{}, r)
	case fault.Delay:
		a.Sleep(f.Delay)
	case fault.Status:
		writeFault(w, f.Status, f.Code)
		return true
	}
	return false
}

// writeFault is an error answer on demand: Twilio's JSON for the statuses it uses, HTML of a
// gateway for 502 and 504.
func writeFault(w http.ResponseWriter, status, code int) {
	switch {
	case code != 0:
		writeError(w, &apiError{status, code, "refused, as the test wants it"})
	case status == 502, status == 504:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<html><body>%d</body></html>", status)
	case status == 401:
		writeError(w, authenticate())
	default:
		writeError(w, &apiError{status, 20000 + status, http.StatusText(status)})
	}
}

// discard throws an answer away.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

// hostRegion returns the region that a host names, and whether there is such a host. Hosts that are
// not Twilio's are taken for the account's region (""). Source: Twilio docs, global-infrastructure.
func hostRegion(host string) (region string, exists bool) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(host)
	if host == "api.twilio.com" {
		return "us1", true
	}
	name, found := strings.CutSuffix(host, ".twilio.com")
	if !found {
		return "", true
	}
	parts := strings.Split(name, ".")
	if len(parts) == 3 && parts[0] == "api" && account.RegionEdges[parts[2]] != "" {
		return parts[2], true
	}
	return "", false
}

// authenticate is what Twilio answers to wrong credentials, of which it does not say what is wrong
// with them.
func authenticate() *apiError { return &apiError{401, 20003, "Authenticate"} }

// authorize checks credentials, region and account.
func (api *API) authorize(r *http.Request, region string) *apiError {
	cfg := api.account.Config
	accountSid := strings.TrimSuffix(strings.Split(strings.TrimPrefix(r.URL.Path, Root), "/")[0], ".json")
	media := strings.Contains(r.URL.Path, "/Recordings/") && !strings.HasSuffix(r.URL.Path, ".json") && r.Method == http.MethodGet
	user, password, given := r.BasicAuth()
	switch {
	case cfg.AnyCredentials:
		return nil
	case media && cfg.OpenMedia && accountSid == cfg.AccountSid:
		return nil
	case !given, region != "" && region != cfg.Region, !isPassword(cfg, user, password):
		return authenticate()
	case accountSid != cfg.AccountSid:
		return notFound(r)
	}
	rest := strings.TrimPrefix(r.URL.Path, Root+cfg.AccountSid)
	if strings.HasPrefix(user, "SK") && !cfg.MainAPIKey && (rest == ".json" || strings.HasPrefix(rest, "/Keys")) {
		return authenticate() // a Standard key may not read /Accounts and /Keys
	}
	return nil
}

// isPassword compares as a server should, though nothing here is secret.
func isPassword(cfg account.Config, user, password string) bool {
	known := map[string]string{cfg.AccountSid: cfg.AuthToken, cfg.APIKey: cfg.APISecret}
	maps.Copy(known, cfg.Credentials)
	want, ok := known[user]
	return ok && subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1
}
