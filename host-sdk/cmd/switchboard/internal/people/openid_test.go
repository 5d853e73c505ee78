package people_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
)

// object is a JSON object.
type object = map[string]any

// signingKeys are two of a provider's, as a key takes long to make.
var signingKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return keys
})

// issuer is an OpenID provider that does whatever a test wants: each field is what it says or does
// at the next log-in.
type issuer struct {
	*httptest.Server
	clock     *clock.Manual
	discovery object                      // what it says of itself, beside its addresses
	path      map[string]http.HandlerFunc // what it answers instead
	claims    object                      // of the ID token, beside those that the protocol demands
	header    object                      // of the ID token
	key       *rsa.PrivateKey
	published map[string]*rsa.PrivateKey
	sign      func(i *issuer, text string) []byte
	nonce     string       // of the log-in under way
	asked     atomic.Int32 // how often it was asked for its addresses
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{clock: clock.NewManual(time.Now())}
	i.reset()
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	return i
}

// reset has the provider behave.
func (i *issuer) reset() {
	i.path, i.discovery, i.claims, i.header = map[string]http.HandlerFunc{}, object{}, object{}, object{"alg": "RS256", "kid": "a"}
	i.path["/userinfo"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"sub": "1"}`))
	}
	i.key = signingKeys()[0]
	i.published = map[string]*rsa.PrivateKey{"a": i.key}
	i.sign = func(i *issuer, text string) []byte {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return signature
	}
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	answer := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	if own := i.path[r.URL.Path]; own != nil {
		own(w, r)
		return
	}
	switch r.URL.Path {
	case discovery:
		i.asked.Add(1)
		said := object{"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys", "userinfo_endpoint": i.URL + "/userinfo"}
		maps.Copy(said, i.discovery)
		answer(said)
	case "/keys":
		keys := []object{}
		for id, key := range i.published {
			keys = append(keys, object{"kty": "RSA", "use": "sig", "kid": id, "n": encoded(key.N.Bytes()), "e": encoded(big.NewInt(int64(key.E)).Bytes())})
		}
		answer(object{"keys": keys})
	case "/token":
		answer(object{"access_token": "x", "token_type": "Bearer", "id_token": i.idToken()})
	default:
		http.NotFound(w, r)
	}
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// idToken is what the provider signs.
func (i *issuer) idToken() string {
	now := i.clock.Now()
	says := object{"iss": i.URL, "aud": "switchboard", "sub": "1", "nonce": i.nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"email": "alice@example.com", "email_verified": true}
	for name, value := range i.claims {
		says[name] = value
		if value == nil {
			delete(says, name)
		}
	}
	header, err := json.Marshal(i.header)
	if err != nil {
		panic(err)
	}
	payload, err := json.Marshal(says)
	if err != nil {
		panic(err)
	}
	text := encoded(header) + "." + encoded(payload)
	return text + "." + encoded(i.sign(i, text))
}

// people is a host whose people log in with the provider.
func (i *issuer) people(h *hosttest.Host, change func(*people.OpenID)) *people.People {
	return h.People(i.config(change))
}

// config is that of a host whose people log in here.
func (i *issuer) config(change func(*people.OpenID)) func(*people.Config) {
	return func(c *people.Config) {
		c.OpenID, c.Clock = people.OpenID{Issuer: i.URL, ClientID: "switchboard", Secret: "a-secret"}, i.clock
		if change != nil {
			change(&c.OpenID)
		}
	}
}

// logIn goes to the provider and back, and returns the refusal; 0 and "" if there is none.
func (i *issuer) logIn(t *testing.T, p *people.People) (status int, said string) {
	t.Helper()
	_, err := i.visit(t, p)
	if err != nil {
		return refusal(t, err)
	}
	return 0, ""
}

// loggedIn is a request of a browser that has logged in.
func (i *issuer) loggedIn(t *testing.T, p *people.People) *http.Request {
	t.Helper()
	cookies, err := i.visit(t, p)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/oncall", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

// visit goes to the provider and back, and returns the cookies that the browser then has.
func (i *issuer) visit(t *testing.T, p *people.People) ([]*http.Cookie, error) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := p.BeginOpenID(w, httptest.NewRequestWithContext(t.Context(), "GET", "/login/openid", nil), "/oncall"); err != nil {
		return nil, err
	}
	to, err := w.Result().Location()
	if err != nil {
		t.Fatal(err)
	}
	i.nonce = to.Query().Get("nonce")
	back := httptest.NewRequestWithContext(t.Context(), "GET", "/login/openid/callback?code=x&state="+url.QueryEscape(to.Query().Get("state")), nil)
	for _, c := range w.Result().Cookies() {
		back.AddCookie(c)
	}
	w = httptest.NewRecorder()
	next, err := p.FinishOpenID(w, back)
	cookies := w.Result().Cookies()
	if known := slices.ContainsFunc(cookies, func(c *http.Cookie) bool { return c.Name == "switchboard_session" }); known == (err != nil) {
		t.Errorf("with a session: %v, refused: %v", known, err)
	}
	if err == nil && next != "/oncall" {
		t.Errorf("it leads to %s", next)
	}
	return cookies, err
}

// refusal is what a person is told of an error, which must be meant for people.
func refusal(t *testing.T, err error) (int, string) {
	t.Helper()
	var known *httpkit.Refusal
	if !errors.As(err, &known) {
		t.Fatalf("an error that is not for people: %v", err)
	}
	return known.Status, known.Message
}

// discovery is where a provider says its addresses.
const discovery = "/.well-known/openid-configuration"

const (
	clocksDiffer = "The clocks of this host and of the provider differ"
	notAccepted  = "What the provider has signed cannot be accepted"
	notAsItDoes  = "does not answer as it should"
)

// at is a time of the provider's clock as a claim has it.
func (i *issuer) at(d time.Duration) int64 { return i.clock.Now().Add(d).Unix() }

// Whatever a provider says or does, the answer is a sentence for people, nobody has a session who
// is not to have one, and the next log-in with a provider that behaves succeeds.
func TestOpenIDAnswersThatAreNotToBeBelieved(t *testing.T) {
	t.Parallel()
	forged := func(alg string, sign func(*issuer, string) []byte) func(*issuer) {
		return func(i *issuer) {
			i.header, i.sign = object{"alg": alg, "kid": "a"}, sign
			i.discovery["id_token_signing_alg_values_supported"] = []string{"none", "HS256", "RS256"}
		}
	}
	says := func(name string, value any) func(*issuer) { return func(i *issuer) { i.claims[name] = value } }
	in := func(name string, d time.Duration) func(*issuer) {
		return func(i *issuer) { i.claims[name] = i.at(d) }
	}
	answers := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	at := func(path string, h http.HandlerFunc) func(*issuer) { return func(i *issuer) { i.path[path] = h } }
	endless := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for range 1 << 10 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
		t.Error("64 MB were read of an answer")
	}
	tests := map[string]struct {
		does   func(*issuer)
		status int // 0: somebody is logged in
		said   string
	}{
		"as a provider does":             {func(*issuer) {}, 0, ""},
		"address in another case":        {says("email", "ALICE@Example.COM"), 0, ""},
		"address with a plus":            {says("email", "alice+hotline@example.com"), 403, "There is no account for alice+hotline@example.com"},
		"address of nobody":              {says("email", "mallory@example.com"), 403, "There is no account for mallory@example.com"},
		"address that looks like one":    {says("email", "al\u0131ce@example.com"), 403, "There is no account for al\u0131ce@example.com"},
		"address that would fold to one": {says("email", "al\u0130ce@example.com"), 403, "There is no account for al\u0130ce@example.com"},
		"no address":                     {says("email", nil), 403, "does not say what your e-mail address is"},
		"address that is none":           {says("email", "alice"), 403, "does not say what your e-mail address is"},
		"address with a line":            {says("email", "alice@example.com\nx"), 403, "does not say what your e-mail address is"},
		"address that is a list":         {says("email", []string{"alice@example.com"}), 403, "does not say what your e-mail address is"},
		"long address":                   {says("email", strings.Repeat("a", 1<<16)+"@example.com"), 403, "does not say what your e-mail address is"},
		"not verified":                   {says("email_verified", false), 403, "has not verified your e-mail address alice@example.com"},
		"verified, not said":             {says("email_verified", nil), 403, "has not verified"},
		"verified, some number":          {says("email_verified", 1), 403, "has not verified"},
		"of another issuer":              {says("iss", "https://elsewhere.example.com"), 502, notAccepted},
		"for another client":             {says("aud", "another"), 502, notAccepted},
		"for several clients":            {says("aud", []string{"another", "switchboard"}), 0, ""},
		"for nobody":                     {says("aud", nil), 502, notAccepted},
		"nonce of another log-in":        {says("nonce", "another"), 400, "was made for another log-in"},
		"no nonce":                       {says("nonce", nil), 400, "was made for another log-in"},
		"over for a minute":              {in("exp", -time.Minute), 0, ""},
		"over for an hour":               {in("exp", -time.Hour), 502, clocksDiffer},
		"never over":                     {says("exp", nil), 502, notAccepted},
		"made in a minute":               {in("iat", time.Minute), 0, ""},
		"made in a year":                 {in("iat", 365*24*time.Hour), 502, clocksDiffer},
		"made in five minutes":           {in("iat", 5*time.Minute), 502, "clock skew"},
		"made yesterday":                 {in("iat", -24*time.Hour), 0, ""},
		"valid in a minute":              {in("nbf", time.Minute), 0, ""},
		"valid in ten minutes":           {in("nbf", 10*time.Minute), 502, clocksDiffer},
		"valid since yesterday":          {in("nbf", -24*time.Hour), 0, ""},
		"not signed":                     {forged("none", func(*issuer, string) []byte { return nil }), 502, notAccepted},
		"signed with the client secret": {forged("HS256", func(_ *issuer, text string) []byte {
			h := hmac.New(sha256.New, []byte("a-secret"))
			h.Write([]byte(text))
			return h.Sum(nil)
		}), 502, notAccepted},
		"signed with what it publishes": {forged("HS256", func(i *issuer, text string) []byte {
			h := hmac.New(sha256.New, i.key.N.Bytes())
			h.Write([]byte(text))
			return h.Sum(nil)
		}), 502, notAccepted},
		"signed with another key":         {func(i *issuer) { i.key = signingKeys()[1] }, 502, notAccepted},
		"signed with a new key":           {func(i *issuer) { i.key = signingKeys()[1]; i.header["kid"] = "b"; i.published["b"] = i.key }, 0, ""},
		"signed with a key of no name":    {func(i *issuer) { delete(i.header, "kid") }, 0, ""},
		"signed with a key not published": {func(i *issuer) { i.key = signingKeys()[1]; i.header["kid"] = "c" }, 502, notAccepted},
		"no ID token":                     {at("/token", answers(200, "application/json", `{"access_token": "x"}`)), 502, notAccepted},
		"ID token that is none":           {at("/token", answers(200, "application/json", `{"access_token": "x", "id_token": "a.b.c"}`)), 502, notAccepted},
		"code used before":                {at("/token", answers(400, "application/json", `{"error": "invalid_grant"}`)), 400, "it works once"},
		"client unknown":                  {at("/token", answers(401, "application/json", `{"error": "invalid_client"}`)), 502, "does not know this switchboard"},
		"error of the server":             {at("/token", answers(500, "text/html", "<h1>Oops")), 502, "refuses to say who you are"},
		"a page":                          {at("/token", answers(200, "text/html", "<h1>Hello")), 502, notAsItDoes},
		"endless token":                   {at("/token", endless), 502, notAsItDoes},
		"user unknown":                    {at("/userinfo", answers(401, "application/json", `{}`)), 502, notAsItDoes},
		"somebody else's user":            {at("/userinfo", answers(200, "application/json", `{"sub": "2"}`)), 502, "speaks of two people"},
		"endless keys":                    {at("/keys", endless), 502, notAccepted},
		"no keys":                         {at("/keys", answers(500, "text/html", "<h1>Oops")), 502, notAccepted},
		"endless addresses":               {at(discovery, endless), 502, notAsItDoes},
		"addresses on a page":             {at(discovery, answers(200, "text/html", "<h1>Hello")), 502, notAsItDoes},
		"addresses of another issuer":     {func(i *issuer) { i.discovery["issuer"] = "https://elsewhere.example.com" }, 502, "exactly what the provider calls itself"},
		"endless user":                    {at("/userinfo", endless), 502, notAsItDoes},
	}
	i, h := newIssuer(t), hosttest.New(t)
	for name, test := range tests {
		i.reset()
		p := i.people(h, nil)
		test.does(i)
		status, said := i.logIn(t, p)
		if status != test.status || !strings.Contains(said, test.said) {
			t.Errorf("%s: %d %.300q, want %d %q", name, status, said, test.status, test.said)
		}
		i.reset()
		i.clock.Advance(5 * time.Second) // a provider that did not answer is not asked again before
		if status, said := i.logIn(t, p); status != 0 {
			t.Errorf("%s: afterwards, with a provider that behaves: %d %.300q", name, status, said)
		}
	}
}

// A log-in ends once, in the browser in which it began: an address that somebody has copied, with
// the cookies or without, lets nobody in.
func TestAnOpenIDLogInEndsOnceAndWhereItBegan(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.people(hosttest.New(t), nil)
	w := httptest.NewRecorder()
	if err := p.BeginOpenID(w, httptest.NewRequestWithContext(t.Context(), "GET", "/login/openid", nil), "/oncall"); err != nil {
		t.Fatal(err)
	}
	to, err := w.Result().Location()
	if err != nil {
		t.Fatal(err)
	}
	i.nonce = to.Query().Get("nonce")
	began := w.Result().Cookies()
	finish := func(state string, cookies []*http.Cookie) (int, string) {
		t.Helper()
		back := httptest.NewRequestWithContext(t.Context(), "GET", "/login/openid/callback?code=x&state="+url.QueryEscape(state), nil)
		for _, c := range cookies {
			back.AddCookie(c)
		}
		w := httptest.NewRecorder()
		if _, err := p.FinishOpenID(w, back); err != nil {
			if slices.ContainsFunc(w.Result().Cookies(), func(c *http.Cookie) bool { return c.Name == "switchboard_session" }) {
				t.Error("a refused log-in has a session")
			}
			return refusal(t, err)
		}
		return 0, ""
	}
	state := to.Query().Get("state")
	for _, one := range []struct {
		name, state string
		cookies     []*http.Cookie
		status      int
		said        string
	}{
		{"in another browser", state, nil, 400, "was not begun in this browser"},
		{"of another log-in", state + "x", began, 400, "was not begun in this browser"},
		{"without a state", "", began, 400, "was not begun in this browser"},
		{"as it should be", state, began, 0, ""},
		{"once more", state, began, 400, "completed already, and its address works once"},
	} {
		if status, said := finish(one.state, one.cookies); status != one.status || !strings.Contains(said, one.said) {
			t.Errorf("%s: %d, %q; want %d, %q", one.name, status, said, one.status, one.said)
		}
	}
}

// That one log-in fails, as whoever sends an invented code can bring about, stops nobody else's.
func TestOneFailedOpenIDLogInStopsNoOther(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.people(hosttest.New(t), nil)
	for _, failure := range []string{`{"error": "invalid_request"}`, `{}`, `no JSON`} {
		i.path["/token"] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(failure))
		}
		if status, _ := i.logIn(t, p); status != 502 {
			t.Errorf("with an invented code: %d", status)
		}
		i.reset()
		if status, said := i.logIn(t, p); status != 0 {
			t.Errorf("at the same time: %d %s", status, said)
		}
	}
}

// However many people want to log in with a provider that answers slowly, it is asked once, and
// whoever gives up ends the question for nobody else.
func TestASlowOpenIDProviderIsAskedOnce(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.people(hosttest.New(t), nil)
	var waiting atomic.Int32
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	slow := func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-answer
		delete(i.path, discovery)
		i.serve(w, r)
	}
	i.path[discovery] = slow
	impatient, leave := context.WithCancel(t.Context())
	begin := func(ctx context.Context) int {
		waiting.Add(1)
		w := httptest.NewRecorder()
		if err := p.BeginOpenID(w, httptest.NewRequestWithContext(ctx, "GET", "/login/openid", nil), "/"); err != nil {
			status, _ := refusal(t, err)
			return status
		}
		return w.Code
	}
	var all sync.WaitGroup
	all.Go(func() { begin(impatient) })
	<-asked
	leave()
	for range 20 {
		all.Go(func() {
			if got := begin(t.Context()); got != http.StatusSeeOther {
				t.Errorf("somebody who waited is answered %d", got)
			}
		})
	}
	hosttest.Eventually(t, "all wait", func() bool { return waiting.Load() == 21 })
	close(answer)
	all.Wait()
	if more := len(asked); more != 0 || i.asked.Load() != 1 {
		t.Errorf("it was asked %d times more, and answered %d times", more, i.asked.Load())
	}
}

// A provider that does not answer when the host starts is found when it does, without a restart.
func TestAnOpenIDProviderThatWasDownComesBack(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.people(hosttest.New(t), nil)
	i.path[discovery] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
	for range 3 {
		if status, said := i.logIn(t, p); status != 502 || !strings.Contains(said, notAsItDoes) {
			t.Errorf("while it is down: %d %s", status, said)
		}
	}
	i.reset()
	i.clock.Advance(5 * time.Second)
	if status, said := i.logIn(t, p); status != 0 {
		t.Errorf("afterwards: %d %s", status, said)
	}
	// It goes away again, which a log-in finds out.
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	i.path[discovery], i.path["/token"] = down, down
	i.clock.Advance(5 * time.Second)
	for try := range 3 {
		if status, said := i.logIn(t, p); status != 502 {
			t.Errorf("log-in %d while it is away: %d %s", try+1, status, said)
		}
	}
	i.reset()
	i.clock.Advance(5 * time.Second)
	if status, said := i.logIn(t, p); status != 0 {
		t.Errorf("when it is back: %d %s", status, said)
	}
}

// Whom a claim or a domain has let in is logged out when the settings do so no longer.
func TestWhomTheSettingsLetInNoLongerIsLoggedOut(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t), hosttest.New(t)
	admits := func(o *people.OpenID) { o.RoleClaim, o.Domains = "groups", []string{"Example.com"} }
	p := i.people(h, admits)
	for email, want := range map[string]struct{ same, noClaim, otherDomain people.Role }{
		"consultant@example.com": {people.Viewer, "", ""},
		"alice@example.com":      {people.Responder, people.Responder, ""},
	} {
		i.claims = object{"groups": "viewer", "email": email}
		r := i.loggedIn(t, p)
		for name, at := range map[string]struct {
			change func(*people.OpenID)
			role   people.Role
		}{
			"the same settings": {admits, want.same}, "without the claim": {nil, want.noClaim},
			"with another domain": {func(o *people.OpenID) { o.RoleClaim, o.Domains = "groups", []string{"example.org"} }, want.otherDomain},
		} {
			// One that runs would end the login for the others.
			who, why, err := h.NewPeople(i.config(at.change)).Identify(r)
			if err != nil || who.Role != at.role || (at.role == "") != (why == people.NotLetIn) {
				t.Errorf("%s, %s: %q, refused for %d (%v), want %q", email, name, who.Role, why, err, at.role)
			}
		}
	}
}
