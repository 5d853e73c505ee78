package callflow

import (
	"reflect"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// Step decides what follows from an event. It is pure: it does not change its arguments, and the
// same arguments give the same results. Every event is legal in every state.
//
// If the effects hold an [integration.Question], the state is returned as it was and the reply is
// nil: Step is to be called again with the answers. At most three rounds are needed.
func Step(c config.Config, s call.State, e event.Event) (call.State, reply.Reply, []effect.Effect) {
	m := machines.Get().(*machine)
	defer func() {
		*m = machine{}
		machines.Put(m)
	}()
	*m = machine{c: c, s: s.Clone(), e: e, row: row(e.Kind), f: e.Facts, now: e.Facts.Now.UTC().Round(0)}
	var room [usualDeadlines]deadline
	before := deadlinesIn(room[:0], &m.s)
	m.run()
	m.replaceSounds(s)
	if len(m.questions) > 0 {
		questions := make([]effect.Effect, len(m.questions))
		for i, q := range m.questions {
			questions[i] = q
		}
		return s.Clone(), nil, questions
	}
	m.setTimers(before)
	return m.s, m.reply, m.effects
}

// Changed reports whether a step left something to store. The quiet tick, the most frequent event,
// leaves nothing.
func Changed(before, after call.State) bool {
	// reflect looks at states that are not on the stack; two new ones for each tick would be a
	// tenth of what the plugin allocates.
	both := pairs.Get().(*[2]call.State)
	both[0], both[1] = before, after
	same := reflect.DeepEqual(&both[0], &both[1])
	*both = [2]call.State{}
	pairs.Put(both)
	return !same
}

// pairs are for Changed.
var pairs = sync.Pool{New: func() any { return new([2]call.State) }}

// machines are for Step, as one is large: an eighth of what a quiet tick would allocate. What a
// step returns points to nothing in its machine.
var machines = sync.Pool{New: func() any { return new(machine) }}

// machine is one run of Step. Handlers change s, which is a copy, and add to effects; a handler
// that lacks an answer adds a question and returns, as everything it did is thrown away then. It
// lives for one step: nothing in it is remembered but s.
type machine struct {
	c   config.Config
	s   call.State
	e   event.Event
	row eventRow // of the event's kind
	f   integration.Facts
	now time.Time

	reply     reply.Reply
	effects   []effect.Effect
	questions []integration.Question
}

// run works on the event, in an order that matters: first what the event proves (signature, alert,
// presence of the caller), then its handler, then what is overdue, then what may go on because of
// all that. The document comes last, from the state that results. A refused request is looked at no
// further, not even for the alert.
func (m *machine) run() {
	if m.request() && !m.trusted() {
		m.reply = reply.Refused{}
		return
	}
	m.proveSigned()
	m.doubtSigned()
	m.observe()
	if m.row.ofCaller {
		m.noteQueue()
		m.presence()
	}
	// The phase is asked for only now, as what was proven above may have changed it.
	if c := m.row.cell(m.phase()); c.do != nil {
		c.do(m)
	}
	// Timers have no handlers: what they are for is overdue, below. The host's own only move
	// deadlines.
	if m.e.Kind == event.Timer {
		m.hostTimer()
	}
	m.keepSeen()
	m.overdue()
	m.settle()
	switch {
	case m.reply != nil || !m.request():
	case m.row.answer == nil:
		m.reply = reply.Empty{}
	case m.row.ofCaller && !m.s.GoneAt.IsZero() && !m.over() && m.phase() != call.PhaseAwaitingRecording:
		m.reply = reply.Hangup{} // a late or repeated request of a caller who is gone
	default:
		m.reply = m.row.answer(m)
	}
}

// request reports whether the event is a request, which gets a reply.
func (m *machine) request() bool { return len(m.row.paths) > 0 }

// trusted refuses requests that are not Twilio's. A mismatch is tolerated only until this call had
// a valid signature.
func (m *machine) trusted() bool {
	switch m.e.Auth {
	case event.AuthRefused:
		return false
	case event.AuthMismatch:
		// Addresses below the call carry a token of ours. A known call cannot come in again from
		// elsewhere.
		return m.e.Kind != event.Arrival && m.e.Kind != event.CallStatus || m.s.Verify.Verdict != call.VerdictSigned
	case event.AuthSigned, event.AuthNoToken, "":
		return true
	}
	return false
}

// signed reports whether the present request is known to be Twilio's. Events that are no requests
// come from the host, which is trusted.
func (m *machine) signed() bool { return m.e.Auth == event.AuthSigned || m.e.Auth == "" }

// phase is the call's phase; that of a state that was never stored is arrived.
func (m *machine) phase() call.Phase {
	if m.s.Phase == "" {
		return call.PhaseArrived
	}
	return m.s.Phase
}

// enter changes the phase. The documents given so far are out of date from here on, which the new
// step number shows. At the entry to the hold the alert may turn out to have been closed meanwhile.
// A request that carries an older number is late, or was sent twice.
func (m *machine) enter(p call.Phase) {
	m.s.Phase = p
	m.s.Step++
	if p == call.PhaseHolding {
		m.exitByStatus()
	}
}

// emit adds an effect.
func (m *machine) emit(e effect.Effect) { m.effects = append(m.effects, e) }

// task names a new piece of I/O; its generation is higher than any before in this call. A host
// replaces what has not started of a lower generation and ignores what it knows already.
func (m *machine) task(name string) effect.Task {
	m.s.Serial++
	return effect.Task{Name: name, Generation: m.s.Serial}
}

// noteQueue keeps the queue's name from the first request that tells it, even if that request says
// that the caller has left: the queue is deleted with the call.
func (m *machine) noteQueue() {
	if m.e.QueueSid == "" || m.phase() == call.PhaseArrived || m.s.Hold.QueueSid != "" && !m.anotherQueue() {
		return
	}
	// A responder who has taken the call early can be connected from now on.
	if leg := m.s.LegIn(call.LegTaking); leg != nil && m.early(leg) {
		leg.TakingAt, leg.DueAt = m.now, m.now.Add(takeLimit)
	}
	m.s.Hold.QueueSid = m.e.QueueSid
	if m.over() {
		m.s.QueueTries = 0
		m.deleteQueue()
	}
}

// anotherQueue reports whether the caller has entered the queue once more after it was deleted,
// which makes another one of the same name: the answer that sends the caller there may still be on
// its way when the call is over. "bridged" is told of a queue that the caller entered before.
func (m *machine) anotherQueue() bool {
	return m.over() && m.e.QueueSid != m.s.Hold.QueueSid && m.e.QueueResult != "bridged"
}

// settle brings the call forward after each event: what was waiting for something may go on now.
// The order matters: without an alert there is nothing to route, and nobody is rung before the
// route.
func (m *machine) settle() {
	if m.f.Instance.State == integration.HostDeleted && (m.s.Phase == call.PhaseChoosing || m.s.Phase == call.PhaseHolding) {
		m.log("The integration was deleted while the caller waited.", "")
		m.leave(call.ExitRemoved)
	}
	m.createWanted()
	m.route()
	if m.s.Phase == call.PhaseDelivering {
		m.pursueMessage()
	}
	if m.s.Phase != call.PhaseHolding {
		return
	}
	if m.real() { // else nobody is rung, even where somebody saw the alert and acknowledged it
		m.pursue()
		if len(m.questions) > 0 {
			return
		}
	}
	m.leaveIfDue()
}

// mainDocument answers a request whose document the caller's leg executes outside the queue. Many
// requests ask for it, and it may be given twice: the state decides which it is.
func (m *machine) mainDocument() reply.Reply {
	switch m.phase() {
	case call.PhaseArrived:
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye}}}
	case call.PhaseChoosing:
		return m.menu()
	case call.PhaseHolding, call.PhaseConnecting, call.PhaseTalking:
		// While talking this can only be a late request, whose answer nobody executes, or a leg
		// that fell out of the conversation: a tick will tell.
		return reply.Enqueue{Step: m.s.Step, Say: m.welcome()}
	case call.PhaseLeavingMessage:
		return m.offerVoicemail()
	case call.PhaseAwaitingRecording:
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptAfterMessage}}}
	case call.PhaseDelivering, call.PhaseEnded:
		return m.farewell()
	}
	return reply.Hangup{}
}

// welcome is said before everything else, in the first document alone.
func (m *machine) welcome() []reply.Prompt {
	if (m.e.Kind == event.Arrival || m.e.Kind == event.Resume) && m.s.MenuTries == 0 && !m.s.Hold.PleaseWait {
		return []reply.Prompt{{Key: reply.PromptWelcome}}
	}
	return nil
}
