package executor

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// defaultHoldMusic stands for Twilio's own playlist.
const defaultHoldMusic = "https://com.twilio.sounds.music.s3.amazonaws.com/ (Twilio's default hold music)"

// enqueue puts the call into a queue, and reports to the action how it left. Source: Twilio docs,
// voice/twiml/enqueue.
func (r runner) enqueue(d *document, n *twiml.Node) (*step, error) {
	a := r.Account
	action, hasAction, err := d.action(n)
	if err != nil {
		return nil, err
	}
	wait := webhook.Target{URL: defaultHoldMusic}
	if _, given := n.Attrs["waitUrl"]; given { // empty: silence
		if wait, err = d.optionalTarget(n, "waitUrl", "waitUrlMethod"); err != nil {
			return nil, err
		}
	}
	// A full queue ends the verb at once, and a queue that does not exist is created.
	a.Lock()
	m := a.JoinLocked(r.Call, n.Text)
	a.Unlock()
	if m == nil {
		a.Report(r.Call, &problem.Problem{Code: 14207, Warning: true, Text: "queue " + n.Text + " is full", Injected: true})
		if !hasAction {
			return nil, nil
		}
		return request(action, webhook.Values("QueueResult", "queue-full")), nil
	}
	// An action is also requested when the call is over or was redirected, with its answer ignored:
	// the program learns how the stay ended.
	params, err := r.leaveQueue(m, r.hold(wait, m))
	switch {
	case errors.Is(err, account.ErrClosed):
		return nil, err
	case errors.Is(err, account.ErrEnded), errors.Is(err, account.ErrRedirected):
		if a.Config.Behaviour.StatusCallbackFirst && errors.Is(err, account.ErrEnded) {
			r.Finish()
		}
		r.FetchIgnored(action, params)
		return nil, err
	case hasAction:
		return request(action, params), nil
	}
	return nil, nil
}

// leaveQueue ends a stay for a reason (nil: it talked to somebody). It returns the action's
// parameters and the reason, which is then one of the call's own. The words of QueueResult are
// Twilio's (Twilio docs: voice/twiml/enqueue, action).
func (r runner) leaveQueue(m *account.Member, why error) (url.Values, error) {
	a := r.Account
	a.Lock()
	defer a.Unlock()
	var p *problem.Problem
	switch {
	case errors.Is(why, account.ErrClosed):
	case errors.Is(why, account.ErrRedirected):
		a.LeaveLocked(m, "redirected")
	case errors.Is(why, errLeave):
		a.LeaveLocked(m, "leave")
	case errors.Is(why, errHangup): // by the wait document
		r.EndLocked(account.StatusCompleted)
		why = account.ErrEnded
	case errors.Is(why, account.ErrDropped):
		a.LeaveLocked(m, a.Config.Behaviour.DialerGoneResult)
	case errors.As(why, &p):
		a.ReportLocked(r.Call, p)
		a.LeaveLocked(m, "error")
	case why == nil:
		a.LeaveLocked(m, "bridged")
	}
	r.Member = nil
	return webhook.Values("QueueResult", m.Result, "QueueSid", m.Queue.Sid, "QueueTime", account.Seconds(m.Waited(a.Clock.Now()))), why
}

// hold plays the wait document again and again until the call leaves the queue. nil: it talked to
// somebody.
func (r runner) hold(wait webhook.Target, m *account.Member) error {
	a := r.Account
	for {
		started := a.Clock.Now()
		err := r.waitOnce(wait, m)
		if err == nil {
			// A document that takes no time would be requested without end.
			if left := a.Config.Behaviour.WaitPause - a.Clock.Now().Sub(started); left > 0 {
				err = r.Pause(left, nil)
			}
		}
		switch {
		case errors.Is(err, account.ErrTaken):
			return r.connect(m)
		case err != nil:
			return err
		}
	}
}

// waitOnce runs the wait document and what it leads to, once.
func (r runner) waitOnce(wait webhook.Target, m *account.Member) error {
	switch wait.URL {
	// An empty waitUrl: silence, for as long as a call may last.
	case "":
		return r.Pause(24*time.Hour, nil)
	case defaultHoldMusic:
		r.Account.AddEvent(r.Call, transcript.Event{Kind: transcript.Played, URL: defaultHoldMusic, Duration: time.Minute})
		return r.Pause(time.Minute, nil)
	}
	// Position and times are asked for anew with each request, but not after a <Redirect>.
	for st := request(wait, r.queueParameters(m)); st != nil; {
		next, err := r.perform(*st, twiml.ModeWait)
		if err != nil {
			return err
		}
		st = next
	}
	return nil
}

// queueParameters are sent to a waitUrl. Source: Twilio docs, voice/twiml/enqueue, waitUrl.
func (r runner) queueParameters(m *account.Member) url.Values {
	a := r.Account
	a.Lock()
	defer a.Unlock()
	q, now := m.Queue, a.Clock.Now()
	return webhook.Values("QueueSid", q.Sid, "QueueTime", account.Seconds(m.Waited(now)), "AvgQueueTime", account.Seconds(q.AverageWait(now)),
		"QueuePosition", strconv.Itoa(q.Position(m)), "CurrentQueueSize", strconv.Itoa(len(q.Members)), "MaxQueueSize", strconv.Itoa(q.MaxSize))
}

// connect plays the dialer's announcement to the queued call and lets the two talk. nil: they did.
func (r runner) connect(m *account.Member) error {
	a := r.Account
	if err := r.announce(m); err != nil {
		return err
	}
	// The caller may have hung up, or the dialer left, since the announcement ended.
	a.Lock()
	if err := r.InterruptLocked(); err != nil {
		a.Unlock()
		return err
	}
	// From here on the result is bridged, whoever hangs up first.
	m.State = account.MemberBridged
	m.Talk = a.StartBridgeLocked(r.Call, m.Dialer)
	talk := m.Talk
	a.Unlock()
	var why error
	a.Await(r.Call, time.Time{}, func() bool {
		why = r.InterruptLocked()
		return why != nil || !talk.Until.IsZero()
	})
	if a.IsClosed() {
		return account.ErrClosed
	}
	a.Lock()
	defer a.Unlock()
	if errors.Is(why, account.ErrRedirected) { // the caller was taken away from the dialer
		a.EndBridgeLocked(talk)
	} else if m.State == account.MemberBridged {
		m.State = account.MemberReleased
	}
	return why
}

// announce plays the url of the <Queue> that took the call. The caller hears it; the dialer waits.
func (r runner) announce(m *account.Member) error {
	a := r.Account
	a.Lock()
	// Announced, so that the verbs of the announcement are not interrupted as those of the wait
	// document are.
	if m.State == account.MemberTaken {
		m.State = account.MemberAnnounced
	}
	var st *step
	if m.Announce.URL != "" {
		st = request(m.Announce, webhook.Values("QueueSid", m.Queue.Sid, "QueueTime", account.Seconds(m.Waited(a.Clock.Now())), "DequeingCallSid", m.Dialer.Sid))
	}
	a.Unlock()
	for st != nil {
		next, err := r.perform(*st, twiml.ModeAnnounce)
		var p *problem.Problem
		switch {
		case errors.As(err, &p) && a.Config.Behaviour.AnnouncementFailureEnds:
			return err
		case errors.As(err, &p): // the conversation begins without it
			a.Report(r.Call, p)
			next = nil
		case err != nil && !errors.Is(err, errHangup):
			return err
		}
		st = next
	}
	return nil
}
