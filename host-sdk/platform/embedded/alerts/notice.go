package alerts

import (
	"context"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Event is what a notice is about.
type Event string

// The events. Only EventPaged is for a person; a team's channels are told of the others.
const (
	EventPaged      Event = "paged"      // a layer was reached that has the person
	EventOpened     Event = "opened"     // the alert waits for somebody, at first or again
	EventTaken      Event = "taken"      // somebody acknowledged it
	EventUnanswered Event = "unanswered" // nobody is left who could be paged
	EventMessage    Event = "message"    // a message was left
	EventUnheard    Event = "unheard"    // a message was heard by nobody
)

// Page tells one person, or one channel of a team, of an alert by one of their ways.
type Page struct {
	ID    string               // the same when it is tried again: the key of a mail
	Alert platform.AlertRecord // as it is now
	Event Event
	User  integration.User // who is paged, and is still in the file; zero for a channel
	Team  string           // name of the team whose channel it is; "" for a person
	Note  string           // what happened, in a sentence; "" for a person: the alert is new
	Layer int
	Round int
	At    time.Time // when the layer was reached, or the event happened
}

// wayMail is the way of a notice that is mailed; the others are ids of addresses. No id of an
// address can be this word: ids are hexadecimal.
const wayMail = "mail"

// Times after which a notice is given up: a page after that of most layers, when the next person
// has been paged; what a channel is told after an hour.
const (
	pageTime    = 15 * time.Minute
	channelTime = time.Hour
)

// event is something that the channels of an alert's teams are to be told. It becomes one notice
// for each channel of each team.
type event struct {
	kind  Event
	note  string
	teams []string // ids; nil: those of the alert
}

// tell has the channels of the alert's teams told of an event.
func (c *change) tell(kind Event, note string) {
	c.dirty = true
	c.events = append(c.events, event{kind: kind, note: note})
}

// notices are the rows for everybody who is told of a change, by each of their ways. They are
// decided with the change and written by it, so nobody is told of what was not committed.
func (s *Service) notices(c *change) ([]notice, error) {
	var out []notice
	var err error
	add := func(n notice, lasts time.Duration) {
		var failed error
		if n.ID, failed = newID(c.now); failed != nil {
			err = failed
		}
		n.alertID, n.At, n.ends = c.id, c.now, c.now.Add(lasts)
		out = append(out, n)
	}
	for _, pg := range c.pages {
		for _, id := range pg.users {
			for _, way := range s.ways(c.file.User(id)) {
				add(notice{Page: Page{Event: EventPaged, Note: pg.why, Layer: pg.layer, Round: pg.round}, person: id, way: way}, pageTime)
			}
		}
	}
	for _, e := range c.events {
		teams := c.teams
		if e.teams != nil {
			teams = e.teams
		}
		// A team that has left the file has no channels that anybody could name.
		for _, id := range teams {
			t := c.file.Team(id)
			if t == nil || s.cfg.Send == nil {
				continue
			}
			for _, channel := range t.Channels {
				add(notice{Page: Page{Event: e.kind, Note: e.note, Layer: c.layer, Round: c.round}, team: id, way: channel.ID()}, channelTime)
			}
		}
	}
	return out, err
}

// ways are how a person can be told now. It is asked when the notice is made. An address that is
// added later gets the next one.
func (s *Service) ways(u *switchboardfile.User) []string {
	if u == nil {
		return nil
	}
	var out []string
	if s.cfg.Notify != nil && u.Email != "" {
		out = append(out, wayMail)
	}
	if s.cfg.Send != nil {
		for _, address := range u.Notify {
			out = append(out, address.ID())
		}
	}
	return out
}

// reaches reports whether a person has any way to be told.
func (s *Service) reaches(u *switchboardfile.User) bool {
	return u != nil && (s.cfg.Notify != nil && u.Email != "" || s.cfg.Send != nil && len(u.Notify) > 0)
}

// recipient is whom a notice is for, as the file has them now. A notice is stored with ids alone:
// names and addresses are those of the moment of sending.
type recipient struct {
	name    string // of the person, or of the team whose channel it is
	by      string // the way, for people: "by mail", "by ntfy (ntfy.example.com)"
	remedy  string // what to do if it does not work
	short   string // the address in a sentence of the story: "ntfy"
	address notify.Address
}

// overtaken reports whether what a channel could not be told at once is no longer so: the next
// notice says what is. The first attempt is always made, so that a channel's story is whole when
// all works.
func (n *notice) overtaken() bool {
	if n.attempts < 2 {
		return false
	}
	now := n.Alert.Status
	switch n.Event {
	case EventOpened:
		return now != integration.AlertOpen
	// Resolved by the one who took it still means taken.
	case EventTaken:
		return now == integration.AlertOpen || now == integration.AlertDropped
	case EventUnanswered:
		return now == integration.AlertOpen || now == integration.AlertAcknowledged
	case EventPaged, EventMessage, EventUnheard:
	}
	return false
}

// late reports whether a page has come too late: it is only for an open alert, as nobody is woken
// for one that somebody has taken.
func (n *notice) late() bool { return n.team == "" && n.Alert.Status != integration.AlertOpen }

// recipientOf completes a notice by what the file says; nil: the person, the team or the way is
// gone from it, or the channel hears of something later.
func (s *Service) recipientOf(n *notice) *recipient {
	f := s.file()
	var known switchboardfile.Addresses
	out := &recipient{}
	if n.team != "" {
		t := f.Team(n.team)
		if t == nil || n.overtaken() {
			return nil
		}
		n.Team, known, out.name = t.Name, t.Channels, t.Name
	} else {
		u := f.User(n.person)
		if u == nil {
			return nil
		}
		n.User, known, out.name = u.Contract(), u.Notify, u.Name
	}
	if n.way == wayMail {
		if n.User.Email == "" || s.cfg.Notify == nil {
			return nil
		}
		out.by, out.remedy = "by mail", "correct the address "+n.User.Email+" in the switchboard file, or see to the mail server"
		return out
	}
	address, ok := known.ByID(n.way)
	if !ok || s.cfg.Send == nil {
		return nil
	}
	out.address, out.short, out.by, out.remedy = address, known.Short(n.way), "by "+known.Shown(n.way), "correct the address in the switchboard file, or see to the service"
	return out
}

// send sends a notice once.
func (s *Service) send(ctx context.Context, n notice, to *recipient) error {
	if n.way == wayMail {
		return s.cfg.Notify(ctx, n.Page)
	}
	return s.cfg.Send(ctx, to.address, n.Page)
}

// done says in the alert's story that somebody was told; "": a channel's name is not put there each
// time. A channel has many readers and gets many notices; who is on call is what the story is
// about.
func (n notice) done(to *recipient) string {
	switch {
	case n.team != "":
		return ""
	case n.way == wayMail:
		return to.name + " was mailed"
	}
	return to.name + " was notified by " + to.short
}

// missed says in the alert's story that a page had been tried in vain when it came too late: the
// story tells that the layer was reached, and whoever reads it must not take that for a mail. ""
// where it was not tried. This attempt, which is not made, is counted already.
func (n notice) missed(to *recipient) string {
	if n.attempts < 2 {
		return ""
	}
	return n.untold(to, n.attempts-1 > n.failed) + " before the alert was " + string(n.Alert.Status)
}

// givenUp says in the alert's story that somebody could not be told, and why.
func (n notice) givenUp(to *recipient, err error) string {
	// A refusal is the server's last word, whatever became of the attempts before.
	maybe := !refused(err) && (unsure(err) || n.attempts-1 > n.failed)
	return n.untold(to, maybe) + reasonSuffix(plainReason(err))
}

// untold says that somebody could not be told, or that they may have been: of an attempt that a
// host began and did not live to end nobody knows.
func (n notice) untold(to *recipient, maybe bool) string {
	who, done := to.name, "mailed"
	switch {
	case n.team != "":
		who, done = "The channel "+to.short+" of "+to.name, "told"
	case n.way != wayMail:
		done = "notified by " + to.short
	}
	if maybe {
		return who + " may have been " + done + ", but it was not confirmed"
	}
	return who + " could not be " + done
}

// uses reports whether this process notifies by a way. A process without hooks, such as a command,
// sends nothing and finds nothing out.
func (s *Service) uses(way string) bool {
	if way == wayMail {
		return s.cfg.Notify != nil
	}
	return s.cfg.Send != nil
}

// sameWay reports whether what is remembered of a way is still in the file, and used. Anything else
// would show a warning about an address that is not used any more.
func (s *Service) sameWay(key unreachedKey) bool {
	if !s.uses(key.way) {
		return false
	}
	f := s.file()
	if t := f.Team(key.team); t != nil {
		_, ok := t.Channels.ByID(key.way)
		return ok
	}
	u := f.User(key.person)
	if u == nil {
		return false
	}
	if key.way == wayMail {
		return switchboardfile.Mailbox(u.Email) == switchboardfile.Mailbox(key.email)
	}
	return slices.ContainsFunc(u.Notify, func(a notify.Address) bool { return a.ID() == key.way })
}
