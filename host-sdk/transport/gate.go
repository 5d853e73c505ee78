package transport

import (
	"context"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/livecallrouting/livecall/host-sdk/internal/wire"
)

// gate counts the integration's calls in progress and, once closed, refuses new ones. It is never
// opened again: a drained plugin can only end. mu protects closed and inside, and makes sure that
// empty is closed once.
type gate struct {
	mu     sync.Mutex
	closed bool
	inside int
	empty  chan struct{} // closed when the gate is closed and nobody is inside
}

func newGate() *gate { return &gate{empty: make(chan struct{})} }

// enter reports whether a call may start; if so, leave must be called at its end.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside++
	return true
}

// leave ends what enter has allowed. The last one out of a closed gate tells the drain.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.closed && g.inside == 0 {
		close(g.empty)
	}
}

// shut refuses new calls from now on.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.closed = true
	if g.inside == 0 {
		close(g.empty)
	}
}

// drainMargin is left of a drain's deadline for its answer to reach the host.
const drainMargin = 50 * time.Millisecond

// drain shuts the gate, waits until the calls in progress have ended or ctx nearly has, and returns
// how many are left.
func (g *gate) drain(ctx context.Context) int {
	g.shut()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-drainMargin))
		defer cancel()
	}
	select {
	case <-g.empty:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside
}

// intercept counts the calls of the integration's service; health and drain pass freely.
func (g *gate) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if !strings.HasPrefix(info.FullMethod, "/"+wire.Service+"/") {
		return next(ctx, req)
	}
	if !g.enter() {
		return nil, wire.Status(errDraining)
	}
	defer g.leave()
	return next(ctx, req)
}
