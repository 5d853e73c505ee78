package store

import (
	"context"
	"time"
)

// People keeps what a host knows of those who use its pages and its API: where they are logged in,
// the tokens of programs, what works once, and who did what. It is not part of [Store], as nothing
// that happens in a call depends on it. What proves who somebody is, such as a cookie, a token or a
// link, is never stored, only a hash of it: whoever reads the store cannot use it.
type People interface {
	Logins
	Tokens
	OneTimes
	Audits
}

// How somebody logged in.
const (
	LoginByToken  = "token"  // the API token that is a setting of the host
	LoginByMail   = "mail"   // a link sent by mail
	LoginByOpenID = "openid" // an OpenID provider
	LoginByPage   = "page"   // the link in a page, which opens one alert
)

// Login is a browser that somebody has logged in with.
type Login struct {
	ID    string // a hash of the cookie, 1 to 200 bytes
	How   string
	Email string // of the account; "" with LoginByToken and LoginByPage
	User  string // the platform's id of the person who was paged; "" unless LoginByPage
	Alert string // id of the one alert that the login opens; "": all that the role may do
	// Of somebody whom an OpenID provider's claim has admitted; "": the account says it.
	Role     string
	Since    time.Time
	LastUsed time.Time // as of a minute ago
	Ends     time.Time
	Remote   string // the network it began from
	Agent    string // the browser, in a few words
	// Why EndLogin has ended it, one of LoggedOut, AccountGone and NotLetIn; "" if it has not.
	Ended string
}

// Why a login was ended before its time.
const (
	LoggedOut   = "logged_out"   // by its owner or an admin
	AccountGone = "account_gone" // the account has left the switchboard file
	NotLetIn    = "not_let_in"   // the settings no longer let the account in
)

// Logins keeps the logins of browsers, so that one that has ended is over wherever a copy of its
// cookie is.
type Logins interface {
	// BeginLogin keeps a login until it ends. An ID that is known is a conflict.
	BeginLogin(ctx context.Context, l Login) error
	// Login reads a login, whose end may have passed. Unknown: not_found. One that has ended is
	// known for a day at least, so that its browser can be told why.
	Login(ctx context.Context, id string) (Login, error)
	// UseLogin notes that a login was used. Without effect if there is none, or it was used later.
	UseLogin(ctx context.Context, id string, now time.Time) error
	// ListLogins lists those that end after now, those of one account where email is not ""
	// (compared as it is stored), the one that began last first, at most 1000.
	ListLogins(ctx context.Context, email string, now time.Time) ([]Login, error)
	// EndLogin ends a login now. There is none, or it has ended: not_found, so that of several who
	// end it at the same time one has done so.
	EndLogin(ctx context.Context, id, why string, now time.Time) error
}

// Token lets a program use the API.
type Token struct {
	ID       string // for lists; it says nothing of the token
	Hash     string // of the token, 1 to 200 bytes
	Name     string // 1 to 100 bytes; unique among those that are not revoked
	Role     string
	MadeBy   string
	MadeAt   time.Time
	LastUsed time.Time // as of a minute ago; zero: never
	Revoked  time.Time // zero: it is valid
}

// Tokens keeps the tokens of programs.
type Tokens interface {
	// AddToken keeps a new token. A name that a valid token has is a conflict.
	AddToken(ctx context.Context, t Token) error
	// TokenByHash finds a token, which may be revoked; not_found.
	TokenByHash(ctx context.Context, hash string) (Token, error)
	// ListTokens lists all, also revoked ones, by name and then in the order in which they were
	// made.
	ListTokens(ctx context.Context) ([]Token, error)
	// UseToken notes that a token was used. Without effect if there is none, or it was used later.
	UseToken(ctx context.Context, id string, now time.Time) error
	// RevokeToken ends a token. One that is unknown or revoked already is not_found.
	RevokeToken(ctx context.Context, id string, now time.Time) error
}

// OneTime is what works once, such as the link that logs somebody in.
type OneTime struct {
	ID    string // a hash, 1 to 200 bytes
	About string // whom it is for
	Ends  time.Time
	Used  time.Time // zero: not used yet
}

// OneTimes keeps what works once, and for a day after its end what has become of it.
type OneTimes interface {
	// AddOneTime keeps one. An ID that is known is a conflict.
	AddOneTime(ctx context.Context, o OneTime) error
	// OneTime reads one; not_found if it is unknown, or ended a day ago.
	OneTime(ctx context.Context, id string) (OneTime, error)
	// UseOneTime uses one, if nobody has and its time is not over. Otherwise ok is false, and what
	// is returned says why not.
	UseOneTime(ctx context.Context, id string, now time.Time) (o OneTime, ok bool, err error)
	// OpenOneTimes counts those about somebody that could be used.
	OpenOneTimes(ctx context.Context, about string, now time.Time) (int, error)
}

// AuditLine says who did what.
type AuditLine struct {
	ID     int64 // given by the store, rising
	At     time.Time
	Who    string // an account's e-mail address, or a token's name
	Action string // a word for programs, such as login
	About  string // what it was done to: an id, a name
	Detail string // for people; may be ""
	Remote string // the network it came from; "": this machine's command line
}

// AuditFilter narrows a list of audit lines; empty fields mean any.
type AuditFilter struct {
	Who, Action, About string
	After              string // cursor of the list before
	Limit              int    // 1 to 1000
}

// Audits keeps who did what.
type Audits interface {
	// AddAudit keeps a line; texts of more than 500 characters are cut.
	AddAudit(ctx context.Context, l AuditLine) error
	// ListAudit lists lines, the newest first. next is the cursor of the following ones; "": there
	// are none.
	ListAudit(ctx context.Context, f AuditFilter) (lines []AuditLine, next string, err error)
	// ExpireAudit deletes the lines that are older, and returns how many.
	ExpireAudit(ctx context.Context, before time.Time) (int, error)
}
