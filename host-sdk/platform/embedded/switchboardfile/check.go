package switchboardfile

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/host-sdk/phone"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/schedule"
)

// Limits of time-outs: shorter ones nobody can meet, longer ones leave an alert alone.
const (
	minTimeout = time.Second
	maxTimeout = 7 * 24 * time.Hour
)

// check reports what the schema cannot say, and compiles the schedules. It runs on what could be
// decoded, also where the schema has refused something, so that one run tells everything. The order
// is free: problems are sorted by their place. Users come before teams, as their phones are put
// into E.164 here.
func (f *File) check(list *problemList) {
	f.checkPlatform(list)
	f.checkUsers(list)
	f.checkAccounts(list)
	f.checkHolidays(list)
	f.checkTeams(list)
	f.checkRouters(list)
}

// checkUsers reports ids given twice and addresses that are none; a phone listed twice is a
// warning. It goes on after each problem, so one person's mistakes are all reported.
func (f *File) checkUsers(list *problemList) {
	seen := map[string]int{}
	for i, u := range f.Users {
		at := fmt.Sprintf("/users/%d", i)
		f.checkUnique(list, seen, u.ID, at, i)
		if u.Email != "" {
			// ParseAddress also takes a name in front, which is no address alone.
			if parsed, err := mail.ParseAddress(u.Email); err != nil || parsed.Address != u.Email {
				list.errorAt(at+"/email", "%q is not an e-mail address such as alice@example.com", yamltree.Shorten(u.Email))
			}
		}
		f.checkName(list, u.Name, at)
		f.checkPhones(list, u, at)
		f.checkAddresses(list, u.Name, at+"/notify")
	}
}

// checkName reports a name of which nothing can be seen. Cleaning leaves nothing of a name of
// control characters; callers would hear a silence.
func (f *File) checkName(list *problemList, name, at string) {
	written := f.root.Find(at + "/name")
	if written == nil || name != "" {
		return // the schema has said so
	}
	if text, ok := written.Value.(string); ok && strings.TrimSpace(text) != "" {
		list.errorAt(at+"/name", "has no character that can be seen: write a name")
	}
}

// checkPhones reports numbers that cannot be dialed, and writes the others in their E.164 form. A
// number in a range that its country has not given out, as far as is known, is a warning, and so is
// one that is listed twice, however it is spelled. u is a copy, but its list of phones is the
// file's own: writing into it keeps the E.164 form.
func (f *File) checkPhones(list *problemList, u User, at string) {
	first := make(map[string]bool, len(u.Phones))
	for j, written := range u.Phones {
		where := fmt.Sprintf("%s/phones/%d", at, j)
		number, err := phone.Read(written, "")
		if err != nil {
			list.errorAt(where, "%q %s", oneline.Clean(written, 64), err)
			continue
		}
		u.Phones[j] = number
		again := first[number]
		first[number] = true
		switch {
		case again:
			list.warnAt(where, "%s is listed twice", number)
		case phone.Doubtful(number):
			list.warnAt(where, "%s is in no range of numbers that its country is known to use: check it for a typing error", number)
		}
	}
}

// Loops warns of every phone that is one of the hotline's own numbers, which are the keys of own: a
// call to it would come back as another call for the same person. It is called by the host, which
// knows the numbers of its integrations; the file does not.
func (f *File) Loops(own map[string]string) []Problem {
	list := &problemList{root: f.root}
	for i, u := range f.Users {
		for j, number := range u.Phones {
			if _, is := own[number]; is {
				list.warnAt(fmt.Sprintf("/users/%d/phones/%d", i, j),
					"%s's phone %s is a number of this hotline, which would call itself: give %s another phone", u.Name, phone.Display(number), u.Name)
			}
		}
	}
	return list.sorted(f.Path)
}

// checkUnique reports an id that an earlier entry of the same list has. seen holds the place of
// each id's first entry, so that the message can name its line.
func (f *File) checkUnique(list *problemList, seen map[string]int, id, at string, i int) {
	if id == "" {
		return // the schema has said so
	}
	if first, taken := seen[id]; taken {
		line := f.root.Nearest(at[:strings.LastIndex(at, "/")] + fmt.Sprintf("/%d/id", first)).Line
		list.errorAt(at+"/id", "%q is taken by the entry in line %d: give each its own id", yamltree.Shorten(id), line)
		return
	}
	seen[id] = i
}

// checkTeams also compares names: callers choose a team by its name. Names are compared as callers
// hear them: without regard to case and blanks around them.
func (f *File) checkTeams(list *problemList) {
	seen, names := map[string]int{}, map[string]int{}
	for i := range f.Teams {
		t := &f.Teams[i]
		at := fmt.Sprintf("/teams/%d", i)
		f.checkName(list, t.Name, at)
		f.checkUnique(list, seen, t.ID, at, i)
		// A name that is missing was reported by the schema.
		if name := strings.ToLower(strings.TrimSpace(t.Name)); name != "" {
			if first, taken := names[name]; taken {
				list.errorAt(at+"/name", "%q is also the name of the team in line %d: callers could not distinguish them",
					yamltree.Shorten(t.Name), f.root.Nearest(fmt.Sprintf("/teams/%d/name", first)).Line)
			} else {
				names[name] = i
			}
		}
		f.checkUserIDs(list, at+"/admins", t.Admins)
		f.checkUserIDs(list, at+"/members", t.Members)
		f.checkAddresses(list, t.Name, at+"/channels")
		f.checkSchedule(list, at+"/schedule", &t.Schedule)
		f.checkEscalation(list, at+"/escalation", t)
	}
}

// checkHolidays reports dates that do not exist. An empty entry was reported by the schema.
func (f *File) checkHolidays(list *problemList) {
	for i, date := range f.Holidays {
		if _, err := schedule.ParseHoliday(date); err != nil && date != "" {
			list.errorAt(fmt.Sprintf("/holidays/%d", i), "%s", err)
		}
	}
}

// checkUserIDs reports ids of people whom the file does not have. Each is reported at its own place
// in the list.
func (f *File) checkUserIDs(list *problemList, at string, ids []string) {
	for i, id := range ids {
		f.checkUserID(list, fmt.Sprintf("%s/%d", at, i), id)
	}
}

// checkUserID reports an id that no person of the file has; an empty one is none. A suggestion
// costs comparisons, which the list of problems bounds.
func (f *File) checkUserID(list *problemList, at, id string) {
	if id == "" || f.users[id] != nil {
		return
	}
	text := fmt.Sprintf("there is no user %q", yamltree.Shorten(id))
	if near := list.nearest(id, f.userIDs); near != "" {
		text += fmt.Sprintf("; did you mean %s?", near)
	}
	list.errorAt(at, "%s", text)
}

// userIDs are the ids of all people, for suggestions.
func (f *File) userIDs() []string {
	out := make([]string, 0, len(f.Users))
	for _, u := range f.Users {
		out = append(out, u.ID)
	}
	return out
}

// checkSchedule resolves the schedule when nothing in it is wrong: resolving stops at the first
// error, the checks report all of them.
func (f *File) checkSchedule(list *problemList, at string, s *schedule.Schedule) {
	fine := true
	zone, err := schedule.LoadZone(s.Timezone)
	if err != nil && s.Timezone != "" {
		list.errorAt(at+"/timezone", "%s", err)
		fine = false
	}
	for i, l := range s.Layers {
		fine = f.checkLayer(list, fmt.Sprintf("%s/layers/%d", at, i), l) && fine
	}
	for i, o := range s.Overrides {
		fine = f.checkOverride(list, fmt.Sprintf("%s/overrides/%d", at, i), o, len(s.Layers), zone) && fine
	}
	if s.Timezone == "" || !fine {
		return
	}
	// A date that does not exist was reported, and must not keep the schedule from being resolved.
	s.Holidays = slices.DeleteFunc(slices.Clone(f.Holidays), func(date string) bool {
		_, err := schedule.ParseHoliday(date)
		return err != nil
	})
	if err := s.Resolve(); err != nil {
		list.errorAt(at, "%s", err)
	}
}

// checkLayer reports whether the layer can be resolved. What was written, not what was decoded,
// decides whether a key is missing or empty. An empty list and a missing one mean different
// mistakes.
func (f *File) checkLayer(list *problemList, at string, l schedule.Layer) bool {
	before := list.fatal
	there := f.root.Find(at)
	hasRotation, hasUsers := there.Has("rotation"), there.Has("users")
	people, peopleAt := l.Users, at+"/users"
	switch {
	// Which of them was meant could only be guessed.
	case hasRotation && hasUsers:
		list.errorAt(at, "has a rotation and a list of users: give one of them")
	case !hasRotation && !hasUsers:
		list.errorAt(at, "is empty: give it a rotation or a list of users")
	case hasUsers:
		if len(l.Users) == 0 {
			list.errorAt(at+"/users", "is empty: name at least one user, or remove the layer")
		}
	}
	if r := l.Rotation; r != nil {
		people, peopleAt = r.Users, at+"/rotation/users"
		if len(r.Users) == 0 && f.root.Find(at+"/rotation").Has("users") {
			list.errorAt(at+"/rotation/users", "is empty: a rotation needs at least one user")
		}
		if _, err := schedule.ParseLocalTime(r.Start); err != nil && r.Start != "" {
			list.errorAt(at+"/rotation/start", "%s", err)
		}
		if r.Every <= 0 && f.root.Find(at+"/rotation").Has("every") {
			list.errorAt(at+"/rotation/every", "a turn's length is a number of hours, days or weeks, such as 12h, 1d or 1w")
		}
		if r.Every <= 0 {
			return false
		}
	}
	for i, w := range l.On {
		place := fmt.Sprintf("%s/on/%d", at, i)
		if f.root.Find(place) == nil { // one window, not a list
			place = at + "/on"
		}
		if key, err := w.Check(); err != nil {
			list.errorAt(place+"/"+key, "%s", err)
		}
	}
	f.checkUserIDs(list, peopleAt, people)
	for i, id := range people {
		if u := f.users[id]; u != nil && len(u.Phones) == 0 {
			list.warnAt(fmt.Sprintf("%s/%d", peopleAt, i), "%s is on call but has no phone: nobody can be connected", u.Name)
		}
	}
	// A rotation of nobody was reported, and Resolve refuses it.
	return list.fatal == before && len(people) > 0
}

// checkOverride reports whether the override can be resolved. An override without users is right:
// nobody is to be called. zone is nil where the schedule's is wrong.
func (f *File) checkOverride(list *problemList, at string, o schedule.Override, layers int, zone *time.Location) bool {
	before := list.fatal
	if o.Layer > layers && layers > 0 {
		list.errorAt(at+"/layer", "there is no layer %d: the schedule has %d", o.Layer, layers)
	}
	from, err := schedule.ParseLocalTime(o.From)
	if err != nil && o.From != "" {
		list.errorAt(at+"/from", "%s", err)
	}
	to, err2 := schedule.ParseLocalTime(o.To)
	if err2 != nil && o.To != "" {
		list.errorAt(at+"/to", "%s", err2)
	}
	// Only of two times that exist can it be said which is earlier.
	if err == nil && err2 == nil && !from.Before(to) {
		list.errorAt(at+"/to", "%s is not after %s", o.To, o.From)
	} else if err == nil && err2 == nil && zone != nil {
		if why := from.Skipped(to, zone); why != "" {
			list.errorAt(at+"/to", "%s", why)
		}
	}
	f.checkUserIDs(list, at+"/users", o.Users)
	return list.fatal == before && err == nil && err2 == nil
}

// checkEscalation looks at written time-outs only; the defaults are right. As many time-outs as
// layers: with fewer nobody could say what the last layer has. Resolving does not depend on it, so
// it reports and returns nothing.
func (f *File) checkEscalation(list *problemList, at string, t *Team) {
	if f.root.Find(at).Has("layers") && len(t.Schedule.Layers) > 0 && len(t.Escalation.Layers) != len(t.Schedule.Layers) {
		list.errorAt(at+"/layers", "has %s, but the schedule has %s: give each layer its time-out",
			count(len(t.Escalation.Layers), "entry", "entries"), count(len(t.Schedule.Layers), "layer", "layers"))
	}
	for i, l := range t.Escalation.Layers {
		where := fmt.Sprintf("%s/layers/%d/timeout", at, i)
		if !f.root.Find(fmt.Sprintf("%s/layers/%d", at, i)).Has("timeout") {
			continue
		}
		if d := time.Duration(l.Timeout); d < minTimeout || d > maxTimeout {
			list.errorAt(where, "a time-out is between 1s and 1w, such as 90s, 5m or 1h30m")
		}
	}
}

// count writes a number with its noun. It is for messages, where "1 layers" would read badly.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
