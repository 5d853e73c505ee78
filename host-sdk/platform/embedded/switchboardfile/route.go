package switchboardfile

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// maxSteps bounds the steps from router to router for one call: routers may name one another in
// exponentially many ways, and a caller waits. Where they lead in a circle, one router may be
// reached in several ways, and take a step each time.
const maxSteps = 100

// Route resolves a router of the file to teams. A router among the receivers stands for the teams
// to which it leads by itself: those of its rules or, if these name none, of its default receiver.
// facts is a JSON object. Unknown router: not_found.
func (f *File) Route(id string, facts []byte, at time.Time) (integration.RouteVerdict, error) {
	r := f.routers[id]
	if r == nil {
		return integration.RouteVerdict{}, integration.Errorf(integration.KindNotFound, "router %q: the switchboard file has none of this id", id)
	}
	w := routeWalk{file: f, facts: facts, at: at, ruled: map[string][]string{}, known: map[string][]integration.Destination{}, onPath: map[string]bool{id: true}}
	// Both are worked out: a caller whose rules lead to nobody who can be reached may still try the
	// default.
	receivers, _ := w.teams(w.receivers(r))
	notes, trace := w.notes, w.trace
	defaults, _ := w.teams(r.Defaults)
	if len(receivers) == 0 { // otherwise the way of the default receiver does not matter
		notes, trace = w.notes, w.trace
	}
	return integration.RouteVerdict{Receivers: receivers, Default: defaults, Notes: notes, Trace: trace}, nil
}

// routeWalk follows routers from one to the next, for one call. The maps keep a router that is
// named many times from being tried as often.
type routeWalk struct {
	file  *File
	facts []byte
	at    time.Time
	// The receivers that a router's rules name: they are tried once.
	ruled map[string][]string
	// Where a router leads, if that does not depend on the way to it.
	known  map[string][]integration.Destination
	onPath map[string]bool // the routers that are being asked
	steps  int
	notes  []string
	trace  []string
}

// note adds a line for the log, once. They go into the alert's log, so that somebody can find out
// why a call went elsewhere.
func (w *routeWalk) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.notes, text) {
		w.notes = append(w.notes, text)
	}
}

// receivers returns the ids that a router's rules name for this call; none: its default receiver's
// turn. The trace has a sentence for each router that is asked, once.
func (w *routeWalk) receivers(r *Router) []string {
	if ids, known := w.ruled[r.ID]; known {
		return ids
	}
	ids, reason := w.tryRules(r)
	w.trace = append(w.trace, "Router "+r.Name+": "+reason)
	w.ruled[r.ID] = ids
	return ids
}

// tryRules also says in words what decided. A router that cannot decide is no reason to lose a
// caller: the default receiver is used in every doubt.
func (w *routeWalk) tryRules(r *Router) (ids []string, reason string) {
	switch {
	case !r.Enabled:
		return nil, "switched off, the default receiver is used"
	case r.Rules == nil:
		return nil, "no rules, the default receiver is used"
	}
	verdict, err := r.Rules.Evaluate(w.facts, w.at)
	if err != nil {
		reason = fmt.Sprintf("its rules failed (%v), the default receiver is used", err)
		w.note("Router %s: %s", r.Name, reason)
		return nil, reason
	}
	for _, n := range verdict.Notes {
		w.note("Router %s: %s", r.Name, n)
	}
	switch {
	case verdict.Rule == 0:
		return nil, "no rule matched, the default receiver is used"
	case len(verdict.Receivers) == 0:
		return nil, fmt.Sprintf("rule %d matched and assigns nothing, the default receiver is used", verdict.Rule)
	}
	return verdict.Receivers, fmt.Sprintf("rule %d matched", verdict.Rule)
}

// teams resolves receiver ids: a team is itself, a router is where it leads. Each comes once;
// unknown ids are left out, with a note. whole is false where a router was left out because it
// leads back to one that is being asked: by another way there may be more. The order is that of the
// ids, and of what each router leads to.
func (w *routeWalk) teams(ids []string) (out []integration.Destination, whole bool) {
	whole = true
	taken := map[string]bool{}
	add := func(d integration.Destination) {
		if !taken[d.ID] {
			taken[d.ID] = true
			out = append(out, d)
		}
	}
	for _, id := range ids {
		if t := w.file.teams[id]; t != nil {
			add(t.Destination())
			continue
		}
		next := w.file.routers[id]
		if next == nil {
			w.note("Receiver %q is no team or router, it is left out", id)
			continue
		}
		// Its teams are added in its place among the others.
		found, foundAll := w.ask(next)
		whole = whole && foundAll
		for _, d := range found {
			add(d)
		}
	}
	return out, whole
}

// ask returns the teams to which a router leads. Its default receiver is followed only if its rules
// lead to nobody.
func (w *routeWalk) ask(r *Router) (found []integration.Destination, whole bool) {
	if found, known := w.known[r.ID]; known {
		return found, true
	}
	if w.onPath[r.ID] {
		w.note("Router %s leads back to itself, it is asked only once", r.Name)
		return nil, false
	}
	if w.steps++; w.steps > maxSteps {
		w.note("More than %d steps from router to router were needed, what lies beyond is left out: let fewer routers lead to one another", maxSteps)
		return nil, false
	}
	// Only on this way: by another way the same router may be asked again.
	w.onPath[r.ID] = true
	defer delete(w.onPath, r.ID)
	found, whole = w.teams(w.receivers(r))
	if len(found) == 0 {
		var all bool
		found, all = w.teams(r.Defaults)
		whole = whole && all
	}
	// A result that lacks something because of the way here must not stand for other ways.
	if whole {
		w.known[r.ID] = found
	}
	return found, whole
}
