package switchboardfile

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Route resolves a router of the file to teams. Routers among the receivers are asked in turn, each
// once. facts is a JSON object. Unknown router: not_found.
func (f *File) Route(id string, facts []byte, at time.Time) (integration.RouteVerdict, error) {
	if f.routers[id] == nil {
		return integration.RouteVerdict{}, integration.Errorf(integration.KindNotFound, "router %q: the switchboard file has none of this id", id)
	}
	w := routeWalk{file: f, facts: facts, at: at, seen: []string{id}}
	receivers, defaults := w.ask(f.routers[id])
	return integration.RouteVerdict{Receivers: receivers, Default: defaults, Notes: w.notes, Trace: w.trace}, nil
}

// routeWalk follows routers from one to the next.
type routeWalk struct {
	file  *File
	facts []byte
	at    time.Time
	seen  []string
	notes []string
	trace []string
}

// ask returns the teams that a router's rules name, and those of its default receiver.
func (w *routeWalk) ask(r *Router) (receivers, defaults []integration.Destination) {
	line := len(w.trace) // a router's line comes before those of the routers it leads to
	w.trace = append(w.trace, "")
	trace := func(text string) { w.trace[line] = "Router " + r.Name + ": " + text }
	defaults = w.teams(r.Defaults)
	switch {
	case !r.Enabled:
		trace("switched off, the default receiver is used")
		return nil, defaults
	case r.Rules == nil:
		trace("no rules, the default receiver is used")
		return nil, defaults
	}
	verdict, err := r.Rules.Evaluate(w.facts, w.at)
	if err != nil {
		trace(fmt.Sprintf("its rules failed (%v), the default receiver is used", err))
		w.notes = append(w.notes, w.trace[line])
		return nil, defaults
	}
	switch {
	case verdict.Rule == 0 && len(verdict.Receivers) == 0:
		trace("no rule matched, the default receiver is used")
	case len(verdict.Receivers) == 0:
		trace(fmt.Sprintf("rule %d matched and assigns nothing, the default receiver is used", verdict.Rule))
	default:
		trace(fmt.Sprintf("rule %d matched", verdict.Rule))
		w.trace = w.trace[:line+1] // the default receiver, a router perhaps, does not matter
	}
	for _, n := range verdict.Notes {
		w.notes = append(w.notes, fmt.Sprintf("Router %s: %s", r.Name, n))
	}
	return w.teams(verdict.Receivers), defaults
}

// teams resolves receiver ids: a team is itself, a router is what it answers. Each comes once;
// unknown ids are left out, with a note.
func (w *routeWalk) teams(ids []string) []integration.Destination {
	var out []integration.Destination
	add := func(d integration.Destination) {
		if !slices.ContainsFunc(out, func(o integration.Destination) bool { return o.ID == d.ID }) {
			out = append(out, d)
		}
	}
	for _, id := range ids {
		if t := w.file.teams[id]; t != nil {
			add(t.Destination())
			continue
		}
		next := w.file.routers[id]
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
