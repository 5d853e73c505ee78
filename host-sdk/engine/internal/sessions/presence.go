package sessions

import (
	"context"
	"log/slog"
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
	// seenTimeout bounds one round of storing, also when the host stops.
	seenTimeout = 5 * time.Second
	// seenKept is how long what is stored stays in memory as well.
	seenKept = 5 * time.Minute
	// silentAfter is how long a caller must be silent until the plugin hears of it. A caller who
	// was already silent for silentMost when a host came back is left to the plugin, which looks by
	// itself.
	silentAfter = 90 * time.Second
	silentMost  = time.Hour
	// silentRound is how many calls are told in one round, 20 a second: it ends before the next one
	// begins. silentLimit is how many are looked at for that.
	silentRound = 400
	silentLimit = 10_000
	// seenLimit bounds the memory. Only calls that exist get in while handlers can be run.
	seenLimit = 100_000
)

// Presence is what this host has heard of the callers of all sessions. Another host that shares the
// store knows of it half a minute later; what was not stored yet dies with the process. Neither
// makes a caller look gone: a caller must be silent for longer than both together.
//
// Use NewPresence.
type Presence struct {
	store store.Sessions
	clock clock.Clock
	log   *slog.Logger
	tell  Tell

	mu    sync.Mutex
	calls map[Ref]*seen
	// since is when this host began to hear, or began again after it had been away. round is when
	// it last was there to store.
	since, round time.Time
	// silent are the calls whose plugin was told that the caller is silent, and when the caller had
	// been heard of last. Only WatchSilent uses it.
	silent map[Ref]time.Time
}

// seen is when a caller was last heard of, and whether the store knows.
type seen struct {
	at     time.Time
	stored bool
}

// Tell says to the calls of sessions that their caller has fallen silent, and returns those that it
// could not tell. Its error is that of ctx.
type Tell func(ctx context.Context, silent []store.Session) (missed []store.Session, err error)

// NewPresence returns a presence that hears requests from now on.
func NewPresence(s store.Sessions, clk clock.Clock, log *slog.Logger, tell Tell) *Presence {
	now := clk.Now()
	return &Presence{store: s, clock: clk, log: log, tell: tell, since: now, round: now}
}

// note says that the caller of a session was heard of.
func (p *Presence) note(of Ref, at time.Time) {
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
		p.calls = map[Ref]*seen{}
	}
	// Parts of a request.
	of.Integration, of.Key = strings.Clone(of.Integration), strings.Clone(of.Key)
	p.calls[of] = &seen{at: at}
}

// Last is when the caller of a session was last heard of, by what is stored and what this host
// heard itself; zero: not at all.
func (p *Presence) Last(of Ref, stored time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if own := p.calls[of]; own != nil && own.at.After(stored) {
		return own.at
	}
	return stored
}

// Hearing is since when this host has been there for all requests.
func (p *Presence) Hearing(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.round) > seenAway {
		return now
	}
	return p.since
}

// due returns what is to be stored, in a fixed order, and forgets what nobody will ask for.
func (p *Presence) due(now time.Time) []store.Seen {
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
			list = append(list, store.Seen{Integration: of.Integration, Key: of.Key, At: s.at})
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
func (p *Presence) stored(list []store.Seen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range list {
		of := Ref{s.Integration, s.Key}
		if own := p.calls[of]; own != nil && own.at.Equal(s.At) {
			own.stored = true
		}
	}
}

// Store stores what was heard of callers until ctx ends, and a last time then. What cannot be
// stored stays for the next time.
func (p *Presence) Store(ctx context.Context) error {
	for {
		err := clock.Sleep(ctx, p.clock, seenEvery)
		p.storeNow(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
	}
}

// WatchSilent says to calls, until ctx ends, that their caller has fallen silent. It runs beside
// Store, which must not wait: what is stored late makes callers look silent to other hosts.
func (p *Presence) WatchSilent(ctx context.Context) error {
	for {
		err := clock.Sleep(ctx, p.clock, seenEvery)
		if err == nil {
			err = p.missSilent(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// missSilent is one round of WatchSilent. It tells a call once of each silence, whichever host
// heard of its caller last: that host may be dead. The error is that of ctx.
func (p *Presence) missSilent(ctx context.Context) error {
	now := p.clock.Now()
	if now.Sub(p.Hearing(now)) < silentAfter {
		return ctx.Err() // it could not have heard of them
	}
	list, err := p.store.SilentSessions(ctx, now.Add(-silentMost), now.Add(-silentAfter), silentLimit)
	if err != nil && ctx.Err() == nil {
		p.log.Warn("cannot list silent calls; they look by themselves", "error", err)
	}
	var silent []store.Session
	for _, n := range p.missed(list, now) {
		silent = append(silent, store.Session{Integration: n.Integration, Session: integration.Session{Key: n.Key}})
	}
	missed, err := p.tell(ctx, silent)
	for _, s := range missed {
		delete(p.silent, Ref{s.Integration, s.Key}) // the next round tries again
	}
	return err
}

// missed returns those whose silence no call has heard of yet, and remembers them. What is too much
// for one round is left to the next.
func (p *Presence) missed(list []store.Seen, now time.Time) []store.Seen {
	for of, at := range p.silent {
		if now.Sub(at) > silentMost {
			delete(p.silent, of)
		}
	}
	if p.silent == nil {
		p.silent = map[Ref]time.Time{}
	}
	told := 0
	return slices.DeleteFunc(list, func(s store.Seen) bool {
		of := Ref{s.Integration, s.Key}
		if p.silent[of].Equal(s.At) || p.Last(of, s.At).After(now.Add(-silentAfter)) || told == silentRound {
			return true
		}
		p.silent[of] = s.At
		told++
		return false
	})
}

// storeNow is one round of Store.
func (p *Presence) storeNow(ctx context.Context) {
	list := p.due(p.clock.Now())
	if len(list) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, seenTimeout)
	defer cancel()
	if err := p.store.StoreSeen(ctx, list); err != nil {
		p.log.Warn("cannot store when callers were heard of, will retry", "calls", len(list), "error", err)
		return
	}
	p.stored(list)
}

// Heard notes that a session's caller was heard of: where its handler says so, and where no handler
// could be run. A handler that fails must not make a caller look silent.
func (p *Presence) Heard(id, key string, outcome integration.Outcome, err error, now time.Time) {
	if key == "" || key == integration.IntegrationSessionKey {
		return
	}
	switch {
	case err == nil && outcome.Seen, err != nil && integration.KindOf(err) != integration.KindInvalid:
		p.note(Ref{id, key}, now)
	}
}
