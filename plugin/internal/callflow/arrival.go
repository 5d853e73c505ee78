package callflow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// Limits of what a call may be offered.
const (
	// A menu has one or two digits: callers do not press more.
	maxTeams = 99
	// Routers that assign to routers are followed this deep. A rule set that needs more is a
	// mistake more often than not, and each level is a question to the platform while the caller
	// hears nothing.
	routerDepth = 2
)

// reasonLoop is the end of a call that the hotline made to itself. It is compared (see farewell):
// such a call hears a busy tone, which ends the attempt at once.
const reasonLoop = "the hotline called itself"

// arrive serves a call that is not known yet. Any request that tells who calls will do: the first
// may have been lost while the host was down, and Twilio turned to the fallback URL.
func (m *machine) arrive() {
	// A request that tells of no caller, such as a late callback, begins no call; nor does one that
	// is over already.
	if m.e.Caller == nil || m.e.CallStatus.Over() {
		m.reply = m.strayAnswer()
		return
	}
	if m.e.Caller.Loop {
		// A hotline that reached itself through a responder's phone, a forwarding for instance: the
		// number shown to responders is the number that was called. Served, it would call itself
		// for ever.
		m.begin()
		m.emit(integration.Finding{Code: effect.FindingLoop, Severity: integration.FindingError, At: m.now,
			Message: "A call came from the hotline's own number: somebody on call has that number as phone, or forwards to it. Correct the phone, or set Caller ID."})
		m.end(call.EndRejected, reasonLoop)
		return
	}
	// Before anything is asked about the call: it costs neither money nor an alert.
	if m.e.Caller.Banned {
		m.begin()
		m.emit(integration.LogLine{
			Level: "info", Message: "banned number rejected: " + m.e.Caller.Label(), Attrs: map[string]string{"call": m.s.Caller.Sid},
		})
		m.end(call.EndRejected, "the number is banned")
		return
	}
	if key := hostRefusal(m.f.Instance.State); key != "" && (m.f.Instance.State != integration.HostMaintenance || !m.c.Voicemail) {
		m.begin()
		if m.f.Instance.State == integration.HostRateLimited {
			m.emit(integration.LogLine{Level: "warn", Message: "too many calls at a time: " + m.s.Caller.Label() + " is asked to call again later",
				Attrs: map[string]string{"call": m.s.Caller.Sid, integration.LogLimit: "live_calls"}})
		}
		m.s.Farewell = key
		m.end(call.EndToldGoodbye, "the host does not serve calls: "+string(m.f.Instance.State))
		return
	}
	// Both questions are put in the same round, as a caller waits for the answer.
	teams, notes := m.destinations()
	calls, _ := m.recentCalls()
	if len(m.questions) > 0 {
		return
	}
	m.begin()
	m.s.Teams = teams
	m.startVerify()
	flood := m.floods(calls)
	// What follows is decided at once, whether the call is real or not: only the alert and the
	// phones wait for that.
	m.s.Alert.Wanted, m.s.Alert.Quiet = true, flood
	m.noteRepeat(calls)
	for _, n := range notes {
		m.log(n, "")
	}
	switch {
	case flood:
		m.emit(integration.LogLine{Level: "warn", Message: fmt.Sprintf("%s called more than %d times in ten minutes: nobody is called", m.s.Caller.Label(), m.c.CallsPerNumber), Attrs: map[string]string{"call": m.s.Caller.Sid, integration.LogLimit: "calls_per_number"}})
		m.log("This number called too often lately: nobody is called. A message is delivered.", "")
		m.leave(call.ExitFlood)
	case m.f.Instance.State == integration.HostMaintenance:
		m.leave(call.ExitMaintenance)
	case len(teams) == 0:
		m.emit(integration.Finding{Code: effect.FindingNoTeam, Severity: integration.FindingError, At: m.now,
			Message: "A call had no team to go to. Add a team as destination, or a default receiver to the router."})
		m.leave(call.ExitNoTeam)
	case len(teams) == 1 && !m.c.ForceInput:
		m.choose(teams[0])
	default:
		m.enter(call.PhaseChoosing)
	}
}

// begin starts the session. What it notes is what a later request cannot be trusted to repeat.
func (m *machine) begin() {
	m.s.Format = call.Format
	m.s.Caller = *m.e.Caller
	m.s.Caller.Banned, m.s.Caller.Loop = false, false // for the arrival alone
	m.s.ArrivedAt = m.now
	m.s.SeenAt = m.now
}

// strayAnswer answers a request of a call that nothing is known of. The call may have been
// forgotten long ago, or made up. Nothing that it hears may begin one.
func (m *machine) strayAnswer() reply.Reply {
	switch {
	case m.e.Kind == event.Announce:
		return reply.Announce{}
	case m.row.answer == nil, m.e.CallStatus.Over():
		return reply.Empty{}
	}
	return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye}}}
}

// stray is what a request of an unknown call does: nothing.
func (m *machine) stray() {
	m.reply = m.strayAnswer()
}

// arriveInQueue: a call waits in the queue but its session is gone. Out of the queue it is served
// like a new one. The document makes the leg leave the queue; the request that follows arrives as
// from a new caller.
func (m *machine) arriveInQueue() { m.reply = reply.LeaveQueue{} }

// hostRefusal is what a caller hears where the host does not serve calls; "" if it does. Deleted
// counts as unavailable, should such a call come all the same.
func hostRefusal(h integration.HostState) reply.PromptKey {
	switch h {
	case integration.HostDisabled:
		return reply.PromptDisabled
	case integration.HostMaintenance:
		return reply.PromptMaintenance
	case integration.HostUnavailable:
		return reply.PromptUnavailable
	case integration.HostRateLimited:
		return reply.PromptRateLimited
	case integration.HostActive, "":
		return ""
	case integration.HostDeleted: // no new call comes here
	}
	return reply.PromptUnavailable
}

// destinations finds the teams of the call: those that routers assign, in assigned order; else the
// routers' default receivers; else the integration's own teams, in alphabetical order. Answers of
// routers may still be missing: then questions were added, and the result is not used. The notes
// are lines for the alert.
func (m *machine) destinations() ([]call.Team, []string) {
	var own, assigned, defaults []call.Team
	var notes []string
	for _, d := range m.f.Destinations {
		switch {
		case d.Missing:
			notes = append(notes, d.Name+" is set as destination but no longer exists.")
		case d.Kind == integration.DestinationRouter:
			a, def, n := m.verdict(d.ID, nil)
			assigned, defaults, notes = append(assigned, a...), append(defaults, def...), append(notes, n...)
		default:
			own = append(own, call.Team{ID: d.ID, Name: d.Name})
		}
	}
	// Routers say an order, destinations have none that a caller would expect: names in the menu
	// come in the alphabet.
	slices.SortStableFunc(own, func(a, b call.Team) int {
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	teams := unique(assigned)
	if len(teams) == 0 {
		teams = unique(defaults)
	}
	if len(teams) == 0 {
		teams = unique(own)
	}
	if len(teams) > maxTeams {
		notes = append(notes, "More teams than two digits can name; the first 99 are offered.")
		teams = teams[:maxTeams]
	}
	return teams, notes
}

// verdict asks a router and, where it names routers, those: up to routerDepth deep, none twice.
// above are the routers on the way here. Without an answer yet it returns nothing, and the question
// is asked.
func (m *machine) verdict(id string, above []string) (assigned, defaults []call.Team, notes []string) {
	answer, ok := m.ask(effect.AskRoute(id, draft.RoutingFacts(m.f, *m.e.Caller, m.e.Parameters)))
	if !ok {
		return nil, nil, nil
	}
	if answer.Err != nil || answer.Route == nil {
		return nil, nil, []string{"The router " + id + " could not be asked."}
	}
	above = append(slices.Clone(above), id)
	// A default counts only where nothing was assigned: within a router that is followed, and for
	// the whole.
	follow := func(list []integration.Destination) []call.Team {
		var teams []call.Team
		for _, d := range list {
			switch {
			case d.Missing:
				notes = append(notes, d.Name+" is a receiver of the router but no longer exists.")
			case d.Kind != integration.DestinationRouter:
				teams = append(teams, call.Team{ID: d.ID, Name: d.Name})
			case len(above) > routerDepth || slices.Contains(above, d.ID):
				notes = append(notes, "The router "+d.ID+" was not followed: routers lead too deep, or in a circle.")
			default:
				a, def, n := m.verdict(d.ID, above)
				if len(a) == 0 {
					a = def
				}
				teams, notes = append(teams, a...), append(notes, n...)
			}
		}
		return teams
	}
	notes = append(notes, answer.Route.Notes...)
	if assigned = follow(answer.Route.Receivers); len(assigned) == 0 {
		defaults = follow(answer.Route.Default)
	}
	return assigned, defaults, notes
}

// unique keeps the first of teams that occur more than once, in its place.
func unique(teams []call.Team) []call.Team {
	var out []call.Team
	for _, t := range teams {
		if !slices.ContainsFunc(out, func(o call.Team) bool { return o.ID == t.ID }) {
			out = append(out, t)
		}
	}
	return out
}
