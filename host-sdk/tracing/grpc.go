package tracing

import (
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// DialOptions make calls of a plugin spans of the caller's trace; none without a collector.
func DialOptions() []grpc.DialOption {
	if active.Load() == nil {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(options()...))}
}

// ServerOptions make the answers of a plugin spans of the caller's trace; none without a collector.
func ServerOptions() []grpc.ServerOption {
	if active.Load() == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(options()...))}
}

func options() []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(active.Load()), otelgrpc.WithPropagators(propagation.TraceContext{}),
		otelgrpc.WithMeterProvider(noop.NewMeterProvider()), otelgrpc.WithFilter(ofACall),
	}
}

// ofACall leaves out what a host asks from time to time, and go-plugin's own services.
func ofACall(info *stats.RPCTagInfo) bool {
	return strings.HasPrefix(info.FullMethodName, "/livecall.v1.IntegrationService/") && !strings.HasSuffix(info.FullMethodName, "/Describe")
}
