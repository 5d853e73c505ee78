package login

import (
	"embed"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates
var templates embed.FS

// Login serves the pages of log-in and log-out, and of one's own account. It decides nothing by
// itself: package people does, and these pages say it.
type Login struct {
	site    *layout.Site
	people  *people.People
	browser platform.AlertBrowser // nil: the platform shows its alerts itself
}

// New adds the pages of the log-in to a site. Its error is a mistake in a template.
func New(site *layout.Site) (*Login, error) {
	l := &Login{site: site, people: site.People}
	l.browser, _ = site.Platform.(platform.AlertBrowser)
	return l, site.Parse(templates, nil, "login", "link", "page", "me", "account")
}

// Protect lets requests through whose browser is logged in and may do what the page needs; about is
// the name of the value in the address that is an alert's id, "": the page is about no alert. Those
// who are not logged in, or by the link in a page alone, log in first and come back. It also puts
// the identity into the request's context, where handlers and Site.Show find it.
func (l *Login) Protect(needs people.Action, about string, h layout.Handler) layout.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, why, err := l.people.Identify(r)
		if err != nil {
			// The store cannot be read: neither let in nor sent away.
			return err
		}
		alert := ""
		if about != "" {
			alert = r.PathValue(about)
		}
		r = r.WithContext(people.With(r.Context(), who))
		switch {
		case who.May(needs, alert):
			if err := h(w, r); err != nil {
				l.site.Fail(w, r, err) // here, where it is known who asks: the page has their menu
			}
			return nil
		// Whoever came by the link in a page may have an account that allows more.
		case !who.Known(), who.Alert != "":
			l.askLogin(w, r, who, why)
			return nil
		}
		// The page of the refusal has the head of those that are allowed.
		l.site.ShowError(w, r, *who.Refuse(needs))
		return nil
	}
}

// loginBody is what the log-in page shows. The upper part says why the page is shown, the lower one
// which ways there are.
type loginBody struct {
	Next    string
	Why     *reason // nil: the browser has never been logged in
	Unsaved bool    // a form was submitted and not saved
	Wrong   string  // why the API token was refused

	Mail       bool   // links are sent
	Email      string // that was typed
	WrongEmail string // what is wrong with it
	Sent       bool   // a link is on its way, if there is an account
	OpenID     string // name of the provider; "": there is none
	Token      bool   // the API token is accepted
	Problem    string // with a link or a provider
}

// reason is what has led a browser to the log-in page.
type reason struct {
	Tone string // of the notice
	Text string // in the notice
	Had  string // begins the sentence that nothing was saved; "": of somebody who was not logged in
}

// reasons are by their words in the page's address, as the page that says them is another request.
var reasons = map[string]*reason{
	"expired":    {"warn", "Your session has expired. Log in to return to where you were.", "Your session had expired"},
	"ended":      {"warn", "Your session has ended: the API token was changed, or it was too long ago. Log in to return to where you were.", "Your session had ended"},
	"logged-out": {"warn", "You or an admin logged this browser out. Log in to return to where you were.", "This browser had been logged out"},
	"gone":       {"warn", "This browser was logged out, as your account left the switchboard file. Once whoever keeps the file has added it again, you can log in.", "Your account had left the switchboard file"},
	"not-let-in": {"warn", "This browser was logged out, as the settings no longer let you in this way. Log in by another way, or ask whoever runs switchboard.", "The settings no longer let you in"},
	"limited":    {"info", "The link in your page opens one alert. For everything else, log in.", ""},
	"out":        {"ok", "You are logged out.", ""},
}

// refusals are the reasons why a login is not accepted.
var refusals = map[people.Refused]string{
	people.LoginExpired: "expired", people.LoginEnded: "ended", people.LoggedOut: "logged-out", people.AccountGone: "gone", people.NotLetIn: "not-let-in",
}

// show shows the log-in page. The ways to log in are those of the settings, whatever has led here.
func (l *Login) show(w http.ResponseWriter, r *http.Request, status int, body loginBody) {
	body.Mail, body.OpenID, body.Token = l.people.MailWorks(), l.people.OpenIDName(), l.people.TokenWorks()
	// Whoever logs in is not shown as somebody, even if the link in a page has said so.
	r = r.WithContext(people.With(r.Context(), people.Identity{}))
	l.site.Show(w, r, status, layout.Page{Title: "Log in", Template: "login", Body: body})
}

// askLogin sends a browser to the log-in page and, afterwards, back to where it is now. A script
// that reads a page again gets a status instead of the log-in page.
func (l *Login) askLogin(w http.ResponseWriter, r *http.Request, who people.Identity, why people.Refused) {
	// It would otherwise put the log-in page into the live parts of the page.
	if r.Header.Get(layout.FragmentHeader) != "" {
		http.Error(w, "log in again", http.StatusUnauthorized)
		return
	}
	word := refusals[why]
	if word == "" && who.Alert != "" {
		word = "limited"
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		// The browser still has what was typed, and going back shows it: a redirect would lose it.
		next := "/"
		// The page with the form, not the form's address, which is only posted to. Its host is
		// dropped: only a path of ours is gone back to.
		if u, err := url.Parse(r.Header.Get("Referer")); err == nil && u.Path != "" {
			next = l.site.Path(u.Path)
		}
		l.show(w, r, http.StatusUnauthorized, loginBody{Next: safeNext(next), Why: reasons[word], Unsaved: true})
		return
	}
	q := url.Values{}
	if next := r.URL.RequestURI(); next != "/" {
		q.Set("next", next)
	}
	if word != "" {
		q.Set("why", word)
	}
	path := "/login"
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	l.site.Redirect(w, r, path)
}

// ShowLogin shows the forms, or leads on where the browser is logged in already. A browser with the
// link in a page alone gets the forms.
func (l *Login) ShowLogin(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	next := safeNext(q.Get("next"))
	if l.isIn(r) {
		l.site.Redirect(w, r, next)
		return nil
	}
	l.show(w, r, http.StatusOK, loginBody{Next: next, Why: reasons[q.Get("why")]})
	return nil
}

// Login checks the API token of the form. The right one leads to the page that was wanted, by way
// of the question whom the browser acts as. Wrong ones are counted by the network they come from;
// see httpkit.Attempts.
func (l *Login) Login(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	next := safeNext(r.PostFormValue("next"))
	if !l.people.TokenWorks() {
		l.show(w, r, http.StatusForbidden, loginBody{Next: next, Problem: "The API token is switched off here. Log in in another way."})
		return nil
	}
	// The token is checked first: whoever has the right one is let in, however many wrong ones came
	// from the same address.
	if !l.people.IsAPIToken(strings.TrimSpace(r.PostFormValue("token"))) {
		if seconds := l.people.WrongToken(w, r, "login"); seconds > 0 {
			l.show(w, r, http.StatusTooManyRequests, loginBody{Next: next,
				Wrong: fmt.Sprintf("Too many wrong tokens from your address. Try again in %d seconds. The right token is accepted at once.", seconds)})
			return nil
		}
		l.site.Log.WarnContext(r.Context(), "login refused: wrong token", "remote", httpkit.Remote(r))
		l.show(w, r, http.StatusForbidden, loginBody{Next: next, Wrong: "That is not the API token of this switchboard."})
		return nil
	}
	if err := l.people.LogInWithToken(w, r); err != nil {
		return err
	}
	// The API token says nothing of who somebody is, and alerts are taken in somebody's name.
	if len(l.site.Everybody()) > 0 && !l.site.Asked(r) {
		l.site.Redirect(w, r, "/me?next="+url.QueryEscape(next))
		return nil
	}
	l.site.Redirect(w, r, next)
	return nil
}

// AskLink has a link sent to the address of the form. The answer is the same whether there is such
// an account or not. So nobody can find out who has an account, not even by the time it takes: the
// sending happens later.
func (l *Login) AskLink(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	body := loginBody{Next: safeNext(r.PostFormValue("next")), Email: strings.TrimSpace(r.PostFormValue("email"))}
	if !l.people.MailWorks() {
		body.Problem = "This switchboard has no mail server, so no link can be sent. Log in in another way."
		l.show(w, r, http.StatusNotFound, body)
		return nil
	}
	// A name beside the address, or a list of addresses, is no answer to the question.
	if parsed, err := mail.ParseAddress(body.Email); err != nil || parsed.Address != body.Email {
		body.WrongEmail = "That is no e-mail address such as alice@example.com."
		l.show(w, r, http.StatusUnprocessableEntity, body)
		return nil //nolint:nilerr // the page says it
	}
	l.people.AskLink(body.Email)
	body.Sent = true
	l.show(w, r, http.StatusOK, body)
	return nil
}

// linkBody is what the page of a link shows.
type linkBody struct{ Token string }

// ShowLink shows the button of a link. Nothing is used up: programs that look into mails open
// links. A POST of the button uses it.
func (l *Login) ShowLink(w http.ResponseWriter, r *http.Request) error {
	problem, err := l.people.LinkProblem(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	if problem != "" {
		l.noLink(w, r, problem)
		return nil
	}
	l.site.Show(w, r, http.StatusOK, layout.Page{Title: "Log in", Template: "link", Body: linkBody{r.PathValue("token")}})
	return nil
}

// UseLink logs in with a link. A problem is shown with status 410 above the ways to log in.
func (l *Login) UseLink(w http.ResponseWriter, r *http.Request) error {
	problem, err := l.people.LogInWithLink(w, r, r.PathValue("token"))
	if err != nil {
		return err
	}
	if problem != "" {
		l.noLink(w, r, problem)
		return nil
	}
	l.site.Redirect(w, r, "/")
	return nil
}

// noLink says what is wrong with a link, or leads on where the browser is logged in already: who
// opens the mail once more wants in, and is.
func (l *Login) noLink(w http.ResponseWriter, r *http.Request, problem string) {
	if l.isIn(r) {
		l.site.Redirect(w, r, "/")
		return
	}
	l.show(w, r, http.StatusGone, loginBody{Next: "/", Problem: problem})
}

// isIn reports whether a browser is logged in, by more than the link in a page. While it cannot be
// found out, nobody is.
func (l *Login) isIn(r *http.Request) bool {
	who, _, err := l.people.Identify(r)
	return err == nil && who.Known() && who.Alert == ""
}

// BeginOpenID leads to the OpenID provider. The path to go to afterwards is kept in the browser
// meanwhile.
func (l *Login) BeginOpenID(w http.ResponseWriter, r *http.Request) error {
	return l.refused(w, r, l.people.BeginOpenID(w, r, safeNext(r.URL.Query().Get("next"))))
}

// FinishOpenID takes the browser back from the provider. next was safe when it was put into the
// cookie, and is checked again as the browser had it.
func (l *Login) FinishOpenID(w http.ResponseWriter, r *http.Request) error {
	next, err := l.people.FinishOpenID(w, r)
	if err != nil {
		return l.refused(w, r, err)
	}
	l.site.Redirect(w, r, safeNext(next))
	return nil
}

// refused shows why the provider's log-in failed above the other ways to log in.
func (l *Login) refused(w http.ResponseWriter, r *http.Request, err error) error {
	var own *httpkit.Refusal
	if errors.As(err, &own) {
		l.show(w, r, own.Status, loginBody{Next: "/", Problem: own.Message})
		return nil
	}
	return err
}

// Logout ends the logins of this browser. Whom it acts as is remembered. The identity is read
// before its login ends, or the audit could not name it.
func (l *Login) Logout(w http.ResponseWriter, r *http.Request) error {
	who, _, err := l.people.Identify(r)
	if err != nil {
		return err
	}
	ended, err := l.people.LogOut(w, r)
	if err != nil {
		return err
	}
	if ended && who.Known() {
		l.people.Audit(r, store.AuditLine{Who: who.Who(), Action: "logout"})
	}
	l.site.Redirect(w, r, "/login?why=out")
	return nil
}

// safeNext is a path of these pages, or "/": never another site. Browsers read backslashes as
// slashes and drop tabs and line ends, so both could make a path an address of another host. The
// log-in itself is left out, or one would go in circles.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/login") || u.Path == "/logout" {
		return "/"
	}
	return u.RequestURI()
}
