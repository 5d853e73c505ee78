package twiliosim

import (
	"strconv"
	"time"
)

const (
	defaultQueueSize = 1000 // Twilio docs: voice/twiml/enqueue
	largestQueueSize = 5000 // Twilio docs: voice/api/queue-resource
)

type queue struct {
	sid      string
	name     string
	maxSize  int
	created  time.Time
	updated  time.Time
	members  []*member
	dialers  []*Call // calls that wait in <Dial><Queue>
	waited   time.Duration
	finished int // members that left: for the average wait
}

const (
	memberWaiting   = iota // hears the wait document
	memberTaken            // a <Dial><Queue> has taken it: the wait document must stop
	memberAnnounced        // it hears the announcement
	memberBridged          // it talks to the dialer
	memberOut              // it left
	memberDropped          // the dialer left before they talked
	memberReleased         // the conversation is over
)

// member is one call's stay in a queue.
type member struct {
	call   *Call
	queue  *queue
	since  time.Time
	left   time.Time
	state  int
	result string // QueueResult
	dialer *Call
	noun   step    // what the <Queue> that took it wants announced; no URL: nothing
	talk   *bridge // with the dialer
}

func (m *member) waited(now time.Time) time.Duration {
	if !m.left.IsZero() {
		now = m.left
	}
	return now.Sub(m.since)
}

func wholeSeconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

func (s *Sim) queueByNameLocked(name string) *queue {
	for _, q := range s.queues {
		if q.name == name {
			return q
		}
	}
	return nil
}

func (s *Sim) queueBySidLocked(sid string) *queue {
	for _, q := range s.queues {
		if q.sid == sid {
			return q
		}
	}
	return nil
}

func (s *Sim) newQueueLocked(name string, size int) *queue {
	now := s.clock.Now()
	q := &queue{sid: newSid("QU"), name: name, maxSize: size, created: now, updated: now}
	s.queues = append(s.queues, q)
	return q
}

// joinLocked puts a call into a queue; nil: the queue is full.
func (s *Sim) joinLocked(c *Call, name string) *member {
	q := s.queueByNameLocked(name)
	if q == nil {
		q = s.newQueueLocked(name, defaultQueueSize)
	}
	if len(q.members) >= q.maxSize {
		return nil
	}
	m := &member{call: c, queue: q, since: s.clock.Now()}
	q.members = append(q.members, m)
	q.updated = m.since
	c.member = m
	s.addEventLocked(c, Event{Kind: EventQueued, Text: name, Note: q.sid})
	for _, d := range q.dialers {
		d.notifyLocked()
	}
	return m
}

// outLocked takes a member out of its queue's list; its stay may go on, talking to a dialer.
func (s *Sim) outLocked(m *member) {
	for i, x := range m.queue.members {
		if x == m {
			m.queue.members = append(m.queue.members[:i:i], m.queue.members[i+1:]...)
			m.left = s.clock.Now()
			m.queue.updated = m.left
			m.queue.waited += m.left.Sub(m.since)
			m.queue.finished++
			m.call.queueTime = m.left.Sub(m.since)
			return
		}
	}
}

// leaveLocked ends a member's stay with a result, unless it has ended already.
func (s *Sim) leaveLocked(m *member, result string) {
	if m.result != "" {
		return
	}
	s.outLocked(m)
	if m.state == memberBridged || m.state == memberReleased {
		switch result {
		case "hangup":
			result = "bridged" // they talked; who hangs up first does not matter
		case "redirected":
			result = "redirected-from-bridged"
		}
	}
	if (m.state == memberTaken || m.state == memberAnnounced) && result == "redirected" {
		result = "bridging-in-process"
	}
	m.state, m.result = memberOut, result
	s.addEventLocked(m.call, Event{Kind: EventDequeued, Text: m.queue.name, Note: result})
	m.call.notifyLocked()
}

// position of a member, from 1; 0 if it is not in the list.
func (q *queue) position(m *member) int {
	for i, x := range q.members {
		if x == m {
			return i + 1
		}
	}
	return 0
}

func (q *queue) averageWait(now time.Time) time.Duration {
	total, n := q.waited, q.finished
	for _, m := range q.members {
		total += now.Sub(m.since)
		n++
	}
	if n == 0 {
		return 0
	}
	return total / time.Duration(n)
}

func (q *queue) removeDialer(c *Call) {
	for i, d := range q.dialers {
		if d == c {
			q.dialers = append(q.dialers[:i:i], q.dialers[i+1:]...)
			return
		}
	}
}
