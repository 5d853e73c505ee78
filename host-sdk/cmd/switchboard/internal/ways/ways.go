// Package ways tells a person by each of the ways that the switchboard file has for them: for a
// test, and of shifts and absences that others change for them. Pages of alerts are durable and
// sent by the embedded platform.
package ways

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// The kinds of ways.
const (
	Mail   = "mail"
	Notify = "notify"
)

// testEvery is how long nobody can be tested again: a button that is pressed twice is one test.
// Another clock step than forward counts as long enough.
const testEvery = 5 * time.Second

// Config makes Ways. All fields without a note are needed.
type Config struct {
	File   func() *switchboardfile.File
	Mailer engine.Mailer // nil: there is no mail server
	Send   func(ctx context.Context, purpose string, to notify.Address, m notify.Message) error
	Clock  clock.Clock
	// Reached is told that something reached a person by a way; nil: nobody is.
	Reached func(ctx context.Context, user string, way Way)
}

// Ways tells people. It keeps in memory when somebody was tested last; nothing else.
type Ways struct {
	cfg Config

	mu     sync.Mutex
	tested map[string]time.Time // by user id
}

// New makes Ways.
func New(cfg Config) *Ways { return &Ways{cfg: cfg, tested: map[string]time.Time{}} }

// Way is how a person can be told. To can be shown; address holds what is secret of it.
type Way struct {
	Kind string // Mail or Notify
	To   string // e-mail address, or service and host, told from the others; never a secret

	address notify.Address
}

// ID tells the ways of a person apart, as the embedded platform does.
func (w Way) ID() string {
	if w.Kind == Mail {
		return Mail
	}
	return w.address.ID()
}

// Person is somebody with their ways.
type Person struct {
	ID, Name string
	Ways     []Way
}

// People lists everybody of the switchboard file, in its order. The file in force is read each
// time.
func (w *Ways) People() []Person {
	f := w.cfg.File()
	out := make([]Person, 0, len(f.Users))
	for i := range f.Users {
		out = append(out, w.person(&f.Users[i]))
	}
	return out
}

// Of are the ways of a person; false: the file has nobody of this id.
func (w *Ways) Of(id string) (Person, bool) {
	u := w.cfg.File().User(id)
	if u == nil {
		return Person{}, false
	}
	return w.person(u), true
}

// Untold is why a person does not hear of what others change for them, with what to do; "": they
// do, or this host does not tell the people of its platform.
func (w *Ways) Untold(id string) string {
	if w == nil {
		return ""
	}
	p, known := w.Of(id)
	if !known || len(p.Ways) > 0 {
		return ""
	}
	return p.Name + " has no way by which they could be told: tell them yourself"
}

// person lists the ways of a user in the order in which they are shown: mail first, and only where
// there is a mail server.
func (w *Ways) person(u *switchboardfile.User) Person {
	p := Person{ID: u.ID, Name: u.Name}
	if u.Email != "" && w.cfg.Mailer != nil {
		p.Ways = append(p.Ways, Way{Kind: Mail, To: u.Email})
	}
	for _, a := range u.Notify {
		p.Ways = append(p.Ways, Way{Kind: Notify, To: u.Notify.Shown(a.ID()), address: a})
	}
	return p
}

// Result is what came of telling a person by one way. It is the API's answer, too.
type Result struct {
	Way  string `json:"way"`
	To   string `json:"to"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what happened, a sentence
	// Outcome is one of the outcomes of [integration.ActionTestRing], and Via the name of the
	// integration that rang; of a ring alone.
	Outcome string `json:"outcome,omitempty"`
	Via     string `json:"via,omitempty"`
}

// Test sends a test by the ways of a kind; "": by all of them. The error is not_found for an
// unknown person, invalid for an unknown kind, and conflict if they were tested seconds ago, or
// have no such way. Each result says what happened; a way that failed is not an error of the test.
func (w *Ways) Test(ctx context.Context, id, kind string) ([]Result, error) {
	p, ok := w.Of(id)
	if !ok {
		return nil, integration.Errorf(integration.KindNotFound, "user %q: the switchboard file has none of this id", id)
	}
	if kind != "" && kind != Mail && kind != Notify {
		return nil, integration.Errorf(integration.KindInvalid, "way %q: want mail, notify or ring, or none for mail and notify", kind)
	}
	var chosen []Way
	for _, way := range p.Ways {
		if kind == "" || way.Kind == kind {
			chosen = append(chosen, way)
		}
	}
	if len(chosen) == 0 {
		return nil, integration.Errorf(integration.KindConflict, "%s cannot be told%s: %s", p.Name, map[string]string{Mail: " by mail", Notify: " at an address"}[kind], w.remedy(kind))
	}
	if !w.begin(id) {
		return nil, integration.Errorf(integration.KindConflict, "%s was sent a test just now: wait a few seconds", p.Name)
	}
	return w.all(ctx, p.ID, chosen, "test", "A test of your pages", "This is a test: you would be told like this of a call that waits for you. You need not do anything.\n"), nil
}

// remedy is what to do for a person without a way. It names what whoever keeps the file or the
// settings can do.
func (w *Ways) remedy(kind string) string {
	const address, server = "give them an email in the switchboard file", "set smtp_url, as there is no mail server"
	switch {
	case kind == Notify:
		return "give them notify in the switchboard file"
	case w.cfg.Mailer == nil && kind == Mail:
		return server
	case w.cfg.Mailer == nil:
		return "give them notify in the switchboard file, or " + server
	}
	return address
}

// begin notes a test; false: there was one just now. A clock that was set back does not lock
// anybody out.
func (w *Ways) begin(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.cfg.Clock.Now()
	if last, ok := w.tested[id]; ok && now.Sub(last) < testEvery && !now.Before(last) {
		return false
	}
	w.tested[id] = now
	return true
}

// Tell tells a person by all their ways. It fails if they have some and none worked; the error is
// of one that may work later, if there is any: not final, or wrong credentials of the host. One way
// that works is enough: the person knows then. messageID is the same for each attempt, so a mail is
// not shown twice.
func (w *Ways) Tell(ctx context.Context, id, messageID, purpose, title, text string) error {
	p, _ := w.Of(id)
	var failed error
	for _, r := range w.send(ctx, id, p.Ways, messageID, purpose, title, text) {
		if r == nil {
			return nil
		}
		if kind := integration.KindOf(r); failed == nil || !kind.Final() || kind == integration.KindUnauthorized {
			failed = r
		}
	}
	return failed
}

// all sends to ways and says what came of each. It is for tests, where each way matters.
func (w *Ways) all(ctx context.Context, user string, to []Way, purpose, title, text string) []Result {
	out := make([]Result, len(to))
	for i, err := range w.send(ctx, user, to, purpose+"-"+rand.Text(), purpose, title, text) {
		out[i] = Result{Way: to[i].Kind, To: to[i].To, OK: err == nil}
		switch {
		case err != nil:
			out[i].Text = "Not sent: " + httpkit.Message(err)
		case to[i].Kind == Mail:
			out[i].Text = "The mail server has taken the mail."
		default:
			out[i].Text = "The service has taken it."
		}
	}
	return out
}

// send sends to ways of a person at the same time and returns what came of each, in their order.
// Slow ways delay the others by nothing; the slowest decides how long it takes.
func (w *Ways) send(ctx context.Context, user string, to []Way, messageID, purpose, title, text string) []error {
	out := make([]error, len(to))
	var all sync.WaitGroup
	for i, way := range to {
		all.Go(func() {
			if way.Kind == Mail {
				out[i] = w.cfg.Mailer.Send(ctx, engine.OutgoingMail{MessageID: messageID, To: way.To, Subject: title, Text: text})
			} else {
				out[i] = w.cfg.Send(ctx, purpose, way.address, notify.Message{Title: title, Text: text})
			}
			// A finding that a way does not work is over then.
			if out[i] == nil && w.cfg.Reached != nil {
				w.cfg.Reached(ctx, user, way)
			}
		})
	}
	all.Wait()
	return out
}

// Line is a result in one line, for a terminal and for a page.
func (r Result) Line() string {
	by := ""
	if r.Via != "" {
		by = " by " + r.Via
	}
	return fmt.Sprintf("%s to %s%s: %s", r.Way, r.To, by, r.Text)
}
