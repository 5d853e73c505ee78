package twiml

// Document is the content of one <Response>. The empty document is valid and ends the call, or, as the answer to a
// callback whose document is not run, does nothing.
type Document struct {
	Verbs []Verb
}

// Verb is one of the verbs of this package; the set is closed.
type Verb interface {
	element() element
}

// New makes a document of verbs.
func New(verbs ...Verb) Document { return Document{Verbs: verbs} }

// Say speaks a text (Twilio docs: voice/twiml/say).
type Say struct {
	Voice    string // such as "Polly.Joanna-Neural"; "" = the account's default
	Language string // BCP 47, such as "en-US"; "" = en-US
	Text     string // at most MaxSayRunes
}

// Play plays a sound file, which Twilio fetches by GET, without its usual parameters, and caches (Twilio docs:
// voice/twiml/play).
type Play struct {
	URL string
}

// Pause is silence.
type Pause struct {
	Seconds int // from 1
}

// Gather collects keys while its nested verbs play (Twilio docs: voice/twiml/gather). Without input the document goes
// on with the next verb, unless ActionOnEmptyResult.
type Gather struct {
	Action              string
	Timeout             int     // seconds of silence after the prompts or the last key; 0 = Twilio's 5
	NumDigits           int     // 0 = no limit
	FinishOnKey         *string // nil = Twilio's "#"; a pointer to "" = no key finishes
	ActionOnEmptyResult bool
	Nested              []Verb // Say, Play, Pause
}

// Enqueue puts the caller into a queue that is made on demand (Twilio docs: voice/twiml/enqueue).
type Enqueue struct {
	Action  string // asked for when the caller leaves the queue, in whatever way
	WaitURL string // asked for again whenever its document ends
	Name    string // at most MaxQueueName characters
}

// Leave takes the caller out of the queue; the Enqueue action is asked for next.
type Leave struct{}

// Redirect goes on with the document at URL (by POST).
type Redirect struct {
	URL string
}

// Hangup ends the call.
type Hangup struct{}

// Reject refuses an unanswered call; nothing is billed (Twilio docs: voice/twiml/reject).
type Reject struct {
	Busy bool // busy signal instead of "not in service"
}

// Record takes a message (Twilio docs: voice/twiml/record). The action is asked for in any case, also when the caller
// hangs up.
type Record struct {
	Action             string
	MaxLength          int    // seconds
	Timeout            int    // seconds of silence that end it; 0 = Twilio's 5
	FinishOnKey        string // keys that end it; "" is written as an empty attribute: none
	StatusCallback     string
	StatusEvents       []string // of in-progress, completed, absent
	Transcribe         bool
	TranscribeCallback string
}

// Dial connects this call to a waiting caller of a queue (Twilio docs: voice/twiml/dial and voice/twiml/queue).
type Dial struct {
	Action  string
	Timeout int // seconds to wait for somebody in the queue; 5 to 600; 0 = Twilio's 30
	Queue   Queue
}

// Queue is the queue that a Dial takes its caller from.
type Queue struct {
	Name string
	URL  string // document the waiting caller hears before being connected: Say, Play, Pause, Redirect only
}

// Key makes a FinishOnKey value.
func Key(k string) *string { return &k }
