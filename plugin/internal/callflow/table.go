package callflow

import (
	"slices"
	"strings"
)

// cell says what an event does in a phase: the handler, its name, and the phases it may lead to besides staying.
// A kind without a cell changes nothing by itself. Overdue deadlines and alert snapshots are acted upon with every
// event: where they lead is in always.
type cell struct {
	kinds []EventKind
	name  string
	do    func(*machine)
	next  []Phase
}

// callerKinds are the requests of the caller's leg: by a final status they prove that the caller is gone. goneNext says
// where that leads.
var callerKinds = []EventKind{
	EventArrival, EventResume, EventMenuKeys, EventTick, EventHoldKey, EventLeft, EventVoicemail, EventRecorded, EventAnnounce,
}

var goneNext = map[Phase][]Phase{
	PhaseChoosing:       {PhaseEnded},
	PhaseHolding:        {PhaseEnded},
	PhaseConnecting:     {PhaseEnded},
	PhaseTalking:        {PhaseEnded},
	PhaseLeavingMessage: {PhaseAwaitingRecording, PhaseEnded},
}

// always lists where any event may lead, since each acts upon what is overdue and on the alert's snapshot. A main
// document served without voicemail says goodbye: hence the ends.
var always = map[Phase][]Phase{
	PhaseChoosing:          {PhaseEnded},
	PhaseHolding:           {PhaseLeavingMessage, PhaseEnded},
	PhaseConnecting:        {PhaseHolding, PhaseTalking, PhaseLeavingMessage, PhaseEnded},
	PhaseTalking:           {PhaseEnded},
	PhaseLeavingMessage:    {PhaseAwaitingRecording, PhaseEnded},
	PhaseAwaitingRecording: {PhaseEnded},
}

// table is what Step does: phases × kinds of events.
var table = map[Phase][]cell{
	PhaseArrived: {
		{[]EventKind{EventArrival, EventResume, EventMenuKeys, EventLeft, EventVoicemail}, "arrive", (*machine).arrive,
			[]Phase{PhaseChoosing, PhaseHolding, PhaseLeavingMessage, PhaseEnded}},
		{[]EventKind{EventTick, EventHoldKey}, "arriveInQueue", (*machine).arriveInQueue, nil},
		{[]EventKind{EventRecorded, EventAnnounce, EventCallStatus, EventRecording, EventTranscription,
			EventLegAnswer, EventLegKey, EventLegEnded, EventLegStatus}, "stray", (*machine).stray, nil},
	},
	PhaseChoosing: {
		{[]EventKind{EventMenuKeys}, "menuKeys", (*machine).menuKeys, []Phase{PhaseHolding, PhaseLeavingMessage, PhaseEnded}},
		{[]EventKind{EventLeft}, "leftElsewhere", (*machine).leftElsewhere, []Phase{PhaseEnded}},
		{[]EventKind{EventCallStatus}, "callStatus", (*machine).callStatus, []Phase{PhaseEnded}},
		{[]EventKind{EventLookedAtCall}, "lookedAtCall", (*machine).lookedAtCall, []Phase{PhaseEnded}},
		{[]EventKind{EventCommandFailed}, "commandFailed", (*machine).commandFailed, nil},
	},
	PhaseHolding: {
		{[]EventKind{EventTick}, "tick", (*machine).tick, nil},
		{[]EventKind{EventHoldKey}, "holdKey", (*machine).holdKey, []Phase{PhaseLeavingMessage}},
		{[]EventKind{EventLeft}, "left", (*machine).left, []Phase{PhaseLeavingMessage, PhaseEnded}},
		{[]EventKind{EventAnnounce}, "announce", (*machine).announce, []Phase{PhaseTalking}},
		{[]EventKind{EventLegAnswer}, "legAnswer", (*machine).legAnswer, []Phase{PhaseConnecting}},
		{[]EventKind{EventLegKey}, "legKey", (*machine).legKey, []Phase{PhaseConnecting}},
		{[]EventKind{EventLegEnded}, "legEnded", (*machine).legEnded, nil},
		{[]EventKind{EventLegStatus}, "legStatus", (*machine).legStatus, nil},
		{[]EventKind{EventDialed}, "dialed", (*machine).dialed, nil},
		{[]EventKind{EventLookedAtLeg}, "lookedAtLeg", (*machine).lookedAtLeg, nil},
		{[]EventKind{EventCallStatus}, "callStatus", (*machine).callStatus, []Phase{PhaseEnded}},
		{[]EventKind{EventLookedAtCall}, "lookedAtCall", (*machine).lookedAtCall, []Phase{PhaseEnded}},
		{[]EventKind{EventCommandFailed}, "commandFailed", (*machine).commandFailed, nil},
	},
	PhaseConnecting: {
		{[]EventKind{EventTick, EventHoldKey}, "tickConnecting", (*machine).tickConnecting, []Phase{PhaseHolding}},
		{[]EventKind{EventLeft}, "leftConnected", (*machine).leftConnected, []Phase{PhaseHolding, PhaseLeavingMessage, PhaseEnded}},
		{[]EventKind{EventAnnounce}, "announce", (*machine).announce, []Phase{PhaseTalking}},
		{[]EventKind{EventLegAnswer, EventLegKey}, "legElsewhere", (*machine).legElsewhere, nil},
		{[]EventKind{EventLegEnded}, "legEnded", (*machine).legEnded, []Phase{PhaseHolding, PhaseTalking, PhaseEnded}},
		{[]EventKind{EventLegStatus}, "legStatus", (*machine).legStatus, []Phase{PhaseHolding}},
		{[]EventKind{EventDialed}, "dialed", (*machine).dialed, nil},
		{[]EventKind{EventLookedAtLeg}, "lookedAtLeg", (*machine).lookedAtLeg, []Phase{PhaseHolding, PhaseTalking}},
		{[]EventKind{EventCallStatus}, "callStatus", (*machine).callStatus, []Phase{PhaseEnded}},
		{[]EventKind{EventLookedAtCall}, "lookedAtCall", (*machine).lookedAtCall, []Phase{PhaseEnded}},
		{[]EventKind{EventCommandFailed}, "commandFailed", (*machine).commandFailed, nil},
	},
	PhaseTalking: {
		{[]EventKind{EventTick, EventHoldKey}, "tickTalking", (*machine).tickTalking, []Phase{PhaseHolding, PhaseLeavingMessage}},
		{[]EventKind{EventLeft}, "leftConnected", (*machine).leftConnected, []Phase{PhaseHolding, PhaseLeavingMessage, PhaseEnded}},
		{[]EventKind{EventLegAnswer, EventLegKey}, "legElsewhere", (*machine).legElsewhere, nil},
		{[]EventKind{EventLegEnded}, "legEnded", (*machine).legEnded, []Phase{PhaseHolding, PhaseLeavingMessage, PhaseEnded}},
		{[]EventKind{EventLegStatus}, "legStatus", (*machine).legStatus, []Phase{PhaseEnded}},
		{[]EventKind{EventDialed}, "dialed", (*machine).dialed, nil},
		{[]EventKind{EventLookedAtLeg}, "lookedAtLeg", (*machine).lookedAtLeg, []Phase{PhaseEnded}},
		{[]EventKind{EventCallStatus}, "callStatus", (*machine).callStatus, []Phase{PhaseEnded}},
		{[]EventKind{EventLookedAtCall}, "lookedAtCall", (*machine).lookedAtCall, []Phase{PhaseEnded}},
		{[]EventKind{EventCommandFailed}, "commandFailed", (*machine).commandFailed, nil},
	},
	PhaseLeavingMessage: {
		{[]EventKind{EventLeft}, "leftElsewhere", (*machine).leftElsewhere, []Phase{PhaseAwaitingRecording, PhaseEnded}},
		{[]EventKind{EventArrival, EventResume, EventMenuKeys, EventVoicemail}, "", nil, []Phase{PhaseEnded}},
		{[]EventKind{EventRecorded}, "recorded", (*machine).recorded, []Phase{PhaseAwaitingRecording, PhaseEnded}},
		{[]EventKind{EventRecording}, "recording", (*machine).recording, []Phase{PhaseAwaitingRecording, PhaseEnded}},
		{[]EventKind{EventTranscription}, "transcription", (*machine).transcription, nil},
		{[]EventKind{EventLegAnswer, EventLegKey, EventLegEnded}, "legElsewhere", (*machine).legElsewhere, nil},
		{[]EventKind{EventLegStatus}, "legStatus", (*machine).legStatus, nil},
		{[]EventKind{EventDialed}, "dialed", (*machine).dialed, nil},
		{[]EventKind{EventCallStatus}, "callStatus", (*machine).callStatus, []Phase{PhaseAwaitingRecording, PhaseEnded}},
		{[]EventKind{EventLookedAtCall}, "lookedAtCall", (*machine).lookedAtCall, []Phase{PhaseAwaitingRecording, PhaseEnded}},
		{[]EventKind{EventCommandFailed}, "commandFailed", (*machine).commandFailed, nil},
	},
	PhaseAwaitingRecording: {
		{[]EventKind{EventRecorded}, "recorded", (*machine).recorded, nil},
		{[]EventKind{EventRecording}, "recording", (*machine).recording, []Phase{PhaseEnded}},
		{[]EventKind{EventTranscription}, "transcription", (*machine).transcription, nil},
		{[]EventKind{EventFetched}, "fetched", (*machine).fetched, []Phase{PhaseEnded}},
		{[]EventKind{EventRecordingsList}, "recordingsListed", (*machine).recordingsListed, []Phase{PhaseEnded}},
		{[]EventKind{EventLegAnswer, EventLegKey, EventLegEnded}, "legElsewhere", (*machine).legElsewhere, nil},
		{[]EventKind{EventLegStatus}, "legStatus", (*machine).legStatus, nil},
		{[]EventKind{EventDialed}, "dialed", (*machine).dialed, nil},
		{[]EventKind{EventLeft}, "leftElsewhere", (*machine).leftElsewhere, nil},
		{[]EventKind{EventCallStatus}, "callStatus", (*machine).callStatus, nil},
		{[]EventKind{EventLookedAtCall}, "lookedAtCall", (*machine).lookedAtCall, nil},
		{[]EventKind{EventCommandFailed}, "commandFailed", (*machine).commandFailed, nil},
	},
	PhaseEnded: {
		{[]EventKind{EventRecording}, "recording", (*machine).recording, nil},
		{[]EventKind{EventTranscription}, "transcription", (*machine).transcription, nil},
		{[]EventKind{EventFetched}, "fetched", (*machine).fetched, nil},
		{[]EventKind{EventLegAnswer, EventLegKey, EventLegEnded}, "legElsewhere", (*machine).legElsewhere, nil},
		{[]EventKind{EventLegStatus}, "legStatus", (*machine).legStatus, nil},
		{[]EventKind{EventDialed}, "dialed", (*machine).dialed, nil},
		{[]EventKind{EventLeft}, "leftElsewhere", (*machine).leftElsewhere, nil},
		{[]EventKind{EventLookedAtCall}, "lookedAtCall", (*machine).lookedAtCall, nil},
		{[]EventKind{EventCommandFailed}, "commandFailed", (*machine).commandFailed, nil},
		{[]EventKind{EventQueueDeleted}, "queueDeleted", (*machine).queueDeleted, nil},
	},
}

// lookup finds the cell of an event in a phase; the zero cell does nothing.
func lookup(p Phase, k EventKind) cell {
	for _, c := range table[p] {
		if slices.Contains(c.kinds, k) {
			return c
		}
	}
	return cell{}
}

// Allowed reports whether an event of a kind may lead from one phase to another.
func Allowed(from Phase, kind EventKind, to Phase) bool {
	return from == to || slices.Contains(lookup(from, kind).next, to) || slices.Contains(always[from], to) ||
		slices.Contains(callerKinds, kind) && slices.Contains(goneNext[from], to)
}

// Diagram draws the table as a Mermaid state diagram. Each arrow carries the events that may take it; "overdue" stands
// for deadlines and alert snapshots, which every event acts upon.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> arrived\n")
	for _, from := range Phases() {
		for _, to := range Phases() {
			if from == to {
				continue
			}
			var labels []string
			for _, k := range Kinds() {
				if slices.Contains(lookup(from, k).next, to) {
					labels = append(labels, string(k))
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
