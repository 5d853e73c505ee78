package switchboardfile

import (
	"cmp"
	"fmt"
	"net/mail"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/internal/mailbox"
	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
)

// Kinds of platforms.
const (
	KindEmbedded = "embedded" // people, teams and routers are those of the file
	KindRemote   = "remote"   // a service that speaks the protocol of platform/remote
	KindGoAlert  = "goalert"  // a GoAlert server
)

// Platform says what supplies people, teams and alerts. Like the settings, it is checked here for
// its shape; the host knows what it means. It is compared as a whole to find out whether a restart
// is needed (otherPlatform), so its fields must stay comparable.
type Platform struct {
	Kind string `json:"kind"`
	URL  string `json:"url"` // of remote and goalert

	Token       SecretPlace `json:"token"`        // of remote
	HintsSecret SecretPlace `json:"hints_secret"` // of remote; zero: none
	Tenant      string      `json:"tenant"`       // of remote
	CAFile      string      `json:"ca_file"`      // of remote; paths are relative to the file
	ClientCert  string      `json:"client_cert"`  // of remote
	ClientKey   string      `json:"client_key"`   // of remote

	Keys SecretPlace `json:"keys"` // of goalert
}

// SecretPlace says where a secret is: one of the two is set. The file never holds a secret itself.
// The file is often kept where many people can read it.
type SecretPlace struct {
	Env  string `json:"env"`  // name of an environment variable
	File string `json:"file"` // path, relative to the switchboard file
}

// Roles of accounts.
const (
	RoleAdmin     = "admin"
	RoleResponder = "responder"
	RoleViewer    = "viewer"
)

// Account is somebody who may use the host's pages. It says who may do what on the pages; who may
// be rung is said by users.
type Account struct {
	Email string `json:"email"`
	Role  string `json:"role"` // RoleResponder where the file has none
	// The platform's id of this person; "": the platform's user with this e-mail.
	User string `json:"user"`
}

// Accounts are those of the file's section and, after them, each user with an e-mail that is not
// among them. The list must not be changed.
func (f *File) Accounts() []Account { return f.everyAccount }

// Account finds an account by its e-mail address, in whatever case it is written; nil when the file
// has none.
func (f *File) Account(email string) *Account { return f.byEmail[Mailbox(email)] }

// Mailbox is an e-mail address as addresses are compared; see package mailbox.
func Mailbox(email string) string { return mailbox.Key(email) }

// collectAccounts makes the list of all accounts: those of the file, and one for each user whose
// address is in none of them.
func (f *File) collectAccounts() {
	f.byEmail = map[string]*Account{}
	f.everyAccount = slices.Clone(f.accounts)
	listed := map[string]bool{}
	for _, a := range f.accounts {
		listed[Mailbox(a.Email)] = true
	}
	for _, u := range f.Users {
		if u.Email != "" && !listed[Mailbox(u.Email)] {
			f.everyAccount = append(f.everyAccount, Account{Email: u.Email, Role: cmp.Or(u.Role, RoleResponder), User: u.ID})
		}
	}
	for i := range f.everyAccount {
		if email := f.everyAccount[i].Email; email != "" {
			addFirst(f.byEmail, Mailbox(email), &f.everyAccount[i])
		}
	}
}

// embeddedSections are those that the embedded platform alone reads.
var embeddedSections = []string{"users", "teams", "routers"}

// checkPlatform reports sections of the embedded platform beside another one: two answers to who is
// on call. The section of the wrong one is reported, with the line of the other.
func (f *File) checkPlatform(list *problemList) {
	if f.Platform.Kind != KindRemote && f.Platform.Kind != KindGoAlert {
		return
	}
	line := f.root.KeyAt("platform").Line
	for _, name := range embeddedSections {
		if f.root.Has(name) {
			list.errorAtKey("", name, fmt.Sprintf("the %s platform of line %d keeps them: remove one of the two sections", f.Platform.Kind, line))
		}
	}
}

// checkAccounts reports addresses that are none or listed twice, and users whom the file should
// have. With another platform its users are not known here, so ids of theirs are not checked.
func (f *File) checkAccounts(list *problemList) {
	seen := map[string]int{}
	for i, a := range f.accounts {
		at := fmt.Sprintf("/accounts/%d", i)
		if parsed, err := mail.ParseAddress(a.Email); a.Email != "" && (err != nil || parsed.Address != a.Email) {
			list.errorAt(at+"/email", "%q is not an e-mail address such as alice@example.com", yamltree.Shorten(a.Email))
		}
		key := Mailbox(a.Email)
		if first, twice := seen[key]; twice && key != "" {
			list.errorAt(at+"/email", "%q has an account in line %d already: one for each address", yamltree.Shorten(a.Email),
				f.root.Nearest(fmt.Sprintf("/accounts/%d/email", first)).Line)
		} else {
			seen[key] = i
		}
		if f.Platform.Kind == KindEmbedded {
			f.checkUserID(list, at+"/user", a.User)
		}
	}
}
