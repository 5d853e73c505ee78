package app

import (
	"regexp"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/options"
	"github.com/livecallrouting/livecall/plugin/internal/prompts"
)

// How long tasks are tried, where the call flow does not say: as long as their success still
// changes something. A leg is over after minutes by itself; a look-up has a deadline of the flow
// behind it; a queue left behind falls to the daily sweep; a recording that should be gone must go,
// so that is tried for a day.
const (
	patienceEnd     = 5 * time.Minute
	patienceLook    = 20 * time.Second
	patienceDequeue = time.Minute
	patienceQueue   = time.Minute
	patienceDelete  = 24 * time.Hour
)

// lookEvery is the pace of asking Twilio for calls that are not proven: five a second for each
// account, well below what Twilio allows, since anybody who knows the address can cause them.
const lookEvery = 200 * time.Millisecond

// paceEvery is Twilio's default pace of starting calls, one a second for each account; what comes
// faster waits in a queue at Twilio, out of our sight (Twilio docs: voice/api/call-resource).
const paceEvery = time.Second

// collector turns the effects of one step into the parts of an outcome. State is the state after
// the step; call is the CallSid. It is the one place where effects of the call flow become words of
// the contract; a new effect needs a case in one.
type collector struct {
	out     *integration.Outcome
	facts   integration.Facts
	options options.Options
	call    string
	state   call.State
}

// all keeps the order: alert commands run in it.
func (c *collector) all(effects []effect.Effect) {
	for _, e := range effects {
		c.one(e)
	}
}

// one translates one effect. Times without a value mean at once.
func (c *collector) one(x effect.Effect) {
	now := c.facts.Now
	switch e := x.(type) {
	case integration.AlertCommand:
		c.command(e)
	case effect.DialLeg:
		t := c.task(e.Task, e.At, e.NotAfter, payload{
			Kind: taskDial, Leg: e.Leg, Phone: e.Phone, From: dialableFrom(c.options.CallerID, c.state), Ring: seconds(e.Ring), Step: e.Step,
		})
		// Integrations of one account share the pace, as Twilio counts by account.
		t.PaceKey, t.PaceEvery = "calls/"+c.options.Account.SID, paceEvery
		c.out.Tasks = append(c.out.Tasks, t)
	case effect.EndLeg:
		c.add(e.Task, time.Time{}, now.Add(patienceEnd), payload{Kind: taskEndLeg, Leg: e.Leg, CallSID: e.CallSid, Tell: e.Tell, Step: e.Step})
	// The numbers are given again with the look, as the leg's id at Twilio may not be known.
	case effect.LookLeg:
		c.add(e.Task, e.At, later(now, e.At).Add(patienceLook), payload{
			Kind: taskLookLeg, Leg: e.Leg, CallSID: e.CallSid, Phone: e.Phone, Since: e.Since, Not: e.Not,
			From: dialableFrom(c.options.CallerID, c.state),
		})
	case effect.LookCall:
		t := c.task(e.Task, e.At, later(now, e.At).Add(patienceLook), payload{Kind: taskLookCall})
		if c.state.Verify.Verdict == call.VerdictPending {
			// Anybody can make us ask: requests that are not proven take turns.
			t.PaceKey, t.PaceEvery = "looks/"+c.options.Account.SID, lookEvery
		}
		c.out.Tasks = append(c.out.Tasks, t)
	case effect.Dequeue:
		c.add(e.Task, time.Time{}, now.Add(patienceDequeue), payload{Kind: taskDequeue, QueueSID: e.QueueSid, Step: e.Step})
	case effect.DeleteQueue:
		c.add(e.Task, time.Time{}, now.Add(patienceQueue), payload{Kind: taskDeleteQueue, QueueSID: e.QueueSid})
	case effect.FetchRecording:
		c.add(e.Task, e.At, e.NotAfter, payload{Kind: taskFetch, RecordingSID: e.RecordingSid})
	case effect.LookRecordings:
		c.add(e.Task, e.At, later(now, e.At).Add(patienceLook), payload{Kind: taskLookRecordings})
	case effect.DeleteRecording:
		c.add(e.Task, time.Time{}, now.Add(patienceDelete), payload{Kind: taskDeleteRecording, RecordingSID: e.RecordingSid})
	case effect.CancelTask:
		c.out.Tasks = append(c.out.Tasks, integration.Task{Name: e.Task.Name, Generation: e.Task.Generation, Cancel: true})
	// A timer has no payload: what it is about is in the state, and its name says which deadline.
	case effect.StartTimer:
		c.out.Tasks = append(c.out.Tasks, integration.Task{Name: timerName(e.Task.Name), Generation: e.Task.Generation, Timer: true, At: e.At, Format: taskFormat})
	case effect.CancelTimer:
		c.out.Tasks = append(c.out.Tasks, integration.Task{Name: timerName(e.Task.Name), Generation: e.Task.Generation, Timer: true, Cancel: true})
	case effect.CallerSeen:
		c.out.Seen = true
	case effect.Mail:
		c.mail(e)
	case integration.Heard:
		c.out.Heard = append(c.out.Heard, e)
	case integration.Finding:
		c.out.Findings = append(c.out.Findings, e)
	case integration.LogLine:
		c.out.Log = append(c.out.Log, e)
	}
}

// later is the later of two times; the zero time is before all.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// add commands a task that needs no more than a payload.
func (c *collector) add(t effect.Task, at, notAfter time.Time, p payload) {
	c.out.Tasks = append(c.out.Tasks, c.task(t, at, notAfter, p))
}

// task makes a task in this release's format. A zero notAfter is an hour for the host.
func (c *collector) task(t effect.Task, at, notAfter time.Time, p payload) integration.Task {
	return integration.Task{Name: t.Name, Generation: t.Generation, At: at, NotAfter: notAfter, Payload: encode(p), Format: taskFormat}
}

// telephone matches numbers in E.164 form inside a sentence: a plus sign and 7 to 15 digits, of
// which the first is not 0.
var telephone = regexp.MustCompile(`\+[1-9][0-9]{6,14}`)

// spokenTitle is a title as it is to be read aloud: numbers digit by digit.
func spokenTitle(title string) string {
	return telephone.ReplaceAllStringFunc(title, func(n string) string { return prompts.SpokenNumber("plus", n) })
}

// command adds to a new alert's draft how its title is read aloud, where that differs. The draft is
// copied, as the effect belongs to the call flow.
func (c *collector) command(e integration.AlertCommand) {
	if e.Draft != nil {
		if s := spokenTitle(e.Draft.Title); s != e.Draft.Title {
			draft := *e.Draft
			draft.SpokenTitle = s
			e.Draft = &draft
		}
	}
	c.out.Alert = append(c.out.Alert, e)
}

// mail addresses a mail to whomever the options name. Where it would reach nobody, it is not sent;
// the call flow has said why in the story. Recipients that the host resolves, such as those on
// call, need a team. The host adds what only it knows: the people of an audience, the audio, links
// to its pages.
func (c *collector) mail(e effect.Mail) {
	if c.options.Flow.Unmailed != "" {
		return
	}
	var to []integration.Recipient
	for _, r := range c.options.MailTo {
		switch {
		case r.Address != "":
			to = append(to, integration.Recipient{Address: r.Address})
		case len(e.Teams) > 0:
			to = append(to, integration.Recipient{Audience: r.Audience, Teams: e.Teams})
		}
	}
	if len(to) == 0 {
		return
	}
	m := integration.Mail{Key: e.Key, To: to, At: e.At, Subject: e.Subject, Text: mailText(e), HTML: mailHTML(e), LinkAlert: true}
	if e.Media != nil {
		m.Attachments = []integration.MediaRef{*e.Media}
	}
	c.out.Mail = append(c.out.Mail, m)
}

// dialableFrom is the number that responders see: the form's Caller ID, or else the number that was
// called, which the account owns and may therefore show. "" if neither is known.
func dialableFrom(callerID string, s call.State) string {
	if callerID != "" {
		return callerID
	}
	return s.Caller.Called
}
