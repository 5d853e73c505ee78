package account

import (
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// Bridge is a conversation of two calls.
type Bridge struct {
	Since, Until time.Time // Until is zero while they talk; guarded

	a, b *Call
}

// Other returns the call that c talks to.
func (b *Bridge) Other(c *Call) *Call {
	if b.a == c {
		return b.b
	}
	return b.a
}

// StartBridgeLocked connects two calls.
func (a *Account) StartBridgeLocked(x, y *Call) *Bridge {
	b := &Bridge{a: x, b: y, Since: a.Clock.Now()}
	x.Bridge, y.Bridge = b, b
	a.AddEventLocked(x, transcript.Event{Kind: transcript.Bridged, Peer: y.PersonNumber(), Note: y.Sid})
	a.AddEventLocked(y, transcript.Event{Kind: transcript.Bridged, Peer: x.PersonNumber(), Note: x.Sid})
	return b
}

// EndBridgeLocked ends a conversation, unless it has ended already.
func (a *Account) EndBridgeLocked(b *Bridge) {
	if !b.Until.IsZero() {
		return
	}
	b.Until = a.Clock.Now()
	a.AddEventLocked(b.a, transcript.Event{Kind: transcript.Unbridged, Peer: b.b.PersonNumber(), Note: b.b.Sid})
	a.AddEventLocked(b.b, transcript.Event{Kind: transcript.Unbridged, Peer: b.a.PersonNumber(), Note: b.a.Sid})
	b.a.Bridge, b.b.Bridge = nil, nil
	b.a.NotifyLocked()
	b.b.NotifyLocked()
}
