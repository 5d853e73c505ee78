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
// is ready. It belongs to one request at a time, so it needs no lock.
//
// There is one arena for each message of a tick, the request of a caller on hold. Other requests,
// and whatever is seldom part of one, use the plain conversions: each more arena would be room that
// is kept for nothing.
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

	// The lists of one Facts message: there is one in a request, so one list of each kind is
	// enough.
	destinationList []*pb.Destination
	findingList     []*pb.Finding
}

// freeMessages are those of requests that were sent. gRPC has written a request when a call
// returns, and whatever keeps messages for later, such as its tracing, is not switched on.
// Otherwise a message would be emptied, or filled by the next request, while it is still read.
var freeMessages = sync.Pool{New: func() any { return new(messages) }}

// free gives the messages to the next request.
func (m *messages) free() {
	m.reset()
	freeMessages.Put(m)
}

// reset leaves nothing of a request: it holds what callers said. Each field must be named here: one
// that is forgotten would send a caller's data with the next caller's request.
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

// findingsToPB converts findings. The list is m's own and good until reset. It may be called once
// for a request.
func (m *messages) findingsToPB(list []integration.Finding) []*pb.Finding {
	for _, f := range list {
		p := m.findings.next()
		p.Code, p.Severity, p.Message, p.Field, p.At = f.Code, string(f.Severity), f.Message, f.Field, m.time(f.At)
		m.findingList = append(m.findingList, p)
	}
	return m.findingList
}

// destinationsToPB converts destinations. As [messages.findingsToPB], it may be called once for a
// request.
func (m *messages) destinationsToPB(list []integration.Destination) []*pb.Destination {
	for _, d := range list {
		p := m.destinations.next()
		p.Kind, p.Id, p.Name, p.Missing = string(d.Kind), d.ID, d.Name, d.Missing
		m.destinationList = append(m.destinationList, p)
	}
	return m.destinationList
}

// arena hands out messages that lie beside each other. A message must not move while another points
// to it, so an arena that is full begins a larger piece instead of growing the one it has. used
// counts within the newest piece.
type arena[M any] struct {
	all  []M
	used int
}

// next is an empty message. Earlier ones stay where they are. They are no longer the arena's: the
// garbage collector takes them once the request is sent.
func (a *arena[M]) next() *M {
	// Twice as large each time, so after a few requests one piece is enough.
	if a.used == len(a.all) {
		a.all, a.used = make([]M, 2*len(a.all)+1), 0
	}
	a.used++
	return &a.all[a.used-1]
}

// reset empties the newest piece and keeps it; clear leaves no text of the last request in it.
func (a *arena[M]) reset() {
	clear(a.all[:a.used])
	a.used = 0
}

// texts hands out copies of texts that lie behind each other. Method, addresses and header fields
// cross as bytes, as they may hold what is not UTF-8.
type texts []byte

// copy is a text as bytes; nil for none. Its capacity ends with it, so nobody can append into the
// text behind.
func (t *texts) copy(s string) []byte {
	if s == "" {
		return nil
	}
	*t = append(*t, s...) // where it has to move, what was handed out stays behind
	return (*t)[len(*t)-len(s) : len(*t) : len(*t)]
}

// reset makes room for the next request; nothing that was handed out may be in use.
func (t *texts) reset() {
	clear(*t)
	*t = (*t)[:0]
}

// emptied is a list without elements that keeps its room.
func emptied[T any](list []T) []T {
	clear(list)
	return list[:0]
}
