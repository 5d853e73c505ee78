package engine_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/webhook"
)

// tickBody is as large as the form of a request about a call on hold.
var tickBody = "CallSid=CA00000000000000000000000000000001&" + strings.Repeat("Parameter=0123456789&", 20)

// TestATickAllocatesLittle counts what webhook handler and engine allocate for a quiet tick,
// without the connections on both sides: those of net/http and gRPC are their own affair. It runs
// beside no other test, and nothing of it depends on time.
func TestATickAllocatesLittle(t *testing.T) {
	h := newHost(t, exclusive, manual(newManual()))
	h.plugins.set(inTime{h.plugin})
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("<Response/>"), Seen: true}
		if req.Facts.Session == nil {
			o.Session = remember(1)
		}
		return o, nil
	}
	hooks, err := webhook.New(webhook.Config{Engine: h.Engine, PublicURL: "https://hotline.example.com", Clock: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	tick := func(w http.ResponseWriter) {
		r := httptest.NewRequest(http.MethodPost, "/integrations/"+h.id+"/c/K/tick?v=1&s=1&n=3&t=AAAAAAAAAAAAAAAAAAAAAA", strings.NewReader(tickBody))
		r.Header.Set("X-Some-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
		if w != nil {
			hooks.ServeHTTP(w, r)
		}
	}
	answer := httptest.NewRecorder()
	tick(answer)
	if answer.Code != http.StatusOK || answer.Body.String() != "<Response/>" {
		t.Fatalf("the first request: %d %s", answer.Code, answer.Body)
	}
	const most, mostBytes = 32, 4_000 // 25 and 3.1 kB when it was written
	objects, bytes := allocated(func() { tick(&nowhere{}) })
	without, bytesWithout := allocated(func() { tick(nil) }) // what the test makes to ask
	objects, bytes = objects-without, bytes-bytesWithout
	t.Logf("%.0f objects, %.0f bytes", objects, bytes)
	if objects > most || bytes > mostBytes {
		t.Errorf("a tick allocates %.0f objects and %.0f bytes, want at most %d and %d", objects, bytes, most, mostBytes)
	}
}

// nowhere is an answer that nobody reads.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header {
	if n.header == nil {
		n.header = http.Header{}
	}
	return n.header
}

func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }

func (n *nowhere) WriteHeader(int) {}

// allocated is how many objects and bytes f allocates, on average of many runs.
func allocated(f func()) (objects, bytes float64) {
	const runs = 500
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f() // fills pools and caches
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / runs, float64(after.TotalAlloc-before.TotalAlloc) / runs
}
