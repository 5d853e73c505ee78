package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// meView says whose a request is.
type meView struct {
	Account string `json:"account"` // e-mail address; "" of a token
	// Name of a token; "" of a person, and of the API token of the settings.
	Token string      `json:"token"`
	User  string      `json:"user"` // the platform's id, as far as the account says it
	Role  people.Role `json:"role"`
	How   string      `json:"how"`
}

// getMe answers GET /me.
func (a *API) getMe(w http.ResponseWriter, r *http.Request) error {
	who := people.From(r.Context())
	httpkit.WriteJSON(w, http.StatusOK, meView{who.Email, who.Token, who.User, who.Role, who.How})
	return nil
}

// loginView is a browser that somebody is logged in with. The id is a hash, from which the cookie
// cannot be made.
type loginView struct {
	ID string `json:"id"`
	// E-mail address, or "" of the API token and of links in pages.
	Account  string     `json:"account"`
	User     string     `json:"user"`  // of a link in a page
	Alert    string     `json:"alert"` // of a link in a page
	How      string     `json:"how"`
	Since    *time.Time `json:"since"`
	LastUsed *time.Time `json:"last_used"`
	Ends     *time.Time `json:"ends"`
	Remote   string     `json:"remote"`
	Agent    string     `json:"agent"`
	Current  bool       `json:"current"` // the request's own
}

// listLogins answers GET /logins: one's own, or those of everybody for an admin. A token of a
// program has no logins of its own.
func (a *API) listLogins(w http.ResponseWriter, r *http.Request) error {
	who := people.From(r.Context())
	list := []store.Login{}
	if all := who.May(people.Manage, ""); all || who.Email != "" {
		account := who.Email
		if all {
			account = r.URL.Query().Get("account")
		}
		var err error
		if list, err = a.People.Logins(r.Context(), account); err != nil {
			return err
		}
		if account != "" && len(list) == 0 && !strings.Contains(account, "@") {
			return apikit.BadRequest("account %.60q is no account: give an e-mail address", account)
		}
	}
	views := make([]loginView, 0, len(list))
	for _, l := range list {
		views = append(views, loginView{l.ID, l.Email, l.User, l.Alert, l.How, apikit.Moment(l.Since), apikit.Moment(l.LastUsed), apikit.Moment(l.Ends), l.Remote, l.Agent, l.ID == who.Login})
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// endLogin answers DELETE /logins/{id}. An id of somebody else's is 404 to those who may not
// Manage.
func (a *API) endLogin(w http.ResponseWriter, r *http.Request) error {
	l, err := a.People.EndLogin(r.Context(), people.From(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	people.About(r.Context(), l.Email+l.User, "by "+l.How+", "+l.Agent)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Token is a token of a program, without what the program sends.
type Token struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Role     string     `json:"role"`
	MadeBy   string     `json:"made_by"`
	MadeAt   *time.Time `json:"made_at"`
	LastUsed *time.Time `json:"last_used"`
	Revoked  *time.Time `json:"revoked_at"`
}

// ViewToken shows a token.
func ViewToken(t store.Token) Token {
	return Token{t.ID, t.Name, t.Role, t.MadeBy, apikit.Moment(t.MadeAt), apikit.Moment(t.LastUsed), apikit.Moment(t.Revoked)}
}

// listTokens answers GET /tokens. Revoked ones are in it.
func (a *API) listTokens(w http.ResponseWriter, r *http.Request) error {
	all, err := a.People.Tokens(r.Context())
	if err != nil {
		return err
	}
	views := make([]Token, 0, len(all))
	for _, t := range all {
		views = append(views, ViewToken(t))
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}

// MadeToken is a token that was just made: the only answer with what the program sends.
type MadeToken struct {
	Token
	Secret string `json:"secret"`
}

// makeToken answers POST /tokens. The audit gets its id and name.
func (a *API) makeToken(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Name string `json:"name"`
		Role string `json:"role"`
	}
	if err := apikit.ReadJSON(w, r, &body); err != nil {
		return err
	}
	t, secret, err := a.People.MakeToken(r.Context(), people.From(r.Context()), body.Name, people.Role(body.Role))
	if err != nil {
		return err
	}
	people.About(r.Context(), t.ID, t.Name+", "+t.Role)
	httpkit.WriteJSON(w, http.StatusCreated, MadeToken{ViewToken(t), secret})
	return nil
}

// revokeToken answers DELETE /tokens/{id}. Streams that it has open end; a second time is 404.
func (a *API) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := a.People.RevokeToken(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// auditView is a line of the audit.
type auditView struct {
	Time   *time.Time `json:"time"`
	Who    string     `json:"who"`
	Action string     `json:"action"`
	About  string     `json:"about"`
	Detail string     `json:"detail"`
	Remote string     `json:"remote"`
}

// listAudit answers GET /audit. A Link header leads to the next lines.
func (a *API) listAudit(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	limit, err := apikit.QueryInt(r, "limit", 100, apikit.MaxList)
	if err != nil {
		return err
	}
	lines, next, err := a.People.ListAudit(r.Context(), store.AuditFilter{Who: q.Get("who"), Action: q.Get("action"), About: q.Get("about"), After: q.Get("cursor"), Limit: limit})
	if err != nil {
		return err
	}
	views := make([]auditView, 0, len(lines))
	for _, l := range lines {
		views = append(views, auditView{apikit.Moment(l.At), l.Who, l.Action, l.About, l.Detail, l.Remote})
	}
	if next != "" {
		q.Set("cursor", next)
		w.Header().Set("Link", "<"+a.PublicURL+apikit.Prefix+"/audit?"+q.Encode()+`>; rel="next"`)
	}
	httpkit.WriteJSON(w, http.StatusOK, views)
	return nil
}
