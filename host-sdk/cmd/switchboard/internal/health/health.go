package serve

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
)

// All of the wall clock, also where the host's clock is faster: load balancers and disks go by it.
const (
	checkTime = 2 * time.Second // how long one check may take
	// How long an answer is good for: who asks in a loop costs one write a second.
	checkKept = time.Second
	// How often the host looks by itself, so that its log tells of every fault.
	checkEvery = 10 * time.Second
)

// State says how a part of the host is.
type State string

// The states of a check. Only failing makes the host not ready.
const (
	StateOK       State = "ok"
	StateDegraded State = "degraded" // callers are served, but something around them needs a person
	// Callers are not served as they should be: send them to another host.
	StateFailing State = "failing"
)

// Check is what is known of one part of the host.
type Check struct {
	State   State  `json:"state"`
	Message string `json:"message"` // one sentence for people
	// When it stopped being ok, as far as this process saw; zero: it is ok.
	Since time.Time `json:"since,omitzero"`
}

// readyState is the answer of /readyz.
type readyState struct {
	Status string           `json:"status"` // ready, degraded, not_ready, stopping
	Checks map[string]Check `json:"checks"`
}

// probe looks at one part. It is abandoned at its time, so it need not obey ctx.
type probe func(ctx context.Context) Check

// readiness knows how all parts are. One round of checks serves everybody who asks within
// checkKept: the address needs no token, and a check writes to the store.
type readiness struct {
	probes  map[string]probe
	canFail map[string]bool // the others degrade, also by not answering
	closing context.Context
	clock   clock.Clock
	log     *slog.Logger

	asking sync.Mutex // held during a round
	mu     sync.Mutex // guards the rest
	last   map[string]Check
	at     time.Time       // when the last round ended, on the wall clock
	busy   map[string]bool // probes that were abandoned and still run
}

// newReadiness makes the checks of a site.
func newReadiness(s Site) *readiness {
	return &readiness{probes: s.probes(), canFail: s.canFail(), closing: s.Closing, clock: s.Clock, log: s.Logger, busy: map[string]bool{}}
}

// ServeHTTP implements http.Handler: 503 when a check is failing or the host stops, else 200. Load
// balancers read the status alone.
func (p *readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	state := readyState{Checks: p.checks()}
	state.Status = p.status(state.Checks)
	status := http.StatusOK
	if state.Status == "not_ready" || state.Status == "stopping" {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	httpkit.WriteJSON(w, status, state)
}

// status sums the checks up in one word.
func (p *readiness) status(checks map[string]Check) string {
	status := "ready"
	for _, c := range checks {
		if c.State == StateFailing {
			status = "not_ready"
		} else if c.State == StateDegraded && status == "ready" {
			status = "degraded"
		}
	}
	if p.closing.Err() != nil {
		status = "stopping"
	}
	return status
}

// run looks at the parts until ctx ends, so that the log tells when each fault began and ended even
// if nobody asks.
func (p *readiness) run(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		p.checks()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// checks returns how every part is, at most checkKept ago.
func (p *readiness) checks() map[string]Check {
	p.asking.Lock()
	defer p.asking.Unlock()
	p.mu.Lock()
	last, at := p.last, p.at
	p.mu.Unlock()
	if last != nil && time.Since(at) < checkKept {
		return last
	}
	now := p.round()
	for name, c := range now {
		before := last[name]
		if c.State != StateOK && c.Since.IsZero() {
			if c.Since = before.Since; c.Since.IsZero() {
				c.Since = p.clock.Now()
			}
			now[name] = c
		}
		p.logChange(name, before, c)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.at = now, time.Now()
	return now
}

// troubles says what is not well, as far as the last round saw, a sentence each. It asks nobody.
// The pages tell of the switchboard file in their own words.
func (p *readiness) troubles() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p.last)) {
		if c := p.last[name]; c.State != StateOK && name != "file" {
			out = append(out, c.Message)
		}
	}
	return out
}

// round asks all parts at the same time: one that hangs must not hide the state of the others.
func (p *readiness) round() map[string]Check {
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	type answer struct {
		name  string
		check Check
	}
	answers := make(chan answer, len(p.probes))
	open := map[string]bool{}
	p.mu.Lock()
	for name, ask := range p.probes {
		open[name] = true
		if p.busy[name] {
			continue // the last one was abandoned, and would be joined by another at each round
		}
		p.busy[name] = true
		go func() {
			check := ask(ctx)
			p.mu.Lock()
			p.busy[name] = false
			p.mu.Unlock()
			answers <- answer{name, check}
		}()
	}
	p.mu.Unlock()
	out := map[string]Check{}
	for len(open) > 0 {
		select {
		case a := <-answers:
			delete(open, a.name)
			out[a.name] = a.check
		case <-ctx.Done():
			for name := range open {
				out[name] = Check{State: StateDegraded, Message: "There was no answer within " + checkTime.String() + "."}
				if p.canFail[name] {
					out[name] = Check{State: StateFailing, Message: out[name].Message}
				}
			}
			return out
		}
	}
	return out
}

// logChange writes a line when a part begins or ceases to be well.
func (p *readiness) logChange(name string, before, now Check) {
	switch {
	case before.State == now.State || before.State == "" && now.State == StateOK:
	case now.State == StateOK:
		p.log.Info("check is ok again", "check", name, "message", now.Message, "since", before.Since)
	default:
		p.log.Warn("check is "+string(now.State), "check", name, "message", now.Message)
	}
}
