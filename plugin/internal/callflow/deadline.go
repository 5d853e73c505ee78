package callflow

import (
	"hash/fnv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

const (
	// The time that the caller was last heard of is brought up to date this often, and not with
	// each tick: a tick that changes nothing costs no write. Where the host keeps it
	// ([integration.Facts.SeenAt]), the state follows every presenceKept: enough for a release or a
	// host that knows the state alone, which asks Twilio before it takes anybody for gone.
	presenceRefresh = 45 * time.Second
	presenceKept    = time.Hour
	// Without a request for so long, Twilio is asked for the call.
	presenceLimit = 90 * time.Second
	talkingLook   = 10 * time.Minute // the same during a conversation, which makes no requests
	silenceEnd    = 2 * time.Hour    // without any sign at all for so long the caller is gone
	talkingEnd    = 25 * time.Hour   // the same for a conversation: Twilio allows a day at most
	lookPause     = 5 * time.Second
	// unprovenEnd is how long nothing may be heard of a call that is not proven. It is not looked
	// at again; the longest message fits in.
	unprovenEnd = 10 * time.Minute
	// Unanswered looks at the caller's call, at least, before silence counts as the end.
	looksBeforeEnd = 3
	queueTries     = 5
	queueRetry     = 30 * time.Second
)

// deadline is a moment at which something is to be done if nothing happens before. Its name is also
// that of its timer in the host's outbox.
type deadline struct {
	name string
	at   time.Time
}

// deadlines lists what is pending in a state, in a fixed order. Timers are kept in step with it;
// and every event acts upon what is overdue, so that a lost timer is made up for by the next tick.
func deadlines(s *call.State) []deadline { return deadlinesIn(nil, s) }

// usualDeadlines is a number of deadlines that few states exceed. A list with room for so many
// stays on the stack.
const usualDeadlines = 8

// deadlinesIn is [deadlines] in a list that the caller has made. Names are part of what hosts
// store: a timer of an earlier release must find its deadline here.
func deadlinesIn(ds []deadline, s *call.State) []deadline {
	add := func(name string, at time.Time) {
		if !at.IsZero() {
			ds = append(ds, deadline{name, at})
		}
	}
	addPresent := func() {
		// A caller who is known to be gone is not watched any more: the end of the connection is
		// awaited.
		if s.GoneAt.IsZero() {
			add("present", presentBy(s))
		}
	}
	// After the end it only matters for an alert that is still to be routed: a missed call.
	if s.Verify.Verdict == call.VerdictPending && (s.Phase != call.PhaseEnded || s.Alert.RouteWanted && !s.Alert.Routed) {
		add("verify", s.Verify.GiveUpAt)
	}
	switch s.Phase {
	case call.PhaseHolding:
		if s.Exit == "" {
			add("max-wait", s.Hold.MaxWaitAt)
			add("ask-again", s.Alert.AskAgainAt)
			add("ring", s.RingAt)
		}
		add("present", presentBy(s))
	case call.PhaseConnecting:
		if s.Exit == "" {
			add("max-wait", s.Hold.MaxWaitAt)
		}
		add("talk-over", s.VerdictBy)
		addPresent()
	case call.PhaseTalking:
		add("talk-over", s.VerdictBy)
		addPresent()
	// The menu and the recording end by themselves, by Twilio's time-outs; only their requests may
	// be lost.
	case call.PhaseChoosing, call.PhaseLeavingMessage:
		add("present", presentBy(s))
	case call.PhaseAwaitingRecording:
		add("recording", s.Voicemail.DueAt())
	case call.PhaseDelivering:
		add("ring", s.RingAt)
		add("queue", s.QueueDeleteAt)
		add("recording", s.Voicemail.DueAt())
	case call.PhaseEnded:
		add("queue", s.QueueDeleteAt)
		add("recording", s.Voicemail.DueAt()) // a message may come to light after the end
	case call.PhaseArrived, "":
	}
	for i := range s.Legs {
		if s.Legs[i].Live() {
			add("leg-"+s.Legs[i].ID, s.Legs[i].DueAt)
		}
	}
	return ds
}

// presentBy is when the caller must have been heard of, or Twilio is asked. Three limits meet here:
// the next look, the end after long silence, and the end of a call that was never proven, which is
// not looked at.
func presentBy(s *call.State) time.Time {
	if !s.Verify.Proven() {
		return s.SeenAt.Add(unprovenEnd)
	}
	last := s.SeenAt
	if s.LookedAt.After(last) {
		last = s.LookedAt
	}
	limit, end := presenceLimit, silenceEnd
	if s.Phase == call.PhaseTalking {
		limit, end = talkingLook, talkingEnd
	}
	at := last.Add(limit)
	// Silence alone never ends a call: Twilio must have been asked a few times, and not answered.
	if gone := s.SeenAt.Add(end); gone.Before(at) && s.Unanswered >= looksBeforeEnd {
		return gone
	}
	return at
}

// presentBy is when the caller must have been heard of, with what the host knows besides the state:
// when it heard of the caller, and since when it hears at all. Callers who were silent when a host
// began get as long as all others. For those who stay silent Twilio is asked at times spread by
// their calls' ids, and not for all at once. The host's word that a caller is silent comes to one
// call after the other anyway, and only once.
func (m *machine) presentBy() time.Time {
	s := m.s
	s.SeenAt, s.Unanswered = m.seenAt()
	at := presentBy(&s)
	if m.f.HearingSince.IsZero() {
		return at
	}
	first := m.f.HearingSince.Add(presenceLimit)
	if m.e.Kind != event.Timer || m.e.Timer != integration.TimerCallerSilent {
		first = first.Add(spread(s.Caller.Sid, presenceLimit))
	}
	if first.After(at) {
		return first
	}
	return at
}

// seenAt is when the caller was last heard of, and how many looks went unanswered since, as the
// state or the host has it. Looks that came before the host's word were answered by it, so they no
// longer count.
func (m *machine) seenAt() (at time.Time, unanswered int) {
	if f := m.f.SeenAt; f.After(m.s.SeenAt) {
		if f.After(m.s.LookedAt) {
			return f.UTC().Round(0), 0
		}
		return f.UTC().Round(0), m.s.Unanswered
	}
	return m.s.SeenAt, m.s.Unanswered
}

// keepSeen brings the state up to date with what the host knows of the caller, whenever the timer
// for the caller's presence goes off.
func (m *machine) keepSeen() {
	if m.e.Kind == event.Timer && m.e.Timer == "present" {
		m.s.SeenAt, m.s.Unanswered = m.seenAt()
	}
}

// watchAt is when the timer for the caller's presence goes off. The host that last heard of the
// caller says when the caller falls silent ([integration.TimerCallerSilent]). As that may be lost,
// the timer is kept, but it goes off rarely, since each time costs writes.
func (m *machine) watchAt() time.Time {
	at := m.presentBy()
	heard := !m.f.HearingSince.IsZero() && !m.f.SeenAt.IsZero() && !m.s.SeenAt.After(m.f.SeenAt)
	if heard && m.s.Unanswered == 0 && m.s.Phase != call.PhaseTalking && m.real() {
		if rare := m.f.SeenAt.Add(presenceKept); rare.After(at) {
			return rare
		}
	}
	return at
}

// spread is a part of span that depends on the name alone. A hash and no random number, as Step
// must decide the same each time.
func spread(name string, span time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return time.Duration(h.Sum32()%1000) * span / 1000
}

// overdue acts upon every deadline that has passed. Each act moves or removes its deadline. The
// number of rounds is bounded, so that a defect cannot make a step run for ever: each leg and each
// other deadline may act a few times. It also stops once something must be asked, as the step is
// run again then.
func (m *machine) overdue() {
	for range 4 * (len(m.s.Legs) + 8) {
		// The list is made anew after each act, which may have changed all others.
		acted := false
		var room [usualDeadlines]deadline
		for _, d := range deadlinesIn(room[:0], &m.s) {
			if d.name == "present" {
				d.at = m.presentBy()
			}
			if !d.at.After(m.now) {
				m.due(d.name)
				acted = true
				break
			}
		}
		if !acted || len(m.questions) > 0 {
			return
		}
	}
}

// due acts upon one deadline. An unknown name does nothing: it may be a timer of another release.
func (m *machine) due(name string) {
	switch name {
	case "verify":
		m.verifyDue()
	case "max-wait":
		m.pend(call.ExitMaxWait)
	// Its passing alone lets pursue ask.
	case "ask-again":
		m.s.Alert.AskAgainAt = time.Time{}
	case "ring":
		m.s.RingAt, m.s.Alert.Judged = time.Time{}, false // pursue decides, after this
	case "present":
		m.s.SeenAt, m.s.Unanswered = m.seenAt()
		if !m.real() {
			m.noSign()
			return
		}
		end := silenceEnd
		if m.s.Phase == call.PhaseTalking {
			end = talkingEnd
		}
		// A clock that jumps is no proof: Twilio is asked before anybody is taken for gone.
		if m.now.Sub(m.s.SeenAt) >= end && m.s.Unanswered >= looksBeforeEnd {
			m.noSign()
			return
		}
		m.s.Unanswered++
		m.look(m.now)
	case "talk-over":
		m.verdictDue()
	case "recording":
		m.recordingDue()
	case "queue":
		m.deleteQueue()
	default:
		if id, ok := strings.CutPrefix(name, "leg-"); ok {
			if leg := m.s.Leg(id); leg != nil {
				m.legDue(leg)
			}
		}
	}
}

// setTimers brings the timers in step with the deadlines. A timer that went off too early is
// started again. It runs last in a step, so which timers there are follows from the state alone;
// when the one for the caller's presence goes off depends on what the host knows, too. before are
// the deadlines at the beginning of the step: the host has timers for these and no others.
func (m *machine) setTimers(before []deadline) {
	var room [usualDeadlines]deadline
	after := deadlinesIn(room[:0], &m.s)
	find := func(ds []deadline, name string) (time.Time, bool) {
		for _, d := range ds {
			if d.name == name {
				return d.at, true
			}
		}
		return time.Time{}, false
	}
	for _, d := range after {
		at, had := find(before, d.name)
		unchanged, wentOff := had && at.Equal(d.at), m.e.Kind == event.Timer && m.e.Timer == d.name
		// The timer is there already. Setting it again would be a write for nothing.
		if unchanged && !wentOff {
			continue
		}
		if d.name == "present" {
			d.at = m.watchAt()
		}
		m.emit(effect.StartTimer{Task: m.task(d.name), At: d.at})
	}
	for _, d := range before {
		if _, still := find(after, d.name); !still {
			m.emit(effect.CancelTimer{Task: m.task(d.name)})
		}
	}
}

// Deadline is when the call next acts on its own, and why; zero if never. It is for the rehearsal,
// which plays what comes next.
func Deadline(s call.State) (name string, at time.Time) {
	for _, d := range deadlines(&s) {
		if at.IsZero() || d.at.Before(at) {
			name, at = d.name, d.at
		}
	}
	return name, at
}

// Wanted reports whether a task of this name should still be performed, given the state as it is
// now. It is asked before a live call is touched: the task may have waited while the call went on.
// It is pure, so the joining package can ask it with the newest state right before the request to
// Twilio.
func Wanted(s call.State, task string) bool {
	// A dial whose leg was given up, or whose caller is about to leave, must not make a phone ring.
	if id, ok := strings.CutPrefix(task, "dial-"); ok {
		for i := range s.Legs {
			if l := &s.Legs[i]; l.ID == id {
				wanted := s.Phase == call.PhaseHolding && s.Exit == "" || s.Phase == call.PhaseDelivering && l.Message
				return wanted && l.State == call.LegPlanned && l.Requested
			}
		}
		return false
	}
	switch task {
	case "dequeue":
		return s.Phase == call.PhaseLeavingMessage && !s.Voicemail.Offered
	case "look-call":
		return s.Phase != call.PhaseEnded && s.Phase != call.PhaseDelivering || s.Verify.Verdict == call.VerdictPending
	}
	return true
}

// WantedEnd reports whether a responder's call should still be ended, given the state as it is now:
// never one that has meanwhile joined the caller. An order to end a leg may wait for Twilio for
// minutes, and a leg that was given up may turn out to talk.
func WantedEnd(s call.State, callSid string) bool {
	for i := range s.Legs {
		if l := &s.Legs[i]; l.CallSid == callSid && (l.State == call.LegTaking || l.State == call.LegTalking) {
			return false
		}
	}
	return true
}

// hostTimer acts upon the timers that the host starts by itself. They are hints: a look comes at
// once instead of later, and nothing is decided. Other names need nothing here: what they are for
// is looked at with every event.
func (m *machine) hostTimer() {
	switch m.e.Timer {
	// The timer does not name the person: all who were occupied are looked at.
	case integration.TimerPersonFree:
		for i := range m.s.People {
			if p := &m.s.People[i]; p.OccupiedBy != "" {
				p.LookAt = m.now
			}
		}
		m.lookForGuests()
	case integration.TimerHostStarted:
		// The caller may have hung up while the host was away: nobody may press 1 for nobody.
		if call.Live(m.s) && !m.over() && m.real() && m.now.Sub(m.s.LookedAt) >= lookPause {
			m.look(m.now)
		}
	}
}
