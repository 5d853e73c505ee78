package executor

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// dialResult is how a <Dial> ended, as its action is told.
type dialResult struct {
	status  string // DialCallStatus
	sid     string // DialCallSid
	bridged bool
	length  time.Duration
}

// parameters returns what the action is requested with. Source: Twilio docs, voice/twiml/dial.
func (d dialResult) parameters() map[string][]string {
	params := webhook.Values("DialCallStatus", d.status, "DialBridged", "false")
	if d.sid != "" {
		params.Set("DialCallSid", d.sid)
	}
	if d.bridged {
		params.Set("DialBridged", "true")
		params.Set("DialCallDuration", account.Seconds(d.length))
	}
	return params
}

// dial connects the call to somebody. Source: Twilio docs, voice/twiml/dial, voice/twiml/number,
// voice/twiml/queue.
func (r runner) dial(d *document, n *twiml.Node) (*step, error) {
	action, hasAction, err := d.action(n)
	if err != nil {
		return nil, err
	}
	numbers, queue, err := dialTargets(n)
	if err != nil {
		return nil, err
	}
	// To go on without the recording would let a program pass that waits for it.
	if n.Attr("record", "do-not-record") != "do-not-record" && n.Attrs["record"] != "false" {
		return nil, &problem.Problem{Text: "twiliosim does not simulate <Dial record>"}
	}
	var got dialResult
	if queue != nil {
		got, err = r.dialQueue(d, n, queue)
	} else {
		got, err = r.dialNumbers(d, n, numbers)
	}
	var p *problem.Problem
	switch {
	case errors.Is(err, account.ErrClosed) || errors.As(err, &p):
		// The fallback URL is next, not the action.
		return nil, err
	case err != nil: // the call is over, or redirected: the action is requested, its answer ignored
		if !errors.Is(err, account.ErrEnded) || !r.Account.Config.Behaviour.NoDialActionOnHangup {
			r.FetchIgnored(action, got.parameters())
		}
		return nil, err
	case hasAction:
		return request(action, got.parameters()), nil
	}
	return nil, nil
}

// dialTargets finds the nouns of a <Dial>: one queue, or up to ten numbers.
func dialTargets(n *twiml.Node) (numbers []*twiml.Node, queue *twiml.Node, err error) {
	for _, child := range n.Children {
		if child.Fatal != nil {
			return nil, nil, child.Fatal
		}
		switch child.Name {
		case "Number":
			numbers = append(numbers, child)
		case "Queue":
			queue = child
		default:
			return nil, nil, &problem.Problem{Text: "twiliosim does not simulate <Dial><" + child.Name + ">"}
		}
	}
	if n.Text != "" {
		numbers = append(numbers, &twiml.Node{Name: "Number", Text: n.Text, Attrs: map[string]string{}})
	}
	switch {
	case queue != nil && (len(numbers) > 0 || len(n.Children) > 1):
		return nil, nil, &problem.Problem{Code: 13215, Text: "<Dial> holds a <Queue> and something else"}
	case queue == nil && len(numbers) == 0:
		return nil, nil, &problem.Problem{Code: 13223, Text: "<Dial> without anybody to dial"}
	case len(numbers) > 10:
		return nil, nil, &problem.Problem{Code: 13215, Text: "<Dial> holds more than ten numbers"}
	}
	return numbers, queue, nil
}

// talk waits for the end of a conversation: either side hangs up, a time limit is over, or the star
// key ends it. It returns how long the two talked, and why the call goes no further, if it does
// not.
func (r runner) talk(n *twiml.Node, talk *account.Bridge) (dialResult, error) {
	a := r.Account
	hangupOnStar := n.Attrs["hangupOnStar"] == "true"
	var why error
	// Keys from before the conversation, such as the one that took the call, do not hang up.
	a.Lock()
	r.Keys = nil
	a.Unlock()
	// Four hours is what Twilio allows without timeLimit. Source: Twilio docs, voice/twiml/dial.
	a.Await(r.Call, talk.Since.Add(n.Seconds("timeLimit", 14400)), func() bool {
		why = r.InterruptLocked()
		return why != nil || !talk.Until.IsZero() || hangupOnStar && strings.ContainsRune(string(r.Keys), '*')
	})
	if a.IsClosed() {
		return dialResult{}, account.ErrClosed
	}
	a.Lock()
	defer a.Unlock()
	a.EndBridgeLocked(talk)
	return dialResult{status: account.StatusCompleted, sid: talk.Other(r.Call).Sid, bridged: true, length: talk.Until.Sub(talk.Since)}, why
}

// dialNumbers rings telephones, all at once or one after the other; the first that answers is
// connected.
func (r runner) dialNumbers(d *document, n *twiml.Node, numbers []*twiml.Node) (dialResult, error) {
	shown, ok := r.callerID(n)
	if !ok {
		return dialResult{status: account.StatusFailed}, nil
	}
	// All numbers ring in one round, or each in a round of its own.
	rounds := [][]*twiml.Node{numbers}
	if n.Attrs["sequential"] == "true" {
		rounds = nil
		for _, noun := range numbers {
			rounds = append(rounds, []*twiml.Node{noun})
		}
	}
	// With answerOnBridge the caller hears the ringing of the telephone network, not Twilio's.
	if r.CurrentStatus() == account.StatusInProgress {
		r.Account.AddEvent(r.Call, transcript.Event{Kind: transcript.Tone, Text: "ringing"})
	}
	got := dialResult{status: account.StatusNoAnswer}
	for _, round := range rounds {
		winner, last, err := r.ringAll(d, n, round, shown)
		if winner != nil {
			return r.whisperAndTalk(d, n, winner)
		}
		if last != nil {
			got = dialResult{status: last.CurrentStatus(), sid: last.Sid}
		}
		if err != nil {
			got.status = r.Account.Config.Behaviour.AbandonedDialStatus
			return got, err
		}
	}
	return got, nil
}

// callerID returns the number that the called telephones show; false: Twilio refuses it.
func (r runner) callerID(n *twiml.Node) (string, bool) {
	a := r.Account
	shown := n.Attrs["callerId"]
	switch {
	case shown != "" && !a.MayShow(shown) && shown != r.From && shown != r.To:
		a.Report(r.Call, &problem.Problem{Code: 13214, Warning: true, Text: "callerId " + shown + " is neither the account's, nor verified, nor of this call"})
		return "", false
	case shown == "" && account.IsWithheld(r.From):
		a.Report(r.Call, &problem.Problem{Code: 13214, Warning: true, Text: "<Dial> without callerId passes on the withheld number " + r.From})
		return r.From, !a.Config.Behaviour.AnonymousCallerIDFails
	case shown == "":
		return r.From, true
	}
	return shown, true
}

// leg is one number of a <Dial> and its call, with a runner of its own, as a whisper runs on it.
type leg struct {
	noun *twiml.Node
	runner
}

// newLeg registers the call to a number. It does not ring yet.
func (r runner) newLeg(d *document, noun *twiml.Node, shown string) (*leg, error) {
	status, err := d.optionalTarget(noun, "statusCallback", "statusCallbackMethod")
	if err != nil {
		return nil, err
	}
	plan := account.CallbackPlan{}
	if status.URL != "" {
		plan, _ = account.NewCallbackPlan(status, strings.Fields(noun.Attrs["statusCallbackEvent"]))
	}
	detection := account.Detection{Mode: noun.Attrs["machineDetection"], Async: true}
	if detection.Callback, err = d.optionalTarget(noun, "amdStatusCallback", "amdStatusCallbackMethod"); err != nil {
		return nil, err
	}
	child := r.Account.NewCall(shown, noun.Text, account.DirectionOutboundDial, r.Call)
	r.Account.Lock()
	defer r.Account.Unlock()
	child.Callbacks, child.Detection = plan, detection
	return &leg{noun, r.executor.on(child)}, nil
}

// ringAll starts calls to numbers and waits for one to be answered; the others are canceled. It
// also returns the last of the calls: it stands for all that were not answered.
func (r runner) ringAll(d *document, n *twiml.Node, numbers []*twiml.Node, shown string) (winner *leg, last *account.Call, err error) {
	a := r.Account
	var legs []*leg
	for _, noun := range numbers {
		l, err := r.newLeg(d, noun, shown)
		if err != nil {
			return nil, nil, err
		}
		legs = append(legs, l)
	}
	// Each leg has its own goroutine; all wake this call, their parent, at every change.
	timeout := n.Seconds("timeout", 30)
	for _, l := range legs {
		a.Go(func() { l.ring(timeout) })
	}
	var why error
	a.Await(r.Call, time.Time{}, func() bool {
		why = r.InterruptLocked()
		over := 0
		for _, l := range legs {
			if l.Status == account.StatusInProgress && winner == nil { // the first to answer wins
				winner = l
			}
			if l.IsOverLocked() {
				over++
			}
		}
		return why != nil || winner != nil || over == len(legs)
	})
	if a.IsClosed() {
		return nil, nil, account.ErrClosed
	}
	a.Lock()
	defer a.Unlock()
	if why != nil { // the caller left in the moment in which somebody answered
		winner = nil
	}
	for _, l := range legs {
		switch {
		case l == winner:
		case l.Status == account.StatusInProgress:
			l.EndLocked(account.StatusCompleted)
		default:
			l.EndLocked(account.StatusCanceled)
		}
	}
	return winner, legs[len(legs)-1].Call, why
}

// ring calls the number and follows the call to its end. It runs in a goroutine of its own.
func (l *leg) ring(timeout time.Duration) {
	if l.dialOut(timeout) {
		l.Account.Await(l.Call, time.Time{}, l.IsOverLocked)
	}
	if !l.Account.IsClosed() {
		l.Finish()
	}
}

// whisperAndTalk runs the whisper on the called party and connects the two.
func (r runner) whisperAndTalk(d *document, n *twiml.Node, l *leg) (dialResult, error) {
	a := r.Account
	// A called party that hangs up in the whisper has answered: the status says so, and DialBridged
	// that nobody talked.
	declined := dialResult{status: a.Config.Behaviour.WhisperDeclineStatus, sid: l.Sid}
	if keys := l.noun.Attrs["sendDigits"]; keys != "" {
		a.AddEvent(l.Call, transcript.Event{Kind: transcript.Tone, Text: keys})
	}
	if err := l.detect(); err != nil {
		return declined, err
	}
	if l.noun.Attrs["url"] != "" {
		if stays, err := r.awaitWhisper(d, l); err != nil || !stays {
			return declined, err
		}
	}
	a.Lock()
	// Either may have hung up between the whisper and the conversation.
	if l.IsOverLocked() || r.IsOverLocked() {
		l.EndLocked(account.StatusCompleted)
		err := r.InterruptLocked()
		a.Unlock()
		return declined, err
	}
	if r.Status == account.StatusRinging { // answerOnBridge
		r.SetStatusLocked(account.StatusInProgress)
	}
	talk := a.StartBridgeLocked(r.Call, l.Call)
	a.Unlock()
	got, err := r.talk(n, talk)
	l.End(account.StatusCompleted)
	return got, err
}

// awaitWhisper runs the url of a <Number> on the called party, while the caller waits. It reports
// whether the called party stays; if not, or if the caller leaves, its call is ended.
func (r runner) awaitWhisper(d *document, l *leg) (stays bool, err error) {
	a := r.Account
	u, err := d.resolve(l.noun.Attrs["url"])
	if err != nil {
		l.End(account.StatusCompleted)
		return false, err
	}
	// The whisper runs on the other leg, with the documents and the CallSid of that leg.
	first := request(webhook.Target{URL: u, Method: webhook.MethodOr(l.noun.Attrs["method"], http.MethodPost)}, nil)
	done := false
	a.Go(func() {
		ok := l.whisper(*first)
		a.Lock()
		defer a.Unlock()
		done, stays = true, ok
		l.NotifyLocked()
	})
	var why error
	a.Await(r.Call, time.Time{}, func() bool {
		why = r.InterruptLocked()
		return done || why != nil || l.IsOverLocked()
	})
	if a.IsClosed() {
		return false, account.ErrClosed
	}
	a.Lock()
	defer a.Unlock()
	if why != nil || !stays {
		l.EndLocked(account.StatusCompleted)
		return false, why
	}
	return true, nil
}

// whisper runs a document on a called party; false: it hung up, or was hung up on. A problem in it
// ends that party's call alone; the caller goes on waiting for the next one.
func (r runner) whisper(st step) bool {
	for {
		next, err := r.perform(st, twiml.ModeWhisper)
		var p *problem.Problem
		switch {
		case err == nil && next == nil:
			return r.Interrupt() == nil
		case err == nil:
			st = *next
		case errors.As(err, &p):
			r.Account.Report(r.Call, p)
			r.apologise()
			return false
		default:
			return false
		}
	}
}
