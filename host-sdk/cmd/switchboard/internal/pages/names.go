package pages

import (
	"context"
)

// names looks up teams and people once for one page. A name that cannot be had is the id.
type names struct {
	p            *Pages
	ctx          context.Context
	teams, users map[string]string
}

func (p *Pages) newNames(ctx context.Context) *names {
	n := &names{p: p, ctx: ctx, teams: map[string]string{}, users: map[string]string{}}
	if teams, err := p.cfg.Platform.Teams(ctx, p.scope("")); err == nil {
		for _, t := range teams {
			n.teams[t.ID] = t.Name
		}
	}
	return n
}

func (n *names) team(id string) string {
	if name := n.teams[id]; name != "" {
		return name
	}
	return id
}

func (n *names) user(id string) string {
	if id == "" {
		return ""
	}
	name, known := n.users[id]
	if !known {
		name = id
		if u, err := n.p.cfg.Platform.User(n.ctx, n.p.scope(""), id); err == nil {
			name = nameOf(u)
		}
		n.users[id] = name
	}
	return name
}

func (n *names) userList(ids []string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, n.user(id))
	}
	return out
}

func (n *names) teamList(ids []string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, n.team(id))
	}
	return out
}
