package endpoint

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
)

const address = "https://calls.example.com/int_1"

var callSID = "CA" + strings.Repeat("0c", 16)

func testLinks(call string) Links {
	return NewLinks(integration.Instance{ID: "int_1", EndpointURL: address, TokenKey: []byte(strings.Repeat("k", 32))}, call)
}

// TestEveryAddressLeadsToItsEvent follows each address that we can give out back to the event that
// it is for.
func TestEveryAddressLeadsToItsEvent(t *testing.T) {
	t.Parallel()
	l := testLinks(callSID)
	requests := 0
	for _, kind := range callflow.Kinds() {
		if !callflow.Request(kind) {
			continue
		}
		requests++
		given, _, _ := strings.Cut(l.Leg(kind, "12", 1), "?")
		path := strings.TrimPrefix(given, address)
		r, ok := ParseRoute(path)
		want := Route{Kind: kind}
		if strings.Contains(path, callSID) {
			want.Call = callSID
		}
		if strings.Contains(path, "/leg/") {
			want.Leg = "12"
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
		if r, ok := ParseRoute(path); ok {
			t.Errorf("%q leads to %+v", path, r)
		}
	}
}

func TestQueueNamesKeepTwiliosLimit(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, id := range []string{"7", "int_01jd8x5m2q4k7v9w3y6z0a1b2c", "int_01jd8x5m2q4k7v9w3y6z0a1b2d", "ä b", strings.Repeat("x", 100)} {
		name := NewLinks(integration.Instance{ID: id}, callSID).Queue()
		if len(name) > 64 || seen[name] || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzCA0123456789_-") != "" {
			t.Errorf("%q: %q", id, name)
		}
		seen[name] = true
	}
}
