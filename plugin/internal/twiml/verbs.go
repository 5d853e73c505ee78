package twiml

// Document is the content of one <Response>. The empty document is valid: it ends the call, or does
// nothing as the answer to a callback whose document Twilio does not run.
type Document struct {
	Verbs []Verb // run in this order
}

// Verb is one of the verbs of this package. The set is closed, so that tests can read every answer
// back.
type Verb interface {
	element() element
}

// New returns a document of verbs.
func New(verbs ...Verb) Document { return Document{Verbs: verbs} }

// Say speaks a text (Twilio docs: voice/twiml/say).
type Say struct {
	Voice    string // such as "Polly.Joanna-Neural"; "" means the account's default
	Language string // BCP 47, such as "en-US"; "" means en-US
	Text     string // at most MaxSayRunes characters, and MaxSayURLEscape bytes after URL encoding
}

// Play plays a sound file. Twilio fetches it by GET, without its usual parameters, and caches it
// (Twilio docs: voice/twiml/play).
type Play struct {
	URL string // absolute
}

// Pause is silence (Twilio docs: voice/twiml/pause).
type Pause struct {
	Seconds int // at least 1
}

// Gather collects keys while its nested verbs play (Twilio docs: voice/twiml/gather). Without input
// the document goes on with the next verb, unless ActionOnEmptyResult is set.
type Gather struct {
	Action string // absolute URL that receives the keys
	// Seconds of silence after the prompts or the last key; 0 means Twilio's 5.
	Timeout   int
	NumDigits int // 0 means no limit
	// nil means Twilio's "#"; a pointer to "" means that no key finishes.
	FinishOnKey         *string
	ActionOnEmptyResult bool   // request the action also without input
	Nested              []Verb // only Say, Play and Pause
}

// Enqueue puts the caller into a queue, which Twilio creates on demand (Twilio docs:
// voice/twiml/enqueue).
type Enqueue struct {
	Action  string // absolute URL, requested when the caller leaves the queue for whatever reason
	WaitURL string // absolute URL, requested again whenever its document ends
	Name    string // 1 to MaxQueueName characters
}

// Leave takes the caller out of the queue. Twilio requests the action of Enqueue next (Twilio docs:
// voice/twiml/leave).
type Leave struct{}

// Redirect goes on with the document at URL, requested by POST (Twilio docs: voice/twiml/redirect).
type Redirect struct {
	URL string // absolute
}

// Hangup ends the call (Twilio docs: voice/twiml/hangup).
type Hangup struct{}

// Reject refuses a call that is not answered yet, so Twilio bills nothing (Twilio docs:
// voice/twiml/reject).
type Reject struct {
	Busy bool // busy signal instead of "not in service"
}

// Record records a message (Twilio docs: voice/twiml/record). Twilio requests the action in any
// case, also when the caller hangs up.
type Record struct {
	Action    string // absolute URL, requested when the recording stops
	MaxLength int    // seconds, 2 to 14400; at most 120 with Transcribe
	Timeout   int    // seconds of silence that end it; 0 means Twilio's 5
	// Keys that end it; "" is written as an empty attribute and means none.
	FinishOnKey        string
	StatusCallback     string   // absolute URL, or "" for none
	StatusEvents       []string // of in-progress, completed, absent
	Transcribe         bool
	TranscribeCallback string // absolute URL, or "" for none
}

// Dial connects this call to a waiting caller of a queue (Twilio docs: voice/twiml/dial and
// voice/twiml/queue).
type Dial struct {
	Action  string // absolute URL, requested when the two are no longer connected
	Timeout int    // seconds to wait for somebody in the queue, 5 to 600; 0 means Twilio's 30
	Queue   Queue
}

// Queue names the queue from which a Dial takes its caller.
type Queue struct {
	Name string // 1 to MaxQueueName characters
	// URL is the document that the waiting caller hears before being connected. It may contain only
	// Say, Play, Pause and Redirect.
	URL string
}

// Key returns a FinishOnKey value: one key, or "" for none.
func Key(k string) *string { return &k }
