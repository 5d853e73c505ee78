package integration

// ActionTestRing is the name of an action by which an integration that calls people rings a phone
// of one person for a test: the person hears what rings and presses 1. It is optional and not
// listed in [Description.Actions], as it is no button beside the form; a plugin without it answers
// not_found (since minor 1).
//
// The host runs it again and again, about once a second, until a line has the field [RingOutcome]:
// first with [ValueUser], to start, then also with [ValueRing] as the first answer gave it. Facts
// are those of a session of the ring's own, whose key the host makes of [RingSessionPrefix] and at
// least 16 random letters or digits; the plugin's webhooks may use that session. A ring ends by
// itself when the host stops asking. The plugin ends it, too, when a caller needs the person: in
// this action alone [User.OccupiedBy] may be a call of any integration of the host. It is no call:
// it has no alert and no [CallView].
const ActionTestRing = "test-ring"

// RingSessionPrefix begins the key of a session of [ActionTestRing].
const RingSessionPrefix = "ring-"

// Values of [ActionTestRing].
const (
	ValueUser  = "user"  // id of the person
	ValuePhone = "phone" // which of [User.Phones], from 0; "" = the first
	ValueRing  = "ring"  // of a ring that has begun: what the line of this field said; "" = begin
)

// Fields of the lines of [ActionTestRing]; the text of each is for people.
const (
	// RingOutcome: the ring is over. Choice is one of the outcomes below.
	RingOutcome = "outcome"
	// RingUnderWay is the same word as [ValueRing]: the phone is being rung, and Choice is the
	// value for the next run.
	RingUnderWay = ValueRing
	// RingNumber: Choice is the phone number that is rung.
	RingNumber = "number"
	// RingNext: the person has another phone. Choice is its [ValuePhone].
	RingNext = ValuePhone
)

// The outcomes of a test ring.
const (
	RingConfirmed   = "confirmed"   // answered, and 1 was pressed
	RingUnconfirmed = "unconfirmed" // answered, and 1 was not pressed: perhaps by a machine
	RingBusy        = "busy"
	RingNoAnswer    = "no_answer"
	RingRefused     = "refused"  // it was not started, or could not be put through
	RingOccupied    = "occupied" // a call has the person, or wants them: not rung
	RingStopped     = "stopped"  // it was ended, since a call wants the person
	RingUnknown     = "unknown"  // what came of it could not be learned
)
