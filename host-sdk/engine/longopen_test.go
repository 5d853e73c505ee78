package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// listingPlatform lists its alerts.
type listingPlatform struct {
	*fakePlatform
	platform.AlertBrowser
	list func(f platform.AlertFilter) ([]platform.AlertRecord, error)
}

// ListAlerts implements platform.AlertBrowser.
func (p listingPlatform) ListAlerts(_ context.Context, f platform.AlertFilter) ([]platform.AlertRecord, string, error) {
	found, err := p.list(f)
	return found, "", err
}

// After a week, and no earlier, an alert that is not over is a finding that names it. It goes with the alert,
// and stays while the platform cannot say.
func TestAnAlertThatIsOpenForAWeekIsAFinding(t *testing.T) {
	t.Parallel()
	clk := newManual()
	made := clk.Now()
	var resolved, down atomic.Bool
	list := func(f platform.AlertFilter) ([]platform.AlertRecord, error) {
		switch {
		case down.Load():
			return nil, errors.New("down")
		case f.Integration == "" || resolved.Load() || f.Status != integration.AlertAcknowledged || !made.Before(f.Until):
			return nil, nil
		}
		return []platform.AlertRecord{{AlertSnapshot: integration.AlertSnapshot{Status: f.Status}, Title: "Call from Bob", CreatedAt: made}}, nil
	}
	h := newHost(t, manual(clk), func(c *engine.Config) {
		c.Platform = listingPlatform{fakePlatform: c.Platform.(*fakePlatform), list: list}
	})
	h.start(t)
	says := func() string {
		known, err := h.store.Findings(t.Context(), h.id)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range known {
			if f.Code == engine.FindingLongOpen && f.Severity != integration.FindingClear {
				return f.Message
			}
		}
		return ""
	}
	eventually(t, "the finding", func() bool { clk.Advance(2 * time.Hour); return says() != "" })
	if age := clk.Now().Sub(made); age < engine.LongOpen {
		t.Errorf("it is a finding after %v", age)
	}
	if got := says(); !strings.Contains(got, `"Call from Bob", acknowledged since `) || !strings.Contains(got, "Resolve") {
		t.Errorf("the finding: %s", got)
	}
	down.Store(true)
	clk.Advance(2 * time.Hour)
	if says() == "" {
		t.Error("the finding goes while the platform cannot say")
	}
	resolved.Store(true)
	down.Store(false)
	eventually(t, "the end of the finding", func() bool { clk.Advance(2 * time.Hour); return says() == "" })
}
