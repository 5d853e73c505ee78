package layout

import (
	"net/http"
	"net/url"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
)

const (
	// personCookie holds the id of the user whom the browser acts as.
	personCookie = "switchboard_me"
	// viewer is the value of personCookie for a browser that acts as nobody, so that it is not
	// asked again.
	viewer = "-"
	// personTime is how long a browser remembers the choice: a year, as a device has one user.
	personTime = 365 * 24 * time.Hour
)

// Person is somebody whom a browser can act as.
type Person struct{ ID, Name string }

// chosen is the id in the cookie, or viewer; false if there was no choice yet.
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

// Me is the person whom the browser acts as; the zero Person if nobody was chosen or the platform
// no longer knows the user.
func (s *Site) Me(r *http.Request) Person {
	id, ok := chosen(r)
	if !ok || id == viewer {
		return Person{}
	}
	u, err := s.Platform.User(r.Context(), s.Scope(""), id)
	if err != nil {
		return Person{}
	}
	return Person{u.ID, names.Of(u)}
}

// Remember makes the browser act as a user from now on; "" for nobody.
func (s *Site) Remember(w http.ResponseWriter, id string) {
	if id == "" {
		id = viewer
	}
	http.SetCookie(w, s.Cookie(personCookie, url.QueryEscape(id), personTime))
}

// ListsPeople reports whether the platform lists the people who can be chosen.
func (s *Site) ListsPeople() bool { return s.people != nil }

// Everybody lists the people who can be chosen; nil if the platform does not list them.
func (s *Site) Everybody() []Person {
	if s.people == nil {
		return nil
	}
	var all []Person
	for _, u := range s.people.Users() {
		all = append(all, Person{u.ID, names.Of(u)})
	}
	return all
}

// Cookie is one that scripts cannot read and that forms of other sites do not send. An age below 0
// deletes it.
func (s *Site) Cookie(name, value string, age time.Duration) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: s.base + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.Secure(), MaxAge: int(age / time.Second)} // #nosec G124 -- Secure wherever the public address is https
	if age < 0 {
		c.MaxAge = -1
	}
	return c
}

// Secure reports whether browsers reach these pages by https.
func (s *Site) Secure() bool { return s.PublicURL.Scheme == "https" }
