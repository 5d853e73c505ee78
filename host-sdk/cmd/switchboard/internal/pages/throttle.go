package pages

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

const (
	freeTries  = 3                // wrong tokens before tries are slowed down
	firstDelay = time.Second      // doubled with each wrong token more
	mostDelay  = 8 * time.Second  // between two tries
	mostWait   = 20 * time.Second // a try that would have to wait longer is refused
	forgetTime = 15 * time.Minute // after the last wrong token
	mostPeers  = 10_000
)

// throttle spaces the tries of one address after wrong tokens. The right token is never locked out, only delayed: many
// people may come from one address.
type throttle struct {
	clock clock.Clock
	mu    sync.Mutex
	peers map[netip.Prefix]*tries
}

type tries struct {
	wrong int
	next  time.Time // when the next try may be looked at
}

func newThrottle(c clock.Clock) *throttle {
	return &throttle{clock: c, peers: map[netip.Prefix]*tries{}}
}

// wait holds a try back until its turn. refused is how long to wait before another one, when too many wait already.
func (t *throttle) wait(r *http.Request) (refused time.Duration, err error) {
	now := t.clock.Now()
	t.mu.Lock()
	p := t.peers[peer(r)]
	if p == nil || p.wrong < freeTries {
		t.mu.Unlock()
		return 0, nil
	}
	turn := p.next
	if turn.Before(now) {
		turn = now
	}
	if turn.Sub(now) > mostWait {
		t.mu.Unlock()
		return turn.Sub(now), nil
	}
	p.next = turn.Add(p.delay())
	t.mu.Unlock()
	return 0, clock.Sleep(r.Context(), t.clock, turn.Sub(now))
}

func (p *tries) delay() time.Duration {
	return min(firstDelay<<min(max(p.wrong-freeTries, 0), 10), mostDelay)
}

// wrong notes a wrong token.
func (t *throttle) wrong(r *http.Request) {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	who := peer(r)
	p := t.peers[who]
	if p == nil || now.Sub(p.next) > forgetTime {
		t.makeRoom(now)
		p = &tries{}
		t.peers[who] = p
	}
	p.wrong++
	if after := now.Add(p.delay()); p.next.Before(after) {
		p.next = after
	}
}

// right forgets what went wrong before.
func (t *throttle) right(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.peers, peer(r))
}

func (t *throttle) makeRoom(now time.Time) {
	if len(t.peers) < mostPeers {
		return
	}
	for who, p := range t.peers {
		if now.Sub(p.next) > forgetTime {
			delete(t.peers, who)
		}
	}
	for who := range t.peers {
		if len(t.peers) < mostPeers {
			break
		}
		delete(t.peers, who)
	}
}

// peer is the address that a try came from; of IPv6 the network, as one machine has many addresses in it.
func peer(r *http.Request) netip.Prefix {
	h, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		h = r.RemoteAddr
	}
	a, err := netip.ParseAddr(h)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap()
	bits := 32
	if a.Is6() {
		bits = 64
	}
	network, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}
