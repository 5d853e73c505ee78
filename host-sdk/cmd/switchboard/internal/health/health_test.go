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
	"testing/synctest"
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
	synctest.Test(t, func(t *testing.T) {
		var writes atomic.Int64
		p := New(well(func(context.Context) Check { writes.Add(1); return OK("Well.") }))
		for round := range int64(3) {
			for range 50 {
				ask(t, p)
			}
			if n := writes.Load(); n != round+1 {
				t.Errorf("%d writes for 50 requests within a second, in round %d", n, round+1)
			}
			time.Sleep(checkKept)
		}
	})
}

// A part that ignores its deadline is reported, does not hide the others, and is not asked again
// while it still hangs.
func TestReadinessAbandonsACheckThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
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
			time.Sleep(checkKept) // the answer is old
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times, each in a goroutine of its own", n)
		}
	})
}

func TestTheLogSaysWhenACheckFailsAndIsWellAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, theLogSaysWhenACheckFailsAndIsWellAgain)
}

func theLogSaysWhenACheckFailsAndIsWellAgain(t *testing.T) {
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
		time.Sleep(checkKept)
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
