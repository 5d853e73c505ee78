package shifts

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// Limits: a change is planned at most two years ahead and lasts at most one; there are at most
// maxChanges, a note has at most maxNote characters.
const (
	maxAhead   = 2 * 366 * 24 * time.Hour
	maxLength  = 366 * 24 * time.Hour
	maxChanges = 5000
	maxNote    = 200
)

// Actor is who makes a change. It is given by whoever has checked who they are, such as a page
// after the login.
type Actor struct {
	User string // the id; "": somebody whom the file does not have
	Name string // as people are named in lists and mails
	Any  bool   // may change the shifts of everybody in all teams, as an admin may
}

// check is why a change cannot be made; nil: it can. It looks at the file without changes for who
// exists, and at others, all changes there are, for who has what.
func check(f *switchboardfile.File, c Change, others []Change, actor Actor, now time.Time) error {
	u := f.User(c.User)
	if u == nil {
		return integration.Errorf(integration.KindInvalid, "user: the switchboard file has no user %q", oneline.Clean(c.User, 64))
	}
	if err := checkTimes(c, now); err != nil {
		return err
	}
	if len(others) >= maxChanges {
		return integration.Errorf(integration.KindInvalid, "there are %d changed shifts already, which is the limit: remove those that no longer matter, or write them into the switchboard file", maxChanges)
	}
	if c.Away() {
		if c.Layer != 0 {
			return integration.Errorf(integration.KindInvalid, "layer: an absence counts in all teams and layers: name a team, or leave the layer out")
		}
		if !actor.Any && actor.User != c.User {
			return integration.Errorf(integration.KindUnauthorized, "only %s, or an admin, may say when %s is away", u.Name, u.Name)
		}
		return nil
	}
	return checkShift(f, c, u, others, actor)
}

// checkTimes refuses times that nobody means. now is that of the wall, as shifts are; the note is
// checked here because it is the same for all kinds.
func checkTimes(c Change, now time.Time) error {
	switch {
	case !c.From.Before(c.To):
		return integration.Errorf(integration.KindInvalid, "to: the end (%s) is not after the beginning (%s)", c.To.Format(time.RFC3339), c.From.Format(time.RFC3339))
	case !c.To.After(now):
		return integration.Errorf(integration.KindInvalid, "to: the end (%s) has passed", c.To.Format(time.RFC3339))
	case c.To.Sub(c.From) > maxLength:
		return integration.Errorf(integration.KindInvalid, "to: a shift of more than a year is none: write it into the switchboard file")
	case c.From.Before(now.Add(-maxLength)):
		return integration.Errorf(integration.KindInvalid, "from: %s is more than a year ago", c.From.Format(time.RFC3339))
	case c.From.After(now.Add(maxAhead)):
		return integration.Errorf(integration.KindInvalid, "from: %s is more than two years ahead", c.From.Format(time.RFC3339))
	case utf8.RuneCountInString(c.Note) > maxNote || oneline.Clean(c.Note, 4*maxNote) != c.Note:
		return integration.Errorf(integration.KindInvalid, "note: at most %d characters in one line", maxNote)
	}
	return nil
}

// checkShift refuses a shift of a team. A team's admins may do everything but give a shift to
// somebody who is away.
func checkShift(f *switchboardfile.File, c Change, u *switchboardfile.User, others []Change, actor Actor) error {
	t := f.Team(c.Team)
	if t == nil {
		return integration.Errorf(integration.KindInvalid, "team: the switchboard file has no team %q", oneline.Clean(c.Team, 64))
	}
	if c.Layer < 1 || c.Layer > len(t.Schedule.Layers) {
		return integration.Errorf(integration.KindInvalid, "layer: %s has no layer %d: it has %d", t.Name, c.Layer, len(t.Schedule.Layers))
	}
	for _, o := range others {
		if o.Away() && o.User == c.User && overlap(o, c) {
			return integration.Errorf(integration.KindConflict, "%s is away from %s to %s: end the absence first, or choose somebody else", u.Name, local(t, o.From), local(t, o.To))
		}
	}
	// An empty user is somebody whom the file does not have, and no admin of anything.
	if actor.Any || slices.Contains(t.Admins, actor.User) && actor.User != "" {
		return nil
	}
	// Changing what one has oneself needs nobody's leave.
	for _, at := range edges(c, others) {
		if o := lastAt(f, c, others, at); o != nil && o.User != actor.User && o.User != c.User {
			return integration.Errorf(integration.KindConflict, "%s has layer %d of %s from %s to %s: ask them to give it, or have an admin of the team change it",
				name(f, o.User), o.Layer, t.Name, local(t, o.From), local(t, o.To))
		}
	}
	if c.User == actor.User && actor.User != "" {
		return nil // everybody may take a shift
	}
	// Whoever is on call may give what they have, by the file or by a change, and nothing else. Who
	// is away may still say who steps in, so absences do not count.
	t = f.WithShifts(switchboardfile.Shifts{Changes: Of(others).Changes}).Team(c.Team)
	for at := c.From; at.Before(c.To); {
		if !slices.Contains(t.Schedule.OnCallAt(c.Layer, at), actor.User) {
			return integration.Errorf(integration.KindUnauthorized, "you are not on call for layer %d of %s at %s: give only your own shift, or have an admin of the team do it", c.Layer, t.Name, local(t, at))
		}
		next, _ := t.Schedule.NextHandoff(c.Layer, at)
		if next.IsZero() {
			break
		}
		at = next
	}
	return nil
}

// edges are the instants within a change at which somebody else's may begin to count: its own
// beginning, and both ends of those of its layer that overlap it.
func edges(c Change, others []Change) []time.Time {
	at := []time.Time{c.From}
	for _, o := range others {
		if o.Team != c.Team || o.Layer != c.Layer || !overlap(o, c) {
			continue
		}
		for _, edge := range []time.Time{o.From, o.To} {
			if edge.After(c.From) && edge.Before(c.To) {
				at = append(at, edge)
			}
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// lastAt is the change of c's layer that counts at an instant, which is the one made last; nil:
// there is none. That of somebody who has left the file counts for nobody.
func lastAt(f *switchboardfile.File, c Change, others []Change, at time.Time) *Change {
	for i := len(others) - 1; i >= 0; i-- {
		o := &others[i]
		if o.Team == c.Team && o.Layer == c.Layer && !at.Before(o.From) && at.Before(o.To) && f.User(o.User) != nil {
			return o
		}
	}
	return nil
}

// mayRemove is why an actor may not take a change back: whoever has the shift, or made it, may, and
// the team's admins. Names do not count, as two people may have the same one.
func mayRemove(f *switchboardfile.File, c Change, actor Actor) error {
	if actor.Any || actor.User != "" && (actor.User == c.User || actor.User == c.Maker) {
		return nil
	}
	if t := f.Team(c.Team); t != nil && actor.User != "" && slices.Contains(t.Admins, actor.User) {
		return nil
	}
	return integration.Errorf(integration.KindUnauthorized, "only %s, an admin of the team, or who made the change may remove it", name(f, c.User))
}

// overlap reports whether two changes have a moment in common; ends are not part of them.
func overlap(a, b Change) bool { return a.From.Before(b.To) && b.From.Before(a.To) }

// name is how a person is named, who may have left the file. The id is better than nothing in a
// message.
func name(f *switchboardfile.File, id string) string {
	if u := f.User(id); u != nil {
		return u.Name
	}
	return id
}

// local writes a time in the zone in which a team thinks.
func local(t *switchboardfile.Team, at time.Time) string {
	return at.In(t.Schedule.Zone()).Format("Mon 2 Jan 2006 15:04 MST")
}
