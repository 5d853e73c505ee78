// Package executor makes calls do what TwiML says: it fetches documents, executes their verbs, and
// takes a call from its first ringing to its end.
//
//	executor.go  Executor; the documents of a call, one after the other, and the fallback
//	document.go  fetching, validating and executing one document
//	place.go     calls that come in, calls that go out: ringing, answering, machine detection
//	dial.go      <Dial><Number>: rings telephones
//	dialqueue.go <Dial><Queue>
//	enqueue.go   <Enqueue>
//	gather.go    <Gather>
//	record.go    <Record>
//	sound.go     <Say>, <Play>
package executor

import (
	"errors"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// Telephones are outside of the account: what calls ring.
type Telephones interface {
	// Reachable reports whether the telephone of a number can be called.
	Reachable(number string) bool
	// Ring makes the telephone at the end of an outbound call ring. It returns at once.
	Ring(c *account.Call)
}

// Executor executes documents on the calls of an account. Each call runs in a goroutine of its own;
// what calls share is guarded by the account's lock.
type Executor struct {
	account *account.Account
	phones  Telephones

	// mu is not the account's lock: files are the same for all calls, and no call waits for them.
	mu    sync.Mutex
	media map[string]cachedMedia // by URL
}

// New returns an executor.
func New(a *account.Account, phones Telephones) *Executor {
	return &Executor{account: a, phones: phones, media: map[string]cachedMedia{}}
}

// runner executes documents on one call: all methods that may wait belong to it.
type runner struct {
	*account.Call
	executor *Executor
}

// on returns the runner of a call. Runners are values: all that lasts is in the call.
func (x *Executor) on(c *account.Call) runner { return runner{c, x} }

// step is the next document of a call. A verb that ends its document returns one: the action is
// requested when the verb is done with everything else.
type step struct {
	account.Instructions
	params     url.Values
	liveUpdate bool // it is a REST update of a live call
	fallback   bool // it is the fallback URL
}

// request is a step that fetches a document.
func request(t webhook.Target, params url.Values) *step {
	return &step{Instructions: account.Instructions{Target: t}, params: params}
}

// What a verb may end a document with, besides the reasons of package account.
var (
	errHangup = errors.New("hang up")
	errLeave  = errors.New("leave the queue")
)

// applicationError is what Twilio says when a document cannot be fetched and there is no fallback;
// it takes about four seconds. The words are from memory.
const (
	applicationError     = "We are sorry, an application error has occurred. Goodbye."
	applicationErrorTime = 4 * time.Second
)

// run executes documents until the call is over, and then sends the last status callback.
func (r runner) run(first step) {
	// The last status callback comes after the last action; see Behaviour.StatusCallbackFirst.
	defer r.Finish()
	st := first
	for {
		next, err := r.perform(st, twiml.ModeCall)
		var p *problem.Problem
		switch {
		case err == nil && next != nil:
			st = *next
		case err == nil, errors.Is(err, errHangup):
			r.End(account.StatusCompleted)
			return
		case errors.Is(err, account.ErrRedirected):
			// What the old document would have done next is dropped.
			st = r.takeUpdate()
		case errors.As(err, &p):
			r.Account.Report(r.Call, p)
			fallback, ok := r.fallbackStep(p, st.fallback)
			if !ok {
				r.apologise()
				return
			}
			st = fallback
		default:
			return // over, or the simulator was closed
		}
	}
}

// takeUpdate takes up a REST update of the call.
func (r runner) takeUpdate() step {
	r.Account.Lock()
	defer r.Account.Unlock()
	update := r.Update
	r.Update = nil
	if update == nil { // the call's end took the update back; the next look sees that
		// Interrupt then ends it.
		return step{Instructions: account.Instructions{TwiML: "<Response/>"}}
	}
	return step{Instructions: *update, liveUpdate: true}
}

// fallbackStep returns the request to the fallback URL. A document of the fallback that fails as
// well has no further fallback. Source: Twilio docs, voice/twiml, fallback URL.
func (r runner) fallbackStep(p *problem.Problem, failedTwice bool) (step, bool) {
	r.Account.Lock()
	defer r.Account.Unlock()
	if failedTwice || r.Fallback.URL == "" {
		return step{}, false
	}
	st := request(r.Fallback, webhook.Values("ErrorCode", strconv.Itoa(p.Code), "ErrorUrl", p.URL))
	st.fallback = true
	return *st, true
}

// apologise speaks the application error and hangs up. A redirection in these seconds comes too
// late, since nothing takes it up.
func (r runner) apologise() {
	r.answer()
	r.Account.AddEvent(r.Call, transcript.Event{Kind: transcript.Said, Text: applicationError, Note: "Twilio"})
	if err := r.Pause(applicationErrorTime, nil); err == nil || errors.Is(err, account.ErrRedirected) {
		r.End(account.StatusCompleted)
	}
}

// answer connects an inbound call that still rings.
func (r runner) answer() {
	r.Account.Lock()
	defer r.Account.Unlock()
	if r.Direction == account.DirectionInbound && r.Status == account.StatusRinging {
		r.SetStatusLocked(account.StatusInProgress)
	}
}
