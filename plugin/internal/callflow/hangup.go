package callflow

import (
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

// presence draws what a request of the caller's leg says of the caller: gone, or there. It runs
// before the handler, so that only that of the recording has to think of a caller who is gone.
func (m *machine) presence() {
	switch {
	case m.phase() == call.PhaseArrived || m.over():
	case m.e.CallStatus.Over():
		// Its handler takes the end of the recording and of the call together.
		if m.e.Kind != event.Recorded {
			m.callerGone("the caller hung up")
			m.reply = reply.Empty{}
		}
	default:
		m.callerSeen()
	}
}

// callerSeen notes that the caller is there. The ordinary tick stays free of writes: a host that
// keeps when it heard of the caller is told so beside the outcome, and the state follows when the
// caller was missed or looked for. With any other host the state is brought up to date every
// presenceRefresh. The same holds for a call that is not proven: it ends without a look, and a host
// that knows nothing but the state would end it while the caller is there.
func (m *machine) callerSeen() {
	m.emit(effect.CallerSeen{})
	missed := m.now.Sub(m.s.SeenAt) >= presenceRefresh
	if !m.f.SeenAt.IsZero() && m.real() {
		missed = m.s.Unanswered > 0 || !m.presentBy().After(m.now)
	}
	if missed {
		m.s.SeenAt, m.s.Unanswered = m.now, 0
	}
}

// callStatus is the number's status callback. Without a signature anybody could have sent it: it
// only triggers a look, of a call that is known to be real. A call that had a signature once is not
// believed without one any more.
func (m *machine) callStatus() {
	switch {
	case !m.e.CallStatus.Over():
	case m.s.Verify.Verdict == call.VerdictSigned && !m.signed():
	case m.signed():
		m.callerGone("the caller hung up")
	case m.real() && m.now.Sub(m.s.LookedAt) >= lookPause:
		m.look(m.now)
	}
}

// callerGone: it is proven that the caller's leg is over. What that means depends on the phase; in
// a connection it does not say whether the two had talked. It may be told several times, in any
// phase: only the first sets the time.
func (m *machine) callerGone(why string) {
	if m.s.GoneAt.IsZero() {
		m.s.GoneAt = m.now
	}
	switch m.phase() {
	case call.PhaseChoosing, call.PhaseHolding:
		m.end(call.EndHungUp, why)
	case call.PhaseConnecting, call.PhaseTalking:
		m.awaitVerdict() // whether they talked, the responder's leg will say
	case call.PhaseLeavingMessage:
		if m.s.Voicemail.Offered {
			m.awaitRecording() // hanging up counts as finishing
			return
		}
		m.end(call.EndHungUp, why)
	case call.PhaseArrived, call.PhaseAwaitingRecording, call.PhaseDelivering, call.PhaseEnded:
	}
}

// end is the one way into the end. Everything that lives is let go here: phones, alert, queue.
// Timers go by themselves, as their deadlines do. The reason is for the call's record; how decides
// what the caller and the alert are told.
func (m *machine) end(how call.End, why string) {
	m.enter(call.PhaseEnded)
	m.s.End, m.s.Reason, m.s.EndedAt = how, why, m.now
	m.release("", call.ReasonCaller)
	m.tallyRings()
	m.closeAlert(how)
	if m.s.Hold.QueueSid != "" {
		m.deleteQueue()
	}
}

// closeAlert leaves the alert as the end of the call asks for: resolved where nothing is left to do
// for anybody, open where somebody should call back. An alert that nobody would look at any more
// must not stay open, and one that somebody should act on must not be closed.
func (m *machine) closeAlert(how call.End) {
	a := &m.s.Alert
	switch how {
	case call.EndConnected:
		if m.c.ResolveOnCompleted {
			m.resolve("the conversation is over")
		}
	case call.EndHungUp, call.EndNoMessage:
		why := "the caller hung up"
		if how == call.EndNoMessage {
			why = "the caller left no message"
		}
		what := "T" + why[1:] + "."
		unsure := how == call.EndNoMessage && !m.s.Voicemail.Absent
		// Without a choice there is no team to tell of the call.
		chosen := m.s.Team != nil || m.s.Exit != ""
		switch {
		case unsure:
			m.log("Whether the caller left a message could not be found out. "+m.s.Caller.CallBack(), "")
			a.RouteWanted = true
			m.route()
		case m.c.SkipResolveOnHangup && chosen:
			m.log(what+" "+m.s.Caller.CallBack(), "")
			a.RouteWanted = true // as a missed call, if it never was
			m.route()
		// Then the resolution itself leaves no line, or there is no alert yet.
		case a.Resolved || !a.Created:
			m.log(what, "")
			m.resolve(why)
		default:
			m.resolve(why) // whose reason is a line of the story
		}
	case call.EndToldGoodbye:
		if !a.Routed {
			m.log("The caller was told goodbye.", "")
			m.resolve("the caller reached nobody")
			return
		}
		m.log("The caller was told goodbye. "+m.s.Caller.CallBack(), "")
	case call.EndMessageLeft, call.EndRejected:
	}
}

// farewell answers requests after the end: whatever the caller was told last is told again. It is a
// document that ends the call, whatever comes.
func (m *machine) farewell() reply.Reply {
	if m.s.End == call.EndRejected && m.e.CallStatus == event.StatusInProgress {
		// A fallback has answered the call meanwhile: it cannot be rejected any more.
		return reply.Hangup{}
	}
	if m.s.End == call.EndRejected {
		return reply.Reject{Busy: m.s.Reason == reasonLoop}
	}
	key := m.s.Farewell
	switch {
	case m.s.End == call.EndMessageLeft:
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptAfterMessage}}}
	case key == "":
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye}}}
	case key == reply.PromptNoTeam, key == reply.PromptTooManyTries:
		return reply.Hangup{Say: []reply.Prompt{{Key: key}, {Key: reply.PromptGoodbye}}}
	}
	return reply.Hangup{Say: []reply.Prompt{{Key: key}}}
}

// deleteQueue removes the call's queue, which is empty once the caller has left it. A queue whose
// name comes from a request that nothing proves is left to the sweeper.
func (m *machine) deleteQueue() {
	if !m.real() {
		return
	}
	m.s.QueueTries++
	m.s.QueueDeleteAt = time.Time{}
	m.emit(effect.DeleteQueue{Task: m.task("delete-queue"), QueueSid: m.s.Hold.QueueSid})
}

// queueDeleted is the result; a queue that is not empty yet is tried again, and in the end left to
// the sweeper.
func (m *machine) queueDeleted() {
	if m.e.Result == event.Done || m.e.Result == event.NotFound || m.s.QueueTries >= queueTries || m.s.QueueTries == 0 {
		m.s.QueueDeleteAt = time.Time{}
		return
	}
	// Twice as long each time: 30 s, 1 min, … 4 min.
	m.s.QueueDeleteAt = m.now.Add(queueRetry << (m.s.QueueTries - 1))
}

// noSign ends a call that nothing was heard of for very long, when Twilio cannot be asked either.
func (m *machine) noSign() {
	m.callerGone(fmt.Sprintf("nothing was heard of the call for %s", wording.Lasting(m.now.Sub(m.s.SeenAt).Round(time.Minute))))
}
