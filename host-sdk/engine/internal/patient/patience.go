package patient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	// callTimeout bounds a call whose context has no deadline of its own.
	callTimeout = time.Minute
	// callGrace is how long a call may take to return once its context has ended. Its own error
	// says more than ours.
	callGrace = 250 * time.Millisecond
	// maxAbandoned is how many abandoned calls of one callee for one integration may not have
	// returned yet. With as many, the callee counts as unavailable for this integration.
	maxAbandoned = 32
)

// Patience ends waiting for calls out of the engine: to the platform, the store, the mail server
// and plugins. A call that ignores the end of its context is abandoned: its goroutine is left
// behind, and what it returns later is thrown away. So a handler's run, and with it the session's
// lock, ends in time whatever hangs.
type Patience struct {
	counts *counting.Counts
	log    *slog.Logger

	hands hands

	mu   sync.Mutex
	left map[callee]int // abandoned calls that have not returned
}

// New makes a patience that counts what it gives up, and logs what failed.
func New(counts *counting.Counts, log *slog.Logger) *Patience {
	return &Patience{counts: counts, log: log, hands: newHands()}
}

// callee is whom a call is made to, and for which integration ("": for none).
type callee struct{ name, integration string }

// enter is an error if too many calls have not returned.
func (p *Patience) enter(to callee) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left[to] < maxAbandoned {
		return nil
	}
	p.counts.LimitHit("abandoned_calls")
	return integration.Errorf(integration.KindUnavailable, "the %s has not returned from %d calls", to.name, maxAbandoned)
}

// add counts abandoned calls.
func (p *Patience) add(to callee, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == nil {
		p.left = map[callee]int{}
	}
	if p.left[to] += n; p.left[to] == 0 {
		delete(p.left, to)
	}
}

// returned is what a call returned.
type returned[T any] struct {
	value T
	err   error
}

// logUnknown logs an error whose text [Error] withholds from its receiver. All errors of callees
// pass here.
func (p *Patience) logUnknown(ctx context.Context, to callee, err error) {
	if err == nil {
		return
	}
	var known *integration.Error
	if errors.As(err, &known) || errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return
	}
	p.log.ErrorContext(ctx, "the "+to.name+" failed", "integration", to.integration, "error", err)
}

// within makes a call and waits until it returns or ctx ends. A panic of the call is an error of
// it.
func within[T any](ctx context.Context, p *Patience, to callee, call func(ctx context.Context) (T, error)) (T, error) {
	var none T
	if err := p.enter(to); err != nil {
		return none, err
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	c := make(chan returned[T], 1)
	p.hands.do(func() {
		r := returned[T]{err: integration.Errorf(integration.KindInternal, "the call of the %s ended its goroutine", to.name)}
		defer func() {
			if panicked := recover(); panicked != nil {
				r.err = p.panicked(ctx, to, panicked)
			}
			c <- r
		}()
		r.value, r.err = call(ctx)
	})
	select {
	case r := <-c:
		p.logUnknown(ctx, to, r.err)
		return r.value, r.err
	case <-ctx.Done():
	}
	grace := time.NewTimer(callGrace)
	defer grace.Stop()
	select {
	case r := <-c:
		p.logUnknown(ctx, to, r.err)
		return r.value, r.err
	case <-grace.C:
	}
	p.counts.Abandon(to.name)
	p.add(to, 1)
	go func() {
		<-c
		p.add(to, -1)
	}()
	return none, &integration.Error{Kind: integration.KindDeadline, Message: "the " + to.name + " does not return", Err: ctx.Err()}
}

// here is within for a call that returns in time by itself (see [InTime]): it needs no goroutine.
func here[T any](ctx context.Context, p *Patience, to callee, call func(ctx context.Context) (T, error)) (value T, err error) {
	if err := p.enter(to); err != nil {
		return value, err
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			err = p.panicked(ctx, to, panicked)
		}
	}()
	value, err = call(ctx)
	p.logUnknown(ctx, to, err)
	return value, err
}

// panicked logs a panic of a call, and is the error of the call.
func (p *Patience) panicked(ctx context.Context, to callee, panicked any) error {
	p.log.ErrorContext(ctx, "the "+to.name+" panicked", "integration", to.integration, "error", panicked, "stack", string(debug.Stack()))
	return &integration.Error{Kind: integration.KindInternal, Message: "the " + to.name + " panicked; see the host's log",
		Err: fmt.Errorf("panic: %v", panicked)}
}

// do is within for a call that returns an error alone.
func do(ctx context.Context, p *Patience, to callee, call func(ctx context.Context) error) error {
	_, err := within(ctx, p, to, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	return err
}

// two holds the values of a call that returns two.
type two[A, B any] struct {
	a A
	b B
}

// within2 is within for a call that returns two values.
func within2[A, B any](ctx context.Context, p *Patience, to callee, call func(ctx context.Context) (A, B, error)) (A, B, error) {
	r, err := within(ctx, p, to, func(ctx context.Context) (two[A, B], error) {
		a, b, err := call(ctx)
		return two[A, B]{a, b}, err
	})
	return r.a, r.b, err
}

// Mail makes a call of the mail server. There is one for all integrations.
func (p *Patience) Mail(ctx context.Context, send func(ctx context.Context) error) error {
	return do(ctx, p, callee{name: "mail server"}, send)
}

// Error makes any error one that may cross the contract. Of an error that is not ours, only the
// kind is shown: its text may hold addresses or secrets. The host's log has it.
func Error(ctx context.Context, err error) *integration.Error {
	var e *integration.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return &integration.Error{Kind: integration.KindDeadline, Message: "no answer in time", Err: err}
	default:
		return &integration.Error{Kind: integration.KindInternal, Message: "internal error; see the host's log", Err: err}
	}
}
