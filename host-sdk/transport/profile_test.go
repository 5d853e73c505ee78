package transport

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestAPluginMakesProfilesOfItself asks for one of memory as text, one of the processor, and one
// that holds the command line.
func TestAPluginMakesProfilesOfItself(t *testing.T) {
	t.Parallel()
	conn := dial(t, scripted{})
	text, err := conn.Profile(t.Context(), Profile{Name: "heap", Debug: 1})
	if err != nil || !strings.Contains(string(text), "# Mallocs = ") {
		t.Errorf("no count of allocations, error %v, in: %.200s", err, text)
	}
	// The form of pprof is compressed by gzip.
	data, err := conn.Profile(t.Context(), Profile{Name: "profile", Seconds: 1})
	if err != nil || !strings.HasPrefix(string(data), "\x1f\x8b") {
		t.Errorf("a profile of the processor: %.20q, %v", data, err)
	}
	if data, err := conn.Profile(t.Context(), Profile{Name: "cmdline"}); integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("the command line: %q, %v", data, err)
	}
}
