package access

import (
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

//go:embed templates
var templates embed.FS

// Access serves the pages. Those who may Manage see all of it, so no method asks for a right of its
// own.
type Access struct {
	site   *layout.Site
	people *people.People
}

// New adds the pages to a site. Its error is a mistake in a template.
func New(site *layout.Site) (*Access, error) {
	return &Access{site, site.People}, site.Parse(templates, template.FuncMap{"auditWords": Words}, "people", "audit")
}

// accountRow is an account with what is known of its use. It joins the switchboard file, which says
// who may log in, with the store, which says who has.
type accountRow struct {
	switchboardfile.Account
	Name     string // of the person; "": the platform does not list its people
	Logins   int
	LastUsed time.Time // zero: it is logged in nowhere
}

// peopleBody is what the page of people and tokens shows.
type peopleBody struct {
	Accounts []accountRow
	Reached  []ways.Person // people of the switchboard file, with their ways
	Logins   []store.Login
	Tokens   []store.Token // that are valid
	Revoked  []store.Token
	Roles    []people.Role
	Ring     layout.Ring // of the person whom the address names
	Rung     string      // name of that person; "": it names nobody

	Made    string // secret of a token that was just made; never shown again
	Name    string // of a token that was refused or made
	Role    string
	Problem string
}

// Show shows accounts, logins and tokens.
func (a *Access) Show(w http.ResponseWriter, r *http.Request) error {
	var notices []layout.Notice
	// Redirects after a POST carry what was done in the query, so that a reload shows it again and
	// does not do it again.
	for name, text := range map[string]string{"ended": "That browser is logged out.", "revoked": "The token was revoked. Programs that send it are refused."} {
		if r.URL.Query().Get(name) != "" {
			notices = append(notices, layout.Notice{Tone: "ok", Text: text})
		}
	}
	return a.draw(w, r, http.StatusOK, peopleBody{Role: string(people.Viewer)}, notices)
}

// draw completes the body and shows it. Everything but what the request itself has brought is read
// anew for each answer, so that a refused form stands above the current lists.
func (a *Access) draw(w http.ResponseWriter, r *http.Request, status int, body peopleBody, notices []layout.Notice) error {
	var err error
	if body.Logins, err = a.people.Logins(r.Context(), ""); err != nil {
		return err
	}
	tokens, err := a.people.Tokens(r.Context())
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.Revoked.IsZero() {
			body.Tokens = append(body.Tokens, t)
		} else {
			body.Revoked = append(body.Revoked, t)
		}
	}
	named := map[string]string{}
	for _, person := range a.site.Everybody() {
		if person.Choice == person.ID { // not an account, whose name is its address
			named[person.ID] = person.Name
		}
	}
	// Accounts are matched with logins by their mailbox, as logins are stored: the file may write
	// an address otherwise.
	rows := map[string]int{}
	for _, account := range a.people.Accounts() {
		rows[switchboardfile.Mailbox(account.Email)] = len(body.Accounts)
		body.Accounts = append(body.Accounts, accountRow{Account: account, Name: named[account.User]})
	}
	for _, l := range body.Logins {
		i, ok := rows[switchboardfile.Mailbox(l.Email)]
		// Logins without an account, such as by the API token or a provider's claim, are only in
		// the list of logins.
		if !ok || l.Email == "" {
			continue
		}
		row := &body.Accounts[i]
		row.Logins++
		if l.LastUsed.After(row.LastUsed) {
			row.LastUsed = l.LastUsed
		}
	}
	if a.site.Ways != nil {
		body.Reached = a.site.Ways.People()
	}
	body.Roles = people.TokenRoles()
	user := r.PathValue("user")
	// A GET that names a user is the page of a ring that was begun: if this host knows nothing of
	// it, the page says so.
	if body.Ring, err = a.site.RingOf(r, user, user != "" && r.Method == http.MethodGet); err != nil {
		return err
	}
	if i := slices.IndexFunc(body.Reached, func(p ways.Person) bool { return p.ID == user }); i >= 0 {
		body.Rung = body.Reached[i].Name
	}
	a.site.Show(w, r, status, layout.Page{Title: "People and tokens", Template: "people", Nav: "people", Poll: body.Ring.Poll(), Notices: notices, Body: body})
	return nil
}

// MakeToken makes a token and shows it this once. A name that is taken and an unknown role are
// shown above the form with what was typed. The secret is only in this answer: the store has its
// hash, hence no redirect here.
func (a *Access) MakeToken(w http.ResponseWriter, r *http.Request) error {
	if err := layout.ReadForm(w, r); err != nil {
		return err
	}
	body := peopleBody{Name: strings.TrimSpace(r.PostFormValue("name")), Role: r.PostFormValue("role")}
	t, secret, err := a.people.MakeToken(r.Context(), people.From(r.Context()), body.Name, people.Role(body.Role))
	switch integration.KindOf(err) {
	case "":
	case integration.KindInvalid, integration.KindConflict:
		body.Problem = httpkit.Message(err)
		return a.draw(w, r, http.StatusUnprocessableEntity, body, nil)
	default:
		return err
	}
	// Never the secret: the audit is read by more people than the person who made the token.
	people.About(r.Context(), t.ID, t.Name+", "+t.Role)
	body.Made = secret
	return a.draw(w, r, http.StatusCreated, body, nil)
}

// RevokeToken revokes a token. A second click is no error. It is left out of the audit.
func (a *Access) RevokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := a.people.RevokeToken(r.Context(), r.PathValue("id")); integration.KindOf(err) == integration.KindNotFound {
		people.SkipAudit(r.Context())
	} else if err != nil {
		return err
	}
	a.site.Redirect(w, r, "/settings/people?revoked=1")
	return nil
}

// EndLogin logs a browser out. A second click is no error.
func (a *Access) EndLogin(w http.ResponseWriter, r *http.Request) error {
	l, err := a.people.EndLogin(r.Context(), people.From(r.Context()), r.PathValue("id"))
	if integration.KindOf(err) == integration.KindNotFound {
		people.SkipAudit(r.Context())
	} else if err != nil {
		return err
	}
	// Email and User are alternatives: a login by the link in a page has no address.
	people.About(r.Context(), l.Email+l.User, "by "+l.How+", "+l.Agent)
	a.site.Redirect(w, r, "/settings/people?ended=1")
	return nil
}
