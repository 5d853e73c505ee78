package engine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// seenEvery is how often what was heard of callers is stored, for all calls together: a tick of
	// the hold music costs no write of its own.
	seenEvery = 30 * time.Second
	// seenAway is how long the storing may be late before this host counts as having been away: it
	// was frozen, or its machine was.
	seenAway = 2 * seenEvery
	// seenKept is how long what is stored stays in memory as well.
	seenKept = 5 * time.Minute
	// silentAfter is how long a caller must be silent until the plugin hears of it. A caller who
	// was already silent for silentMost when a host came back is left to the plugin, which looks by
	// itself.
	silentAfter = 90 * time.Second
	silentMost  = time.Hour
	// silentRound is how many calls get the timer in one round, each startedEvery after the one
	// before: it ends before the next one begins.
	silentRound = 400
	// seenLimit bounds the memory. Only calls that exist get in while handlers can be run.
	seenLimit = 100_000
)

// presence is what this host has heard of the callers of all sessions. Another host that shares the
// store knows of it half a minute later; what was not stored yet dies with the process. Neither
// makes a caller look gone: a caller must be silent for longer than both together.
type presence struct {
	mu    sync.Mutex
	calls map[sessionRef]*seen
	// since is when this host began to hear, or began again after it had been away. round is when
	// it last was there to store.
	since, round time.Time
	// silent are the calls whose plugin was told that the caller is silent, and when the caller had
	// been heard of last. Only watchSilent uses it.
	silent map[sessionRef]time.Time
}

// seen is when a caller was last heard of, and whether the store knows.
type seen struct {
	at     time.Time
	stored bool
}

// begin says that this host hears requests from now on.
func (p *presence) begin(now time.Time) { p.since, p.round = now, now }

// note says that the caller of a session was heard of.
func (p *presence) note(of sessionRef, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := p.calls[of]; last != nil {
		if at.After(last.at) {
			*last = seen{at: at}
		}
		return
	}
	if len(p.calls) >= seenLimit {
		return
	}
	if p.calls == nil {
		p.calls = map[sessionRef]*seen{}
	}
	// Parts of a request.
	of.integration, of.key = strings.Clone(of.integration), strings.Clone(of.key)
	p.calls[of] = &seen{at: at}
}

// last is when the caller of a session was last heard of, by what is stored and what this host
// heard itself; zero: not at all.
func (p *presence) last(of sessionRef, stored time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if own := p.calls[of]; own != nil && own.at.After(stored) {
		return own.at
	}
	return stored
}

// hearing is since when this host has been there for all requests.
func (p *presence) hearing(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.round) > seenAway {
		return now
	}
	return p.since
}

// due returns what is to be stored, in a fixed order, and forgets what nobody will ask for.
func (p *presence) due(now time.Time) []store.Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.round) > seenAway {
		p.since = now
	}
	p.round = now
	var list []store.Seen
	for of, s := range p.calls {
		switch {
		case !s.stored:
			list = append(list, store.Seen{Integration: of.integration, Key: of.key, At: s.at})
		case now.Sub(s.at) > seenKept:
			delete(p.calls, of)
		}
	}
	// Two hosts that store the same calls must not wait for each other.
	slices.SortFunc(list, func(a, b store.Seen) int {
		if c := strings.Compare(a.Integration, b.Integration); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	return list
}

// stored says that the store has these.
func (p *presence) stored(list []store.Seen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range list {
		of := sessionRef{s.Integration, s.Key}
		if own := p.calls[of]; own != nil && own.at.Equal(s.At) {
			own.stored = true
		}
	}
}

// storeSeen stores what was heard of callers until ctx ends, and a last time then. What cannot be
// stored stays for the next time.
func (e *Engine) storeSeen(ctx context.Context) error {
	for {
		err := clock.Sleep(ctx, e.clock, seenEvery)
		e.storeSeenNow(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
	}
}

// watchSilent says to calls, until ctx ends, that their caller has fallen silent. It runs beside
// storeSeen, which must not wait: what is stored late makes callers look silent to other hosts.
func (e *Engine) watchSilent(ctx context.Context) error {
	for {
		err := clock.Sleep(ctx, e.clock, seenEvery)
		if err == nil {
			err = e.missSilent(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// missSilent is one round of watchSilent. A call gets the timer once for each silence, whichever
// host heard of its caller last: that host may be dead. The error is that of ctx.
func (e *Engine) missSilent(ctx context.Context) error {
	now := e.clock.Now()
	if now.Sub(e.presence.hearing(now)) < silentAfter {
		return ctx.Err() // it could not have heard of them
	}
	list, err := e.store.SilentSessions(ctx, now.Add(-silentMost), now.Add(-silentAfter), liveLimit)
	if err != nil && ctx.Err() == nil {
		e.log.Warn("cannot list silent calls; they look by themselves", "error", err)
	}
	var silent []store.Session
	for _, n := range e.presence.missed(list, now) {
		silent = append(silent, store.Session{Integration: n.Integration, Session: integration.Session{Key: n.Key}})
	}
	missed, err := e.hintAll(ctx, silent, integration.TimerCallerSilent, startedEvery)
	for _, s := range missed {
		delete(e.presence.silent, sessionRef{s.Integration, s.Key}) // the next round tries again
	}
	return err
}

// missed returns those whose silence no call has heard of yet, and remembers them. What is too much
// for one round is left to the next.
func (p *presence) missed(list []store.Seen, now time.Time) []store.Seen {
	for of, at := range p.silent {
		if now.Sub(at) > silentMost {
			delete(p.silent, of)
		}
	}
	if p.silent == nil {
		p.silent = map[sessionRef]time.Time{}
	}
	told := 0
	return slices.DeleteFunc(list, func(s store.Seen) bool {
		of := sessionRef{s.Integration, s.Key}
		if p.silent[of].Equal(s.At) || p.last(of, s.At).After(now.Add(-silentAfter)) || told == silentRound {
			return true
		}
		p.silent[of] = s.At
		told++
		return false
	})
}

// storeSeenNow is one round of storeSeen.
func (e *Engine) storeSeenNow(ctx context.Context) {
	list := e.presence.due(e.clock.Now())
	if len(list) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaseReserve)
	defer cancel()
	if err := e.store.StoreSeen(ctx, list); err != nil {
		e.log.Warn("cannot store when callers were heard of, will retry", "calls", len(list), "error", err)
		return
	}
	e.presence.stored(list)
}

// heard notes that a session's caller was heard of: where its handler says so, and where no handler
// could be run. A handler that fails must not make a caller look silent.
func (e *Engine) heard(id, key string, outcome integration.Outcome, err error, now time.Time) {
	if key == "" || key == integration.IntegrationSessionKey {
		return
	}
	switch {
	case err == nil && outcome.Seen, err != nil && integration.KindOf(err) != integration.KindInvalid:
		e.presence.note(sessionRef{id, key}, now)
	}
}
