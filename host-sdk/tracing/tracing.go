// Package tracing sends OpenTelemetry spans to a collector, if the environment names one
// (OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT). Without one, nothing is
// allocated, started or sent.
//
//	tracing.go  Setup, and spans
//	export.go   what of a span may leave the process, and errors of sending
//	grpc.go     one trace through host and plugin
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Attributes of spans. Nothing else about a call is ever part of a span: see export.go.
const (
	Call        = "livecall.call"        // session key of the call
	Integration = "livecall.integration" // instance id
	Kind        = "livecall.kind"        // of a webhook, or of an outbox item
	Answer      = "livecall.answer"      // of a webhook, as in the metrics
	Name        = "livecall.name"        // of a task or timer
	Attempt     = "livecall.attempt"     // of an outbox item, from 1
	ErrorKind   = "livecall.error"       // kind of the error, if there was one
)

// active is the provider of spans; nil: there is no collector.
var active atomic.Pointer[sdktrace.TracerProvider]

// Active reports whether spans are sent.
func Active() bool { return active.Load() != nil }

// Setup begins to send spans of this process as the service and its version ("": not said), if the
// environment names a collector. Call it before connections to plugins are made. Spans wait in a
// queue of limited size and are sent in the background: a collector that is slow, wrong or away
// costs spans and nothing else. An error says which variable cannot be used; the process then runs
// without spans. stop sends what waits, until its context ends; it is never nil.
func Setup(ctx context.Context, service, version string, log *slog.Logger) (stop func(context.Context), err error) {
	stop = func(context.Context) {}
	if wanted, err := collector(); err != nil || !wanted {
		return stop, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return stop, fmt.Errorf("OpenTelemetry: %w", err)
	}
	known := []attribute.KeyValue{attribute.String("service.name", service)}
	if version != "" {
		known = append(known, attribute.String("service.version", version))
	}
	// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
	about, err := resource.New(ctx, resource.WithAttributes(known...), resource.WithFromEnv())
	if err != nil {
		log.Warn("OTEL_RESOURCE_ATTRIBUTES cannot be read in full", "error", err.Error())
	}
	otel.SetErrorHandler(&complaints{log: log})
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(careful{exporter}), sdktrace.WithResource(about))
	active.Store(provider)
	return func(ctx context.Context) {
		active.CompareAndSwap(provider, nil)
		_ = provider.Shutdown(ctx) // what could not be sent in time is lost
	}, nil
}

// collector reports whether the environment names a collector that can be used.
func collector() (bool, error) {
	if os.Getenv("OTEL_SDK_DISABLED") == "true" || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false, nil
	}
	wanted := false
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		text := os.Getenv(name)
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return false, fmt.Errorf("%s is not the address of a collector: use one such as http://127.0.0.1:4318, and OTEL_EXPORTER_OTLP_HEADERS for a password", name)
		}
		wanted = true
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		if p := os.Getenv(name); wanted && p != "" && p != "http/protobuf" {
			return false, fmt.Errorf("%s is %q: use http/protobuf, which is the only one, and the collector's port for it (4318 as a rule)", name, p)
		}
	}
	return wanted, nil
}

// Span is a piece of work that is being measured. The zero Span measures nothing.
type Span struct{ span trace.Span }

// Start begins a span below that of the context, if there is one. End it.
func Start(ctx context.Context, name string) (context.Context, Span) {
	provider := active.Load()
	if provider == nil {
		return ctx, Span{}
	}
	ctx, span := provider.Tracer("livecall").Start(ctx, name)
	return ctx, Span{span}
}

// Current is the span of the context.
func Current(ctx context.Context) Span {
	if active.Load() == nil {
		return Span{}
	}
	return Span{trace.SpanFromContext(ctx)}
}

// Inject sets the header traceparent (W3C Trace Context) to the span of the context, if there is
// one.
func Inject(ctx context.Context, header http.Header) {
	if active.Load() != nil {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	}
}

// Set adds an attribute, one of those above, unless its value is empty.
func (s Span) Set(key, value string) {
	if s.span != nil && value != "" {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Count adds an attribute that is a number.
func (s Span) Count(key string, n int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, n))
	}
}

// Fail marks the span as failed, with the kind of the error; "" leaves it.
func (s Span) Fail(kind string) {
	if s.span != nil && kind != "" {
		s.span.SetAttributes(attribute.String(ErrorKind, kind))
		s.span.SetStatus(codes.Error, "")
	}
}

// End ends the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// complainEvery is how often a collector that cannot be used is logged.
const complainEvery = time.Minute

// complaints logs errors of sending, the first of each minute.
type complaints struct {
	log  *slog.Logger
	last atomic.Int64 // Unix time in nanoseconds
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	now, last := time.Now().UnixNano(), c.last.Load()
	if now-last > int64(complainEvery) && c.last.CompareAndSwap(last, now) {
		c.log.Warn("OpenTelemetry spans are lost: the collector cannot be used", "error", err.Error())
	}
}
