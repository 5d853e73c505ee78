package known

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// listless is a store that cannot list integrations.
type listless struct {
	store.Store
	asked func()
}

func (s listless) ListIntegrations(context.Context) ([]store.Integration, error) {
	s.asked()
	return nil, integration.Errorf(integration.KindUnavailable, "no database")
}

// Who looks for the reason why there are no copies finds it in the log; that a stop interrupts the
// reading is no reason.
func TestThatNoCopiesCanBeMadeIsSaidUnlessTheHostStops(t *testing.T) {
	t.Parallel()
	for _, stops := range []bool{false, true} {
		var log testlog.Buffer
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		clk := clock.NewManual(time.Unix(0, 0))
		k := New(Config{Clock: clk, Log: slog.New(slog.NewTextHandler(&log, nil)), Store: listless{asked: func() {
			if stops {
				stop()
			}
		}}})
		ended := make(chan error)
		go func() { ended <- k.KeepCopies(ctx) }()
		for !stops && clk.Waiting() == 0 {
			time.Sleep(time.Millisecond)
		}
		stop()
		if err := <-ended; err == nil {
			t.Error("the reading ends by itself")
		}
		if said := strings.Contains(log.String(), "cannot list integrations"); said == stops {
			t.Errorf("the host stops: %v; the log: %q", stops, log.String())
		}
	}
}
