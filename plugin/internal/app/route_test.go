package app

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/plugin/internal/callflow"
)

// TestEveryAddressLeadsToItsEvent follows each address that we can give out back to the event that it is for.
func TestEveryAddressLeadsToItsEvent(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	l := newLinks(h.inst, callSID)
	requests := 0
	for _, kind := range callflow.Kinds() {
		if !kind.Request() {
			continue
		}
		requests++
		address, _, _ := strings.Cut(l.leg(kind, "12", 1), "?")
		path := strings.TrimPrefix(address, endpoint)
		r, ok := parseRoute(path)
		want := route{kind: kind}
		if strings.Contains(path, callSID) {
			want.call = callSID
		}
		if strings.Contains(path, "/leg/") {
			want.leg = "12"
		}
		if !ok || r != want {
			t.Errorf("%s: %q leads to %+v, %v", kind, path, r, ok)
		}
	}
	if requests < 16 {
		t.Errorf("%d kinds of requests", requests)
	}
	leg := "/c/" + callSID + "/leg/"
	for _, path := range []string{
		"/menu", "/c/", "/c/" + callSID, "/c/" + callSID + "/", "/c/{call}/menu", "/c/" + callSID + "/menu/", leg, leg + "{leg}",
		leg + "0", leg + "1/", leg + "1/answer", leg + "1234567", leg + "1/key/x", "/status/", "//",
	} {
		if r, ok := parseRoute(path); ok {
			t.Errorf("%q leads to %+v", path, r)
		}
	}
}
