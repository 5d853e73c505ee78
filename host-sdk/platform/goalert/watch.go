package goalert

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

const (
	pollEvery      = time.Second
	pollPerService = 40 * time.Millisecond // of the polling key, which serves one request at a time
	// An alert that nobody has asked about for so long belongs to no call: hosts ask about those of
	// calls in progress every minute.
	liveFor = 10 * time.Minute
	// A question so soon after a hint was caused by it, and does not show that a call goes on.
	hintEcho = 10 * time.Second
	// Lines of one moment may appear one after the other.
	overlap = time.Second
)

// hub gives hints to all watchers. A host has one watcher, its engine. Sending never waits:
// commands and polling go on while it is busy.
type hub struct {
	mu       sync.Mutex
	watchers map[chan platform.Hint]bool
}

// hintsWaiting bounds the hints that one watcher has not taken yet; further ones are lost.
const hintsWaiting = 1024

// send gives a hint to each watcher that has room for it; the engine reads the alerts of calls in
// progress by itself, so a lost one is only late.
func (b *hub) send(h platform.Hint) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watchers {
		select {
		case w <- h:
		default:
		}
	}
}

// Watch implements platform.Platform. It gives hints in their order, on the caller's goroutine,
// until ctx ends.
func (p *Platform) Watch(ctx context.Context, hint func(platform.Hint)) error {
	w := make(chan platform.Hint, hintsWaiting)
	p.hub.mu.Lock()
	if p.hub.watchers == nil {
		p.hub.watchers = map[chan platform.Hint]bool{}
	}
	p.hub.watchers[w] = true
	p.hub.mu.Unlock()
	defer func() {
		p.hub.mu.Lock()
		defer p.hub.mu.Unlock()
		delete(p.hub.watchers, w)
	}()
	for {
		select {
		case h := <-w:
			hint(h)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// live holds the alerts of calls in progress, by GoAlert's number. It is memory alone: after a
// restart the engine asks about each alert of a running call, which brings it back.
type live struct {
	mu     sync.Mutex
	alerts map[int]*liveAlert
	since  map[string]time.Time // by service: up to when its log was read, in GoAlert's time
	wake   chan struct{}        // has a value after the first alert was added
}

// liveAlert is the alert of a call that goes on, for as long as somebody asks about it: GoAlert
// does not know when the call is over.
type liveAlert struct {
	hint    platform.Hint
	service string
	asked   time.Time // when somebody last asked about it of their own accord
	hinted  time.Time
	// When its policy will be exhausted or the engine is late, which no line of the log tells.
	dueAt time.Time
}

// add begins to watch an alert. It is also called for an alert that is watched already, to note
// that its call goes on.
func (l *live) add(h platform.Hint, r *record, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.alerts == nil {
		l.alerts = map[int]*liveAlert{}
	}
	if l.alerts[r.Alert] == nil {
		l.alerts[r.Alert] = &liveAlert{hint: h, service: r.Service}
	}
	l.alerts[r.Alert].asked = now
	select {
	case l.waker() <- struct{}{}:
	default:
	}
}

// waker makes the channel at its first use; l.mu is held.
func (l *live) waker() chan struct{} {
	if l.wake == nil {
		l.wake = make(chan struct{}, 1)
	}
	return l.wake
}

// forget ends the watching of an alert that is closed, or that another has taken the place of.
func (l *live) forget(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.alerts, number)
}

// saw takes note of what was read of an alert. lookAt is when it is to be read again, see
// Platform.lookAt.
func (l *live) saw(h platform.Hint, r *record, v view, lookAt, now time.Time) {
	if v.alert.Status == closed {
		l.forget(r.Alert)
		return
	}
	l.mu.Lock()
	known := l.alerts[r.Alert]
	echo := known != nil && now.Sub(known.hinted) < hintEcho
	l.mu.Unlock()
	if !echo {
		l.add(h, r, now)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// A time that has passed already was the reason for this very reading.
	if a := l.alerts[r.Alert]; a != nil {
		a.dueAt = lookAt
		if !a.dueAt.IsZero() && !now.Before(a.dueAt) {
			a.dueAt = time.Time{}
		}
	}
	// The first look at a log begins where this alert's ends, by GoAlert's clock and not by ours.
	if _, there := l.since[r.Service]; !there {
		if l.since == nil {
			l.since = map[string]time.Time{}
		}
		l.since[r.Service] = v.newest()
	}
}

// newest is the time of the newest line in the alert's log, by GoAlert's clock.
func (v view) newest() (at time.Time) {
	for _, l := range v.alert.RecentEvents.Nodes {
		if l.Timestamp.After(at) {
			at = l.Timestamp
		}
	}
	return at
}

// services are those with a call in progress. Alerts that belong to none any more are forgotten.
func (l *live) services(now time.Time) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]bool{}
	for number, a := range l.alerts {
		if now.Sub(a.asked) > liveFor {
			delete(l.alerts, number)
			continue
		}
		all[a.service] = true
	}
	maps.DeleteFunc(l.since, func(service string, _ time.Time) bool { return !all[service] })
	return slices.Sorted(maps.Keys(all))
}

// changed returns the hints for alerts that have changed by what was read, or whose policy is now
// exhausted. Each due time hints once; the reading that follows sets the next.
func (l *live) changed(now time.Time, has func(number int, a *liveAlert) bool) (hints []platform.Hint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for number, a := range l.alerts {
		if due := !a.dueAt.IsZero() && now.After(a.dueAt); due || has(number, a) {
			if due {
				a.dueAt = time.Time{}
			}
			a.hinted = now
			hints = append(hints, a.hint)
		}
	}
	return hints
}

// Run polls the services of calls in progress and forgets old records, until ctx ends; it returns
// ctx's error. It sleeps while no call is in progress, so an idle host sends GoAlert nothing.
func (p *Platform) Run(ctx context.Context) error {
	poll := poller{Platform: p, seen: map[string]map[int]bool{}, broken: map[string]bool{}, turns: map[string]platform.Turn{}}
	p.live.mu.Lock()
	wake := p.live.waker()
	p.live.mu.Unlock()
	forgotten := time.Time{}
	for {
		now := p.clock.Now()
		// Also at the start, as no time was noted yet.
		if now.Sub(forgotten) > 24*time.Hour {
			if err := p.forget(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("cannot remove old records of alerts", "error", err)
			}
			forgotten = now
		}
		services := p.live.services(now)
		if len(services) == 0 {
			select {
			case <-wake:
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		for _, s := range services {
			if poll.polls(ctx, s) {
				poll.service(ctx, s)
			}
		}
		p.hintDue()
		if err := clock.Sleep(ctx, p.clock, max(pollEvery, time.Duration(len(services))*pollPerService)); err != nil {
			return err
		}
	}
}

// hintDue hints at alerts whose time to be looked at has come, whoever polls their services.
func (p *Platform) hintDue() {
	for _, h := range p.live.changed(p.clock.Now(), func(int, *liveAlert) bool { return false }) {
		p.hub.send(h)
	}
}

// poller reads the logs of services. It belongs to the one goroutine of Run, so it needs no lock of
// its own.
type poller struct {
	*Platform
	seen   map[string]map[int]bool  // by service: the lines of the last answer
	broken map[string]bool          // services whose last poll failed
	turns  map[string]platform.Turn // by service
}

// service looks for new lines in a service's log, and hints at the alerts they are about. A failure
// is logged once until a poll succeeds; meanwhile the engine's own readings are all there is.
func (p *poller) service(ctx context.Context, id string) {
	p.live.mu.Lock()
	since := p.live.since[id]
	p.live.mu.Unlock()
	if since.IsZero() {
		// Nothing of the service was read yet. The clocks may differ; a line too many is harmless.
		since = clock.Wall(p.clock).Add(-time.Hour)
	}
	var answer pollAnswer
	err := p.client.graphql(ctx, p.cfg.PollKey, request{OperationName: "Poll", Variables: map[string]any{
		"service": id, "since": since.Add(-overlap).UTC().Format(time.RFC3339Nano)}}, &answer)
	if err == nil && answer.Service == nil {
		err = gone(id)
	}
	if err != nil {
		if ctx.Err() == nil && !p.broken[id] {
			p.log.Warn("cannot ask GoAlert for changes of alerts, will go on trying", "service", id, "error", err)
		}
		p.broken[id] = true
		return
	}
	lines := answer.Service.RecentEvents.Nodes
	all := len(lines) >= pollLimit // some lines may be missing
	delete(p.broken, id)
	// Lines of the last second are read twice, see overlap; those that were seen count once.
	before, now := p.seen[id], map[int]bool{}
	about := map[int]bool{}
	for _, l := range lines {
		now[l.ID] = true
		if !before[l.ID] {
			about[l.AlertID] = true
		}
		if l.Timestamp.After(since) {
			since = l.Timestamp
		}
	}
	p.seen[id] = now
	p.live.mu.Lock()
	if len(lines) > 0 {
		if p.live.since == nil {
			p.live.since = map[string]time.Time{}
		}
		p.live.since[id] = since
	}
	p.live.mu.Unlock()
	p.tell(id, about, all)
	for _, h := range p.live.changed(p.clock.Now(), func(number int, a *liveAlert) bool {
		return about[number] || all && a.service == id
	}) {
		p.hub.send(h)
	}
}
