package login

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

// The limits for one network. The delays are short, as a person mistypes, and bounded, as many
// people may share an address; a random token cannot be guessed at this pace.
const (
	freeAttempts  = 3                // wrong tokens before attempts are delayed
	firstDelay    = time.Second      // doubled with each further wrong token
	maxDelay      = 8 * time.Second  // between two attempts
	maxWait       = 20 * time.Second // an attempt that would have to wait longer is refused
	forgetAfter   = 15 * time.Minute // since the last wrong token
	maxNetworks   = 10_000           // remembered at once
	networkBitsV6 = 64               // one machine has many addresses within such a network
)

// throttle spaces the attempts of one network after wrong tokens. The right token is never locked
// out, only delayed: many people may come from one address.
type throttle struct {
	clock    clock.Clock
	mu       sync.Mutex
	networks map[netip.Prefix]*attempts
}

// attempts are the wrong tokens of one network.
type attempts struct {
	wrong int
	next  time.Time // when the next attempt may be checked
}

// newThrottle makes a throttle that has seen no attempt.
func newThrottle(c clock.Clock) *throttle {
	return &throttle{clock: c, networks: map[netip.Prefix]*attempts{}}
}

// wait holds an attempt back until its turn. retryAfter is above 0 when too many are waiting
// already: the attempt is refused, and the next one may come then.
func (t *throttle) wait(r *http.Request) (retryAfter time.Duration, err error) {
	now := t.clock.Now()
	t.mu.Lock()
	a := t.networks[network(r)]
	if a == nil || a.wrong < freeAttempts {
		t.mu.Unlock()
		return 0, nil
	}
	turn := a.next
	if turn.Before(now) {
		turn = now
	}
	if turn.Sub(now) > maxWait {
		t.mu.Unlock()
		return turn.Sub(now), nil
	}
	a.next = turn.Add(a.delay())
	t.mu.Unlock()
	return 0, clock.Sleep(r.Context(), t.clock, turn.Sub(now))
}

// delay is the time until the next attempt.
func (a *attempts) delay() time.Duration {
	return min(firstDelay<<min(max(a.wrong-freeAttempts, 0), 10), maxDelay) // 10: no overflow, and far beyond maxDelay
}

// wrong counts a wrong token.
func (t *throttle) wrong(r *http.Request) {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	from := network(r)
	a := t.networks[from]
	if a == nil || now.Sub(a.next) > forgetAfter {
		t.makeRoom(now)
		a = &attempts{}
		t.networks[from] = a
	}
	a.wrong++
	if after := now.Add(a.delay()); a.next.Before(after) {
		a.next = after
	}
}

// right forgets the wrong tokens before the right one.
func (t *throttle) right(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.networks, network(r))
}

// makeRoom forgets networks so that memory is bounded: those that made no attempt lately, and if
// that is not enough, any. An attacker with so many networks is not slowed down by counting them.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.networks) < maxNetworks {
		return
	}
	for from, a := range t.networks {
		if now.Sub(a.next) > forgetAfter {
			delete(t.networks, from)
		}
	}
	for from := range t.networks {
		if len(t.networks) < maxNetworks {
			break
		}
		delete(t.networks, from)
	}
}

// network is what an attempt is counted by: the address it came from; for IPv6 its network.
func network(r *http.Request) netip.Prefix {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap()
	bits := addr.BitLen()
	if addr.Is6() {
		bits = networkBitsV6
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
