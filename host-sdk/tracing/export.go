package tracing

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// careful lets of each span go out what cannot hold a secret or a telephone number, whoever made
// the span: its name, its times, and the attributes that this package and gRPC's instrumentation
// define. Error messages, events and addresses stay here.
type careful struct{ sdktrace.SpanExporter }

// ExportSpans implements sdktrace.SpanExporter.
func (c careful) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = plainSpan{s}
	}
	return c.SpanExporter.ExportSpans(ctx, out)
}

// plainSpan is a span without free text.
type plainSpan struct{ sdktrace.ReadOnlySpan }

// Attributes implements sdktrace.ReadOnlySpan.
func (s plainSpan) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(slices.Clone(s.ReadOnlySpan.Attributes()), func(a attribute.KeyValue) bool {
		return !strings.HasPrefix(string(a.Key), "livecall.") && !strings.HasPrefix(string(a.Key), "rpc.")
	})
}

// Status implements sdktrace.ReadOnlySpan.
func (s plainSpan) Status() sdktrace.Status {
	return sdktrace.Status{Code: s.ReadOnlySpan.Status().Code}
}

// Events implements sdktrace.ReadOnlySpan.
func (s plainSpan) Events() []sdktrace.Event { return nil }
