package engine_test

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// A host that cannot compare formats says so when that begins, each time that it begins, and not at
// each try.
func TestAHostSaysOnceThatItCannotCompareFormats(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	var looks atomic.Int64
	hosts := &otherHosts{}
	clk := newManual()
	h := newHost(t, manual(clk), func(c *engine.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		c.Hosts = func() ([]store.Host, time.Time) {
			looks.Add(1)
			return hosts.list()
		}
	})
	// A look that has begun may still be under way; the one before it is over.
	looked := func(what string) {
		t.Helper()
		enough := looks.Load() + 3
		eventually(t, what, func() bool { clk.Advance(time.Second); return looks.Load() >= enough })
	}
	said := func() int { return strings.Count(log.String(), "cannot compare the formats that hosts read") }
	h.start(t)
	looked("looks while it is not known which hosts run")
	if got := said(); got != 1 {
		t.Errorf("said %d times, want once:\n%s", got, log.String())
	}
	hosts.set(clk.Now(), row(3, clk.Now()))
	looked("looks at the hosts")
	hosts.set(clk.Now())
	looked("looks while the hosts are not known again")
	if got := said(); got != 2 {
		t.Errorf("said %d times in all, want twice:\n%s", got, log.String())
	}
}

// What an earlier process has refused is read at the start; that it cannot be read is said, and
// nothing else.
func TestAHostSaysThatItCannotReadWhatWasRefused(t *testing.T) {
	t.Parallel()
	const text = "cannot read findings; what is over may stay among them"
	for name, fail := range map[string]func(*countingStore){
		"nothing":                       func(*countingStore) {},
		"the findings cannot be read":   func(s *countingStore) { s.failing("Findings", errDown) },
		"no integrations can be listed": func(s *countingStore) { s.failing("ListIntegrations", errDown) },
	} {
		var log testlog.Buffer
		var looks atomic.Int64
		h := newHost(t, func(c *engine.Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
			c.Hosts = func() ([]store.Host, time.Time) {
				looks.Add(1)
				return nil, time.Time{}
			}
		})
		fail(h.store)
		before := looks.Load()
		h.start(t)
		eventually(t, "the first look at the formats", func() bool { return looks.Load() > before })
		if want := name != "nothing"; strings.Contains(log.String(), text) != want {
			t.Errorf("%s: said: %v, want %v:\n%s", name, !want, want, log.String())
		}
	}
}
