package main

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

// tracedSpan is a span as a collector gets it.
type tracedSpan struct {
	service, name, trace, id, parent string
	attributes                       map[string]string
}

// spanCollector takes OTLP over HTTP.
type spanCollector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []tracedSpan
	text  strings.Builder // all that came
}

func newSpanCollector(t *testing.T) *spanCollector {
	t.Helper()
	c := &spanCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unpacked
		}
		data, err := io.ReadAll(body)
		var req collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(data, &req)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
			return
		}
		c.take(&req)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *spanCollector) take(req *collector.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text.WriteString(req.String())
	for _, process := range req.GetResourceSpans() {
		service := ""
		for _, a := range process.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				service = a.GetValue().GetStringValue()
			}
		}
		for _, scope := range process.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				span := tracedSpan{service: service, name: s.GetName(), trace: hex.EncodeToString(s.GetTraceId()), id: hex.EncodeToString(s.GetSpanId()), parent: hex.EncodeToString(s.GetParentSpanId()), attributes: map[string]string{}}
				for _, a := range s.GetAttributes() {
					span.attributes[a.GetKey()] = a.GetValue().GetStringValue()
				}
				c.spans = append(c.spans, span)
			}
		}
	}
}

// all are the spans so far.
func (c *spanCollector) all() []tracedSpan {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// find returns the first span of a name for which all conditions hold.
func (c *spanCollector) find(name string, conditions ...func(tracedSpan) bool) (tracedSpan, bool) {
	for _, s := range c.all() {
		if s.name == name && !slices.ContainsFunc(conditions, func(is func(tracedSpan) bool) bool { return !is(s) }) {
			return s, true
		}
	}
	return tracedSpan{}, false
}

func TestOneRequestIsOneTraceThroughHostAndPlugin(t *testing.T) {
	t.Parallel()
	c := newSpanCollector(t)
	p := start(t, newDir(t, hosttest.File), "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_BSP_SCHEDULE_DELAY=50").ready()
	id := p.create(p.token())
	if status, body := p.webhook(id, "Call=CA01&From=%2B12025550143"); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	const method = "livecall.v1.IntegrationService/"
	var root, performed tracedSpan
	hosttest.Eventually(t, "all spans have come", func() bool {
		var ok bool
		if root, ok = c.find("webhook"); !ok {
			return false
		}
		in := func(s tracedSpan) bool { return s.trace == root.trace }
		of := func(service string) func(tracedSpan) bool {
			return func(s tracedSpan) bool { return (s.service == "switchboard") == (service == "switchboard") }
		}
		asked, ok := c.find(method+"HandleWebhook", in, of("switchboard"))
		if !ok || asked.parent != root.id {
			return false
		}
		if _, ok = c.find(method+"HandleWebhook", in, of("plugin"), func(s tracedSpan) bool { return s.parent == asked.id }); !ok {
			return false
		}
		if _, ok = c.find("commit", in, func(s tracedSpan) bool { return s.parent == root.id && s.attributes["livecall.call"] == "CA01" }); !ok {
			return false
		}
		work, ok := c.find("outbox", func(s tracedSpan) bool {
			return s.attributes["livecall.kind"] == "task" && s.attributes["livecall.call"] == "CA01"
		})
		if !ok {
			return false
		}
		performed, ok = c.find(method+"Perform", of("plugin"), func(s tracedSpan) bool { return s.trace == work.trace })
		return ok
	})
	if root.attributes["livecall.call"] != "CA01" || root.attributes["livecall.integration"] != id || root.attributes["livecall.answer"] != "ok" || strings.Trim(root.parent, "0") != "" {
		t.Errorf("the request's span is %+v", root)
	}
	if performed.service == "switchboard" || performed.service == "" {
		t.Errorf("the plugin's spans come from %q", performed.service)
	}
	if got := p.stop(); got != 0 {
		t.Errorf("exit status %d\n%s", got, p.log)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, secret := range []string{"2025550143", "canary-option-secret", "Alice", "alice@"} {
		if strings.Contains(c.text.String(), secret) {
			t.Errorf("%q left the process in a span", secret)
		}
	}
}

// A collector that takes connections and never answers must not be noticed by callers, nor hold up
// the stop.
func TestACollectorThatHangsStopsNothing(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)
	p := start(t, newDir(t, hosttest.File), "OTEL_EXPORTER_OTLP_ENDPOINT="+hanging.URL, "OTEL_BSP_SCHEDULE_DELAY=10", "OTEL_BSP_MAX_QUEUE_SIZE=4", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1").ready()
	id := p.create(p.token())
	for range 30 {
		if status, body := p.webhook(id, "Call=CA01&From=%2B12025550143"); status != 200 || body != "please hold" {
			t.Fatalf("%d %s", status, body)
		}
	}
	if got := p.stop(); got != 0 {
		t.Errorf("exit status %d\n%s", got, p.log)
	}
}

func TestACollectorThatCannotBeUsedIsNamedInTheLogAndTheHostStarts(t *testing.T) {
	t.Parallel()
	p := start(t, newDir(t, hosttest.File), "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317").ready()
	if log := p.log.String(); !strings.Contains(log, "OTEL_EXPORTER_OTLP_ENDPOINT is not the address of a collector") {
		t.Errorf("the log says nothing of it:\n%s", log)
	}
}
