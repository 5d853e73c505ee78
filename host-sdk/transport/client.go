package transport

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/wire"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

var _ integration.Integration = (*Conn)(nil)

// Conn is the host's end of a connection to a plugin. It is an integration whose errors are
// *[integration.Error].
type Conn struct {
	*wire.Client
	health grpc_health_v1.HealthClient
}

// newConn wraps a connection that is open. Conn never closes it: that is up to whoever dialed.
func newConn(cc grpc.ClientConnInterface, limit time.Duration) *Conn {
	// A span is made of a call.
	return &Conn{Client: wire.NewClient(cc, wire.ClientConfig{HandleTimeout: cmp.Or(limit, DefaultTimeout), NoStreams: tracing.Active()}), health: grpc_health_v1.NewHealthClient(cc)}
}

// Healthy asks the plugin whether it is alive; any answer in time counts. Give ctx a deadline: a
// frozen plugin does not answer.
func (c *Conn) Healthy(ctx context.Context) error {
	resp, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	if err != nil {
		return wire.FromStatus(err)
	}
	if resp.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return integration.Errorf(integration.KindUnavailable, "the plugin says of itself that it does not serve: %s", resp.GetStatus())
	}
	return nil
}

// HostPlugins are the protocol versions that a host offers in the handshake; each dispenses a
// *[Conn] under [PluginName]. Each call of HandleWebhook, HandleAlert and HandleTask ends after
// limit, 0: [DefaultTimeout], or with its context if that ends sooner.
func HostPlugins(limit time.Duration) map[int]goplugin.PluginSet {
	return versions(&grpcPlugin{limit: limit})
}

// DialOptions are what a host adds to go-plugin's own: size limits in both directions and a
// deadline for every call.
func DialOptions() []grpc.DialOption {
	return append(append(tracing.DialOptions(), clientMessages()...), grpc.WithChainUnaryInterceptor(limitingClientTime))
}

// grpcPlugin is both halves of what go-plugin wants: the plugin sets server, the host uses the
// client half.
type grpcPlugin struct {
	goplugin.NetRPCUnsupportedPlugin

	limit time.Duration // of the host

	impl  integration.Integration
	gate  *gate
	log   *slog.Logger
	ready func() // called when everything is registered
}

// GRPCServer implements goplugin.GRPCPlugin.
func (p *grpcPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	if p.impl == nil {
		return errors.New("no integration to serve")
	}
	register(s, p.impl, p.gate, p.log)
	if p.ready != nil {
		p.ready()
	}
	return nil
}

// GRPCClient implements goplugin.GRPCPlugin.
func (p *grpcPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, cc *grpc.ClientConn) (any, error) {
	return newConn(cc, p.limit), nil
}

// register serves impl and its life cycle on s; health is served by go-plugin.
func register(s *grpc.Server, impl integration.Integration, g *gate, log *slog.Logger) {
	wire.RegisterServer(s, impl, each(g, log), log)
	wire.RegisterLifecycle(s, wire.Lifecycle{Drain: g.drain, Profile: profile})
}

// serverOptions are what every server of this package is made with.
func serverOptions(g *gate, log *slog.Logger) []grpc.ServerOption {
	return append(append(serverMessages(), tracing.ServerOptions()...), grpc.UnaryInterceptor(each(g, log)))
}

// each is what each call passes through.
func each(g *gate, log *slog.Logger) grpc.UnaryServerInterceptor {
	recover := recovering(log)
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		return recover(ctx, req, info, func(ctx context.Context, req any) (any, error) {
			return g.intercept(ctx, req, info, func(ctx context.Context, req any) (any, error) { return limitingTime(ctx, req, info, next) })
		})
	}
}
