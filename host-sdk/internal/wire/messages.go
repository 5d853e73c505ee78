package wire

import (
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	pb "github.com/livecallrouting/livecall/host-sdk/internal/pb/livecall/v1"
)

// messages is where the messages lie that a request consists of. They are used again for the next
// request: a caller on hold causes one every few seconds, of some thirty messages. Its zero value
// is ready.
type messages struct {
	webhook      arena[pb.HandleWebhookRequest]
	facts        arena[pb.Facts]
	instances    arena[pb.Instance]
	capabilities arena[pb.Capabilities]
	formats      arena[pb.Formats]
	sessions     arena[pb.Session]
	snapshots    arena[pb.AlertSnapshot]
	destinations arena[pb.Destination]
	findings     arena[pb.Finding]
	times        arena[timestamppb.Timestamp]
	header       headers
	text         texts

	destinationList []*pb.Destination
	findingList     []*pb.Finding
}

// freeMessages are those of requests that were sent. gRPC has written a request when a call
// returns, and whatever keeps messages for later, such as its tracing, is not switched on.
var freeMessages = sync.Pool{New: func() any { return new(messages) }}

// free gives the messages to the next request.
func (m *messages) free() {
	m.reset()
	freeMessages.Put(m)
}

// reset leaves nothing of a request: it holds what callers said.
func (m *messages) reset() {
	m.webhook.reset()
	m.facts.reset()
	m.instances.reset()
	m.capabilities.reset()
	m.formats.reset()
	m.sessions.reset()
	m.snapshots.reset()
	m.destinations.reset()
	m.findings.reset()
	m.times.reset()
	m.header.reset()
	m.text.reset()
	m.destinationList, m.findingList = emptied(m.destinationList), emptied(m.findingList)
}

// time is [timeToPB].
func (m *messages) time(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	ts := m.times.next()
	ts.Seconds, ts.Nanos = t.Unix(), int32(t.Nanosecond()) // #nosec G115 -- below a thousand million
	return ts
}

// findingsToPB converts findings.
func (m *messages) findingsToPB(list []integration.Finding) []*pb.Finding {
	for _, f := range list {
		p := m.findings.next()
		p.Code, p.Severity, p.Message, p.Field, p.At = f.Code, string(f.Severity), f.Message, f.Field, m.time(f.At)
		m.findingList = append(m.findingList, p)
	}
	return m.findingList
}

// destinationsToPB converts destinations.
func (m *messages) destinationsToPB(list []integration.Destination) []*pb.Destination {
	for _, d := range list {
		p := m.destinations.next()
		p.Kind, p.Id, p.Name, p.Missing = string(d.Kind), d.ID, d.Name, d.Missing
		m.destinationList = append(m.destinationList, p)
	}
	return m.destinationList
}

// arena hands out messages that lie beside each other.
type arena[M any] struct {
	all  []M
	used int
}

// next is an empty message. Earlier ones stay where they are.
func (a *arena[M]) next() *M {
	if a.used == len(a.all) {
		a.all, a.used = make([]M, 2*len(a.all)+1), 0
	}
	a.used++
	return &a.all[a.used-1]
}

func (a *arena[M]) reset() {
	clear(a.all[:a.used])
	a.used = 0
}

// texts hands out copies of texts that lie behind each other.
type texts []byte

// copy is a text as bytes; nil for none.
func (t *texts) copy(s string) []byte {
	if s == "" {
		return nil
	}
	*t = append(*t, s...) // where it has to move, what was handed out stays behind
	return (*t)[len(*t)-len(s) : len(*t) : len(*t)]
}

func (t *texts) reset() {
	clear(*t)
	*t = (*t)[:0]
}

// emptied is a list without elements that keeps its room.
func emptied[T any](list []T) []T {
	clear(list)
	return list[:0]
}
