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
			if f.root.Nearest(where).Kind == yamltree.List {
				place = fmt.Sprintf("%s/%d", where, j)
			}
			f.checkReceiver(list, place, id)
		}
		f.compileRules(list, at+"/rules", r)
	}
	for i := range f.Routers {
		if loop := f.loopFrom(f.Routers[i].ID); loop != "" {
			list.errorAt(fmt.Sprintf("/routers/%d/default_receiver", i), "leads in a circle: %s", loop)
		}
	}
}

// compileRules leaves rules that the schema has refused alone: the rule language would only repeat
// it.
func (f *File) compileRules(list *problemList, at string, r *Router) {
	rules := f.root.Find(at)
	if rules == nil || rules.Kind != yamltree.List || len(rules.Items) == 0 || list.refused(at) {
		return
	}
	compiled, problems := router.ParseNode(rules, f.knowReceiver)
	for _, p := range problems {
		list.put(p.Line, p.Column, at+p.Pointer, p.Message, p.Warning)
	}
	r.Rules = compiled
}

// checkReceiver reports an id that is no team or router; an empty one was reported by the schema.
func (f *File) checkReceiver(list *problemList, at, id string) {
	if err := f.knowReceiver(id); err != nil && id != "" {
		list.errorAt(at, "%s", err)
	}
}

// knowReceiver returns an error for an id that is no team or router of the file.
func (f *File) knowReceiver(id string) error {
	if f.teams[id] != nil || f.routers[id] != nil {
		return nil
	}
	known := make([]string, 0, len(f.Teams)+len(f.Routers))
	for _, t := range f.Teams {
		known = append(known, t.ID)
	}
	for _, r := range f.Routers {
		known = append(known, r.ID)
	}
	if near := nearest(id, known); near != "" {
		return fmt.Errorf("there is no team or router %q; did you mean %s?", id, near)
	}
	return fmt.Errorf("there is no team or router %q", id)
}

// loopFrom follows default receivers and returns the circle that leads back to id, or "".
func (f *File) loopFrom(id string) string {
	var walk func(at string, path []string) string
	walk = func(at string, path []string) string {
		r := f.routers[at]
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
