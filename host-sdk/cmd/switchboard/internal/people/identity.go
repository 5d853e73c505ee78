package people

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Identity is whose a request is. The zero Identity is nobody's. It is made anew for each request
// and never stored: what an account may do follows the switchboard file at once.
type Identity struct {
	Role  Role
	How   string // one of store's words for logins, or ByNamedToken
	Login string // id of the browser's login in the store; "": the request came with a token
	Token string // name of a token of a program
	Email string // of the account
	User  string // the platform's id: of an account that names it, or of the person who was paged
	Alert string // id of the one alert that the link in a page opens; "": not limited
	Since time.Time
	Ends  time.Time // zero: not known
}

// ByNamedToken is how a program with a token of its own is known.
const ByNamedToken = "named token"

// Known reports whether it is somebody's.
func (i Identity) Known() bool { return i.Role != "" }

// Shared reports whether it is that of the API token of the settings, which says nothing of who has
// it. So it has to say in whose name it acts; see layout.Site.Me.
func (i Identity) Shared() bool { return i.How == store.LoginByToken }

// Person reports whether it is a person's, who acts in their own name alone. That name is the
// account's, or the paged person's.
func (i Identity) Person() bool { return i.Known() && !i.Shared() && i.How != ByNamedToken }

// Who names it in the audit. A token of a program is told apart from people, who could have the
// same name.
func (i Identity) Who() string {
	switch {
	case i.How == ByNamedToken:
		return "token " + i.Token
	case i.Shared():
		return "the API token"
	}
	return cmp.Or(i.Email, i.User)
}

// Whose tells one login, or one token, from all others.
func Whose(ctx context.Context) string {
	who := From(ctx)
	return cmp.Or(who.Login, who.Who())
}

// May reports whether it allows an action. alert is the id of the alert that the action is about,
// "" for anything else: the link in a page allows little, and of its alert alone. Whether what is
// to be heard belongs to that alert is for the caller to find out. That is why Hear is let through
// here whatever the alert: the recording in the address belongs to a call, not to an alert.
func (i Identity) May(a Action, alert string) bool {
	if i.Alert != "" && (!slices.Contains(ofPage, a) || alert != i.Alert && a != Hear) {
		return false
	}
	return i.Role.May(a)
}

// Refuse is why it may not do an action, for people. It names the role that would be enough and who
// can give it.
func (i Identity) Refuse(a Action) *httpkit.Refusal {
	r := &httpkit.Refusal{Status: http.StatusForbidden, Title: "Not allowed"}
	switch {
	case !i.Known():
		r.Title, r.Message = "Log in first", "Log in first, or send an API token."
	case i.Alert != "":
		r.Title, r.Message = "Log in first", "The link in your page opens one alert. For everything else, log in."
	case a == Hear:
		r.Message = "The role " + string(i.Role) + " does not include hearing what callers said. Whoever keeps the switchboard file can make you " + string(Least(a)) + "."
	case i.How == ByNamedToken:
		r.Message = "The token " + i.Token + " has the role " + string(i.Role) + ", and this needs " + string(Least(a)) + ": make a token with that role."
	default:
		r.Message = "Your role is " + string(i.Role) + ", and this needs " + string(Least(a)) + ". Whoever keeps the switchboard file can change your role."
	}
	return r
}

// identityKey is the key of the identity in a context.
type identityKey struct{}

// With is the context of a request of somebody. The guards of the pages and of the API call it,
// before any handler.
func With(ctx context.Context, i Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, i)
}

// From is whose a request is, as With has said; nobody's, if it has not. Nobody's has no role, so
// forgetting With refuses everything.
func From(ctx context.Context) Identity {
	i, _ := ctx.Value(identityKey{}).(Identity)
	return i
}
