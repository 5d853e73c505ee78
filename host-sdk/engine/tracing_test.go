package engine_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

// A span is what a collector of traces learns of a piece of work.
type span map[string]string // attributes, and the name

// has reports whether some span has all of these attributes.
func has(list []span, want span) bool {
	for _, s := range list {
		all := true
		for k, v := range want {
			all = all && s[k] == v
		}
		if all {
			return true
		}
	}
	return false
}

// traced runs work and returns its spans.
func traced(t *testing.T, work func()) (list []span) {
	t.Helper()
	var mu sync.Mutex
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var req collect.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = proto.Unmarshal(body, &req)
		}
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, resource := range req.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, s := range scope.GetSpans() {
					one := span{"": s.GetName()}
					for _, a := range s.GetAttributes() {
						one[a.GetKey()] = a.GetValue().GetStringValue()
						if n := a.GetValue().GetIntValue(); n != 0 {
							one[a.GetKey()] = strconv.FormatInt(n, 10)
						}
					}
					list = append(list, one)
				}
			}
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	stop, err := tracing.Setup(t.Context(), "test", "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	work()
	stop(t.Context())
	mu.Lock()
	defer mu.Unlock()
	return list
}

// A collector of traces learns which call each commit and each piece of work was for, what that
// was, and of which kind its error.
func TestSpansSayWhatTheEngineWorksOn(t *testing.T) {
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("done"), Session: remember(1)}
		o.Session.AlertKey = "a"
		if req.Facts.SessionKey == "K" {
			o.Tasks = []integration.Task{{Name: "look", Generation: 1}}
			o.Alert = []integration.AlertCommand{{Kind: integration.AlertCreate, AlertKey: "a", Number: 1}}
		}
		return o, nil
	}
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		return integration.TaskResult{}, nil
	}
	h.platform.set(func(p *fakePlatform) {
		p.refuse = func(integration.AlertCommand) error { return integration.Errorf(integration.KindUnsupported, "canary") }
	})
	spans := traced(t, func() {
		h.expect(t, "/c/K/arrival", "done", "a call")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		h.store.alwaysConflict.Store(true)
		if _, err := h.post(t, "/c/L/arrival", ""); err == nil {
			t.Error("a call whose session always moves is answered")
		}
	})
	for _, want := range []span{
		{"": "commit", tracing.Integration: h.id, tracing.Call: "K"},
		{"": "commit", tracing.Integration: h.id, tracing.Call: "L", tracing.ErrorKind: string(integration.KindConflict)},
		{"": "outbox", tracing.Integration: h.id, tracing.Call: "K", tracing.Kind: "task", tracing.Name: "look"},
		{"": "outbox", tracing.Integration: h.id, tracing.Call: "K", tracing.Kind: "command", tracing.ErrorKind: string(integration.KindUnsupported)},
	} {
		if !has(spans, want) {
			t.Errorf("no span %v in %v", want, spans)
		}
	}
	for _, s := range spans {
		if s[tracing.Integration] != h.id || s[""] == "outbox" && s[tracing.Attempt] == "" {
			t.Errorf("span %v, want it of this integration, and work with its attempt", s)
		}
		for _, text := range s {
			if strings.Contains(text, "canary") {
				t.Errorf("an error's text is in span %v", s)
			}
		}
	}
}
