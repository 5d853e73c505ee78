package statistics

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/store"
)

// teamNames finds the names of teams in their newest calls: so they are known for teams that are
// gone, and while the platform does not answer. It is made for one report and not used by several
// goroutines.
type teamNames struct {
	ctx   context.Context
	calls store.Calls
	known map[string]string
}

// of is the name of a team, or the id where no call names it; "" for no team. It asks the store
// once for each team.
func (n *teamNames) of(id string) (string, error) {
	name, ok := n.known[id]
	if ok {
		return name, nil
	}
	list, _, err := n.calls.ListCalls(n.ctx, store.CallFilter{Team: id, Limit: 1})
	if err != nil {
		return "", err
	}
	if len(list) > 0 {
		name = list[0].View.TeamName
	}
	n.known[id] = cmp.Or(name, id)
	return n.known[id], nil
}

// sortTeams puts teams in the order of their names, those who reached none last. By name without
// regard to capitals; ids decide between equal names, so that the order is always the same.
func sortTeams(teams []TeamCounts) {
	slices.SortFunc(teams, func(a, b TeamCounts) int {
		switch {
		case a.Team == b.Team:
			return 0
		case a.Team == "":
			return 1
		case b.Team == "":
			return -1
		}
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Team, b.Team))
	})
}
