// Package names looks up the names of teams and people for one answer.
package names

import (
	"cmp"
	"context"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// Lookup asks the platform at most once for each name. Make one for each answer: names change. It
// is not safe for concurrent use. The context is that of the answer, hence in the struct.
type Lookup struct {
	ctx      context.Context
	platform platform.Platform
	scope    platform.Scope
	teams    map[string]string
	users    map[string]string
}

// New reads the names of all teams. A platform that does not answer leaves every name to be its id:
// a list of alerts is more important than the names in it. People are looked up one by one when
// they are needed, as a platform may have thousands.
func New(ctx context.Context, p platform.Platform, scope platform.Scope) *Lookup {
	l := &Lookup{ctx: ctx, platform: p, scope: scope, teams: map[string]string{}, users: map[string]string{}}
	if teams, err := p.Teams(ctx, scope); err == nil {
		for _, t := range teams {
			l.teams[t.ID] = t.Name
		}
	}
	return l
}

// Team returns the name of a team, or the id where there is no name.
func (l *Lookup) Team(id string) string { return cmp.Or(l.teams[id], id) }

// Teams returns the name of each team.
func (l *Lookup) Teams(ids []string) []string { return each(ids, l.Team) }

// User returns the name of a person, or the id where there is no name. The id "" has the name "".
func (l *Lookup) User(id string) string {
	if id == "" {
		return ""
	}
	name, known := l.users[id]
	if !known {
		name = id
		if u, err := l.platform.User(l.ctx, l.scope, id); err == nil {
			name = Of(u)
		}
		l.users[id] = name
	}
	return name
}

// Users returns the name of each person.
func (l *Lookup) Users(ids []string) []string { return each(ids, l.User) }

// Of returns the name of a person whom the platform has described, or the id where there is no
// name.
func Of(u integration.User) string { return cmp.Or(u.Name, u.ID) }

// each returns the name of every id, in their order.
func each(ids []string, name func(string) string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, name(id))
	}
	return out
}
