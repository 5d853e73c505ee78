package people

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// shortLogin is how long a login lasts that no account of the switchboard file stands behind:
	// with the API token, or admitted by an OpenID provider's claim.
	shortLogin = 12 * time.Hour
	// accountLogin is how long the login of an account lasts: it ends before when the account is
	// removed.
	accountLogin = 30 * 24 * time.Hour
	// cookieTime is how long a browser keeps the cookie: longer than the login lasts, so that the
	// log-in page can say that one has expired.
	cookieTime = 60 * 24 * time.Hour
	// usedEvery is how exactly it is known when a login or a token was used last.
	usedEvery = time.Minute
)

// ownPrefix begins the cookies of logins other than by the API token of the settings. Their ids do
// not depend on that token.
const ownPrefix = "p."

// derived is a key for a purpose, made of a secret: what it signs is worth nothing once the secret
// is another one. The hash makes a key of a secret of any length.
func derived(secret []byte, purpose string) []byte {
	sum := sha256.Sum256(secret)
	h := hmac.New(sha256.New, sum[:])
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

// hashOf is how the store knows what proves who somebody is. kind keeps a value of one kind from
// being used as another. The secrets are random and long, so a plain hash cannot be reversed by
// trying.
func hashOf(kind, secret string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// loginID is how the store knows the login of a cookie: whoever reads the store cannot make the
// cookie. A token's login is bound to the token as well.
func (p *People) loginID(cookie string) string {
	if strings.HasPrefix(cookie, ownPrefix) {
		return hashOf("login", cookie)
	}
	h := hmac.New(sha256.New, p.key) // a new API token ends what was begun with the old one
	h.Write([]byte(cookie))
	return hex.EncodeToString(h.Sum(nil))
}

// Secure reports whether browsers reach the pages by https. Without it cookies cannot be marked
// Secure, or the browser would not send them.
func (p *People) Secure() bool { return p.cfg.PublicURL.Scheme == "https" }

// cookieName is the name of a cookie. Browsers refuse one that begins with __Host- from a
// neighbouring host; it must be valid for the whole of ours.
func (p *People) cookieName(name string) string {
	if p.Secure() && strings.TrimRight(p.cfg.PublicURL.Path, "/") == "" {
		return "__Host-" + name
	}
	return name
}

// Names of cookies.
const (
	sessionCookie = "switchboard_session"
	// Of the link in a page: it does not take the place of a login.
	pageCookie = "switchboard_page"
)

// Cookie is one that scripts cannot read and that forms of other sites do not send. An age below 0
// deletes it. SameSite is lax and not strict: a link in a mail or a message must find its reader
// logged in.
func (p *People) Cookie(name, value string, age time.Duration) *http.Cookie {
	// Below another path of the same host something else may be served.
	path := strings.TrimRight(p.cfg.PublicURL.Path, "/") + "/"
	c := &http.Cookie{Name: name, Value: value, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.Secure(), MaxAge: int(age / time.Second)} // #nosec G124 -- Secure wherever the public address is https
	if age < 0 {
		c.MaxAge = -1
	}
	return c
}

// cookie is the value of a request's cookie; "" if it has none.
func (p *People) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(p.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// begin gives the browser a login of which the caller says who and how. The store is written before
// the cookie is sent: a cookie without a login would only look expired.
func (p *People) begin(w http.ResponseWriter, r *http.Request, l store.Login, lasts time.Duration) error {
	// 256 bits, which nobody guesses; the store has a hash of them.
	name, value := sessionCookie, rand.Text()+rand.Text()
	if l.How != store.LoginByToken {
		value = ownPrefix + value
	}
	if l.How == store.LoginByPage {
		name = pageCookie
	}
	now := p.cfg.Clock.Now()
	l.ID, l.Since, l.LastUsed, l.Ends = p.loginID(value), now, now, now.Add(lasts)
	l.Remote, l.Agent = httpkit.Remote(r), agentOf(r)
	if err := p.cfg.Store.BeginLogin(r.Context(), l); err != nil {
		return err
	}
	http.SetCookie(w, p.Cookie(p.cookieName(name), value, cookieTime))
	p.Audit(r, store.AuditLine{Who: p.identity(l).Who(), Action: "login", About: l.Alert, Detail: "by " + l.How + ", " + l.Agent})
	return nil
}

// Refused is why a request's login is not accepted, for the log-in page to say.
type Refused int

// Why a request is nobody's.
const (
	NeverLoggedIn Refused = iota
	LoginEnded            // not known: begun under another API token, or long ago
	LoginExpired          // too old
	LoggedOut             // by its owner or an admin
	AccountGone           // the account has left the switchboard file
	NotLetIn              // the settings no longer let it in
)

// refusals are what the log-in page says of a login that was ended.
var refusals = map[string]Refused{store.LoggedOut: LoggedOut, store.AccountGone: AccountGone, store.NotLetIn: NotLetIn}

// fromBrowser is whose a request with a cookie is, or why it is nobody's, so that the log-in page
// explains why it appears.
func (p *People) fromBrowser(r *http.Request) (Identity, Refused, error) {
	why := NeverLoggedIn
	// A login of one's own comes before that of a page: it allows more.
	for _, name := range []string{sessionCookie, pageCookie} {
		value := p.cookie(r, name)
		if value == "" {
			continue
		}
		l, err := p.cfg.Store.Login(r.Context(), p.loginID(value))
		now := p.cfg.Clock.Now()
		switch {
		case integration.KindOf(err) == integration.KindNotFound:
			why = max(why, LoginEnded)
			continue
		case err != nil:
			return Identity{}, why, err
		case l.Ended != "":
			why = max(why, refusals[l.Ended])
			continue
		// A page's login in the other cookie was moved there by hand.
		case !now.Before(l.Ends), l.How == store.LoginByPage != (name == pageCookie):
			why = max(why, LoginExpired)
			continue
		}
		who := p.identity(l)
		if !who.Known() {
			why = max(why, refusals[p.whyNobody(l)])
			continue
		}
		// Not with each request: that would be a write for each picture of a page.
		if now.Sub(l.LastUsed) > usedEvery {
			if err := p.cfg.Store.UseLogin(r.Context(), l.ID, now); err != nil {
				p.cfg.Log.WarnContext(r.Context(), "the use of a login cannot be noted", "error", err.Error())
			}
		}
		return who, 0, nil
	}
	return Identity{}, why, nil
}

// identity is whose a login is now: the account of the switchboard file and the settings decide,
// whatever they said when the login began. So a person who loses a role loses it with the next
// request.
func (p *People) identity(l store.Login) Identity {
	who := Identity{How: l.How, Login: l.ID, Email: l.Email, User: l.User, Alert: l.Alert, Since: l.Since, Ends: l.Ends}
	switch l.How {
	case store.LoginByToken:
		if !p.cfg.TokenOff {
			who.Role = Admin
		}
	case store.LoginByPage:
		if l.Alert != "" && p.hasUser(l.User) {
			who.Role = Responder
		}
	default:
		if l.How == store.LoginByOpenID && !p.cfg.OpenID.allows(l.Email) {
			break
		}
		if a := p.account(l.Email); a != nil {
			who.Role, who.User, who.Email = Role(a.Role), a.User, a.Email
		} else if role, ok := ParseRole(l.Role); ok && p.cfg.OpenID.RoleClaim != "" {
			// Admitted by a provider's claim; it lasts for the twelve hours of the login, as the
			// provider is not asked again.
			who.Role = role
		}
	}
	return who
}

// whyNobody is why a login that has not ended is nobody's: its account has left the switchboard
// file, or the settings do not let it in.
func (p *People) whyNobody(l store.Login) string {
	// A login with a role has it from a provider's claim: there was no account.
	gone := l.Role == "" && p.account(l.Email) == nil
	switch l.How {
	case store.LoginByToken:
		gone = false
	case store.LoginByPage:
		gone = !p.hasUser(l.User)
	}
	if gone {
		return store.AccountGone
	}
	return store.NotLetIn
}

// hasUser reports whether a person is in the switchboard file. Platforms other than the embedded
// one have no links in pages.
func (p *People) hasUser(id string) bool {
	return id != "" && p.cfg.File != nil && p.cfg.File.File().User(id) != nil
}

// LogOut ends the logins of a request, for every copy of their cookies. ended is false where none
// was left, as of the second of two tabs.
func (p *People) LogOut(w http.ResponseWriter, r *http.Request) (ended bool, err error) {
	for _, name := range []string{sessionCookie, pageCookie} {
		value := p.cookie(r, name)
		if value == "" {
			continue
		}
		switch err := p.cfg.Store.EndLogin(r.Context(), p.loginID(value), store.LoggedOut, p.cfg.Clock.Now()); integration.KindOf(err) {
		case "":
			ended = true
		case integration.KindNotFound:
		default:
			return ended, err
		}
		http.SetCookie(w, p.Cookie(p.cookieName(name), "", -1))
	}
	p.tellEnded()
	return ended, nil
}

// Logins lists what has not ended: of one account, or of all for "". Addresses are stored as
// Mailbox writes them.
func (p *People) Logins(ctx context.Context, email string) ([]store.Login, error) {
	return p.cfg.Store.ListLogins(ctx, switchboardfile.Mailbox(email), p.cfg.Clock.Now())
}

// EndLogin ends a login. Those who may not manage people end their own alone; an id of somebody
// else is not_found to them.
func (p *People) EndLogin(ctx context.Context, who Identity, id string) (store.Login, error) {
	now := p.cfg.Clock.Now()
	l, err := p.cfg.Store.Login(ctx, id)
	if err == nil && !now.Before(l.Ends) {
		return store.Login{}, integration.Errorf(integration.KindNotFound, "the login has ended already")
	}
	if err == nil && !who.May(Manage, "") && (who.Email == "" || switchboardfile.Mailbox(l.Email) != switchboardfile.Mailbox(who.Email)) {
		return store.Login{}, integration.Errorf(integration.KindNotFound, "there is no such login")
	}
	if err == nil {
		err = p.cfg.Store.EndLogin(ctx, id, store.LoggedOut, now)
	}
	if err == nil {
		p.tellEnded()
	}
	return l, err
}

// endGone ends the logins of those who are no longer in the switchboard file, so that they stay
// ended when somebody of the same name comes back. Logins are refused anyway while the account is
// missing; see identity. A login by the API token has no account.
func (p *People) endGone(ctx context.Context) error {
	list, err := p.Logins(ctx, "")
	if err != nil {
		p.cfg.Log.WarnContext(ctx, "logins of people who left the switchboard file cannot be looked for; they are refused all the same", "error", err.Error())
		return err
	}
	for _, l := range list {
		if l.How == store.LoginByToken || p.identity(l).Known() {
			continue
		}
		reason := p.whyNobody(l)
		err := p.cfg.Store.EndLogin(ctx, l.ID, reason, p.cfg.Clock.Now())
		if integration.KindOf(err) == integration.KindNotFound {
			continue // by another host, which tells of it
		}
		if err != nil {
			return err
		}
		why := "the settings no longer let the account in"
		if reason == store.AccountGone {
			why = "the account has left the switchboard file"
		}
		p.cfg.Log.InfoContext(ctx, "a login has ended: "+why, "account", l.Email+l.User)
		p.Audit(nil, store.AuditLine{Who: "switchboard", Action: "login.end", About: l.Email + l.User, Detail: why})
	}
	p.tellEnded()
	return nil
}

// tellEnded tells everybody who waits for Ended. It must not be called with mu held.
func (p *People) tellEnded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		close(p.ended)
		p.ended = nil
	}
}

// Ended is closed when a login, of whomever, is ended on this host from now on, or the switchboard
// file has changed. An answer that goes on for long asks Identify again then and every few seconds,
// as logins also end on other hosts and by their age. Take it before asking Identify: an end
// between the two is then noticed.
func (p *People) Ended() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == nil {
		p.ended = make(chan struct{})
	}
	return p.ended
}

// agentOf names the browser of a request in a few words, such as "Firefox on Linux". It helps
// people to recognise a browser in the list of logins, and decides nothing.
func agentOf(r *http.Request) string {
	text := r.UserAgent()
	pick := func(words [][2]string) string {
		for _, w := range words {
			if strings.Contains(text, w[0]) {
				return w[1]
			}
		}
		return ""
	}
	// Browsers name those they resemble, so the order matters.
	browser := pick([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"}})
	system := pick([][2]string{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}})
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser+system != "":
		return browser + system
	case text == "":
		return "an unnamed program"
	}
	return oneline.Clean(text, 40)
}
