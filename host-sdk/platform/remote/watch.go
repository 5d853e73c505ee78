package remote

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// maxPending is how many alerts a slow watcher hears of by name; beyond that it hears that all may
// have changed.
const maxPending = 1000

// watchers are those who wait for hints. The zero value is ready. Locks are taken in this order:
// that of all, then that of one.
type watchers struct {
	mu  sync.Mutex
	all map[*watcher]bool
}

// watcher collects hints, each alert once, until it is ready for them. A hint that comes again
// before it was taken is one: reading the alert once is enough.
type watcher struct {
	mu      sync.Mutex
	pending map[platform.Hint]bool
	wake    chan struct{} // holds one
	begin   chan struct{} // closed when watching must be begun again
	once    sync.Once
}

// join adds a watcher, which leave must remove.
func (w *watchers) join() *watcher {
	one := &watcher{pending: map[platform.Hint]bool{}, wake: make(chan struct{}, 1), begin: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[*watcher]bool{}
	}
	w.all[one] = true
	return one
}

func (w *watchers) leave(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, one)
}

// hint never waits for a watcher.
func (w *watchers) hint(alerts ...platform.Hint) {
	w.each(func(one *watcher) { one.hint(alerts...) })
}

// restart ends all watching: hints come by another way now.
func (w *watchers) restart() {
	w.each(func(one *watcher) { one.once.Do(func() { close(one.begin) }) })
}

// The function must not call back into w, whose lock is held.
func (w *watchers) each(do func(*watcher)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		do(one)
	}
}

// wake has room for one, so a signal that is not taken yet stands for this one, too.
func (w *watcher) hint(alerts ...platform.Hint) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, alert := range alerts {
		w.pending[alert] = true
	}
	// The empty hint stands for all alerts. So nothing is missed, however slow the watcher is, and
	// the memory stays bounded.
	if len(w.pending) > maxPending {
		w.pending = map[platform.Hint]bool{{}: true}
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take hands the collected hints over. The lock is not held while they are given on: a watcher that
// is slow to take one would hold up every request of the platform with a hint.
func (w *watcher) take() map[platform.Hint]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.pending
	w.pending = map[platform.Hint]bool{}
	return out
}

// Watch implements platform.Platform. It fails when the platform changes the way by which it hints,
// or does not know any more up to where it was read. The engine then begins again, with a reading
// of all alerts.
func (p *Platform) Watch(ctx context.Context, hint func(platform.Hint)) error {
	w := p.watchers.join()
	defer p.watchers.leave(w)
	a, err := p.agree(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	// Room for one, so that a poll which ends after the watcher has left does not wait for ever.
	polled := make(chan error, 1)
	if a.Hints == wire.HintsChanges {
		polling, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() { polled <- p.poll(polling, w) }()
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-polled:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		case <-w.begin:
			return integration.Errorf(integration.KindUnavailable, "the platform hints in another way now")
		case <-w.wake:
			for alert := range w.take() {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				hint(alert)
			}
		}
	}
}

// changes waits for changes until ctx ends or the platform does not know the cursor. Those that
// came before the first answer without a cursor are in none: that all alerts may have changed is
// said then. A platform that does not wait with its answers is asked every second, or ten times in
// one while alerts change. came is called on this goroutine, after each answer, with all set where
// any alert may have changed.
func (p *Platform) changes(ctx context.Context, cursor string, came func(cursor string, alerts []wire.AlertRef, all bool)) error {
	pause := p.times.retry
	for ctx.Err() == nil {
		query := url.Values{}
		if p.cfg.Tenant != "" {
			query.Set("tenant", p.cfg.Tenant)
		}
		if cursor != "" {
			query.Set("after", cursor)
			query.Set("wait", strconv.Itoa(int(p.times.wait.Seconds())))
		}
		var answer wire.Changes
		began := time.Now()
		// Without a cursor the answer comes at once; with one the platform keeps it until something
		// changes.
		err := p.send(ctx, request{name: "changes", method: http.MethodGet, path: "/changes", query: query, purpose: meta}, p.times.wait+p.times.meta, &answer)
		if err == nil && answer.Cursor == "" {
			err = p.strange("changes", "the cursor is missing")
		}
		// The platform has forgotten the cursor, or does not offer changes any more.
		if integration.KindOf(err).Final() {
			return err
		}
		if err != nil {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, p.times.maxRetry)
			continue
		}
		came(answer.Cursor, answer.Alerts, cursor == "")
		// An answer that comes at once, again and again, must not make a circle of requests.
		least := p.times.retry
		if len(answer.Alerts) > 0 && answer.Cursor != cursor {
			least /= 10
		}
		if cursor != "" {
			select {
			case <-time.After(least - time.Since(began)):
			case <-ctx.Done():
			}
		}
		cursor, pause = answer.Cursor, p.times.retry
	}
	return ctx.Err()
}

// hinted converts references that came from the platform and notes that they did. The tenant of the
// settings is sent with each request and comes back; the engine knows its alerts without it.
func (p *Platform) hinted(refs []wire.AlertRef) []platform.Hint {
	out := make([]platform.Hint, 0, len(refs))
	for _, ref := range refs {
		scope := platform.Scope{Tenant: ref.Tenant, Integration: ref.Integration}
		if scope.Tenant == p.cfg.Tenant {
			scope.Tenant = ""
		}
		alert := platform.Hint{Scope: scope, AlertKey: ref.AlertKey}
		if alert == (platform.Hint{}) {
			continue // means all alerts, which no platform can say by mistake
		}
		p.findings.alertHinted(alert)
		out = append(out, alert)
	}
	return out
}
