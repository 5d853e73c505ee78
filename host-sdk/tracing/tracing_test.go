package tracing

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/livecallrouting/livecall/internal/testlog"
)

func TestWithoutACollectorASpanCostsNothing(t *testing.T) {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		t.Setenv(name, "")
	}
	stop, err := Setup(t.Context(), "switchboard", "1.0.0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t.Context())
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		below, span := Start(ctx, "webhook")
		span.Set(Call, "CA01")
		span.Count(Attempt, 1)
		span.Fail("unavailable")
		Current(below).Set(Kind, "call")
		span.End()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(DialOptions()) != 0 || len(ServerOptions()) != 0 {
		t.Error("calls of plugins are traced")
	}
}

func TestAWrongCollectorIsNamedByItsVariable(t *testing.T) {
	for _, c := range []struct{ variable, value, protocol, want string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "", "OTEL_EXPORTER_OTLP_ENDPOINT is not"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "grpc://collector:4317", "", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://me:canary@collector:4318", "", "OTEL_EXPORTER_OTLP_HEADERS for a password"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317", "grpc", "use http/protobuf"},
	} {
		t.Run(c.value, func(t *testing.T) {
			t.Setenv(c.variable, c.value)
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", c.protocol)
			stop, err := Setup(t.Context(), "switchboard", "", slog.New(slog.DiscardHandler))
			stop(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if _, span := Start(t.Context(), "x"); span.span != nil {
				t.Error("spans are made")
			}
		})
	}
}

// Instrumentation of others writes error texts and addresses into spans; texts may hold numbers.
func TestNothingButNamesTimesAndKnownAttributesLeavesTheProcess(t *testing.T) {
	t.Parallel()
	kept := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(careful{kept}))
	_, span := provider.Tracer("test").Start(context.Background(), "call")
	span.SetAttributes(attribute.String(Call, "CA01"), attribute.String("rpc.method", "Perform"), attribute.String("server.address", "canary"), attribute.String("url.query", "From=canary"))
	span.RecordError(errors.New("cannot dial canary"))
	span.SetStatus(codes.Error, "cannot dial canary")
	span.End()
	got := kept.GetSpans()
	if len(got) != 1 || got[0].Status.Code != codes.Error || got[0].Status.Description != "" || len(got[0].Events) != 0 {
		t.Fatalf("%+v", got)
	}
	for _, a := range got[0].Attributes {
		if strings.Contains(a.Value.String(), "canary") {
			t.Errorf("%s = %s", a.Key, a.Value.String())
		}
	}
	if len(got[0].Attributes) != 2 {
		t.Errorf("attributes %v", got[0].Attributes)
	}
}

func TestACollectorThatIsAwayIsLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	c := &complaints{log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 100 {
		c.Handle(errors.New("connection refused"))
	}
	if n := strings.Count(log.String(), "connection refused"); n != 1 {
		t.Errorf("%d lines", n)
	}
	c.last.Store(time.Now().Add(-complainEvery - time.Second).UnixNano())
	c.Handle(errors.New("connection refused"))
	if n := strings.Count(log.String(), "connection refused"); n != 2 {
		t.Errorf("%d lines after a minute", n)
	}
}
