package health

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// well is the configuration of a host that has two checks, which both can fail.
func well(store Probe) Config {
	return Config{
		Probes:  map[string]Probe{"store": store, "platform": func(context.Context) Check { return OK("Well.") }},
		CanFail: map[string]bool{"store": true, "platform": true}, Closing: context.Background(),
		Clock: clock.System(), Logger: slog.New(slog.DiscardHandler),
	}
}

// ask reads /readyz.
func ask(t *testing.T, p *Readiness) (int, readyState) {
	t.Helper()
	rec := httptest.NewRecorder()
	p.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
	var got readyState
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return rec.Code, got
}

// The address needs no token, so asking it must not become a way to keep the store busy.
func TestReadinessAsksThePartsOnceForManyRequests(t *testing.T) {
	t.Parallel()
	var writes atomic.Int64
	p := New(well(func(context.Context) Check { writes.Add(1); return OK("Well.") }))
	p.Checks()
	p.mu.Lock()
	p.at = time.Now().Add(time.Hour) // so that the test does not depend on how fast it runs
	p.mu.Unlock()
	for range 50 {
		ask(t, p)
	}
	if n := writes.Load(); n != 1 {
		t.Errorf("%d writes for 51 requests within a second", n)
	}
}

// A part that ignores its deadline is reported, does not hide the others, and is not asked again
// while it still hangs.
func TestReadinessAbandonsACheckThatHangs(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	release := make(chan struct{})
	defer close(release)
	p := New(well(func(context.Context) Check { return OK("Well.") }))
	p.Probes["platform"] = func(context.Context) Check { asked.Add(1); <-release; return OK("Well.") }
	for range 2 {
		code, got := ask(t, p)
		if code != 503 || got.Checks["platform"].State != StateFailing || got.Checks["store"].State != StateOK {
			t.Fatalf("%d %+v", code, got)
		}
		p.mu.Lock()
		p.at = time.Time{} // the answer is old
		p.mu.Unlock()
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, each in a goroutine of its own", n)
	}
}

func TestTheLogSaysWhenACheckFailsAndIsWellAgain(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	var log testlog.Buffer
	c := well(func(context.Context) Check {
		if full.Load() {
			return Failing("The database cannot be written", errors.New("disk full"))
		}
		return OK("Well.")
	})
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	p := New(c)
	look := func() {
		p.mu.Lock()
		p.at = time.Time{}
		p.mu.Unlock()
		p.Checks()
	}
	look()
	if got := log.String(); got != "" {
		t.Errorf("all is well, and the log says %s", got)
	}
	full.Store(true)
	look()
	look()
	if got := log.String(); strings.Count(got, "check is failing") != 1 || !strings.Contains(got, "disk full") {
		t.Errorf("the log says %s", got)
	}
	full.Store(false)
	look()
	look()
	if got := log.String(); strings.Count(got, "check is ok again") != 1 {
		t.Errorf("the log says %s", got)
	}
}
