package httpkit

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livecallrouting/livecall/host-sdk/clock"
)

const (
	// DefaultWrongTokens is how many wrong tokens a minute one network may send, unless a setting
	// says otherwise: more than anybody mistypes.
	DefaultWrongTokens = 10
	maxNetworks        = 10_000 // remembered at once
	networkBitsV6      = 64     // one machine has many addresses within such a network
)

// Attempts counts wrong tokens by the network they came from. It is asked only after a token was
// found wrong: the right one is let in whatever came before it from the same address, as many
// people may share one. A random token cannot be guessed anyway; the limit keeps those who try from
// filling the log, and costs each further try a connection of its own. Each host counts for itself
// and forgets at its end.
type Attempts struct {
	clock clock.Clock
	every time.Duration // one wrong token is forgiven in this time
	hosts func() int    // how many hosts count, each for itself: together they allow what one would
	count *prometheus.CounterVec

	mu sync.Mutex
	// At most maxNetworks, however many networks there are.
	networks map[netip.Prefix]time.Time // when all wrong tokens of a network are forgiven
}

// NewAttempts allows a number of wrong tokens a minute of the clock and network, 1 or more. The
// first minute's worth may come at once.
func NewAttempts(c clock.Clock, perMinute int) *Attempts {
	return &Attempts{clock: c, every: time.Minute / time.Duration(perMinute), hosts: func() int { return 1 }, networks: map[netip.Prefix]time.Time{},
		count: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "switchboard_wrong_tokens_total",
			Help: "Wrong API tokens, by where they were given (api, login) and what became of them: refused, or limited because the address had sent too many.",
		}, []string{"where", "result"})}
}

// Among divides what is allowed by the number of hosts, over which a load balancer spreads the
// tries. Call it before the first use. It is asked again with each wrong token, as hosts come and
// go.
func (a *Attempts) Among(hosts func() int) *Attempts {
	a.hosts = hosts
	return a
}

// Collector has the counts.
func (a *Attempts) Collector() prometheus.Collector { return a.count }

// Wrong counts a wrong token of the request. Above 0: too many came from its network, and w says
// after how many seconds it is heard again; answer 429. where is api or login. The waiting time is
// real, whatever clock a test has.
func (a *Attempts) Wrong(w http.ResponseWriter, r *http.Request, where string) (seconds int) {
	wait := a.wrong(r)
	if wait <= 0 {
		a.count.WithLabelValues(where, "refused").Inc()
		return 0
	}
	a.count.WithLabelValues(where, "limited").Inc()
	seconds = max(1, int(math.Ceil(a.clock.Real(wait).Seconds())))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	w.Header().Set("Connection", "close") // the next try costs a connection of its own
	return seconds
}

// wrong counts a wrong token. Above 0: the network has sent too many, and is heard again after that
// time on the clock.
func (a *Attempts) wrong(r *http.Request) time.Duration {
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
	// One token bucket for each network, kept as the time at which it will be full again.
	every := a.every * time.Duration(max(1, a.hosts()))
	forgiven = forgiven.Add(every)
	// One is allowed however many hosts there are.
	if over := forgiven.Sub(now) - max(time.Minute, every); over > 0 {
		return over // not counted: who goes on trying must not wait ever longer
	}
	a.networks[from] = forgiven
	return 0
}

// makeRoom forgets networks so that memory is bounded: those whose wrong tokens are forgiven, and
// if that is not enough, any. Counting does not slow down an attacker with so many networks. The
// lock is held.
func (a *Attempts) makeRoom(now time.Time) {
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
// Requests without an address, as by a Unix socket, count together.
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
