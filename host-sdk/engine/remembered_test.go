package engine_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"
	"weak"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// freedAll reports whether nobody keeps what the pointers point to any more. Pools let go of it
// with the second collection.
func freedAll[T any](list []weak.Pointer[T]) bool {
	for range 5 {
		runtime.GC()
	}
	return !slices.ContainsFunc(list, func(p weak.Pointer[T]) bool { return p.Value() != nil })
}

// Names of the integration and the call are parts of a request's text: thousands of callers on hold
// would each keep a whole one in memory.
func TestWhatIsRememberedOfACallKeepsNoRequest(t *testing.T) {
	t.Parallel()
	h := newHost(t, exclusive)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("fine"), Seen: true}
		if !strings.HasSuffix(req.Path, "/tick") {
			o.Session = remember(1)
		}
		return o, nil
	}
	var texts []weak.Pointer[byte]
	ask := func(path string) {
		text := strings.Repeat(h.id+path, 50)
		texts = append(texts, weak.Make(unsafe.StringData(text)))
		id, rest := text[:len(h.id)], text[len(h.id):]
		if _, err := h.Webhook(t.Context(), id, integration.WebhookRequest{Method: "POST", URL: "https://hotline.example.com/", Path: rest[:len(path)]}); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/c/K/begin", "/c/K/tick", "/c/K/change", "/c/K/tick", "/c/K/tick"} {
		ask(path)
	}
	if !freedAll(texts) {
		for i, p := range texts {
			t.Logf("request %d is kept: %v", i, p.Value() != nil)
		}
		t.Error("a request is kept after it was answered")
	}
	runtime.KeepAlive(h)
}

func TestWhatIsRememberedOfAnAlertKeepsNoStatements(t *testing.T) {
	t.Parallel()
	h, p, _ := newTogether(t, func() []integration.AlertCommand { return slices.Clone(toDevOps) })
	if _, err := h.post(t, "/c/call-1/menu", ""); err != nil {
		t.Fatal(err)
	}
	if len(p.decided) == 0 || !freedAll(p.decided) {
		t.Errorf("of %d statements that were written some are kept", len(p.decided))
	}
	runtime.KeepAlive(h)
}
