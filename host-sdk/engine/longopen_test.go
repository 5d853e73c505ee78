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
	next func(f platform.AlertFilter) string // of the page after; nil: there is none
}

// ListAlerts implements platform.AlertBrowser.
func (p listingPlatform) ListAlerts(_ context.Context, f platform.AlertFilter) ([]platform.AlertRecord, string, error) {
	found, err := p.list(f)
	if p.next == nil || err != nil {
		return found, "", err
	}
	return found, p.next(f), nil
}

// After a week, and no earlier, an alert that is not over is a finding that names it. It goes with
// the alert, and stays while the platform cannot say.
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
	says := func() string { return h.finding(t, engine.FindingLongOpen) }
	eventually(t, "the finding", func() bool { clk.Advance(2 * time.Hour); return says() != "" })
	if age := clk.Now().Sub(made); age < engine.LongOpen {
		t.Errorf("it is a finding after %v", age)
	}
	if got := says(); !strings.HasPrefix(got, "An alert is neither") || !strings.Contains(got, `"Call from Bob", acknowledged since `) || !strings.Contains(got, "Resolve") || strings.Contains(got, "and others") {
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

// Of more alerts than are read, whatever their status, the finding says that they are not all.
func TestAFindingAboutAlertsSaysThatThereAreMore(t *testing.T) {
	t.Parallel()
	for _, more := range []integration.AlertStatus{integration.AlertOpen, integration.AlertAcknowledged, integration.AlertQueued} {
		h := newHost(t, manual(newManual()), func(c *engine.Config) {
			c.Platform = listingPlatform{
				fakePlatform: c.Platform.(*fakePlatform),
				list: func(f platform.AlertFilter) ([]platform.AlertRecord, error) {
					return []platform.AlertRecord{{AlertSnapshot: integration.AlertSnapshot{Status: f.Status}, Title: "Call"}}, nil
				},
				next: func(f platform.AlertFilter) string {
					if f.Status == more {
						return "page 2"
					}
					return ""
				},
			}
		})
		h.start(t)
		eventually(t, "the finding", func() bool { return h.finding(t, engine.FindingLongOpen) != "" })
		if got := h.finding(t, engine.FindingLongOpen); !strings.HasPrefix(got, "At least 3 alerts are") || !strings.Contains(got, "and others") {
			t.Errorf("with more of them %s: %s", more, got)
		}
	}
}
