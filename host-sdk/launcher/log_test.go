//go:build unix

package launcher

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLogLines keep level and fields; odd ones harm nobody.
func TestLogLines(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good")
	if got := ask(t, p, "log", ""); got != "logged" {
		t.Fatalf("ask(t, p, 'log', '') is %q, want %q", got, "logged")
	}
	for _, want := range [][]string{
		{`"level":"DEBUG"`, `"msg":"debug line"`, `"plugin":"fake"`},
		{`"level":"INFO"`, `"msg":"info line"`, `"call":"CA1"`, `"n":7`},
		{`"level":"WARN"`, `"msg":"warn line"`},
		{`"level":"ERROR"`, `"msg":"error line"`, `"leg":{"id":"L1"}`},
		{`"level":"INFO"`, `"msg":"replaced stdout"`},
		{`"level":"INFO"`, `"msg":"replaced stderr"`},
		{`"level":"INFO"`, `\"@message\": 5`},
		{`"level":"INFO"`, `"msg":"raw line"`},
	} {
		eventually(t, want[1], func() bool {
			for line := range strings.SplitSeq(r.log.String(), "\n") {
				if !slices.ContainsFunc(want, func(part string) bool { return !strings.Contains(line, part) }) {
					return true
				}
			}
			return false
		})
	}
	if got := r.log.String(); strings.Contains(got, "@timestamp\":\"2") {
		t.Fatalf("%q contains %q", got, "@timestamp\":\"2")
	}
}

// TestFlood: a megabyte without a line end does not block the plugin, on either output.
func TestFlood(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.Handle = 30 * time.Second })
	if got := ask(t, p, "flood", ""); got != "flooded" {
		t.Fatalf("ask(t, p, 'flood', '') is %q, want %q", got, "flooded")
	}
	if got := ask(t, p, "flood", ""); got != "flooded" {
		t.Fatalf("ask(t, p, 'flood', '') is %q, want %q", got, "flooded")
	}
}

func TestALoggerIsNotNeeded(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Logger = nil })
	if ask(t, p, "pid", "") == "" {
		t.Error("no answer")
	}
}
