package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
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
func newConn(cc grpc.ClientConnInterface) *Conn {
	return &Conn{Client: wire.NewClient(cc), health: grpc_health_v1.NewHealthClient(cc)}
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
// *[Conn] under [PluginName].
func HostPlugins() map[int]goplugin.PluginSet { return versions(&grpcPlugin{}) }

// DialOptions are what a host adds to go-plugin's own: size limits in both directions and a
// deadline for every call.
func DialOptions() []grpc.DialOption {
	return append(append(tracing.DialOptions(), clientMessages()...), grpc.WithChainUnaryInterceptor(limitingClientTime))
}

// LimitHandlers lets a host's connection end each call of HandleWebhook, HandleAlert and HandleTask
// after d, or with its context if that ends sooner. A context with a limit of the caller's own
// would come on top of the one that gRPC makes for each call.
func LimitHandlers(d time.Duration) grpc.DialOption {
	var names []string
	for _, method := range []string{"HandleWebhook", "HandleAlert", "HandleTask"} {
		names = append(names, fmt.Sprintf(`{"service":%q,"method":%q}`, wire.Service, method))
	}
	return grpc.WithDefaultServiceConfig(fmt.Sprintf(`{"methodConfig":[{"name":[%s],"timeout":"%.9fs"}]}`, strings.Join(names, ","), d.Seconds()))
}

// grpcPlugin is both halves of what go-plugin wants: the plugin sets server, the host uses the
// client half.
type grpcPlugin struct {
	goplugin.NetRPCUnsupportedPlugin

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
	return newConn(cc), nil
}

// register serves impl and its life cycle on s; health is served by go-plugin.
func register(s *grpc.Server, impl integration.Integration, g *gate, log *slog.Logger) {
	wire.RegisterServer(s, impl, log)
	wire.RegisterLifecycle(s, wire.Lifecycle{Drain: g.drain, Profile: profile})
}

// streamWorkers is how many goroutines of a plugin are kept for requests. A new goroutine begins
// with a stack that a request outgrows several times, and each time all of it is copied: an eighth
// of what a request costs the plugin. Requests beyond them get a goroutine of their own.
const streamWorkers = 32

// serverOptions are what every server of this package is made with.
func serverOptions(g *gate, log *slog.Logger) []grpc.ServerOption {
	return append(append(serverMessages(), tracing.ServerOptions()...), grpc.NumStreamWorkers(streamWorkers), grpc.ChainUnaryInterceptor(recovering(log), g.intercept, limitingTime))
}
