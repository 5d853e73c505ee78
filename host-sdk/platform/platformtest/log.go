package platformtest

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// lines reads the log of the session's alert; false: the platform does not show it to the suite.
func (b *bench) lines(t *testing.T, s *session) ([]string, bool) {
	t.Helper()
	if b.Log != nil {
		lines, err := b.Log(b.ctx(t), s.key)
		if err != nil {
			t.Fatalf("Fixture.Log: %v", err)
		}
		return lines, true
	}
	browser, ok := b.Platform.(platform.AlertBrowser)
	if !ok {
		return nil, false
	}
	a, err := browser.GetAlert(b.ctx(t), s.snapshot(t).ID)
	if err != nil {
		t.Fatalf("GetAlert: %v", err)
	}
	var out []string
	for _, line := range a.Log {
		out = append(out, line.Actor+": "+line.Message)
	}
	return out, true
}

// testLogLines counts lines: one for each number, however often it comes, and two for two numbers
// with the same words.
func testLogLines(t *testing.T, b *bench) {
	need(t, b.caps.Annotations, "Annotations")
	s := b.open(t)
	before, readable := b.lines(t, s)
	if !readable {
		t.Skip("the log cannot be read: the platform is no AlertBrowser, and Fixture.Log is not set")
	}
	for range 2 {
		s.apply(t, s.log("same words"))
	}
	for _, cmd := range s.sent {
		for range 2 {
			if err := b.Platform.Apply(b.ctx(t), b.Scope, cmd); err != nil {
				t.Fatalf("redelivered %s: %v", cmd.Kind, err)
			}
		}
	}
	after, _ := b.lines(t, s)
	if n := len(after) - len(before); n != 2 {
		t.Errorf("two lines were sent, three times each with the same numbers: the log has %d more lines, want 2:\n%q", n, after)
	}
}
