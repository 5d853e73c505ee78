// Package health says how the parts of a host are: whether callers are served, what is not well,
// and since when.
package health

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
)

// All of the wall clock, also where the host's clock is faster: load balancers and disks go by it.
const (
	CheckTime = 2 * time.Second // how long one check may take
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

// Check is what is known of one part of the host. Load balancers need no token for it, so it names
// no secret and no machine.
type Check struct {
	State   State  `json:"state"`
	Message string `json:"message"` // one sentence for people
	// When it stopped being ok, as far as this process saw; zero: it is ok.
	Since time.Time `json:"since,omitzero"`
}

// OK is a check that is well.
func OK(message string) Check { return Check{State: StateOK, Message: message} }

// Failing is a check whose sentence ends with the cause. A missing answer is said in words, as the
// error would only say that a deadline has passed.
func Failing(what string, err error) Check {
	if errors.Is(err, context.DeadlineExceeded) {
		return Check{State: StateFailing, Message: what + ": there was no answer within " + CheckTime.String() + "."}
	}
	return Check{State: StateFailing, Message: what + ": " + wording.Sentence(wording.Plain(err))}
}

// readyState is the answer of /readyz.
type readyState struct {
	Status string           `json:"status"` // ready, degraded, not_ready, stopping
	Checks map[string]Check `json:"checks"`
}

// Probe looks at one part. It is abandoned at its time, so it need not obey ctx. At most one of a
// name runs at a time.
type Probe func(ctx context.Context) Check

// Config is what the readiness of a host is made of.
type Config struct {
	Probes  map[string]Probe // by the name of the check
	CanFail map[string]bool  // the other checks degrade, also by not answering
	Closing context.Context  // ends when the host stops
	Clock   clock.Clock
	Logger  *slog.Logger
}

// Readiness knows how all parts are. One round of checks serves everybody who asks within
// checkKept: the address needs no token, and a check writes to the store.
type Readiness struct {
	Config

	asking sync.Mutex // held during a round
	mu     sync.Mutex // guards the rest
	last   map[string]Check
	at     time.Time       // when the last round ended, on the wall clock
	busy   map[string]bool // probes that were abandoned and still run
}

// New makes the readiness of a host.
func New(c Config) *Readiness { return &Readiness{Config: c, busy: map[string]bool{}} }

// ServeHTTP implements http.Handler: 503 when a check is failing or the host stops, else 200. Load
// balancers read the status alone.
func (p *Readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	state := readyState{Checks: p.Checks()}
	state.Status = p.Status(state.Checks)
	status := http.StatusOK
	if state.Status == "not_ready" || state.Status == "stopping" {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	httpkit.WriteJSON(w, status, state)
}

// Status sums the checks up in one word. The worst check counts; stopping wins over all.
func (p *Readiness) Status(checks map[string]Check) string {
	status := "ready"
	for _, c := range checks {
		if c.State == StateFailing {
			status = "not_ready"
		} else if c.State == StateDegraded && status == "ready" {
			status = "degraded"
		}
	}
	if p.Closing.Err() != nil {
		status = "stopping"
	}
	return status
}

// Run looks at the parts until ctx ends, so that the log tells when each fault began and ended even
// if nobody asks. It returns ctx's error.
func (p *Readiness) Run(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		p.Checks()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Checks returns how every part is, at most checkKept ago. Who asks during a round waits for it and
// gets its answer. The map is not changed afterwards.
func (p *Readiness) Checks() map[string]Check {
	p.asking.Lock()
	defer p.asking.Unlock()
	p.mu.Lock()
	last, at := p.last, p.at
	p.mu.Unlock()
	if last != nil && time.Since(at) < checkKept {
		return last
	}
	now := p.round()
	// A part that was not well before keeps the time at which that began.
	for name, c := range now {
		before := last[name]
		if c.State != StateOK && c.Since.IsZero() {
			if c.Since = before.Since; c.Since.IsZero() {
				c.Since = p.Clock.Now()
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

// Troubles says what is not well, as far as the last round saw, a sentence each. It asks nobody.
// The pages tell of the switchboard file in their own words.
func (p *Readiness) Troubles() []string {
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

// round asks all parts at the same time: one that hangs must not hide the state of the others. It
// takes CheckTime at most. Probes that take longer go on by themselves and are not started a second
// time.
func (p *Readiness) round() map[string]Check {
	ctx, cancel := context.WithTimeout(context.Background(), CheckTime)
	defer cancel()
	type answer struct {
		name  string
		check Check
	}
	answers := make(chan answer, len(p.Probes))
	open := map[string]bool{}
	p.mu.Lock()
	for name, ask := range p.Probes {
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
				out[name] = Check{State: StateDegraded, Message: "There was no answer within " + CheckTime.String() + "."}
				if p.CanFail[name] {
					out[name] = Check{State: StateFailing, Message: out[name].Message}
				}
			}
			return out
		}
	}
	return out
}

// logChange writes a line when a part begins or ceases to be well. The first look at a part that is
// well writes none.
func (p *Readiness) logChange(name string, before, now Check) {
	switch {
	case before.State == now.State || before.State == "" && now.State == StateOK:
	case now.State == StateOK:
		p.Logger.Info("check is ok again", "check", name, "message", now.Message, "since", before.Since)
	default:
		p.Logger.Warn("check is "+string(now.State), "check", name, "message", now.Message)
	}
}
