package live

import (
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// gapHorizon is how far ahead gaps are looked for: long enough for somebody to find a replacement.
// Further ahead, schedules change anyway.
const gapHorizon = 14 * 24 * time.Hour

// onCallBody is what the on-call page shows. Refused and Warnings are problems of the switchboard
// file, a line each.
type onCallBody struct {
	Teams    []onCallTeam
	Handoffs bool // whether the platform says when it hands over
	Refused  []string
	Warnings []string
}

// onCallTeam is a team with its layers, and the gaps in its schedule. Zone is "" where the platform
// does not tell it; times are then not shown.
type onCallTeam struct {
	ID, Name, Zone string
	Layers         []onCallLayer
	Uncovered      onCallGaps // in all layers
	Gaps           onCallGaps // in one of them
}

// onCallLayer is an escalation layer of a team. Until and Next are empty where the platform does
// not say when it hands over.
type onCallLayer struct {
	Layer     int
	Users     []integration.User
	Override  bool
	Timeout   time.Duration
	Until     time.Time
	UntilText string // in the team's zone
	Next      []integration.User
}

// onCallGaps are gaps of a team. A team that works by day has one each night: only the first ones
// are shown at once. The rest is behind a control of the page.
type onCallGaps struct{ First, More []onCallGap }

// add adds a gap, which is among the first ones up to a limit.
func (g *onCallGaps) add(gap onCallGap, limit int) {
	list := &g.First
	if len(g.First) >= limit {
		list = &g.More
	}
	*list = append(*list, gap)
}

// onCallGap is a time in which nobody is on call.
type onCallGap struct {
	Layer            int // 0: nobody in any layer
	Now              bool
	FromText, ToText string // in the team's zone
}

// ShowOnCall shows who is on call in each team, and what is wrong with the switchboard file. By the
// clock on the wall, which shifts go by.
func (l *Live) ShowOnCall(w http.ResponseWriter, r *http.Request) error {
	now := clock.Wall(l.site.Clock)
	body := onCallBody{}
	// The file in force, even while the one on disk has errors: it decides whom callers reach.
	if l.file != nil {
		body.Handoffs = true
		for _, t := range l.file.File().OnCall(now, gapHorizon) {
			body.Teams = append(body.Teams, fileTeam(t, now))
		}
	} else {
		// Other platforms are asked team by team for the people alone. One error fails the page:
		// half a list would read as the whole.
		teams, err := l.site.Platform.Teams(r.Context(), l.site.Scope(""))
		if err != nil {
			return err
		}
		for _, t := range teams {
			entries, err := l.site.Platform.OnCall(r.Context(), l.site.Scope(""), t.ID, 0, now)
			if err != nil {
				return err
			}
			body.Teams = append(body.Teams, entriesTeam(t, entries))
		}
	}
	if l.site.File != nil {
		st := l.site.File.Status()
		for _, problem := range st.Refused {
			body.Refused = append(body.Refused, problem.String())
		}
		for _, problem := range st.Warnings {
			body.Warnings = append(body.Warnings, problem.String())
		}
	}
	l.site.Show(w, r, http.StatusOK, layout.Page{Title: "On call", Template: "oncall", Nav: "oncall", Live: true, Body: body})
	return nil
}

// fileTeam is a team of the switchboard file. Times are shown in the team's zone, in which people
// know their shifts. A zone that this machine does not know falls back to UTC, and the texts say
// so.
func fileTeam(t switchboardfile.TeamOnCall, now time.Time) onCallTeam {
	zone, err := time.LoadLocation(t.Timezone)
	if err != nil {
		zone = time.UTC
	}
	text := func(at time.Time) string { return at.In(zone).Format("Mon 2 Jan 15:04 MST") }
	out := onCallTeam{ID: t.Team.ID, Name: t.Team.Name, Zone: t.Timezone}
	for _, l := range t.Layers {
		layer := onCallLayer{Layer: l.Layer, Users: l.Users, Override: l.Override, Timeout: l.Timeout, Until: l.Until, Next: l.Next}
		if !l.Until.IsZero() {
			layer.UntilText = text(l.Until)
		}
		out.Layers = append(out.Layers, layer)
	}
	// Nobody at all is worse than a layer without people, so fewer of these are needed to be
	// noticed.
	for _, g := range t.Gaps {
		gap := onCallGap{g.Layer, !g.From.After(now), text(g.From), text(g.To)}
		if g.Layer == 0 {
			out.Uncovered.add(gap, 1)
		} else {
			out.Gaps.add(gap, 3)
		}
	}
	return out
}

// entriesTeam is a team of a platform that says only who is on call now. Entries come ordered by
// layer. So entries of one layer follow each other.
func entriesTeam(t integration.Destination, entries []integration.OnCallEntry) onCallTeam {
	out := onCallTeam{ID: t.ID, Name: t.Name}
	for _, e := range entries {
		if n := len(out.Layers); n == 0 || out.Layers[n-1].Layer != e.Layer {
			out.Layers = append(out.Layers, onCallLayer{Layer: e.Layer})
		}
		last := &out.Layers[len(out.Layers)-1]
		last.Users = append(last.Users, e.User)
	}
	return out
}
