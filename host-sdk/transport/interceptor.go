package transport

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/wire"
)

// DefaultTimeout is the deadline of a call that was given none: long enough to fetch a recording.
const DefaultTimeout = 60 * time.Second

// recovering turns a panic of a handler into an internal error. The stack goes to the log, never to
// the caller.
func recovering(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
		defer func() {
			if cause := recover(); cause != nil {
				log.ErrorContext(ctx, "panic in a call", "call", info.FullMethod,
					"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
				resp, err = nil, wire.Status(fmt.Errorf("panic: %v", cause))
			}
		}()
		return next(ctx, req)
	}
}

// limitingTime gives a deadline to the calls that came without one.
func limitingTime(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	return next(ctx, req)
}

// limitingClientTime is limitingTime on the host's side.
func limitingClientTime(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, next grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	return next(ctx, method, req, reply, conn, opts...)
}

// withDefaultTimeout keeps a deadline that is there, however far away it is. Both sides call it:
// the plugin's does not rely on a host that sets one.
func withDefaultTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}

// errDraining is what a call gets that comes after a drain began. It was not started.
var errDraining = &integration.Error{
	Kind:    integration.KindUnavailable,
	Message: "the plugin is being stopped and takes no new calls",
	Code:    wire.CodeDraining,
}
