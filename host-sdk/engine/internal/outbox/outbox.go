package outbox

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/backoff"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Times of the outbox: of the engine's clock, unless they say otherwise. Retries double from the
// first to the limit (see backoff).
const (
	// Of the wall clock: one request to a foreign service.
	PerformTimeout = integration.LongestTakeover - leaseReserve - pollEvery
	// Lease = the longest work + this.
	leaseReserve = 5 * time.Second
	// Leftovers of other processes are looked for at least this often.
	pollEvery = 5 * time.Second
	// A paced task that waits longer is given back.
	paceLimit = 20 * time.Second
	// Work that has begun may take this long after the stop.
	stopGrace  = 5 * time.Second
	FirstRetry = 200 * time.Millisecond // commands and results
	taskRetry  = time.Second            // I/O
	MaxRetry   = 30 * time.Second
)

// Config says what an outbox works on.
type Config struct {
	Store   store.Store
	Clock   clock.Clock
	Log     *slog.Logger
	Counts  *counting.Counts
	Engine  Engine
	Owner   string // of this process, among those that share the store
	Workers int    // of each kind of work

	Exclusive bool                                               // see the engine's Config
	Claiming  func(ctx context.Context) (context.Context, error) // see the engine's Config
}

// Engine does with items what is more than keeping account of them.
type Engine interface {
	// Perform does a task of a session; see integration.Integration.
	Perform(ctx context.Context, it store.Item, t integration.Task, attempt int) (Result, error)
	// Handle runs HandleTask for an item, which its commit consumes.
	Handle(ctx context.Context, it store.Item, req integration.TaskRequest) error
	// Webhook runs the handler of a request that was kept for later; the commit consumes the item.
	// WebhookEnded says that nothing of it is in the outbox any more.
	Webhook(ctx context.Context, it store.Item, req integration.WebhookRequest) error
	WebhookEnded(it store.Item)
	// Command gives an alert command to the platform, Mail a mail to the mail server. They end the
	// item by Delete, Done or Failed, or give it back by Retry.
	Command(ctx context.Context, it store.Item)
	Mail(ctx context.Context, it store.Item)
	// Ended completes what a handler hears of a command that failed, or of a mail. Its error is for
	// the log, of one that cannot be read.
	Ended(it store.Item, req *integration.TaskRequest) error
	// HearsOf reports whether the handler is to hear what became of an item.
	HearsOf(ctx context.Context, it store.Item) bool
	// GiveUp says to people that a handler does not take an item. ended: it is consumed already.
	GiveUp(ctx context.Context, it store.Item, cause error) (ended bool, err error)
}

// Outbox does the work that commits left behind: claim what is due, do it, hand the result to the
// handler. An item is done at least once. It is done again when this process dies, or when its
// lease ends before its result is stored, so everything here may be repeated.
type Outbox struct {
	cfg     Config
	do      Engine
	pacer   pacer
	wakeC   chan struct{} // has room for one: any number of wake-ups is one look at the store
	workers *workers
	begun   sync.WaitGroup // items that are being worked
	lease   time.Duration  // in the clock's time

	mu      sync.Mutex
	running context.Context // the term's, while there is one; see atonce.go
}

// New returns an outbox of which nothing is worked before Run.
func New(cfg Config) *Outbox {
	// The lease covers real I/O, so it is as long on the wall clock however fast the engine's clock
	// runs.
	scale := float64(time.Second) / float64(cfg.Clock.Real(time.Second))
	return &Outbox{
		cfg: cfg, do: cfg.Engine, wakeC: make(chan struct{}, 1), workers: newWorkers(cfg.Workers, cfg.Counts),
		lease: time.Duration(float64(PerformTimeout+leaseReserve) * scale),
	}
}

// Wake makes Run look at the store now. It does not block: a commit must not wait for a worker.
func (o *Outbox) Wake() {
	select {
	case o.wakeC <- struct{}{}:
	default:
	}
}

// WakeFor is Wake if a commit has left something to do before the store is looked at anyway.
func (o *Outbox) WakeFor(c store.Commit) {
	if c.Release != "" || slices.ContainsFunc(c.Items, func(it store.Item) bool { return it.Due.Before(c.Now.Add(pollEvery)) }) {
		o.Wake()
	}
}

// Run works until ctx ends, in terms: when others may take over what this host has claimed, it
// gives up what is under way, and begins anew as soon as it may.
func (o *Outbox) Run(ctx context.Context) error {
	for {
		err := o.term(ctx)
		o.begun.Wait()
		if ctx.Err() != nil {
			o.giveBack(ctx)
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		o.cfg.Log.Warn("other hosts may have taken over the work of this one; it begins anew")
	}
}

// term works until ctx or the term ends. What this host has claimed before is due anew.
func (o *Outbox) term(ctx context.Context) error {
	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	if o.cfg.Claiming != nil {
		term, err := o.cfg.Claiming(ctx)
		if err != nil {
			return err
		}
		defer context.AfterFunc(term, func() { end(errTakenOver) })()
	}
	if o.cfg.Exclusive || o.cfg.Claiming != nil {
		if err := o.releaseLeases(working); err != nil {
			return overOr(working, err)
		}
	}
	o.runs(working)
	defer o.rests()
	return overOr(working, o.rounds(working))
}

// errTakenOver is why a term ends whose work others may take over.
var errTakenOver = errors.New("others may have taken over the work of this host")

// takenOver reports whether others may have taken over the work of ctx.
func takenOver(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errTakenOver) }

// overOr is nil when others may have taken over the work of ctx, else err.
func overOr(ctx context.Context, err error) error {
	if takenOver(ctx) {
		return nil
	}
	return err
}

// giveBack gives back what a stop has left undone. A host that shares the store with nobody does so
// when it starts again.
func (o *Outbox) giveBack(ctx context.Context) {
	if o.cfg.Claiming == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	if err := o.cfg.Store.ReleaseLeases(ctx, o.cfg.Owner); err != nil {
		o.cfg.Log.Warn("what this host has left undone is claimed by others after its lease", "error", err)
	}
}

// rounds claims and starts work until ctx ends. It looks at the store when it is woken, when the
// next item comes due, and every few seconds for what other processes have left. Whoever finishes
// an item wakes it, so it never waits for a worker.
func (o *Outbox) rounds(ctx context.Context) error {
	for {
		next, err := o.round(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait, woken := pollEvery, o.wakeC
		if err != nil {
			woken = nil // a store that fails is not asked again at every wake-up
			o.cfg.Log.Error("cannot read outbox, will retry", "error", err)
			wait = time.Second
		} else if !next.IsZero() {
			wait = min(wait, max(0, next.Sub(o.cfg.Clock.Now())))
		}
		t := o.cfg.Clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-woken:
		}
		t.Stop()
	}
}

// round claims and starts as much as there are free workers for. Claiming more would let leases run
// out while items wait in memory. Each item has a goroutine of its own, and its worker is taken
// before that, so the next round counts it.
func (o *Outbox) round(ctx context.Context) (next time.Time, err error) {
	items, next, err := o.cfg.Store.Claim(ctx, store.Claim{Owner: o.cfg.Owner, Now: o.cfg.Clock.Now(), Lease: o.lease, Wants: o.workers.wants()})
	for _, it := range items {
		o.workers.take(it.Work, it.Integration)
		work := o.process
		if it.Work == store.WorkDial {
			// Queued now and not in the goroutine, so that of several dials the most urgent is
			// first, whichever goroutine begins first.
			work = o.dial(it)
		}
		o.begun.Go(func() {
			work(ctx, it)
			o.workers.free(it.Work, it.Integration)
			o.Wake()
		})
	}
	return next, err
}

// working is the context of one item's work. What has begun is finished even when the engine stops
// meanwhile, but not when others may have taken it over.
func working(running context.Context) (context.Context, context.CancelFunc) {
	work, giveUp := context.WithCancelCause(context.WithoutCancel(running))
	work, cancel := context.WithTimeout(work, PerformTimeout+leaseReserve)
	stop := context.AfterFunc(running, func() {
		if takenOver(running) {
			giveUp(errTakenOver)
			return
		}
		time.AfterFunc(stopGrace, cancel)
	})
	return work, func() { stop(); cancel() }
}

// releaseLeases gives back what a killed predecessor held, or this host itself when others could
// have taken it over. A store that is not available now is asked again until ctx ends: calls are
// answered meanwhile.
func (o *Outbox) releaseLeases(ctx context.Context) error {
	owner := o.cfg.Owner
	if o.cfg.Exclusive {
		owner = "" // nobody else's
	}
	for attempt := 1; ; attempt++ {
		err := o.cfg.Store.ReleaseLeases(ctx, owner)
		if err == nil || ctx.Err() != nil || integration.KindOf(err) != integration.KindUnavailable {
			return err
		}
		o.cfg.Log.Error("cannot take over the outbox, will retry", "error", err)
		if err := clock.Sleep(ctx, o.cfg.Clock, backoff.After(attempt, time.Second, MaxRetry)); err != nil {
			return err
		}
	}
}
