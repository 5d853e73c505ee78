package callflow

import (
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// eventRow is one kind of event: what the surrounding package must know of it, and what it does in
// each phase. A new event is a constant, a row in [events] and a handler.
type eventRow struct {
	kind event.Kind
	// paths are the paths below the endpoint that such requests come to, with placeholders: {call}
	// is the caller's CallSid, {leg} the id of a responder's leg. An event without paths is no
	// request: it never gets a reply.
	paths []string
	// ofCaller marks requests that are made for the caller's leg, at a moment of that call. By a
	// final status they prove that the caller is gone.
	ofCaller bool
	// answer is the document such a request gets by the state of the call, where the handler gave
	// none; nil: Twilio ignores the answer.
	answer func(*machine) reply.Reply
	in     []cell
}

// cell says what an event does in some phases: the handler (nil: nothing by itself), and the phases
// it may lead to besides staying. In a phase without a cell an event changes nothing by itself.
// Overdue deadlines and alert snapshots are acted upon with every event: where they lead is in
// always. The handler may assume the phases of its cell; the search and the random histories check
// that it leads nowhere else.
type cell struct {
	at   []call.Phase
	do   func(*machine)
	next []call.Phase
}

// in makes a cell; the phases that it leads to follow by the method to.
func in(do func(*machine), at ...call.Phase) cell { return cell{at: at, do: do} }

func (c cell) to(next ...call.Phase) cell {
	c.next = next
	return c
}

// Short names, so that a row of the table can be read at a glance.
const (
	arrived    = call.PhaseArrived
	choosing   = call.PhaseChoosing
	holding    = call.PhaseHolding
	connecting = call.PhaseConnecting
	talking    = call.PhaseTalking
	leaving    = call.PhaseLeavingMessage
	awaiting   = call.PhaseAwaitingRecording
	delivering = call.PhaseDelivering
	ended      = call.PhaseEnded
)

// events is everything that can happen to a call. Everything that has to know of an event derives
// it from here: the routes and the ignored answers of the joining package, and the diagram of the
// documentation.
var events = []eventRow{
	// Requests of the caller's leg.
	{kind: event.Arrival, paths: []string{"/", "", "/resume"}, ofCaller: true, answer: (*machine).mainDocument, in: []cell{
		in((*machine).arrive, arrived).to(choosing, holding, leaving, ended),
		in((*machine).arriveAgain, talking),
		in((*machine).resumeLeaving, leaving).to(awaiting, ended),
	}},
	{kind: event.Resume, paths: []string{"/c/{call}/resume"}, ofCaller: true, answer: (*machine).mainDocument, in: []cell{
		in((*machine).arrive, arrived).to(choosing, holding, leaving, ended),
		in((*machine).resumeConnected, talking),
		in((*machine).resumeLeaving, leaving).to(awaiting, ended),
	}},
	{kind: event.MenuKeys, paths: []string{"/c/{call}/menu"}, ofCaller: true, answer: (*machine).mainDocument, in: []cell{
		in((*machine).arrive, arrived).to(choosing, holding, leaving, ended),
		in((*machine).menuKeys, choosing).to(holding, leaving, ended),
		in(nil, leaving).to(ended),
	}},
	{kind: event.Tick, paths: []string{"/c/{call}/hold"}, ofCaller: true, answer: (*machine).waitDocument, in: []cell{
		in((*machine).arriveInQueue, arrived),
		in((*machine).tick, holding),
		in((*machine).tickConnecting, connecting).to(holding),
		in((*machine).tickTalking, talking).to(holding, leaving),
	}},
	{kind: event.HoldKey, paths: []string{"/c/{call}/hold/key"}, ofCaller: true, answer: (*machine).waitDocument, in: []cell{
		in((*machine).arriveInQueue, arrived),
		in((*machine).holdKey, holding).to(leaving),
		in((*machine).tickConnecting, connecting).to(holding),
		in((*machine).tickTalking, talking).to(holding, leaving),
	}},
	{kind: event.Left, paths: []string{"/c/{call}/left"}, ofCaller: true, answer: (*machine).mainDocument, in: []cell{
		in((*machine).arrive, arrived).to(choosing, holding, leaving, ended),
		in((*machine).leftElsewhere, choosing).to(ended),
		in((*machine).left, holding).to(leaving, ended),
		in((*machine).leftConnected, connecting, talking).to(holding, leaving, ended),
		in((*machine).leftElsewhere, leaving).to(awaiting, ended),
		in((*machine).leftElsewhere, awaiting, delivering, ended),
	}},
	{kind: event.Voicemail, paths: []string{"/c/{call}/voicemail"}, ofCaller: true, answer: (*machine).mainDocument, in: []cell{
		in((*machine).arrive, arrived).to(choosing, holding, leaving, ended),
		in((*machine).resumeLeaving, leaving).to(awaiting, ended),
	}},
	{kind: event.Recorded, paths: []string{"/c/{call}/recorded"}, ofCaller: true, answer: (*machine).mainDocument, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).recorded, leaving).to(awaiting, ended),
		in((*machine).recorded, awaiting),
		in((*machine).recorded, delivering, ended),
	}},
	{kind: event.Announce, paths: []string{"/c/{call}/announce"}, ofCaller: true, answer: (*machine).announcement, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).announce, holding, connecting).to(talking),
	}},

	// Callbacks about the call and its recording. Twilio ignores the answers.
	{kind: event.CallStatus, paths: []string{"/status"}, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).callStatus, choosing, holding).to(ended),
		in((*machine).callStatus, connecting, talking), // whether they talked, the leg's end says
		in((*machine).callStatus, leaving).to(awaiting, ended),
		in((*machine).callStatus, awaiting),
	}},
	{kind: event.Recording, paths: []string{"/c/{call}/recording"}, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).recording, leaving).to(awaiting),
		in((*machine).recording, awaiting).to(ended),
		in((*machine).recording, delivering, ended),
	}},
	{kind: event.Transcription, paths: []string{"/c/{call}/transcription"}, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).transcription, leaving, awaiting, delivering, ended),
	}},

	// Requests of a responder's leg.
	{kind: event.LegAnswer, paths: []string{"/c/{call}/leg/{leg}"}, answer: (*machine).legDocument, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).legAnswer, holding).to(connecting),
		in((*machine).messageAnswer, delivering).to(ended),
		in((*machine).legElsewhere, connecting, talking, leaving, awaiting, ended),
	}},
	{kind: event.LegKey, paths: []string{"/c/{call}/leg/{leg}/key"}, answer: (*machine).legDocument, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).legKey, holding).to(connecting),
		in((*machine).messageKey, delivering).to(ended),
		in((*machine).legElsewhere, connecting, talking, leaving, awaiting, ended),
	}},
	{kind: event.LegEnded, paths: []string{"/c/{call}/leg/{leg}/ended"}, answer: (*machine).legFarewell, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).legEnded, holding),
		in((*machine).legEnded, connecting).to(holding, leaving, ended),
		in((*machine).legEnded, talking).to(holding, connecting, leaving, ended),
		in((*machine).legElsewhere, leaving, awaiting, delivering, ended),
	}},
	{kind: event.LegStatus, paths: []string{"/c/{call}/leg/{leg}/status"}, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).legStatus, holding),
		in((*machine).legStatus, connecting, talking),
		in((*machine).legStatus, leaving, awaiting, ended),
		in((*machine).legStatus, delivering).to(ended),
	}},

	{kind: event.LegJoins, paths: []string{"/c/{call}/join"}, answer: (*machine).legDocument, in: []cell{
		in((*machine).stray, arrived),
		in((*machine).legJoins, delivering),
	}},

	// What the host tells. An alert needs no handler: its snapshot comes with every event, see
	// observe.
	{kind: event.Alert},
	{kind: event.Timer},
	{kind: event.CommandFailed, in: []cell{
		in((*machine).commandFailed, choosing, holding, connecting, talking, leaving, awaiting, delivering, ended),
	}},

	// Results of tasks.
	{kind: event.Mailed, in: []cell{
		in((*machine).mailed, leaving, awaiting, delivering, ended),
	}},
	{kind: event.LookedAtCall, in: []cell{
		in((*machine).lookedAtCall, choosing, holding).to(ended),
		in((*machine).lookedAtCall, connecting, talking),
		in((*machine).lookedAtCall, leaving).to(awaiting, ended),
		in((*machine).lookedAtCall, awaiting, delivering, ended),
	}},
	{kind: event.Dialed, in: []cell{
		in((*machine).dialed, holding, connecting, talking, leaving, awaiting, ended),
		in((*machine).dialed, delivering).to(ended),
	}},
	{kind: event.LookedAtLeg, in: []cell{
		in((*machine).lookedAtLeg, holding),
		in((*machine).lookedAtLeg, delivering).to(ended),
		in((*machine).lookedAtLeg, connecting).to(holding, talking, leaving, ended),
		in((*machine).lookedAtLeg, talking).to(holding, leaving, ended),
	}},
	// Whether the caller was moved out of the queue shows in what the caller's leg asks for next.
	{kind: event.Dequeued},
	{kind: event.QueueDeleted, in: []cell{in((*machine).queueDeleted, delivering, ended)}},
	{kind: event.Fetched, in: []cell{
		in((*machine).fetched, awaiting).to(delivering, ended),
		in((*machine).fetched, delivering),
		in((*machine).fetched, ended).to(delivering),
	}},
	{kind: event.RecordingsList, in: []cell{
		in((*machine).recordingsListed, awaiting).to(ended),
		in((*machine).recordingsListed, delivering, ended),
	}},
}

// goneNext says where a final status in a request of the caller's leg leads.
var goneNext = map[call.Phase][]call.Phase{
	call.PhaseChoosing:       {call.PhaseEnded},
	call.PhaseHolding:        {call.PhaseEnded},
	call.PhaseLeavingMessage: {call.PhaseAwaitingRecording, call.PhaseEnded},
}

// always lists where any event may lead, since each acts upon what is overdue and on the alert's
// snapshot. A main document served without voicemail says goodbye: hence the ends.
var always = map[call.Phase][]call.Phase{
	call.PhaseChoosing:          {call.PhaseEnded},
	call.PhaseHolding:           {call.PhaseLeavingMessage, call.PhaseEnded},
	call.PhaseConnecting:        {call.PhaseHolding, call.PhaseTalking, call.PhaseLeavingMessage, call.PhaseEnded},
	call.PhaseTalking:           {call.PhaseHolding, call.PhaseLeavingMessage, call.PhaseEnded},
	call.PhaseLeavingMessage:    {call.PhaseAwaitingRecording, call.PhaseEnded},
	call.PhaseAwaitingRecording: {call.PhaseEnded},
	call.PhaseDelivering:        {call.PhaseEnded},
}

// row finds the row of a kind; that of an unknown kind is empty: no request, and without any
// effect. A host of a later release may send such a kind.
func row(k event.Kind) eventRow {
	if i := slices.IndexFunc(events, func(e eventRow) bool { return e.kind == k }); i >= 0 {
		return events[i]
	}
	return eventRow{kind: k}
}

// cell finds what the event does in a phase; the zero cell does nothing.
func (e eventRow) cell(p call.Phase) cell {
	for _, c := range e.in {
		if slices.Contains(c.at, p) {
			return c
		}
	}
	return cell{}
}

// Kinds lists every kind of event, in the order of the table.
func Kinds() []event.Kind {
	kinds := make([]event.Kind, len(events))
	for i, e := range events {
		kinds[i] = e.kind
	}
	return kinds
}

// Request reports whether events of this kind are HTTP requests, which get a reply.
func Request(k event.Kind) bool { return len(Paths(k)) > 0 }

// Paths lists the paths below the endpoint that requests of this kind come to, with the
// placeholders {call} and {leg}; none for events that are no requests. The routes of the joining
// package are made of them.
func Paths(k event.Kind) []string { return row(k).paths }

// OfCaller reports whether requests of this kind are made for the caller's leg.
func OfCaller(k event.Kind) bool { return row(k).ofCaller }

// AnswerIgnored reports whether Twilio ignores the answer to requests of this kind.
func AnswerIgnored(k event.Kind) bool {
	e := row(k)
	return len(e.paths) > 0 && e.answer == nil
}

// Allowed reports whether an event of a kind may lead from one phase to another.
func Allowed(from call.Phase, kind event.Kind, to call.Phase) bool {
	e := row(kind)
	return from == to || slices.Contains(e.cell(from).next, to) || slices.Contains(always[from], to) ||
		e.ofCaller && slices.Contains(goneNext[from], to)
}

// Diagram draws the table as a Mermaid state diagram. Each arrow carries the events that may take
// it; "overdue" stands for deadlines and alert snapshots, which every event acts upon. Its text is
// part of the documentation, which a test compares.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> arrived\n")
	for _, from := range call.Phases() {
		for _, to := range call.Phases() {
			if from == to {
				continue
			}
			var labels []string
			for _, e := range events {
				if slices.Contains(e.cell(from).next, to) {
					labels = append(labels, string(e.kind))
				}
			}
			if slices.Contains(always[from], to) {
				labels = append(labels, "overdue")
			}
			if len(labels) > 0 {
				b.WriteString("    " + string(from) + " --> " + string(to) + ": " + strings.Join(labels, ", ") + "\n")
			}
		}
	}
	b.WriteString("    ended --> [*]\n")
	return b.String()
}
