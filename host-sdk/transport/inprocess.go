package transport

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// DialInProcess puts the whole wire, except a process, between the caller and impl: the same
// messages, limits, deadlines and errors as with a plugin. Meant for tests. It does not cover
// handshake, TLS, environment and signals. close ends both sides; calls in progress fail.
func DialInProcess(impl integration.Integration) (conn *Conn, closeBoth func(), err error) {
	log := slog.New(slog.DiscardHandler)
	g := newGate()
	server := grpc.NewServer(serverOptions(g, log)...)
	register(server, impl, g, log)
	status := health.NewServer()
	status.SetServingStatus(goplugin.GRPCServiceName, grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(server, status)

	listener := bufconn.Listen(1 << 20)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends with Stop
	}()
	dial := func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }
	options := append(DialOptions(), grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	cc, err := grpc.NewClient("passthrough:///in-process", options...)
	if err != nil {
		server.Stop()
		<-served
		return nil, nil, fmt.Errorf("dial in process: %w", err)
	}
	return newConn(cc, 0), func() {
		_ = cc.Close() // nothing can be done about an error, and the server is stopped next
		server.Stop()
		<-served
	}, nil
}
