package twiliosim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/oaicheck"
)

const (
	hotline = "+12025550100"
	caller  = "+12025550199"
	alice   = "+12025550143"
	bob     = "+12025550144"
	appURL  = "https://app.example.com"
)

// seen is one request that the program under test got.
type seen struct {
	at     time.Time
	method string
	path   string
	query  url.Values
	form   url.Values // body, or query of a GET
	header http.Header
}

// world is a simulator, a program under test made of handlers, and no network: everything runs in
// memory and, in a synctest bubble, on a clock that moves when all wait.
type world struct {
	t   *testing.T
	sim *twiliosim.Sim

	mu       sync.Mutex
	routes   map[string]http.HandlerFunc
	requests []seen
	refuse   int // connections still to be refused
}

// play runs a test in a bubble. Every request is checked with twilio-go's own validator; violations
// fail the test unless allowed.
func play(t *testing.T, cfg twiliosim.Config, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	_, _ = oaicheck.AtHand() // outside of the bubble: it runs a program
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, routes: map[string]http.HandlerFunc{}}
		cfg.Transport = w
		if cfg.Numbers == nil {
			cfg.Numbers = []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: appURL + "/voice", StatusCallback: appURL + "/status"}}
		}
		sim, err := twiliosim.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.sim = sim
		defer func() {
			sim.Close()
			sim.Check(t)
		}()
		test(t, w)
	})
}

// RoundTrip implements http.RoundTripper in memory.
func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if w.refuse > 0 {
		w.refuse--
		w.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	w.mu.Unlock()
	done := make(chan *http.Response, 1)
	in := req.Clone(req.Context())
	in.Host, in.RequestURI = req.URL.Host, req.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	go func() {
		rec := httptest.NewRecorder()
		w.serve(rec, in)
		done <- rec.Result()
	}()
	select {
	case res := <-done:
		return res, nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

func (w *world) serve(rw *httptest.ResponseRecorder, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Errorf("read body: %v", err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		w.t.Errorf("body %q: %v", body, err)
	}
	params := map[string]string{}
	for k := range form {
		params[k] = form.Get(k)
	}
	validator := client.NewRequestValidator(twiliosim.DefaultAuthToken)
	full := "https://" + r.Host + r.URL.RequestURI()
	if !validator.Validate(full, params, r.Header.Get("X-Twilio-Signature")) {
		w.t.Errorf("twilio-go refuses the signature of %s %s", r.Method, full)
	}
	s := seen{at: time.Now(), method: r.Method, path: r.URL.Path, query: r.URL.Query(), form: form, header: r.Header}
	if r.Method == http.MethodGet {
		s.form = s.query
	}
	w.mu.Lock()
	w.requests = append(w.requests, s)
	h := w.routes[r.URL.Path]
	w.mu.Unlock()
	r.Form, r.PostForm = s.form, s.form
	if h == nil {
		http.NotFound(rw, r)
		return
	}
	h(rw, r)
}

// on answers a path by h.
func (w *world) on(path string, h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.routes[path] = h
}

// twiml answers a path with a document.
func (w *world) twiml(path, verbs string) {
	w.on(path, func(rw http.ResponseWriter, _ *http.Request) { writeTwiML(rw, verbs) })
}

func writeTwiML(rw http.ResponseWriter, verbs string) {
	rw.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(rw, `<?xml version="1.0" encoding="UTF-8"?><Response>`+verbs+`</Response>`)
}

// silent answers paths with 204: status callbacks.
func (w *world) silent(paths ...string) {
	for _, p := range paths {
		w.on(p, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) })
	}
}

// got returns the requests of a path so far.
func (w *world) got(path string) []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []seen
	for _, s := range w.requests {
		if s.path == path {
			out = append(out, s)
		}
	}
	return out
}

// order returns the paths requested so far.
func (w *world) order() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, s := range w.requests {
		out = append(out, s.path)
	}
	return out
}

// one returns the only request of a path.
func (w *world) one(path string) seen {
	w.t.Helper()
	all := w.got(path)
	if len(all) != 1 {
		w.t.Fatalf("%s was requested %d times, want once; all: %v", path, len(all), w.order())
	}
	return all[0]
}

// dial places a call to the hotline.
func (w *world) dial() *twiliosim.Call { return w.dialFrom(caller) }

func (w *world) dialFrom(from string) *twiliosim.Call {
	w.t.Helper()
	c, err := w.sim.Call(from, hotline)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// params fails unless a request has these parameters; "-" as a value: it must be absent.
func params(t *testing.T, s seen, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		name, want := pairs[i], pairs[i+1]
		if want == "-" {
			if s.form.Has(name) {
				t.Errorf("%s: %s = %q, want none", s.path, name, s.form.Get(name))
			}
			continue
		}
		if got := s.form.Get(name); got != want || !s.form.Has(name) {
			t.Errorf("%s: %s = %q (present: %v), want %q", s.path, name, got, s.form.Has(name), want)
		}
	}
}

// answer is an answer of the REST API.
type restAnswer struct {
	status int
	body   map[string]any
	raw    *httptest.ResponseRecorder
}

func (a restAnswer) text(key string) string {
	s, _ := a.body[key].(string)
	return s
}

func (a restAnswer) number(key string) int {
	f, _ := a.body[key].(float64)
	return int(f)
}

// rest makes a REST request with the account's credentials; path is below the account. A form of
// pairs, name, value.
func (w *world) rest(method, path string, pairs ...string) restAnswer {
	w.t.Helper()
	return w.restAs(twiliosim.DefaultAccountSid, twiliosim.DefaultAuthToken, "api.twilio.com", method, path, pairs...)
}

func (w *world) restAs(user, password, host, method, path string, pairs ...string) restAnswer {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	target := "https://" + host + "/2010-04-01/Accounts/" + twiliosim.DefaultAccountSid + path
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	} else if len(form) > 0 {
		target += "?" + form.Encode()
	}
	r := httptest.NewRequest(method, target, body)
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	rec := httptest.NewRecorder()
	checked(w.t, w.sim).ServeHTTP(rec, r)
	a := restAnswer{status: rec.Code, raw: rec}
	if strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(rec.Body.Bytes(), &a.body); err != nil {
			w.t.Errorf("%s %s: %v", method, path, err)
		}
	}
	return a
}

// refused fails unless an answer is an error of Twilio's shape.
func refused(t *testing.T, a restAnswer, status, code int) {
	t.Helper()
	if a.status != status || a.number("code") != code || a.number("status") != status {
		t.Errorf("answer %d %v, want %d with code %d", a.status, a.body, status, code)
	}
	if want := fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code); a.text("more_info") != want {
		t.Errorf("more_info = %q, want %q", a.text("more_info"), want)
	}
}

// violated fails unless exactly these codes were violated since the last look.
func (w *world) violated(codes ...int) {
	w.t.Helper()
	var got []int
	for _, v := range w.sim.TakeViolations() {
		got = append(got, v.Code)
	}
	if fmt.Sprint(got) != fmt.Sprint(codes) {
		w.t.Errorf("violations %v, want %v", got, codes)
	}
}

// near fails unless two times are within a tenth of a second.
func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if d := got - want; d > 100*time.Millisecond || d < -100*time.Millisecond {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func body(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }

func readAll(t *testing.T, r *http.Request) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}
