package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// OpenID are the settings of an OpenID provider.
type OpenID struct {
	Issuer   string // https, or http to this machine
	ClientID string
	Secret   string
	Domains  []string // of e-mail addresses that may log in; none: all
	// RoleClaim names the claim that admits people without an account: its value, or one of its
	// values, is a role. "": only accounts are let in.
	RoleClaim string
}

const (
	// openIDPath is where the provider sends the browser back, below the public address.
	openIDPath = "/login/openid/callback"
	// openIDCookie holds, while somebody is at the provider, what proves that it is the same
	// browser.
	openIDCookie = "switchboard_openid"
	// openIDTime is how long somebody may take at the provider.
	openIDTime = 10 * time.Minute
	// openIDWait is how long the provider may take to answer a request of ours.
	openIDWait = 10 * time.Second
	// openIDAgain is how long a provider that did not answer is not asked again: anybody can make
	// the host ask.
	openIDAgain = 5 * time.Second
	// openIDMost is how many bytes an answer of the provider's may have; what is longer is cut.
	openIDMost = 1 << 20
	// clockSkew is how much the clocks of host and provider may differ.
	clockSkew = 2 * time.Minute
)

// openID speaks with the provider.
type openID struct {
	cfg      Config
	client   *http.Client
	redirect string

	asking singleflight.Group // however many people want to log in, the provider is asked once

	mu     sync.Mutex
	known  *oidc.Provider // as it answered last; nil: it has not
	failed error          // of the last time it was asked
	stale  bool           // it may have moved since
	again  time.Time      // it is not asked again before
}

// newOpenID asks nobody: a provider that is down must not keep the host from starting.
func newOpenID(cfg Config) *openID {
	return &openID{cfg: cfg, client: &http.Client{Timeout: openIDWait, Transport: cutAnswers{}}, redirect: strings.TrimRight(cfg.PublicURL.String(), "/") + openIDPath}
}

// cutAnswers cuts answers after openIDMost bytes: the libraries read all that comes.
type cutAnswers struct{}

// RoundTrip implements http.RoundTripper.
func (cutAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, openIDMost), resp.Body}
	}
	return resp, err
}

// allows reports whether the settings let people of an address log in with the provider. The @
// stands in front, so that evil-example.com does not end in example.com.
func (o OpenID) allows(email string) bool {
	return len(o.Domains) == 0 || slices.ContainsFunc(o.Domains, func(d string) bool { return strings.HasSuffix(email, "@"+switchboardfile.Mailbox(d)) })
}

// OpenIDName is how people know the provider: the name of its host. "": there is none.
func (p *People) OpenIDName() string {
	if p.openID == nil {
		return ""
	}
	u, err := url.Parse(p.cfg.OpenID.Issuer)
	if err != nil {
		return p.cfg.OpenID.Issuer
	}
	return u.Host
}

// provider is the provider with its addresses and keys. It is asked unless they are known.
func (o *openID) provider(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	// It is not held while the provider is asked, which may take seconds.
	o.mu.Lock()
	known, failed := o.known, o.failed
	ask := (known == nil || failed != nil || o.stale) && !o.cfg.Clock.Now().Before(o.again)
	o.mu.Unlock()
	if ask {
		asked, err, _ := o.asking.Do("", func() (any, error) { return o.ask(ctx) })
		known, _ = asked.(*oidc.Provider)
		failed = err
	}
	if failed != nil {
		return nil, nil, failed
	}
	// The config is made for each log-in: it is cheap, and the endpoint may have changed.
	return known, &oauth2.Config{
		ClientID: o.cfg.OpenID.ClientID, ClientSecret: o.cfg.OpenID.Secret, Endpoint: known.Endpoint(), RedirectURL: o.redirect,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, nil
}

// ask asks the provider for its addresses, for all who wait: that one of them leaves ends nothing.
func (o *openID) ask(ctx context.Context) (*oidc.Provider, error) {
	known, err := oidc.NewProvider(context.WithoutCancel(ctx), o.cfg.OpenID.Issuer)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		o.known, o.stale = known, false
	}
	o.failed, o.again = err, o.cfg.Clock.Now().Add(openIDAgain)
	return known, err
}

// doubt has the provider asked for its addresses again at a later log-in: it may have moved them.
// Until then those that are known count, as anybody can bring about that one log-in fails.
func (o *openID) doubt() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stale = true
}

// attempt is a visit to the provider. What is secret of it is made from what the browser keeps in a
// cookie, so that the store keeps nothing of it.
type attempt struct{ secret, next string }

// derive makes what the provider sees (state, nonce) or the token request proves (verifier) from
// the secret. Knowing one of them reveals neither the secret nor the others.
func (a attempt) derive(purpose string) string {
	return base64.RawURLEncoding.EncodeToString(derived([]byte(a.secret), "openid "+purpose))
}

// cookie is the cookie's value, which readAttempt reads.
func (a attempt) cookie() string {
	return a.secret + "." + base64.RawURLEncoding.EncodeToString([]byte(a.next))
}

// readAttempt reads the cookie; an empty secret: there is none. A path that cannot be decoded
// spoils all of it, as it is no cookie of ours.
func readAttempt(cookie string) attempt {
	secret, next, _ := strings.Cut(cookie, ".")
	where, err := base64.RawURLEncoding.DecodeString(next)
	if err != nil || len(secret) < 26 {
		return attempt{}
	}
	return attempt{secret, string(where)}
}

// refuseOpenID is an error for people at the log-in.
func refuseOpenID(status int, format string, args ...any) error {
	return &httpkit.Refusal{Status: status, Title: "You are not logged in", Message: fmt.Sprintf(format, args...)}
}

// BeginOpenID leads the browser to the provider. next is where it goes afterwards. It keeps nothing
// in the store: somebody who begins a thousand log-ins costs nothing.
func (p *People) BeginOpenID(w http.ResponseWriter, r *http.Request, next string) error {
	if p.openID == nil {
		return refuseOpenID(http.StatusNotFound, "This switchboard has no OpenID provider. Log in in another way.")
	}
	ctx := oidc.ClientContext(r.Context(), p.openID.client)
	_, config, err := p.openID.provider(ctx)
	if err != nil {
		return p.openIDDown(r, err)
	}
	// Twice 128 bits: state, nonce and verifier all rest on it.
	a := attempt{rand.Text() + rand.Text(), next}
	http.SetCookie(w, p.Cookie(p.cookieName(openIDCookie), a.cookie(), openIDTime))
	// S256 binds the code to this browser's verifier (RFC 7636): a code that is stolen on the way
	// is worth nothing.
	http.Redirect(w, r, config.AuthCodeURL(a.derive("state"), oidc.Nonce(a.derive("nonce")), oauth2.S256ChallengeOption(a.derive("verifier"))), http.StatusSeeOther)
	return nil
}

// openIDDown is the error when the provider does not answer, or not as a provider does. A later
// log-in asks it anew, as addresses and keys may have moved.
func (p *People) openIDDown(r *http.Request, err error) error {
	p.openID.doubt()
	p.cfg.Log.ErrorContext(r.Context(), "the OpenID provider cannot be used", "issuer", p.cfg.OpenID.Issuer, "error", err.Error())
	var other *oidc.IssuerMismatchError
	if errors.As(err, &other) {
		return refuseOpenID(http.StatusBadGateway, "The provider at %s says that it is another issuer. Whoever runs switchboard must set openid_issuer to exactly what the provider calls itself; the log has the name.", p.cfg.OpenID.Issuer)
	}
	return refuseOpenID(http.StatusBadGateway, "The provider at %s does not answer as it should. Try again in a minute, or log in in another way.", p.cfg.OpenID.Issuer)
}

// FinishOpenID takes the browser back from the provider and gives it a login. next is where it
// goes. The order matters: the state proves that this browser began it; then the attempt is used
// up; only then is the provider asked and the person admitted.
func (p *People) FinishOpenID(w http.ResponseWriter, r *http.Request) (next string, err error) {
	if p.openID == nil {
		return "", refuseOpenID(http.StatusNotFound, "This switchboard has no OpenID provider. Log in in another way.")
	}
	a, q := readAttempt(p.cookie(r, openIDCookie)), r.URL.Query()
	state := q.Get("state")
	// Compared in a time that does not depend on where they differ.
	if a.secret == "" || subtle.ConstantTimeCompare([]byte(a.derive("state")), []byte(state)) != 1 {
		// Somebody has read the page again, gone back, or logged in in another tab meanwhile.
		if who, _, err := p.fromBrowser(r); err == nil && who.Known() && who.Alert == "" {
			return "/", nil
		}
		return "", refuseOpenID(http.StatusBadRequest, "This log-in was not begun in this browser, or more than ten minutes ago, or another one was begun since. Begin again.")
	}
	// What the provider writes is shown and is of any length: one line of it is enough.
	if word := q.Get("error"); word != "" {
		return "", refuseOpenID(http.StatusForbidden, "The provider at %s has not let you in (%s). Log in there with another account, or ask whoever runs it.",
			p.OpenIDName(), oneline.Clean(strings.TrimSpace(word+" "+q.Get("error_description")), 200))
	}
	// Once: whoever copies the address that the provider leads to, with all cookies, gets nothing.
	switch err := p.cfg.Store.AddOneTime(r.Context(), store.OneTime{ID: hashOf("openid", state), Ends: p.cfg.Clock.Now().Add(openIDTime)}); {
	case integration.KindOf(err) == integration.KindConflict:
		return "", refuseOpenID(http.StatusBadRequest, "This log-in was completed already, and its address works once. Begin again.")
	case err != nil:
		return "", err
	}
	// Also when the rest fails: the code is used up too.
	http.SetCookie(w, p.Cookie(p.cookieName(openIDCookie), "", -1))
	claims, err := p.openIDClaims(r, a, q.Get("code"))
	if err != nil {
		return "", err
	}
	login, lasts, err := p.admit(r, claims)
	if err != nil {
		return "", err
	}
	return a.next, p.begin(w, r, login, lasts)
}

// claims are what the provider says of a person. Values stay as they were sent, as providers differ
// in the types they use.
type claims map[string]json.RawMessage

// text is a claim that is a text; "" for none, and for one of another type.
func (c claims) text(name string) (text string) {
	_ = json.Unmarshal(c[name], &text) // of another type: none
	return text
}

// verified reports whether the provider has verified the e-mail address. Some write it as a text.
func (c claims) verified() bool {
	value := strings.Trim(string(c["email_verified"]), `"`)
	return value == "true"
}

// texts are the values of a claim that is a text or a list of texts.
func (c claims) texts(name string) []string {
	if one := c.text(name); one != "" {
		return []string{one}
	}
	var many []string
	_ = json.Unmarshal(c[name], &many)
	return many
}

// add adds what the provider says elsewhere to what it has signed, which counts. An e-mail address
// and that it is verified are one claim: a word about one address must not verify another.
func (c claims) add(more claims) {
	const email, verified = "email", "email_verified"
	if _, said := more[email]; said && c[verified] == nil {
		delete(c, email)
	}
	_, signed := c[email]
	for name, value := range more {
		if c[name] == nil && (name != verified || !signed) {
			c[name] = value
		}
	}
}

// openIDClaims changes the code into what the provider says of the person. Many providers say it in
// an answer of its own, not in the ID token. The signed token says who it is, and the other answer
// only adds to it, for the same subject.
func (p *People) openIDClaims(r *http.Request, a attempt, code string) (claims, error) {
	ctx := oidc.ClientContext(r.Context(), p.openID.client)
	provider, config, err := p.openID.provider(ctx)
	if err != nil {
		return nil, p.openIDDown(r, err)
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(a.derive("verifier")))
	if err != nil {
		return nil, p.codeRefused(r, err)
	}
	raw, _ := token.Extra("id_token").(string)
	// The library does not tell a token that is not valid yet, where a clock is wrong, from one
	// that is forged. So times are compared below.
	verifier := provider.Verifier(&oidc.Config{ClientID: config.ClientID, SkipExpiryCheck: true})
	id, err := verifier.Verify(ctx, raw)
	var times struct {
		NotBefore float64 `json:"nbf"`
	}
	if err == nil {
		err = id.Claims(&times)
	}
	if err == nil && id.Expiry.Unix() <= 0 {
		err = errors.New("it does not say when it is over")
	}
	now := clock.Wall(p.cfg.Clock)
	switch {
	case err != nil:
		// The keys may lie elsewhere now.
		p.openID.doubt()
		p.cfg.Log.ErrorContext(ctx, "the ID token of the OpenID provider is refused", "error", err.Error())
		return nil, refuseOpenID(http.StatusBadGateway, "What the provider has signed cannot be accepted; the log has the reason. Begin again, or log in in another way.")
	case id.Expiry.Before(now.Add(-clockSkew)), id.IssuedAt.After(now.Add(clockSkew)), times.NotBefore > float64(now.Add(clockSkew).Unix()):
		p.cfg.Log.ErrorContext(ctx, "the ID token of the OpenID provider is not valid now, though it was just made", "issued", id.IssuedAt, "valid_from", time.Unix(int64(times.NotBefore), 0), "expires", id.Expiry, "now", now, "clock_skew_allowed", clockSkew)
		return nil, refuseOpenID(http.StatusBadGateway, "The clocks of this host and of the provider differ by more than the clock skew that is allowed, two minutes: what the provider has just signed is not valid here now. Whoever runs switchboard must set the clock of its machine; meanwhile log in in another way.")
	// Without it a token of another log-in could be put in the place of this one.
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.derive("nonce"))) != 1:
		p.cfg.Log.ErrorContext(ctx, "the ID token of the OpenID provider was made for another log-in")
		return nil, refuseOpenID(http.StatusBadRequest, "What the provider has signed was made for another log-in. Begin again.")
	}
	all := claims{}
	if err := id.Claims(&all); err != nil {
		return nil, err
	}
	if provider.UserInfoEndpoint() == "" {
		return all, nil
	}
	about, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, p.openIDDown(r, err)
	}
	// OpenID Connect Core 5.3.2 demands the check: an answer about another person must not be
	// added.
	if about.Subject != id.Subject {
		return nil, refuseOpenID(http.StatusBadGateway, "The provider speaks of two people at once. Begin again.")
	}
	more := claims{}
	if err := about.Claims(&more); err != nil {
		return nil, err
	}
	all.add(more)
	return all, nil
}

// codeRefused is the error when the code was not accepted. invalid_grant is about this log-in, the
// next two about the settings, anything else about the provider.
func (p *People) codeRefused(r *http.Request, err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return p.openIDDown(r, err)
	}
	p.cfg.Log.ErrorContext(r.Context(), "the OpenID provider refuses the code", "error", answer.ErrorCode, "description", oneline.Clean(answer.ErrorDescription, 200))
	switch answer.ErrorCode {
	case "invalid_grant":
		return refuseOpenID(http.StatusBadRequest, "The provider does not accept its code: it works once, and for a short time. Begin again.")
	case "invalid_client", "unauthorized_client":
		return refuseOpenID(http.StatusBadGateway, "The provider does not know this switchboard. Whoever runs it must correct openid_client_id and openid_client_secret.")
	}
	p.openID.doubt()
	return refuseOpenID(http.StatusBadGateway, "The provider refuses to say who you are; the log has the reason. Begin again, or log in in another way.")
}

// admit finds the account of a person, or the role in the claim. An address that the provider has
// not verified could be anybody's. It returns a login without its id and how long it lasts. An
// account of the file outranks what a claim says, also if its role is less.
func (p *People) admit(r *http.Request, c claims) (store.Login, time.Duration, error) {
	email := switchboardfile.Mailbox(c.text("email"))
	if parsed, err := mail.ParseAddress(email); err != nil || parsed.Address != email || oneline.Clean(email, maxAddress) != email {
		email = ""
	}
	refuse := func(reason, format string, args ...any) (store.Login, time.Duration, error) {
		p.cfg.Log.WarnContext(r.Context(), "login refused: "+reason, "remote", httpkit.Remote(r))
		return store.Login{}, 0, refuseOpenID(http.StatusForbidden, format, args...)
	}
	switch {
	case email == "":
		return refuse("the OpenID provider names no e-mail address", "The provider at %s does not say what your e-mail address is. Whoever runs it must let this switchboard see it (the scope email).", p.OpenIDName())
	case !c.verified():
		return refuse("the e-mail address is not verified", "The provider at %s has not verified your e-mail address %s. Verify it there, then log in again.", p.OpenIDName(), email)
	case !p.cfg.OpenID.allows(email):
		return refuse("the domain is not allowed", "Addresses such as %s may not log in here. Use one of %s.", email, strings.Join(p.cfg.OpenID.Domains, ", "))
	}
	if p.account(email) != nil {
		return store.Login{How: store.LoginByOpenID, Email: email}, accountLogin, nil
	}
	role := Role("")
	if p.cfg.OpenID.RoleClaim != "" {
		// Of several roles the one that may do most; words that are none are for other programs.
		for _, text := range c.texts(p.cfg.OpenID.RoleClaim) {
			if one, ok := ParseRole(strings.ToLower(text)); ok && slices.Index(roles, one) > slices.Index(roles, role) {
				role = one
			}
		}
	}
	if role == "" {
		return refuse("there is no account of this address", "There is no account for %s. Whoever keeps the switchboard file can add one.", email)
	}
	return store.Login{How: store.LoginByOpenID, Email: email, Role: string(role)}, shortLogin, nil
}
