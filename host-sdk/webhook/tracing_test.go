package webhook_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// A collector of traces learns what a request was for, how it was answered, and of which kind the
// error was.
func TestASpanSaysWhatARequestWasForAndHowItWasAnswered(t *testing.T) {
	var spans testlog.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(&spans, r.Body)
	}))
	t.Cleanup(collector.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	stop, err := tracing.Setup(t.Context(), "test", "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeEngine{answer: func(context.Context, string, integration.WebhookRequest) (integration.Response, error) {
		return integration.Response{}, integration.Errorf(integration.KindInvalid, "canary")
	}}
	srv := serve(t, webhook.Config{Engine: f})
	post(t, srv.URL+"/integrations/int_1/status", "A=1")
	srv.Close() // waits for the handler, which ends the span
	stop(t.Context())
	for _, want := range []string{tracing.Integration, "int_1", tracing.Kind, webhook.KindNotice, tracing.Answer, "refused", tracing.ErrorKind, string(integration.KindInvalid)} {
		if !strings.Contains(spans.String(), want) {
			t.Errorf("no %q in the spans: %q", want, spans.String())
		}
	}
	if strings.Contains(spans.String(), "canary") {
		t.Errorf("the error's text is in the spans: %q", spans.String())
	}
}
