package deletion

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// A finding about old alerts names the first few, and says whether there are others.
func TestOldAlertsAreNamedUpToThree(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	alert := platform.AlertRecord{AlertSnapshot: integration.AlertSnapshot{Status: integration.AlertOpen}, Title: "Call", CreatedAt: made}
	const (
		one = `"Call", open since 4 March 2026`
		end = ". Resolve what nobody has to do with any more: until then its calls and recordings are kept, whatever their retention says."
	)
	for _, tt := range []struct {
		alerts int
		more   bool
		want   string
	}{
		{1, false, "An alert is neither resolved nor dropped after more than 7 days: " + one + end},
		{3, false, "3 alerts are neither resolved nor dropped after more than 7 days: " + one + "; " + one + "; " + one + end},
		{4, false, "4 alerts are neither resolved nor dropped after more than 7 days: " + one + "; " + one + "; " + one + "; and others" + end},
		{1, true, "At least 1 alerts are neither resolved nor dropped after more than 7 days: " + one + "; and others" + end},
	} {
		var list []platform.AlertRecord
		for range tt.alerts {
			list = append(list, alert)
		}
		if got := longOpenText(list, tt.more); got != tt.want {
			t.Errorf("%d alerts, more %v:\n got %s\nwant %s", tt.alerts, tt.more, got, tt.want)
		}
	}
}
