package account

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// Sizes of queues, in calls.
const (
	DefaultQueueSize = 1000 // Twilio docs: voice/twiml/enqueue
	LargestQueueSize = 5000 // Twilio docs: voice/api/queue-resource
)

// Queue is a queue of the account. The account's lock guards it.
type Queue struct {
	Sid     string
	Name    string
	MaxSize int
	Created time.Time
	Updated time.Time
	Members []*Member // those who wait, the first to be taken first
	Dialers []*Call   // calls that wait in <Dial><Queue>

	waited   time.Duration
	finished int // members that left: for the average wait
}

// MemberState is how far a call's stay in a queue has come.
type MemberState int

// The states.
const (
	MemberWaiting   MemberState = iota // it hears the wait document
	MemberTaken                        // a <Dial><Queue> has taken it: the wait document must stop
	MemberAnnounced                    // it hears the announcement
	MemberBridged                      // it talks to the dialer
	MemberOut                          // it left
	MemberDropped                      // the dialer left before they talked
	MemberReleased                     // the conversation is over
)

// Member is one call's stay in a queue.
type Member struct {
	Call   *Call
	Queue  *Queue
	Since  time.Time
	State  MemberState
	Result string // QueueResult; "": the stay goes on
	Dialer *Call  // the call that took it
	// Announce is the document that the <Queue> that took it wants played; no URL: nothing.
	Announce webhook.Target
	Talk     *Bridge // with the dialer

	left time.Time
}

// Waited returns how long the member has waited, or did until it was taken.
func (m *Member) Waited(now time.Time) time.Duration {
	if !m.left.IsZero() {
		now = m.left
	}
	return now.Sub(m.Since)
}

// QueueByNameLocked finds a queue by its FriendlyName; nil if there is none.
func (a *Account) QueueByNameLocked(name string) *Queue {
	for _, q := range a.Queues {
		if q.Name == name {
			return q
		}
	}
	return nil
}

// QueueBySidLocked finds a queue; nil if there is none.
func (a *Account) QueueBySidLocked(sid string) *Queue {
	for _, q := range a.Queues {
		if q.Sid == sid {
			return q
		}
	}
	return nil
}

// NewQueueLocked makes a queue.
func (a *Account) NewQueueLocked(name string, size int) *Queue {
	now := a.Clock.Now()
	q := &Queue{Sid: NewSid("QU"), Name: name, MaxSize: size, Created: now, Updated: now}
	a.Queues = append(a.Queues, q)
	return q
}

// JoinLocked puts a call into a queue; nil: the queue is full.
func (a *Account) JoinLocked(c *Call, name string) *Member {
	q := a.QueueByNameLocked(name)
	if q == nil {
		q = a.NewQueueLocked(name, DefaultQueueSize)
	}
	if len(q.Members) >= q.MaxSize {
		return nil
	}
	m := &Member{Call: c, Queue: q, Since: a.Clock.Now()}
	q.Members = append(q.Members, m)
	q.Updated = m.Since
	c.Member = m
	a.AddEventLocked(c, transcript.Event{Kind: transcript.Queued, Text: name, Note: q.Sid})
	for _, d := range q.Dialers {
		d.NotifyLocked()
	}
	return m
}

// OutLocked takes a member out of its queue's list; its stay may go on, talking to a dialer.
func (a *Account) OutLocked(m *Member) {
	q := m.Queue
	at := slices.Index(q.Members, m)
	if at < 0 {
		return
	}
	q.Members = slices.Delete(q.Members, at, at+1)
	m.left = a.Clock.Now()
	waited := m.left.Sub(m.Since)
	q.Updated = m.left
	q.waited += waited
	q.finished++
	m.Call.QueueTime = waited
}

// LeaveLocked ends a member's stay with a result, unless it has ended already.
func (a *Account) LeaveLocked(m *Member, result string) {
	if m.Result != "" {
		return
	}
	a.OutLocked(m)
	if m.State == MemberBridged || m.State == MemberReleased {
		switch result {
		case "hangup":
			result = "bridged" // they talked; who hangs up first does not matter
		case "redirected":
			result = "redirected-from-bridged"
		}
	}
	if (m.State == MemberTaken || m.State == MemberAnnounced) && result == "redirected" {
		result = "bridging-in-process"
	}
	m.State, m.Result = MemberOut, result
	a.AddEventLocked(m.Call, transcript.Event{Kind: transcript.Dequeued, Text: m.Queue.Name, Note: result})
	m.Call.NotifyLocked()
}

// Position returns the place of a member, from 1; 0 if it does not wait any more.
func (q *Queue) Position(m *Member) int { return slices.Index(q.Members, m) + 1 }

// AverageWait returns how long members wait on average: those who wait and those who left.
func (q *Queue) AverageWait(now time.Time) time.Duration {
	total, n := q.waited, q.finished
	for _, m := range q.Members {
		total += now.Sub(m.Since)
		n++
	}
	if n == 0 {
		return 0
	}
	return total / time.Duration(n)
}

// RemoveDialer takes a call out of those who wait in <Dial><Queue>.
func (q *Queue) RemoveDialer(c *Call) {
	q.Dialers = slices.DeleteFunc(q.Dialers, func(d *Call) bool { return d == c })
}
