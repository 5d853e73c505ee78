// Package inspect asks a platform all that changes nothing on it, and says in words what would
// disappoint callers. It works in front of any platform.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// askTime bounds one question. A person waits for the answers at a terminal.
const askTime = 10 * time.Second

// Level says what a line means. It decides the exit status of the command that prints the lines.
type Level string

// The levels of lines.
const (
	OK      Level = "ok"
	Note    Level = "note"    // it could not be found out, or is only good to know
	Warning Level = "warning" // it works, but will disappoint somebody
	Error   Level = "error"   // callers are not served as they should be
)

// Line is one thing that was found out.
type Line struct {
	Level Level
	Text  string // a sentence without a full stop, with the remedy where there is one
}

// String is the line as it is printed.
func (l Line) String() string { return string(l.Level) + ": " + l.Text }

// Hotline is an integration whose callers the platform finds people for. It is what the API returns
// of an integration, as far as it is needed here.
type Hotline struct {
	ID, Name     string
	Numbers      []string // that were called, in E.164 form
	Destinations []platform.Ref
}

// Subject is what is inspected.
type Subject struct {
	Platform platform.Platform
	Hotlines []Hotline
	Accounts []switchboardfile.Account
}

// inspection collects the lines. Questions are asked one after the other, so it needs no lock.
type inspection struct {
	Subject
	lines []Line
}

// Run asks everything. The lines are in the order of the questions; after a platform that cannot be
// used nothing more is asked.
func Run(ctx context.Context, s Subject) []Line {
	i := &inspection{Subject: s}
	if !i.health(ctx) {
		return i.lines
	}
	i.capabilities(ctx)
	i.teams(ctx)
	for _, h := range s.Hotlines {
		i.destinations(ctx, h)
	}
	for _, a := range s.Accounts {
		i.account(ctx, a)
	}
	if finder, ok := s.Platform.(platform.Finder); ok {
		for _, text := range finder.Findings() {
			i.say(Warning, "%s", text)
		}
	}
	return i.lines
}

// say adds a line.
func (i *inspection) say(level Level, format string, args ...any) {
	i.lines = append(i.lines, Line{level, fmt.Sprintf(format, args...)})
}

// failed reports an error, and whether there is one.
func (i *inspection) failed(what string, err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	if known := (*integration.Error)(nil); errors.As(err, &known) {
		text = known.Message
	}
	i.say(Error, "%s: %s", what, text)
	return true
}

// ask bounds a question in time.
func ask[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return question(ctx)
}

// health asks whether the platform can be used at all; false: nothing else can be asked.
func (i *inspection) health(ctx context.Context) bool {
	_, err := ask(ctx, func(ctx context.Context) (any, error) { return nil, i.Platform.Health(ctx) })
	if i.failed("the platform cannot be used", err) {
		return false
	}
	i.say(OK, "the platform answers and accepts the credentials")
	return true
}

// scope is that of the whole installation: teams are the same for all hotlines. Some platforms need
// an integration to know whose they are, hence the first one.
func (i *inspection) scope() platform.Scope {
	if len(i.Hotlines) > 0 {
		return platform.Scope{Integration: i.Hotlines[0].ID}
	}
	return platform.Scope{}
}

// capabilities says what callers and responders do without. None of it is wrong. The plugin makes
// up for each of them.
func (i *inspection) capabilities(ctx context.Context) {
	can, err := ask(ctx, func(ctx context.Context) (integration.Capabilities, error) {
		return i.Platform.Capabilities(ctx, i.scope())
	})
	if i.failed("what the platform can do cannot be read", err) {
		return
	}
	for _, c := range []struct {
		has  bool
		text string
	}{
		{can.UnroutedAlerts, "it has no alerts without a team: a call that ends in the menu is no alert"},
		{can.Reopen, "it takes no acknowledgement back: the plugin rings the others itself when the first does not take the call"},
		{can.Escalate, "it does not escalate by command: the plugin rings the next layers itself"},
		{can.AcknowledgedByUser, "its acknowledgements name nobody: everybody on call is rung then"},
		{can.Annotations, "it keeps no history of the call on its alerts: the history is on the call's page here"},
		{can.Audiences, "it resolves no mail audiences: use addresses"},
	} {
		if !c.has {
			i.say(OK, "%s", c.text)
		}
	}
	if can.PagesByItself {
		i.say(OK, `it pages people by itself: keep "How Responders Are Reached" on "Automatic", or they are called twice`)
	}
}

// teams asks who is on call for each team now. One team that cannot be asked does not keep the
// others from it.
func (i *inspection) teams(ctx context.Context) {
	teams, err := ask(ctx, func(ctx context.Context) ([]integration.Destination, error) {
		return i.Platform.Teams(ctx, i.scope())
	})
	if i.failed("the teams cannot be read", err) {
		return
	}
	if len(teams) == 0 {
		i.say(Error, "the platform has no teams: callers can reach nobody")
	}
	for _, t := range teams {
		entries, err := ask(ctx, func(ctx context.Context) ([]integration.OnCallEntry, error) {
			return i.Platform.OnCall(ctx, i.scope(), t.ID, 0, time.Now())
		})
		if i.failed("who is on call for "+t.Name+" cannot be read", err) {
			continue
		}
		i.onCall(t, entries)
	}
}

// onCall judges who is on call for a team. Each person is looked at once for each layer.
func (i *inspection) onCall(t integration.Destination, entries []integration.OnCallEntry) {
	if len(entries) == 0 {
		i.say(Warning, "nobody is on call for %s now", t.Name)
		return
	}
	var who []string
	for _, e := range entries {
		who = append(who, fmt.Sprintf("%s (layer %d)", e.User.Name, e.Layer))
	}
	i.say(OK, "on call for %s now: %s", t.Name, strings.Join(who, ", "))
	for _, e := range entries {
		if len(e.User.Phones) == 0 {
			i.say(Warning, "%s is on call for %s but has no telephone: nobody can be connected", e.User.Name, t.Name)
		}
		for _, number := range e.User.Phones {
			if i.own(number) {
				i.say(Warning, "%s's phone %s is a number of this hotline, which would call itself: give %s another phone", e.User.Name, phone.Display(number), e.User.Name)
			}
		}
	}
}

// own reports whether a number is one that callers dial.
func (i *inspection) own(number string) bool {
	return slices.ContainsFunc(i.Hotlines, func(h Hotline) bool { return slices.Contains(h.Numbers, number) })
}

// destinations asks for each destination of an integration. Missing ones are an error: a caller who
// chooses one reaches nobody.
func (i *inspection) destinations(ctx context.Context, h Hotline) {
	found, err := ask(ctx, func(ctx context.Context) ([]integration.Destination, error) {
		return i.Platform.Destinations(ctx, platform.Scope{Integration: h.ID}, h.Destinations)
	})
	if i.failed("the destinations of the integration "+h.Name+" cannot be read", err) {
		return
	}
	missing := 0
	for _, d := range found {
		if d.Missing {
			missing++
			i.say(Error, "the integration %s (%s) sends callers to the %s %q, which the platform does not have: choose another one in its form", h.Name, h.ID, d.Kind, d.ID)
		}
	}
	if missing == 0 {
		i.say(OK, "the platform has every destination of the integration %s", h.Name)
	}
}

// account asks for the platform's user of an account. An account without a user can look, and act
// in nobody's name.
func (i *inspection) account(ctx context.Context, a switchboardfile.Account) {
	id := a.User
	finder, finds := i.Platform.(platform.UserByEmail)
	switch {
	case id == "" && !finds:
		i.say(Warning, "the account %s has no user, and this platform finds nobody by e-mail: add user: with the platform's id if this person is to act", a.Email)
		return
	case id == "":
		u, err := ask(ctx, func(ctx context.Context) (integration.User, error) {
			return finder.UserByEmail(ctx, platform.Scope{}, a.Email)
		})
		if integration.KindOf(err) == integration.KindNotFound {
			i.say(Warning, "the account %s is nobody on the platform: add user: with the platform's id if this person is to act", a.Email)
			return
		}
		if i.failed("the account "+a.Email+" cannot be looked up", err) {
			return
		}
		id = u.ID
	}
	_, err := ask(ctx, func(ctx context.Context) (integration.User, error) { return i.Platform.User(ctx, i.scope(), id) })
	if integration.KindOf(err) == integration.KindNotFound {
		i.say(Error, "the account %s is the user %q, whom the platform does not have: correct user:", a.Email, id)
		return
	}
	i.failed("the user "+id+" of the account "+a.Email+" cannot be read", err)
}
