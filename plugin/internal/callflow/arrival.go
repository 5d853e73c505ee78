package callflow

import (
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	// A menu has one or two digits: callers do not press more.
	maxTeams = 99
	// Routers that assign to routers are followed this deep. A rule set that needs more is a
	// mistake more often than not, and each level is a question to the platform while the caller
	// hears nothing.
	routerDepth = 2
	// Without any verdict for so long the call is served unverified: a caller in need must not pay
	// for an outage of Twilio's REST API, and ten seconds pass during the welcome and the menu.
	verifyPatient = 10 * time.Second
	// Pause after an answer that is no verdict; three more attempts fit into verifyPatient.
	verifyRetry = 3 * time.Second
)

// notFoundPauses are the waits before asking again for a call that Twilio does not know (yet): its
// REST API lags behind the webhook of a call that has just begun.
var notFoundPauses = []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second}

// Codes of findings.
const (
	FindingCallsNotFound = "calls-not-found"
	FindingUnverified    = "calls-unverified"
	FindingSignature     = "signature-mismatch"
	FindingNoTeam        = "no-team"
	FindingLoop          = "hotline-calls-itself"
	FindingDialing       = "dialing-fails"
	FindingAlert         = "alert-refused"
)

// reasonLoop is the end of a call that the hotline made to itself.
const reasonLoop = "the hotline called itself"

// arrive serves a call that is not known yet. Any request that tells who calls will do: the first
// may have been lost while the host was down, and Twilio turned to the fallback URL.
func (m *machine) arrive() {
	if m.e.Caller == nil || m.e.CallStatus.Over() {
		m.reply = m.strayAnswer()
		return
	}
	if m.e.Caller.Loop {
		// A hotline that reached itself through a responder's phone, a forwarding for instance: the number
		// shown to responders is the number that was called. Served, it would call itself for ever.
		m.begin()
		m.emit(integration.Finding{Code: FindingLoop, Severity: integration.FindingError, At: m.now,
			Message: "A call came from the hotline's own number: somebody on call has that number as phone, or forwards to it. Correct the phone, or set Caller ID."})
		m.end(EndRejected, reasonLoop)
		return
	}
	if m.e.Caller.Banned {
		m.begin()
		m.emit(integration.LogLine{
			Level: "info", Message: "banned number rejected: " + m.e.Caller.label(), Attrs: map[string]string{"call": m.s.Caller.Sid},
		})
		m.end(EndRejected, "the number is banned")
		return
	}
	if key := hostRefusal(m.f.Instance.State); key != "" && (m.f.Instance.State != integration.HostMaintenance || !m.c.Voicemail) {
		m.begin()
		m.s.Farewell = key
		m.end(EndToldGoodbye, "the host does not serve calls: "+string(m.f.Instance.State))
		return
	}
	teams, notes := m.destinations()
	if len(m.questions) > 0 {
		return
	}
	m.begin()
	m.s.Teams = teams
	m.create()
	for _, n := range notes {
		m.log(n, "")
	}
	m.startVerify()
	switch {
	case m.f.Instance.State == integration.HostMaintenance:
		m.leave(ExitUpkeep)
	case len(teams) == 0:
		m.emit(integration.Finding{Code: FindingNoTeam, Severity: integration.FindingError, At: m.now,
			Message: "A call had no team to go to. Add a team as destination, or a default receiver to the router."})
		m.leave(ExitNoTeam)
	case len(teams) == 1 && !m.c.ForceInput:
		m.choose(teams[0])
	default:
		m.enter(PhaseChoosing)
	}
}

// begin starts the session.
func (m *machine) begin() {
	m.s.Format = Format
	m.s.Caller = *m.e.Caller
	m.s.Caller.Banned, m.s.Caller.Loop = false, false // for the arrival alone
	m.s.ArrivedAt = m.now
	m.s.SeenAt = m.now
}

// strayAnswer answers a request of a call that nothing is known of.
func (m *machine) strayAnswer() Reply {
	switch {
	case m.e.Kind == EventAnnounce:
		return AnnounceReply{}
	case m.row.answer == nil, m.e.CallStatus.Over():
		return EmptyReply{}
	}
	return HangupReply{Say: []Prompt{{Key: PromptGoodbye}}}
}

// stray is what a request of an unknown call does: nothing.
func (m *machine) stray() {
	m.reply = m.strayAnswer()
}

// arriveInQueue: a call waits in the queue but its session is gone. Out of the queue it is served
// like a new one.
func (m *machine) arriveInQueue() { m.reply = LeaveQueueReply{} }

func hostRefusal(h integration.HostState) PromptKey {
	switch h {
	case integration.HostDisabled:
		return PromptDisabled
	case integration.HostMaintenance:
		return PromptMaintenance
	case integration.HostUnavailable:
		return PromptUnavailable
	case integration.HostRateLimited:
		return PromptRateLimited
	case integration.HostActive, "":
		return ""
	}
	return PromptUnavailable
}

// destinations finds the teams of the call: those that routers assign, in assigned order; else the
// routers' default receivers; else the integration's own teams, in alphabetical order.
func (m *machine) destinations() ([]Team, []string) {
	var own, assigned, defaults []Team
	var notes []string
	for _, d := range m.f.Destinations {
		switch {
		case d.Missing:
			notes = append(notes, d.Name+" is set as destination but no longer exists.")
		case d.Kind == integration.DestinationRouter:
			a, def, n := m.verdict(d.ID, nil)
			assigned, defaults, notes = append(assigned, a...), append(defaults, def...), append(notes, n...)
		default:
			own = append(own, Team{ID: d.ID, Name: d.Name})
		}
	}
	slices.SortStableFunc(own, func(a, b Team) int {
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
func (m *machine) verdict(id string, above []string) (assigned, defaults []Team, notes []string) {
	answer, ok := m.ask(AskRoute(id, RoutingFacts(m.f, *m.e.Caller, m.e.Parameters)))
	if !ok {
		return nil, nil, nil
	}
	if answer.Err != nil || answer.Route == nil {
		return nil, nil, []string{"The router " + id + " could not be asked."}
	}
	above = append(slices.Clone(above), id)
	follow := func(list []integration.Destination) []Team {
		var teams []Team
		for _, d := range list {
			switch {
			case d.Missing:
				notes = append(notes, d.Name+" is a receiver of the router but no longer exists.")
			case d.Kind != integration.DestinationRouter:
				teams = append(teams, Team{ID: d.ID, Name: d.Name})
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
func unique(teams []Team) []Team {
	var out []Team
	for _, t := range teams {
		if !slices.ContainsFunc(out, func(o Team) bool { return o.ID == t.ID }) {
			out = append(out, t)
		}
	}
	return out
}

// startVerify finds out whether the call is real. With a valid signature it is; else Twilio is
// asked, off this path.
func (m *machine) startVerify() {
	if m.signed() {
		m.s.Verify.Verdict = VerdictSigned
		m.emit(integration.Finding{Code: FindingSignature, Severity: integration.FindingClear, At: m.now})
		m.emit(integration.Finding{Code: FindingCallsNotFound, Severity: integration.FindingClear, At: m.now})
		return
	}
	if m.e.Auth == AuthMismatch {
		m.emit(integration.Finding{Code: FindingSignature, Severity: integration.FindingError, Field: "auth_token", At: m.now,
			Message: "A request's signature did not match the Auth Token. The call was served all the same because no signature was ever right since the options were saved. Check the token: it must be the primary one of the chosen region."})
	}
	m.s.Verify.GiveUpAt = m.now.Add(verifyPatient)
	m.look(m.now)
}

// proveSigned notes the first valid signature of a call that began without.
func (m *machine) proveSigned() {
	if m.phase() == PhaseArrived || !m.request() || !m.signed() || m.s.Verify.Verdict == VerdictSigned {
		return
	}
	m.s.Verify = Verify{Verdict: VerdictSigned}
}

// look asks Twilio for the caller's call, now or later.
func (m *machine) look(at time.Time) {
	m.s.LookedAt = m.now
	m.emit(LookCall{Task: m.task("look-call"), At: at})
}

// lookedAtCall takes Twilio's word on the caller's call.
func (m *machine) lookedAtCall() {
	v := &m.s.Verify
	pending := v.Verdict == VerdictPending
	switch m.e.Result {
	case Done:
		if pending || v.Verdict == VerdictNotFound || v.Verdict == VerdictUnverified {
			*v = Verify{Verdict: VerdictFound}
		}
		if m.e.CallStatus.Over() {
			m.callerGone("Twilio says that the call is over")
		} else if m.phase() != PhaseEnded {
			m.s.SeenAt, m.s.Unanswered = m.now, 0
		}
	case NotFound:
		m.emit(integration.Finding{Code: FindingCallsNotFound, Severity: integration.FindingError, Field: "account_sid", At: m.now,
			Message: "Twilio does not find a call that came in. Check that account, API key and region are those of the phone number."})
		if !pending || m.phase() == PhaseEnded {
			return
		}
		v.NotFound++
		if v.NotFound > len(notFoundPauses) {
			*v = Verify{Verdict: VerdictNotFound}
			if m.s.Phase == PhaseHolding {
				m.s.Exit = ExitNotFound
				m.log("Twilio does not know this call: nobody is called.", "")
			}
			return
		}
		at := m.now.Add(notFoundPauses[v.NotFound-1])
		v.GiveUpAt = at.Add(verifyPatient)
		m.look(at)
	case Unknown, Refused, Failed:
		if pending && m.phase() != PhaseEnded && m.now.Add(verifyRetry).Before(v.GiveUpAt) {
			m.look(m.now.Add(verifyRetry))
		}
	}
}

// serveUnverified gives up asking.
func (m *machine) serveUnverified() {
	m.s.Verify = Verify{Verdict: VerdictUnverified}
	m.emit(integration.Finding{Code: FindingUnverified, Severity: integration.FindingWarning, Field: "auth_token", At: m.now,
		Message: "Twilio could not be asked whether a call is real; it was served unverified. Set the Auth Token, and check the API key."})
	m.log("Twilio could not be asked whether this call is real; it is served unverified.", "")
}

// real reports whether somebody may be woken for this call.
func (m *machine) real() bool {
	switch m.s.Verify.Verdict {
	case VerdictSigned, VerdictFound, VerdictUnverified:
		return true
	case VerdictPending, VerdictNotFound:
		return false
	}
	return false
}
