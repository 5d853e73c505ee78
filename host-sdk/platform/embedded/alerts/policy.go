package alerts

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// policy is the escalation of an alert that belongs to one or more teams. Several teams go layer by
// layer together: layer n pages the people of everybody's layer n, the longest of their time-outs
// and the most repeats count. It is made anew for each decision, from the file in force at that
// moment.
type policy struct {
	teams []*switchboardfile.Team
}

// policyOf leaves out teams that the file no longer has. Without any team left it has no layers,
// and next says so by gone.
func policyOf(f *switchboardfile.File, teams []string) policy {
	var p policy
	for _, id := range teams {
		if t := f.Team(id); t != nil {
			p.teams = append(p.teams, t)
		}
	}
	return p
}

// layers is the number of layers of the team that has most.
func (p policy) layers() int {
	n := 0
	for _, t := range p.teams {
		n = max(n, len(t.Schedule.Layers))
	}
	return n
}

// rounds is how often all layers are gone through: once, and once for each repeat.
func (p policy) rounds() int {
	n := 0
	for _, t := range p.teams {
		n = max(n, t.Escalation.Repeat)
	}
	return n + 1
}

// timeout is how long a layer has; 0 when no team has the layer, such as when they are gone from
// the file. The longest counts, so that no team's people have less than their file gives them.
func (p policy) timeout(layer int) time.Duration {
	var longest time.Duration
	for _, t := range p.teams {
		if layer >= 1 && layer <= len(t.Escalation.Layers) {
			longest = max(longest, time.Duration(t.Escalation.Layers[layer-1].Timeout))
		}
	}
	return longest
}

// onCall returns user ids, each once, in the order of teams and schedules: the order in which they
// are rung. A person of two teams is rung once.
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

// page is whom to page next. Layer 0: nobody is left, the alert is dropped. Besides the people it
// says what was passed over on the way, for the story.
type page struct {
	layer, round int
	users        []string
	skipped      []int // layers passed over because nobody is on call for them
	empty        bool  // nobody is on call for any layer
	gone         bool  // the file no longer has any of the teams
	// What has led to it, for who is paged; "": the alert is new.
	why string
}

// next finds whom to page after a layer of a round; layer 0, round 1 is the start. Layers with
// nobody on call are passed over at once. A round in which nobody at all is on call ends it:
// repeating it could only be the same. It decides by the schedule at one moment, so a hand-off
// between two layers counts for the second.
func (p policy) next(layer, round int, at time.Time) page {
	out := page{gone: len(p.teams) == 0}
	last := p.layers()
	for round = max(round, 1); round <= p.rounds(); round, layer = round+1, 0 {
		for l := layer + 1; l <= last; l++ {
			if users := p.onCall(l, at); len(users) > 0 {
				out.layer, out.round, out.users = l, round, users
				return out
			}
			// Each layer is named once, though later rounds may pass it over again.
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
