package embedded

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// RuleEngine knows the language of router rules. Rules are a JSON array in the file's order; both methods are pure.
type RuleEngine interface {
	// Check reports what is wrong with rules. Pointers are below the array ("/0/match/…").
	Check(rules []byte) []RuleProblem
	// Evaluate finds the first rule that matches facts (a JSON object) at a time. An error means that no verdict could be had
	// at all; a rule that fails by itself is a note, and counts as not matching.
	Evaluate(rules, facts []byte, at time.Time) (RuleVerdict, error)
}

// RuleProblem is something wrong, or with Warning doubtful, in rules.
type RuleProblem struct {
	Pointer string
	Message string
	Warning bool
}

// RuleVerdict is what rules say. Receivers are ids of teams and routers, of all assign actions of the rule that matched,
// in written order; none: nothing matched, or what matched assigns nothing.
type RuleVerdict struct {
	Receivers []string
	Rule      int      // the rule that matched, from 1; 0: none
	Notes     []string // for the alert's log
}

// Route resolves a router of the file to teams. Routers among the receivers are asked in turn, each once. Without an
// engine an enabled router with rules answers its default receiver, with a note. Unknown router: not_found.
func (f *File) Route(engine RuleEngine, id string, facts []byte, at time.Time) (integration.RouteVerdict, error) {
	if f.route[id] == nil {
		return integration.RouteVerdict{}, integration.Errorf(integration.KindNotFound, "router %q: the switchboard file has none of this id", id)
	}
	w := routeWalk{file: f, engine: engine, facts: facts, at: at, seen: []string{id}}
	receivers, defaults := w.ask(f.route[id])
	return integration.RouteVerdict{Receivers: receivers, Default: defaults, Notes: w.notes, Trace: w.trace}, nil
}

type routeWalk struct {
	file   *File
	engine RuleEngine
	facts  []byte
	at     time.Time
	seen   []string
	notes  []string
	trace  []string
}

// ask returns the teams that a router's rules name, and those of its default receiver.
func (w *routeWalk) ask(r *Router) (receivers, defaults []integration.Destination) {
	slot := len(w.trace) // a router is told of before those it leads to
	w.trace = append(w.trace, "")
	tell := func(text string) { w.trace[slot] = "Router " + r.Name + ": " + text }
	defaults = w.teams(r.Defaults)
	switch {
	case !r.Enabled:
		tell("switched off, the default receiver is used")
		return nil, defaults
	case len(r.Rules) == 0:
		tell("no rules, the default receiver is used")
		return nil, defaults
	case w.engine == nil:
		tell("its rules cannot be evaluated on this host, the default receiver is used")
		w.notes = append(w.notes, w.trace[slot])
		return nil, defaults
	}
	verdict, err := w.engine.Evaluate(r.Rules, w.facts, w.at)
	if err != nil {
		tell(fmt.Sprintf("its rules failed (%v), the default receiver is used", err))
		w.notes = append(w.notes, w.trace[slot])
		return nil, defaults
	}
	switch {
	case verdict.Rule == 0 && len(verdict.Receivers) == 0:
		tell("no rule matched, the default receiver is used")
	case len(verdict.Receivers) == 0:
		tell(fmt.Sprintf("rule %d matched and assigns nothing, the default receiver is used", verdict.Rule))
	default:
		tell(fmt.Sprintf("rule %d matched", verdict.Rule))
		w.trace = w.trace[:slot+1] // the default receiver, a router perhaps, does not matter
	}
	for _, n := range verdict.Notes {
		w.notes = append(w.notes, fmt.Sprintf("Router %s: %s", r.Name, n))
	}
	return w.teams(verdict.Receivers), defaults
}

// teams resolves receiver ids: a team is itself, a router is what it answers. Doubles and unknown ids are dropped.
func (w *routeWalk) teams(ids []string) []integration.Destination {
	var out []integration.Destination
	add := func(d integration.Destination) {
		if !slices.ContainsFunc(out, func(o integration.Destination) bool { return o.ID == d.ID }) {
			out = append(out, d)
		}
	}
	for _, id := range ids {
		if t := w.file.teams[id]; t != nil {
			add(teamDestination(t))
			continue
		}
		next := w.file.route[id]
		switch {
		case next == nil:
			w.notes = append(w.notes, fmt.Sprintf("Receiver %q is no team or router, it is left out", id))
		case slices.Contains(w.seen, id):
			w.notes = append(w.notes, fmt.Sprintf("Router %s is asked only once", next.Name))
		default:
			w.seen = append(w.seen, id)
			found, defaults := w.ask(next)
			if len(found) == 0 {
				found = defaults
			}
			for _, d := range found {
				add(d)
			}
		}
	}
	return out
}

func teamDestination(t *Team) integration.Destination {
	return integration.Destination{Kind: integration.DestinationTeam, ID: t.ID, Name: t.Name}
}
