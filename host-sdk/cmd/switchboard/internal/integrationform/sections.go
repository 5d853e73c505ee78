package integrationform

import (
	"cmp"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/form"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Section is a part of a form, to which pages link. The page's table of contents is made of them.
type Section struct {
	ID       string // of its element
	Title    string
	Problems int // refused values in it
}

// hostSection is the part with the host's own fields.
const hostSection = "group-host"

// place is where a field is in the form: its section, and its place among all fields.
type place struct{ section, field int }

// places are the sections of a form, and where each field is. The host's own fields come first, in
// the order of the template. A field's place is its number among all fields, which orders the
// problems as a reader meets them.
func places(parsed *form.Form) ([]Section, map[string]place) {
	list, at := []Section{{ID: hostSection, Title: "This integration"}}, map[string]place{}
	for i, key := range []string{"plugin", "name", "urgency", "destinations"} {
		at[key] = place{0, i}
	}
	for _, g := range parsed.Groups {
		section := 0
		// A group without a title has no place to link to: it belongs to what precedes it.
		if section = len(list) - 1; g.ID != "" && g.Title != "" {
			list, section = append(list, Section{ID: "group-" + g.ID, Title: g.Title}), len(list)
		}
		for _, field := range g.Fields {
			// A plugin's field that is called like one of the host's does not take its place.
			if _, own := at[field.Key]; !own {
				at[field.Key] = place{section, len(at)}
			}
		}
	}
	return list, at
}

// keyOf is the field of a problem, whose path may go on below it. A path such as banned_phones/2 is
// of the field banned_phones.
func keyOf(p integration.Problem) string {
	key, _, _ := strings.Cut(p.Path, "/")
	return key
}

// sections are the parts of a form with how many problems each has.
func sections(parsed *form.Form, problems []integration.Problem) []Section {
	list, at := places(parsed)
	for _, p := range problems {
		if where, ok := at[keyOf(p)]; ok {
			list[where.section].Problems++
		}
	}
	return list
}

// inOrder sorts problems by their fields' places in the form. Those of no field come first.
func inOrder(parsed *form.Form, problems []integration.Problem) []integration.Problem {
	_, at := places(parsed)
	where := func(p integration.Problem) int {
		if found, ok := at[keyOf(p)]; ok {
			return found.field
		}
		return -1
	}
	problems = slices.Clone(problems)
	slices.SortStableFunc(problems, func(a, b integration.Problem) int { return cmp.Compare(where(a), where(b)) })
	return problems
}

// ActionGroup is the plugin's actions that have the same title. Titles are the plugin's.
type ActionGroup struct {
	Title   string // "": they have none
	Actions []Action
}

// ActionGroups are the actions, those with the same title together, in the order in which the
// plugin lists them.
func (v View) ActionGroups() []ActionGroup {
	var groups []ActionGroup
	for _, a := range v.Actions {
		i := slices.IndexFunc(groups, func(g ActionGroup) bool { return g.Title == a.Group })
		if i < 0 {
			i, groups = len(groups), append(groups, ActionGroup{Title: a.Group})
		}
		groups[i].Actions = append(groups[i].Actions, a)
	}
	return groups
}
