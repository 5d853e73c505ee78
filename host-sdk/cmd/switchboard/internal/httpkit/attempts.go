package httpkit

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

const (
	// DefaultWrongTokens is how many wrong tokens a minute one network may send, unless a setting
	// says otherwise: more than anybody mistypes.
	DefaultWrongTokens = 10
	maxNetworks        = 10_000 // remembered at once
	networkBitsV6      = 64     // one machine has many addresses within such a network
)

// attempts counts wrong tokens by the network they came from. It is asked only after a token was
// found wrong: the right one is let in whatever came before it from the same address, as many people
// may share one. A random token cannot be guessed anyway; the limit keeps those who try from filling
// the log, and costs each further try a connection of its own.
type attempts struct {
	clock clock.Clock
	every time.Duration // one wrong token is forgiven in this time
	hosts func() int    // how many hosts count, each for itself: together they allow what one would

	mu       sync.Mutex
	networks map[netip.Prefix]time.Time // when all wrong tokens of a network are forgiven
}

// newAttempts allows a number of wrong tokens a minute and network, 1 or more.
func newAttempts(c clock.Clock, perMinute int) *attempts {
	return &attempts{clock: c, every: time.Minute / time.Duration(perMinute), hosts: func() int { return 1 }, networks: map[netip.Prefix]time.Time{}}
}

// wrong counts a wrong token. Above 0: the network has sent too many, and is heard again after that
// time on the clock.
func (a *attempts) wrong(r *http.Request) time.Duration {
	from, now := network(r), a.clock.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	forgiven, known := a.networks[from]
	if !known {
		a.makeRoom(now)
	}
	if forgiven.Before(now) {
		forgiven = now
	}
	every := a.every * time.Duration(max(1, a.hosts()))
	forgiven = forgiven.Add(every)
	// One is allowed however many hosts there are.
	if over := forgiven.Sub(now) - max(time.Minute, every); over > 0 {
		return over // not counted: who goes on trying must not wait ever longer
	}
	a.networks[from] = forgiven
	return 0
}

// makeRoom forgets networks so that memory is bounded: those whose wrong tokens are forgiven, and if
// that is not enough, any. Counting does not slow down an attacker with so many networks.
func (a *attempts) makeRoom(now time.Time) {
	if len(a.networks) < maxNetworks {
		return
	}
	for from, forgiven := range a.networks {
		if forgiven.Before(now) {
			delete(a.networks, from)
		}
	}
	for from := range a.networks {
		if len(a.networks) < maxNetworks {
			break
		}
		delete(a.networks, from)
	}
}

// network is what wrong tokens are counted by: the address they came from; for IPv6 its network.
func network(r *http.Request) netip.Prefix {
	addr := peerOf(r)
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

// Remote is where a request came from, for the log: the address, for IPv6 its network.
func Remote(r *http.Request) string { return network(r).Addr().String() }
