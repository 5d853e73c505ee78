package embedded

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// Limits of time-outs: shorter ones nobody can meet, longer ones leave an alert alone.
const (
	minTimeout = time.Second
	maxTimeout = 7 * 24 * time.Hour
)

// check reports what the schema cannot say, and compiles the schedules.
func (f *File) check(list *problemList, engine RuleEngine) {
	f.checkUsers(list)
	f.checkTeams(list)
	f.checkRouters(list, engine)
}

func (f *File) checkUsers(list *problemList) {
	seen := map[string]int{}
	for i, u := range f.Users {
		at := fmt.Sprintf("/users/%d", i)
		f.checkUnique(list, seen, u.ID, at, i)
		if u.Email != "" {
			if parsed, err := mail.ParseAddress(u.Email); err != nil || parsed.Address != u.Email {
				list.errorAt(at+"/email", "%q is not an e-mail address such as alice@example.com", u.Email)
			}
		}
		for j, phone := range u.Phones {
			if slices.Index(u.Phones, phone) < j {
				list.warnAt(fmt.Sprintf("%s/phones/%d", at, j), "%s is listed twice", phone)
			}
		}
	}
}

// checkUnique reports an id that an earlier entry of the same list has.
func (f *File) checkUnique(list *problemList, seen map[string]int, id, at string, i int) {
	if id == "" {
		return // the schema has said so
	}
	if first, taken := seen[id]; taken {
		line := f.root.at(at[:strings.LastIndex(at, "/")] + fmt.Sprintf("/%d/id", first)).line
		list.errorAt(at+"/id", "%q is taken by the entry in line %d: give each its own id", id, line)
		return
	}
	seen[id] = i
}

func (f *File) checkTeams(list *problemList) {
	seen, names := map[string]int{}, map[string]int{}
	for i := range f.Teams {
		t := &f.Teams[i]
		at := fmt.Sprintf("/teams/%d", i)
		f.checkUnique(list, seen, t.ID, at, i)
		if name := strings.ToLower(strings.TrimSpace(t.Name)); name != "" {
			if first, taken := names[name]; taken {
				list.errorAt(at+"/name", "%q is also the name of the team in line %d: a caller could not tell them apart",
					t.Name, f.root.at(fmt.Sprintf("/teams/%d/name", first)).line)
			} else {
				names[name] = i
			}
		}
		f.checkUserIDs(list, at+"/admins", t.Admins)
		f.checkUserIDs(list, at+"/members", t.Members)
		f.checkSchedule(list, at+"/schedule", &t.Schedule)
		f.checkEscalation(list, at+"/escalation", t)
	}
}

func (f *File) checkUserIDs(list *problemList, at string, ids []string) {
	for i, id := range ids {
		if id != "" && f.users[id] == nil {
			text := fmt.Sprintf("there is no user %q", id)
			if near := nearest(id, f.userIDs()); near != "" {
				text += fmt.Sprintf("; did you mean %s?", near)
			}
			list.errorAt(fmt.Sprintf("%s/%d", at, i), "%s", text)
		}
	}
}

func (f *File) userIDs() []string {
	out := make([]string, 0, len(f.Users))
	for _, u := range f.Users {
		out = append(out, u.ID)
	}
	return out
}

func (f *File) checkSchedule(list *problemList, at string, s *Schedule) {
	fine := true
	if _, err := loadZone(s.Timezone); err != nil && s.Timezone != "" {
		list.errorAt(at+"/timezone", "%s", err)
		fine = false
	}
	for i, l := range s.Layers {
		fine = f.checkLayer(list, fmt.Sprintf("%s/layers/%d", at, i), l) && fine
	}
	for i, o := range s.Overrides {
		fine = f.checkOverride(list, fmt.Sprintf("%s/overrides/%d", at, i), o, len(s.Layers)) && fine
	}
	if s.Timezone == "" || !fine {
		return
	}
	if err := s.compile(); err != nil {
		list.errorAt(at, "%s", err)
	}
}

func (f *File) checkLayer(list *problemList, at string, l Layer) bool {
	before := len(list.items)
	there := f.root.keysAt(at)
	hasRotation, hasUsers := slices.Contains(there, "rotation"), slices.Contains(there, "users")
	people, peopleAt := l.Users, at+"/users"
	switch {
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
		if len(r.Users) == 0 && slices.Contains(f.root.keysAt(at+"/rotation"), "users") {
			list.errorAt(at+"/rotation/users", "is empty: a rotation needs at least one user")
		}
		if _, err := parseWall(r.Start); err != nil && r.Start != "" {
			list.errorAt(at+"/rotation/start", "%s", err)
		}
		if r.Every <= 0 && slices.Contains(f.root.keysAt(at+"/rotation"), "every") {
			list.errorAt(at+"/rotation/every", "a turn's length is a number of hours, days or weeks, such as 12h, 1d or 1w")
		}
		if r.Every <= 0 {
			return false
		}
	}
	f.checkUserIDs(list, peopleAt, people)
	for i, id := range people {
		if u := f.users[id]; u != nil && len(u.Phones) == 0 {
			list.warnAt(fmt.Sprintf("%s/%d", peopleAt, i), "%s is on call but has no phone: nobody can be connected", u.Name)
		}
	}
	return !Fatal(list.items[before:]) && len(people) > 0
}

func (f *File) checkOverride(list *problemList, at string, o Override, layers int) bool {
	before := len(list.items)
	if o.Layer > layers && layers > 0 {
		list.errorAt(at+"/layer", "there is no layer %d: the schedule has %d", o.Layer, layers)
	}
	from, err := parseWall(o.From)
	if err != nil && o.From != "" {
		list.errorAt(at+"/from", "%s", err)
	}
	to, err2 := parseWall(o.To)
	if err2 != nil && o.To != "" {
		list.errorAt(at+"/to", "%s", err2)
	}
	if err == nil && err2 == nil && !from.t.Before(to.t) {
		list.errorAt(at+"/to", "%s is not after %s", o.To, o.From)
	}
	f.checkUserIDs(list, at+"/users", o.Users)
	return !Fatal(list.items[before:]) && err == nil && err2 == nil
}

func (f *File) checkEscalation(list *problemList, at string, t *Team) {
	if slices.Contains(f.root.keysAt(at), "layers") && len(t.Schedule.Layers) > 0 && len(t.Escalation.Layers) != len(t.Schedule.Layers) {
		list.errorAt(at+"/layers", "has %s, but the schedule has %s: give each layer its time-out",
			count(len(t.Escalation.Layers), "entry", "entries"), count(len(t.Schedule.Layers), "layer", "layers"))
	}
	for i, l := range t.Escalation.Layers {
		where := fmt.Sprintf("%s/layers/%d/timeout", at, i)
		if !slices.Contains(f.root.keysAt(fmt.Sprintf("%s/layers/%d", at, i)), "timeout") {
			continue
		}
		if d := time.Duration(l.Timeout); d < minTimeout || d > maxTimeout {
			list.errorAt(where, "a time-out is between 1s and 1w, such as 90s, 5m or 1h30m")
		}
	}
}

func (f *File) checkRouters(list *problemList, engine RuleEngine) {
	seen := map[string]int{}
	for i := range f.Routers {
		r := &f.Routers[i]
		at := fmt.Sprintf("/routers/%d", i)
		f.checkUnique(list, seen, r.ID, at, i)
		if f.teams[r.ID] != nil && r.ID != "" {
			list.errorAt(at+"/id", "%q is also the id of a team: a receiver could mean either", r.ID)
		}
		where := at + "/default_receiver"
		for j, id := range r.Defaults {
			place := where
			if f.root.find(where).isList {
				place = fmt.Sprintf("%s/%d", where, j)
			}
			f.checkReceiver(list, place, id)
		}
		f.checkReceivers(list, at+"/rules", r.Rules)
		if engine != nil && len(r.Rules) > 0 {
			for _, p := range engine.Check(r.Rules) {
				list.put(f.root.at(at+"/rules"+p.Pointer), at+"/rules"+p.Pointer, p.Message, p.Warning)
			}
		}
	}
	for i := range f.Routers {
		if loop := f.loopFrom(f.Routers[i].ID); loop != "" {
			list.errorAt(fmt.Sprintf("/routers/%d/default_receiver", i), "leads in a circle: %s", loop)
		}
	}
}

func (f *File) checkReceiver(list *problemList, at, id string) {
	if id == "" || f.teams[id] != nil || f.route[id] != nil {
		return
	}
	known := make([]string, 0, len(f.Teams)+len(f.Routers))
	for _, t := range f.Teams {
		known = append(known, t.ID)
	}
	for _, r := range f.Routers {
		known = append(known, r.ID)
	}
	text := fmt.Sprintf("there is no team or router %q", id)
	if near := nearest(id, known); near != "" {
		text += fmt.Sprintf("; did you mean %s?", near)
	}
	list.errorAt(at, "%s", text)
}

// checkReceivers looks at the receivers of all assign actions.
func (f *File) checkReceivers(list *problemList, at string, raw json.RawMessage) {
	var rules []struct {
		Actions []struct {
			Type     string          `json:"type"`
			Receiver json.RawMessage `json:"receiver"`
		} `json:"actions"`
	}
	_ = json.Unmarshal(raw, &rules) // the wrong shape is reported by the schema check
	for i, rule := range rules {
		for j, action := range rule.Actions {
			if action.Type != "assign" {
				continue
			}
			where := fmt.Sprintf("%s/%d/actions/%d", at, i, j)
			var one string
			var many []string
			switch {
			case len(action.Receiver) == 0:
				list.errorAt(where, "an assign action needs a receiver: the id of a team or router, or a list of them")
			case json.Unmarshal(action.Receiver, &one) == nil:
				f.checkReceiver(list, where+"/receiver", one)
			case json.Unmarshal(action.Receiver, &many) == nil:
				for n, id := range many {
					f.checkReceiver(list, fmt.Sprintf("%s/receiver/%d", where, n), id)
				}
			default:
				list.errorAt(where+"/receiver", "must be the id of a team or router, or a list of them")
			}
		}
	}
}

// loopFrom follows default receivers and returns the circle that leads back to id, or "".
func (f *File) loopFrom(id string) string {
	var walk func(at string, path []string) string
	walk = func(at string, path []string) string {
		r := f.route[at]
		if r == nil || len(path) > len(f.Routers) {
			return ""
		}
		for _, next := range r.Defaults {
			if next == id {
				return strings.Join(append(path, next), " → ")
			}
			if slices.Contains(path, next) {
				continue
			}
			if loop := walk(next, append(slices.Clone(path), next)); loop != "" {
				return loop
			}
		}
		return ""
	}
	return walk(id, []string{id})
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// loadZone refuses what time.LoadLocation takes for convenience: "" and "Local", which mean something else on each machine.
func loadZone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("time zone %q: name a zone such as America/New_York or Europe/Berlin", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not known: names look like America/New_York or Europe/Berlin", name)
	}
	return loc, nil
}
