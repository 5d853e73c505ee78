package remote

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// spoken are the protocols that this adapter speaks.
var spoken = []int{1}

// Requests at once: those of a platform that names no limit, and the least and the most that are
// taken from one that does. Two are needed so that questions do not wait for commands.
const (
	defaultConcurrent = 16
	leastConcurrent   = 2
	mostConcurrent    = 256
)

// agreement is what /protocol said. It is never changed after load has stored it, so requests in
// progress keep the one they began with.
type agreement struct {
	wire.Protocol

	major int // 0: none in common
	at    time.Time
	hosts int                       // that shared the limit then
	pools map[purpose]chan struct{} // without one for what is not limited
}

// purpose says which limits hold for a request. What a caller waits for, what the outbox repeats,
// and the rest are kept apart.
type purpose int

const (
	question purpose = iota
	command
	meta // about the platform itself, and waiting for changes
)

// agree returns the agreement, and reaches one where there is none. An old one is used while
// another is sought. A platform that was away for a moment costs callers nothing: only the very
// first request has to wait for an answer.
func (p *Platform) agree(ctx context.Context) (*agreement, error) {
	a := p.agreed.Load()
	// By the wall clock: a platform must not be asked more often because a test's clock runs fast.
	triedLately := time.Since(time.Unix(0, p.tried.Load())) < p.times.again
	switch {
	// The first request, or one after nothing in common was found a while ago: it waits for the
	// answer.
	case a == nil || a.major == 0 && !triedLately:
		return p.seek(ctx)
	case a.major == 0:
		return nil, p.nothingInCommon(a)
	case !triedLately && (p.renew.Load() || time.Since(a.at) > p.times.agreement || a.hosts != p.hosts()):
		// Nobody waits for the result; singleflight keeps it to one request.
		p.loading.DoChan("", p.load)
	}
	return a, nil
}

// hosts is how many hosts share what the platform allows. Each host takes its part of the limit.
// One that starts or ends makes the others agree anew.
func (p *Platform) hosts() int {
	if p.cfg.Hosts == nil {
		return 1
	}
	return max(1, p.cfg.Hosts())
}

// seek asks for /protocol, together with all others who do so at this time. The caller's context
// bounds its own waiting and not the request.
func (p *Platform) seek(ctx context.Context) (*agreement, error) {
	select {
	case r := <-p.loading.DoChan("", p.load):
		if r.Err != nil {
			return nil, r.Err
		}
		a := r.Val.(*agreement)
		if a.major == 0 {
			return nil, p.nothingInCommon(a)
		}
		return a, nil
	case <-ctx.Done():
		return nil, over(ctx.Err())
	}
}

// load asks for /protocol and stores what it says. It has a context of its own, as several may wait
// for it and the first may give up. singleflight wants a result of type any; it is an *agreement.
func (p *Platform) load() (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.times.meta)
	defer cancel()
	p.tried.Store(time.Now().UnixNano())
	a := &agreement{at: time.Now(), hosts: p.hosts()}
	err := p.exchange(ctx, request{name: "protocol", method: http.MethodGet, path: "/protocol", purpose: meta}, &a.Protocol)
	if err == nil && len(a.Protocols) == 0 {
		err = p.strange("protocol", "the list protocols is missing")
	}
	if err != nil {
		return nil, err
	}
	// The highest that both speak. None is no error here, so that it is remembered for a while and
	// not asked for again by each request.
	for _, n := range a.Protocols {
		if slices.Contains(spoken, n) {
			a.major = max(a.major, n)
		}
	}
	if !slices.Contains([]string{wire.HintsWebhook, wire.HintsChanges, wire.HintsNone}, a.Hints) {
		p.findings.note("hints", "/protocol names hints %.40q: it must be webhook, changes or none", a.Hints)
		a.Hints = wire.HintsNone
	} else {
		p.findings.clear("hints")
	}
	before := p.agreed.Load()
	// Before the agreement is stored, as requests take their place from it at once.
	a.pools = pools(a.Limits.Concurrent, a.hosts, before)
	p.renew.Store(false)
	p.agreed.Store(a)
	// Watchers that wait in the old way would hear of nothing any more.
	if before != nil && before.Hints != a.Hints {
		p.watchers.restart()
	}
	return a, nil
}

// pools halves this host's part of the requests at once between questions and commands. A limit
// that is as before keeps its pools, with what runs in them. Requests in progress give their place
// back to the pool they took it from, so a new limit begins with new pools.
func pools(limit, hosts int, before *agreement) map[purpose]chan struct{} {
	if limit <= 0 {
		limit = defaultConcurrent
	}
	limit = min(max(limit/hosts, leastConcurrent), mostConcurrent)
	commands := limit / 2
	if before != nil && cap(before.pools[command]) == commands && cap(before.pools[question]) == limit-commands {
		return before.pools
	}
	return map[purpose]chan struct{}{question: make(chan struct{}, limit-commands), command: make(chan struct{}, commands)}
}

// It is not final: commands wait until one of the two was updated.
func (p *Platform) nothingInCommon(a *agreement) error {
	return integration.Errorf(integration.KindUnavailable, "the platform speaks protocol %s, this switchboard %s: update one of them",
		words(a.Protocols), words(spoken))
}

// words writes numbers as a person does: "2 and 3". It is for error messages, which name what both
// sides speak.
func words(numbers []int) string {
	var b strings.Builder
	for i, n := range numbers {
		switch {
		case i > 0 && i == len(numbers)-1:
			b.WriteString(" and ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}
