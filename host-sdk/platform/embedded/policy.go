package embedded

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// policy is the escalation of an alert that belongs to one or more teams. Several teams go layer by layer together: layer n pages
// the people of everybody's layer n, the longest of their time-outs and the most repeats count.
type policy struct {
	file  *File
	teams []*Team
}

// policyOf leaves out teams that the file no longer has.
func (f *File) policyOf(teams []string) policy {
	p := policy{file: f}
	for _, id := range teams {
		if t := f.teams[id]; t != nil {
			p.teams = append(p.teams, t)
		}
	}
	return p
}

func (p policy) layers() int {
	n := 0
	for _, t := range p.teams {
		n = max(n, len(t.Schedule.Layers))
	}
	return n
}

func (p policy) rounds() int {
	n := 0
	for _, t := range p.teams {
		n = max(n, t.Escalation.Repeat)
	}
	return n + 1
}

func (p policy) timeout(layer int) time.Duration {
	var longest time.Duration
	for _, t := range p.teams {
		if layer >= 1 && layer <= len(t.Escalation.Layers) {
			longest = max(longest, time.Duration(t.Escalation.Layers[layer-1].Timeout))
		}
	}
	return longest
}

// onCall returns user ids without doubles, in the order of teams and schedules.
func (p policy) onCall(layer int, at time.Time) []string {
	var out []string
	for _, t := range p.teams {
		for _, id := range t.Schedule.OnCallAt(layer, at) {
			if !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// page is whom to page next. Layer 0: nobody is left, the alert is dropped.
type page struct {
	layer, round int
	users        []string
	skipped      []int // layers passed over because nobody is on call for them
	empty        bool  // nobody is on call for any layer
}

// next finds whom to page after a layer of a round; layer 0, round 1 is the start. Layers with nobody on call are
// passed over at once. A round in which nobody at all is on call ends it: repeating it could only be the same.
func (p policy) next(layer, round int, at time.Time) page {
	out := page{}
	last := p.layers()
	for round = max(round, 1); round <= p.rounds(); round, layer = round+1, 0 {
		for l := layer + 1; l <= last; l++ {
			if users := p.onCall(l, at); len(users) > 0 {
				out.layer, out.round, out.users = l, round, users
				return out
			}
			if !slices.Contains(out.skipped, l) {
				out.skipped = append(out.skipped, l)
			}
		}
		if len(out.skipped) == last {
			break
		}
	}
	out.empty = len(out.skipped) == last
	return out
}

// names writes team names for people: "DevOps", "DevOps and Support".
func (f *File) teamNames(ids []string) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		if t := f.teams[id]; t != nil {
			names = append(names, t.Name)
		} else {
			names = append(names, id)
		}
	}
	return enumerate(names)
}

// userNames writes people's names: "Alice Example and Bob Example".
func (f *File) userNames(ids []string) string {
	names := make([]string, 0, len(ids))
	for _, id := range ids {
		names = append(names, f.userName(id))
	}
	return enumerate(names)
}

// userName is the id for a person who is no longer in the file.
func (f *File) userName(id string) string {
	if u := f.users[id]; u != nil {
		return u.Name
	}
	return id
}

func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// describe says what a page means, to follow a reason: "paging layer 2: Carol Example".
func (f *File) describe(p page, lastRound int) string {
	var b strings.Builder
	if p.empty {
		return "nobody is on call in any layer: dropped"
	}
	for _, l := range p.skipped {
		fmt.Fprintf(&b, "nobody is on call in layer %d: ", l)
	}
	if p.layer == 0 {
		b.WriteString("no further layer is left: dropped")
		return b.String()
	}
	if p.round > max(lastRound, 1) {
		fmt.Fprintf(&b, "round %d: ", p.round)
	}
	fmt.Fprintf(&b, "paging layer %d: %s", p.layer, f.userNames(p.users))
	return b.String()
}
