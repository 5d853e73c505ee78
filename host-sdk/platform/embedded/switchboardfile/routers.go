package switchboardfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/internal/yamltree"
	"github.com/livecallrouting/livecall/host-sdk/router"
)

// checkRouters reports what the schema cannot say of routers, and compiles their rules.
func (f *File) checkRouters(list *problemList) {
	// It must come before this function adds problems of its own.
	refused := list.refusedRules()
	patterns := &router.Patterns{}
	seen := map[string]int{}
	for i := range f.Routers {
		r := &f.Routers[i]
		at := fmt.Sprintf("/routers/%d", i)
		f.checkUnique(list, seen, r.ID, at, i)
		// Receivers name either by its id alone.
		if f.teams[r.ID] != nil && r.ID != "" {
			list.errorAt(at+"/id", "%q is also the id of a team: a receiver could mean either", r.ID)
		}
		where := at + "/default_receiver"
		for j, id := range r.Defaults {
			place := where
			if f.root.Nearest(where).Kind == yamltree.List {
				place = fmt.Sprintf("%s/%d", where, j)
			}
			f.checkReceiver(list, place, id)
		}
		// The rule language would report the same mistake once more, in other words.
		if !refused[humanPath(at+"/rules")] {
			f.compileRules(list, at+"/rules", r, patterns)
		}
	}
	for i, circle := range f.circles() {
		list.errorAt(fmt.Sprintf("/routers/%d/default_receiver", i), "leads in a circle: %s", circle)
	}
}

// refusedRules returns the paths of rules in which the schema has refused something. Path is the
// form for people, routers[0].rules[2]…, as that is what a problem keeps.
func (l *problemList) refusedRules() map[string]bool {
	out := map[string]bool{}
	for _, p := range l.items {
		if router, _, inRules := strings.Cut(p.Path, ".rules"); inRules {
			out[router+".rules"] = true
		}
	}
	return out
}

// compileRules leaves rules that are no list to the schema: the rule language would only repeat it.
// Places are those of the file, as the rules are read from its tree.
func (f *File) compileRules(list *problemList, at string, r *Router, patterns *router.Patterns) {
	rules := f.root.Find(at)
	if rules == nil || rules.Kind != yamltree.List || len(rules.Items) == 0 {
		return
	}
	compiled, problems := router.ParseNode(rules, func(id string) error { return f.knowReceiver(list, id) }, patterns)
	for _, p := range problems {
		list.put(p.Line, p.Column, at+p.Pointer, p.Message, p.Warning)
	}
	r.Rules = compiled
}

// checkReceiver reports an id that is no team or router; an empty one was reported by the schema.
func (f *File) checkReceiver(list *problemList, at, id string) {
	if err := f.knowReceiver(list, id); err != nil && id != "" {
		list.errorAt(at, "%s", err)
	}
}

// knowReceiver returns an error for an id that is no team or router of the file. It is handed to
// the rule language, which asks it for each receiver of a rule.
func (f *File) knowReceiver(list *problemList, id string) error {
	if f.teams[id] != nil || f.routers[id] != nil {
		return nil
	}
	if near := list.nearest(id, f.receiverIDs); near != "" {
		return fmt.Errorf("there is no team or router %q; did you mean %s?", id, near)
	}
	return fmt.Errorf("there is no team or router %q", yamltree.Shorten(id))
}

// receiverIDs are the ids of all teams and routers.
func (f *File) receiverIDs() []string {
	out := make([]string, 0, len(f.Teams)+len(f.Routers))
	for _, t := range f.Teams {
		out = append(out, t.ID)
	}
	for _, r := range f.Routers {
		out = append(out, r.ID)
	}
	return out
}

// circles finds default receivers that lead back to their own router: by the number of the router
// whose default closes the circle, the way around it. Every router is followed once, however many
// name it. One router of each circle is enough: whoever corrects it opens the circle.
func (f *File) circles() map[int]string {
	numbers := make(map[string]int, len(f.Routers))
	for i, r := range slices.Backward(f.Routers) { // of two with one id the first counts
		numbers[r.ID] = i
	}
	found := map[int]string{}
	done := make([]bool, len(f.Routers)) // everything behind it was followed
	onPath := map[int]int{}              // where a router stands on the path that is being followed
	var path []string
	var follow func(i int)
	// Depth-first: a router on the present path that is met again closes a circle.
	follow = func(i int) {
		onPath[i] = len(path)
		path = append(path, f.Routers[i].ID)
		for _, id := range f.Routers[i].Defaults {
			next, isRouter := numbers[id]
			if !isRouter || done[next] {
				continue
			}
			if begin, closes := onPath[next]; closes {
				found[i] = showCircle(path[begin:])
				continue
			}
			follow(next)
		}
		path = path[:len(path)-1]
		delete(onPath, i)
		done[i] = true
	}
	for i := range f.Routers {
		if !done[i] {
			follow(i)
		}
	}
	return found
}

// showCircle writes the routers of a circle in their order, of a long one the first and the last.
// The first router comes again at the end, so that the circle can be seen.
func showCircle(ids []string) string {
	const most = 8
	shown := slices.Clone(ids[:min(len(ids), most)])
	if len(ids) > most {
		shown = append(shown[:most-2], "…", ids[len(ids)-1])
	}
	return strings.Join(append(shown, ids[0]), " → ")
}
