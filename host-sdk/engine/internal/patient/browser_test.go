package patient

import (
	"context"
	"log/slog"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/counting"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// hanging is a platform whose alerts cannot be read, whatever its callers wait for.
type hanging struct {
	platform.Platform
	platform.AlertBrowser
	until chan struct{}
}

func (h hanging) ListAlerts(context.Context, platform.AlertFilter) ([]platform.AlertRecord, string, error) {
	<-h.until
	return nil, "", nil
}

func (h hanging) GetAlert(context.Context, string) (platform.AlertRecord, error) {
	<-h.until
	return platform.AlertRecord{}, nil
}

// Whoever sweeps old alerts does not hang with the platform.
func TestReadingAlertsEndsInTime(t *testing.T) {
	t.Parallel()
	p := New(counting.New(), slog.New(slog.DiscardHandler))
	h := hanging{until: make(chan struct{})}
	defer close(h.until)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	browser := p.Platform(h, nil).Browser()
	if _, err := browser.GetAlert(over, "A1"); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("one alert: %v", err)
	}
	if _, _, err := browser.ListAlerts(over, platform.AlertFilter{}); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("a list: %v", err)
	}
	if p.Platform(watchable{}, nil).Browser() != nil {
		t.Error("a platform that shows no alerts has a browser")
	}
}
