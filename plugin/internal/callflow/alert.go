package callflow

import (
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

// command gives the alert a command and returns its number. Without an alert (rejected calls have
// none) there is nothing to command, and the number is 0; lines of the story wait for an alert that
// is still to come. The number is what makes the command idempotent at the host and the platform:
// it is never used twice in a call.
func (m *machine) command(c integration.AlertCommand) int64 {
	m.createWanted()
	a := &m.s.Alert
	if !a.Created {
		if a.Wanted && c.Kind == integration.AlertLog && len(a.Notes) < maxNotes {
			a.Notes = append(a.Notes, call.Note{Text: c.Text, Actor: c.Actor})
		}
		return 0
	}
	// The caller's CallSid is the alert's key: one alert for each call, however often create is
	// sent.
	m.s.Alert.Commands++
	c.Number, c.AlertKey, c.At = m.s.Alert.Commands, m.s.Caller.Sid, m.now
	m.emit(c)
	return c.Number
}

// decide is a command that changes what the alert is: a snapshot that does not include it yet would
// undo the decision in our books, so it no longer counts (see observe). Lines, fields and
// attachments are no decisions: a snapshot without them is as true as one with them.
func (m *machine) decide(c integration.AlertCommand) {
	if n := m.command(c); n > 0 {
		m.s.Alert.Decisive = n
	}
}

// log leaves a line on the alert. Actor is the user it is about; "" for none.
func (m *machine) log(text, actor string) {
	m.command(integration.AlertCommand{Kind: integration.AlertLog, Text: text, Actor: actor})
}

// maxNotes bounds the lines that wait for an alert: a call that is never proven must not grow in
// the store.
const maxNotes = 30

// createWanted makes the call's one alert, not yet routed, as soon as the call is known to be real:
// what is not Twilio's leaves no alert. Lines of its story that came before follow it. An alert of
// a number that calls too often waits for a message.
func (m *machine) createWanted() {
	a := &m.s.Alert
	if !a.Wanted || a.Created || a.Quiet || !m.real() {
		return
	}
	a.Created, a.Wanted = true, false
	d := draft.New(m.s.Caller)
	d.Urgency = m.f.Instance.Urgency
	if a.Repeat != "" {
		d.Title += " (" + a.Repeat + ")"
	}
	m.decide(integration.AlertCommand{Kind: integration.AlertCreate, Draft: &d})
	notes := a.Notes
	a.Notes, a.Repeat = nil, ""
	for _, n := range notes {
		m.log(n.Text, n.Actor)
	}
	if a.Resolved { // the call was over before it was known to be real
		m.decide(integration.AlertCommand{Kind: integration.AlertResolve, Text: "the call is over"})
	}
}

// route hands the alert to the chosen team, or to all teams where none was chosen, once the call is
// known to be real. Before the caller has chosen there is no team: RouteWanted is set by choose, or
// by an end that somebody must hear of.
func (m *machine) route() {
	a := &m.s.Alert
	if !a.RouteWanted || a.Routed || a.Resolved || !m.real() {
		return
	}
	teams := m.s.TeamIDs()
	if len(teams) == 0 {
		return
	}
	a.Routed = true
	m.decide(integration.AlertCommand{Kind: integration.AlertRoute, Teams: teams})
	if m.byLayer() {
		// A platform that tells nothing by then is not waited for.
		a.EscalateBy = m.now.Add(escalateLimit)
	}
}

// resolve closes the alert. The platform may have resolved it already; then the command does
// nothing there.
func (m *machine) resolve(reason string) {
	a := &m.s.Alert
	if a.Resolved {
		return
	}
	a.Resolved, a.RouteWanted = true, false
	m.decide(integration.AlertCommand{Kind: integration.AlertResolve, Text: reason})
}

// observe reads the alert's snapshot, which comes with every event: that is how a lost hint is made
// up for. A snapshot that does not include our last decisive command, or that is older than one
// already read, is ignored.
func (m *machine) observe() {
	snap, a := m.f.Alert, &m.s.Alert
	if snap == nil || !a.Created || a.NewerThan(snap) {
		return
	}
	// Before our command is in it: it may be the command that the platform cannot carry out.
	m.notePaging(snap)
	if snap.LastCommand < a.Decisive {
		return
	}
	// The snapshot includes our last decisive command, an acknowledgement among them.
	a.AckPending = false
	acks := normalAcks(snap.Acknowledgements)
	m.recogniseOwnAck(snap.LastCommand, acks)
	moved := m.handedTo(snap.Teams)
	// Nothing new: the quiet tick must leave the state as it is, or each would be stored.
	if !moved && snap.Status == a.Status && snap.Layer == a.Layer && snap.Round == a.Round && slices.Equal(acks, a.Acks) && slices.Equal(snap.Declined, a.Declined) {
		return
	}
	was := a.Status
	// Times are brought to UTC and stripped of a monotonic clock, as they come back from JSON:
	// otherwise a state would differ from itself after being stored.
	a.Status, a.Layer, a.Round, a.ReadAt = snap.Status, snap.Layer, snap.Round, snap.ReadAt.UTC().Round(0)
	// Platforms that do not count leave 0, and the host puts its own count there.
	if snap.Change > 0 {
		a.SeenCommand, a.Change = snap.LastCommand, snap.Change
	}
	a.Acks, a.Declined = acks, append([]string(nil), snap.Declined...)
	if was != a.Status {
		m.statusChanged()
	}
	m.readAcks()
}

// maxReason bounds the platform's reason, in bytes, in the story and the stored state.
const maxReason = 400

// notePaging notes whether the platform pages anybody for the alert. While it does not, phones are
// rung by layer as on a platform that never pages: see reach.
func (m *machine) notePaging(snap *integration.AlertSnapshot) {
	a := &m.s.Alert
	reason := snap.Unpaged
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "") + "…"
	}
	if reason == a.Unpaged {
		return
	}
	a.Unpaged, a.ReadAt = reason, snap.ReadAt.UTC().Round(0)
	// Nothing is expected any more of a platform that was commanded to escalate.
	a.EscalateBy, a.Judged = time.Time{}, false
	switch m.phase() {
	case call.PhaseHolding, call.PhaseConnecting:
	case call.PhaseArrived, call.PhaseChoosing, call.PhaseTalking, call.PhaseLeavingMessage, call.PhaseAwaitingRecording, call.PhaseDelivering, call.PhaseEnded:
		if reason != "" {
			m.log("The platform pages nobody for this alert: "+wording.Sentence(reason), "")
		}
		return
	}
	if reason != "" {
		m.log("The platform pages nobody for this alert: "+wording.Sentence(reason)+" The people on call are rung.", "")
		return
	}
	m.log("The platform pages people for this alert now.", "")
	if a.Routed && m.byLayer() && len(a.Reached) == 0 {
		a.EscalateBy = m.now.Add(escalateLimit) // as after routing
	}
}

// recogniseOwnAck tells the acknowledgement that we commanded from one that a person made. A
// platform may say which command made it. Where it does not, ours is the one of the person we named
// that is first seen in the snapshot that first includes the command. Taken for a person's, our own
// would ring somebody who talks with the caller already.
func (m *machine) recogniseOwnAck(lastCommand int64, acks []call.Ack) {
	a := &m.s.Alert
	own := func(id string) {
		if !slices.Contains(a.OwnAcks, id) {
			a.OwnAcks = remember(a.OwnAcks, id, acks)
		}
	}
	said := false
	for _, k := range acks {
		if k.Command > 0 {
			said = true
			own(k.ID)
		}
	}
	// The snapshot does not include the command yet: whatever is there was made by somebody else.
	if a.AckCommand == 0 || lastCommand < a.AckCommand {
		return
	}
	for _, k := range acks {
		before := slices.ContainsFunc(a.Acks, func(o call.Ack) bool { return o.ID == k.ID }) || m.seen(k.ID)
		if !said && k.User == a.AckUser && !before {
			own(k.ID)
			break
		}
	}
	a.AckUser, a.AckCommand = "", 0
}

// ownAck reports whether an acknowledgement is one that we commanded.
func (m *machine) ownAck(k call.Ack) bool { return slices.Contains(m.s.Alert.OwnAcks, k.ID) }

// normalAcks are acknowledgements as they are remembered. Times are without a monotonic clock, as
// after being stored: see observe.
func normalAcks(in []integration.Acknowledgement) []call.Ack {
	var out []call.Ack
	for _, k := range in {
		out = append(out, call.Ack{ID: k.ID, User: k.User, At: k.At.UTC().Round(0), Command: k.Command})
	}
	return out
}

// statusChanged acts upon the alert's new status. Only a caller who waits, or is about to be
// connected, is concerned. A conversation goes on whatever happens to its alert.
func (m *machine) statusChanged() {
	a := &m.s.Alert
	switch m.phase() {
	case call.PhaseHolding, call.PhaseConnecting:
		m.exitByStatus()
	case call.PhaseTalking:
		switch a.Status {
		case integration.AlertDropped, integration.AlertResolved, integration.AlertDeleted:
			m.log("The alert is "+string(a.Status)+"; the conversation goes on.", "")
		case integration.AlertQueued, integration.AlertOpen, integration.AlertAcknowledged:
		}
	case call.PhaseArrived, call.PhaseChoosing, call.PhaseLeavingMessage, call.PhaseAwaitingRecording, call.PhaseDelivering, call.PhaseEnded:
	}
}

// exitByStatus asks for an exit where the alert is dropped, resolved or deleted, and withdraws one
// whose cause is gone: somebody resolved the alert by mistake, and opened it again. It is also
// asked at each entry to the hold, for what was seen while the caller chose or talked.
func (m *machine) exitByStatus() {
	switch m.s.Alert.Status {
	case integration.AlertDropped:
		m.pend(call.ExitDropped)
	case integration.AlertResolved:
		m.pend(call.ExitResolved)
	case integration.AlertDeleted:
		m.pend(call.ExitDeleted)
	case integration.AlertQueued, integration.AlertOpen, integration.AlertAcknowledged:
		switch m.s.Exit {
		case call.ExitDropped, call.ExitResolved, call.ExitNobody, call.ExitOneRound:
			m.s.Exit = ""
			m.log("The alert is "+string(m.s.Alert.Status)+" again; the caller goes on waiting.", "")
		default:
		}
	}
}

// readAcks notes acknowledgements where nobody is to be rung for them. While choosing they are left
// to be read at the entry to the hold, and while connecting to the end of that. Each is a line of
// the story, so that people see that their acknowledgement arrived.
func (m *machine) readAcks() {
	for _, k := range m.s.Alert.Acks {
		if m.seen(k.ID) {
			continue
		}
		own := m.ownAck(k)
		switch m.phase() {
		case call.PhaseTalking:
			m.see(k)
			if !own {
				m.log("Acknowledged during the conversation, which goes on.", k.User)
			}
		case call.PhaseLeavingMessage, call.PhaseAwaitingRecording:
			m.see(k)
			if !own {
				m.log("Acknowledged while the caller leaves a message: nobody is rung. "+m.s.Caller.CallBack(), k.User)
			}
		case call.PhaseDelivering:
			m.see(k)
			if !own {
				m.log("Acknowledged before the message was heard. "+m.s.Caller.CallBack(), k.User)
			}
		case call.PhaseEnded:
			m.see(k)
			if !own {
				m.log("Acknowledged after the call was over. "+m.s.Caller.CallBack(), k.User)
			}
		case call.PhaseArrived, call.PhaseChoosing, call.PhaseHolding, call.PhaseConnecting:
		}
	}
}

// seen reports whether an acknowledgement was acted upon; see notes that one was. Without that,
// each snapshot would have its person rung again.
func (m *machine) seen(id string) bool { return slices.Contains(m.s.Alert.SeenAcks, id) }

func (m *machine) see(k call.Ack) {
	m.s.Alert.SeenAcks = remember(m.s.Alert.SeenAcks, k.ID, m.s.Alert.Acks)
}

// maxAckIDs bounds how many ids of acknowledgements are remembered that are no longer in force: an
// automation that acknowledges whatever is opened makes a new one each time.
const maxAckIDs = 50

// remember adds an id to a list, the oldest first, and forgets the oldest that are not in force.
func remember(ids []string, id string, inForce []call.Ack) []string {
	ids = append(ids, id)
	spare := len(ids) - maxAckIDs
	return slices.DeleteFunc(ids, func(old string) bool {
		if spare <= 0 || old == id || slices.ContainsFunc(inForce, func(k call.Ack) bool { return k.ID == old }) {
			return false
		}
		spare--
		return true
	})
}

// handedTo follows a handoff to another team. True where the alert has left the chosen team. A
// caller who chose none keeps to all of the call's teams.
func (m *machine) handedTo(teams []string) bool {
	if m.s.Team == nil || len(teams) == 0 || slices.Contains(teams, m.s.Team.ID) || m.phase() == call.PhaseEnded {
		return false
	}
	// The name is that of the call's own list, or else of the integration's destinations; a team of
	// neither is named by its id.
	team := call.Team{ID: teams[0], Name: teams[0]}
	for _, t := range m.s.Teams {
		if t.ID == team.ID {
			team.Name = t.Name
		}
	}
	for _, d := range m.f.Destinations {
		if d.Kind != integration.DestinationRouter && d.ID == team.ID {
			team.Name = d.Name
		}
	}
	m.s.Team = &team
	a := &m.s.Alert
	// The new team begins with its first layer. Phones of the old team that ring may still take the
	// call.
	a.Reached, a.LastLayer, a.Judged, a.LeftLayer, a.LeftRound, a.EscalateBy = nil, false, false, 0, 0, time.Time{}
	for i := range m.s.People {
		m.s.People[i].OnCall, m.s.People[i].Layer = false, 0
	}
	if m.byLayer() {
		a.EscalateBy = m.now.Add(escalateLimit) // as after routing
	}
	if m.s.Phase == call.PhaseDelivering {
		m.s.Delivery.Layer, m.s.Delivery.Round, m.s.Delivery.Since = 0, 0, m.now
	}
	m.log("The call was handed to "+team.Name+".", "")
	return true
}

// commandFailed: the platform finally refuses a command. By then the host has tried for as long as
// the error allowed, so nothing is repeated here.
func (m *machine) commandFailed() {
	a, c := &m.s.Alert, m.e.Command
	if c == nil {
		return
	}
	if c.Number == a.Decisive {
		a.Decisive = 0 // no snapshot will ever include it
	}
	if k := c.Kind; !m.f.Instance.Capabilities.Annotations && (k == integration.AlertLog || k == integration.AlertAddField || k == integration.AlertAttach) {
		// The platform keeps no annotations and said so: the story stays in the call's own log.
		return
	}
	m.emit(integration.Finding{Code: effect.FindingAlert, Severity: integration.FindingError, At: m.now,
		Message: "The platform refused to carry out a command for an alert (" + string(c.Kind) + "): " + m.e.Detail})
	switch c.Kind {
	// Without an alert nobody is paged, and a caller would wait for nothing. Phones that ring may
	// still take the call.
	case integration.AlertCreate, integration.AlertRoute:
		if m.phase() == call.PhaseHolding || m.phase() == call.PhaseConnecting {
			m.pend(call.ExitRefused)
		}
	// From now on the layers are rung without the platform, and its next one at once.
	case integration.AlertReopen, integration.AlertEscalate:
		a.Stubborn, a.Judged, a.EscalateBy = true, false, time.Time{}
	case integration.AlertAcknowledge:
		a.AckPending, a.AckUser, a.AckCommand = false, "", 0
	case integration.AlertLog, integration.AlertAddField, integration.AlertAttach, integration.AlertResolve, integration.AlertDecline:
	}
}
