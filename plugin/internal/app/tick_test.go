package app

import (
	"context"
	"net/url"
	"runtime"
	"testing"
)

// quietTick makes the request of a caller on hold in whose call nothing happens, and returns how to
// handle it.
func quietTick(t testing.TB) func() {
	t.Helper()
	h := newHost(t, map[string]any{"voicemail": true})
	_, next := h.hold()
	h.post(next, "QueueSid", queueSID)
	req := h.request(next, url.Values{"CallSid": {callSID}, "AccountSid": {accountSID}, "QueueSid": {queueSID}, "CallStatus": {"in-progress"}})
	req.Facts = h.facts(callSID)
	return func() {
		out, err := h.app.HandleWebhook(context.Background(), req)
		if err != nil || !out.Quiet() || out.Response == nil || out.Response.Status >= 300 {
			t.Fatal(err, out)
		}
	}
}

// TestATickAllocatesLittle counts what the plugin allocates to answer a quiet tick, without the
// connection and its messages. It runs beside no other test, and nothing of it depends on time.
func TestATickAllocatesLittle(t *testing.T) {
	tick := quietTick(t)
	// 75 and 7.4 kB when it was written; the race detector empties pools.
	const runs, most, mostBytes = 500, 120, 13_000
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	tick() // fills pools and caches
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		tick()
	}
	runtime.ReadMemStats(&after)
	objects, bytes := (after.Mallocs-before.Mallocs)/runs, (after.TotalAlloc-before.TotalAlloc)/runs
	t.Logf("%d objects, %d bytes", objects, bytes)
	if objects > most || bytes > mostBytes {
		t.Errorf("a tick allocates %d objects and %d bytes, want at most %d and %d", objects, bytes, most, mostBytes)
	}
}

func BenchmarkTick(b *testing.B) {
	tick := quietTick(b)
	b.ReportAllocs()
	for b.Loop() {
		tick()
	}
}
