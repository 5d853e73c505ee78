package layout

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

const (
	// personCookie holds the choice of whom the browser acts as.
	personCookie = "switchboard_me"
	// viewer is the value of personCookie for a browser that acts as nobody, so that it is not
	// asked again.
	viewer = "-"
	// personTime is how long a browser remembers the choice: a year, as a device has one user.
	personTime = 365 * 24 * time.Hour
)

// Person is somebody whom a browser can act as. It says in whose name actions are recorded; what a
// browser may do follows from its login, never from this.
type Person struct {
	Choice string // what the browser remembers: the address of an account, or the id of a user
	ID     string // the platform's id; "": this person is unknown to the platform and only looks
	Name   string
}

// chosen is the choice in the cookie, or viewer; false if there was no choice yet. The cookie is
// not signed: whoever has the API token may act as anybody anyway.
func chosen(r *http.Request) (string, bool) {
	c, err := r.Cookie(personCookie)
	if err != nil || c.Value == "" {
		return "", false
	}
	id, err := url.QueryUnescape(c.Value)
	return id, err == nil
}

// Asked reports whether this browser has chosen whom it acts as, or that it is only viewing.
func (s *Site) Asked(r *http.Request) bool {
	_, ok := chosen(r)
	return ok
}

// Me is the person in whose name a request acts: whoever is logged in, or with the API token whom
// the browser has chosen; the zero Person if nobody was chosen, or the choice is none any more. A
// platform that does not answer costs the name, not the page.
func (s *Site) Me(r *http.Request) Person {
	if who := people.From(r.Context()); who.Person() {
		return s.own(r.Context(), who)
	}
	choice, ok := chosen(r)
	if !ok || choice == viewer {
		return Person{}
	}
	me, err := s.Person(r.Context(), choice)
	if err != nil {
		return Person{}
	}
	return me
}

// own is the person who is logged in. Somebody whom the platform does not know has no ID. The
// account of the file comes first, as it may name the user; then the platform is asked for a user
// with this address.
func (s *Site) own(ctx context.Context, who people.Identity) Person {
	if who.Email == "" { // the link in a page
		if me, err := s.Person(ctx, who.User); err == nil {
			return me
		}
		return Person{Choice: who.User, ID: who.User, Name: who.User}
	}
	if s.account(who.Email) != nil {
		if me, err := s.Person(ctx, who.Email); err == nil {
			return me
		}
	}
	me := Person{Choice: who.Email, ID: who.User, Name: who.Email}
	if finder, ok := s.Platform.(platform.UserByEmail); ok && me.ID == "" {
		if u, err := finder.UserByEmail(ctx, s.Scope(""), who.Email); err == nil {
			me.ID, me.Name = u.ID, names.Of(u)
		}
	}
	return me
}

// account finds the account of an e-mail address; nil if there is none.
func (s *Site) account(email string) *switchboardfile.Account {
	if s.File == nil {
		return nil
	}
	return s.File.File().Account(email)
}

// Person is who is meant by a choice. not_found: nobody is. A choice is the address of an account
// or the id of a user; the account is looked for first.
func (s *Site) Person(ctx context.Context, choice string) (Person, error) {
	account := s.account(choice)
	// Where only accounts can be chosen, an address that is none must not be looked for as a user's
	// id.
	if account == nil && s.people == nil && len(s.accounts()) > 0 {
		return Person{}, integration.Errorf(integration.KindNotFound, "the switchboard file has no account %q", choice)
	}
	if account == nil { // the id of a user
		u, err := s.Platform.User(ctx, s.Scope(""), choice)
		if err != nil {
			return Person{}, err
		}
		return Person{Choice: choice, ID: u.ID, Name: names.Of(u)}, nil
	}
	// An account stays chosen while the platform does not answer: who somebody is does not depend
	// on it.
	p := Person{Choice: account.Email, ID: account.User, Name: account.Email}
	if finder, ok := s.Platform.(platform.UserByEmail); p.ID == "" && ok {
		if u, err := finder.UserByEmail(ctx, s.Scope(""), p.Choice); err == nil {
			p.ID = u.ID
		}
	}
	if p.ID != "" {
		if u, err := s.Platform.User(ctx, s.Scope(""), p.ID); err == nil {
			p.Name = names.Of(u)
		}
	}
	return p, nil
}

// accounts are those of the switchboard file.
func (s *Site) accounts() []switchboardfile.Account {
	if s.File == nil {
		return nil
	}
	return s.File.File().Accounts()
}

// Remember makes the browser act as a person from now on, by the choice; "" for nobody. The choice
// outlives the login, as a device has one user.
func (s *Site) Remember(w http.ResponseWriter, choice string) {
	if choice == "" {
		choice = viewer
	}
	http.SetCookie(w, s.People.Cookie(personCookie, url.QueryEscape(choice), personTime))
}

// Everybody lists the people who can be chosen: those whom the platform lists, and the accounts of
// others, who are named by their address alone, as each name would be a question to the platform.
// nil if neither is known.
func (s *Site) Everybody() []Person {
	var all []Person
	if s.people != nil {
		for _, u := range s.people.Users() {
			all = append(all, Person{Choice: u.ID, ID: u.ID, Name: names.Of(u)})
		}
	}
	for _, a := range s.accounts() {
		if a.User == "" || !slices.ContainsFunc(all, func(p Person) bool { return p.ID == a.User }) {
			all = append(all, Person{Choice: a.Email, ID: a.User, Name: a.Email})
		}
	}
	return all
}
