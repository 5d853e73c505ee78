package outbox_test

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/plantest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
)

// TestClaimsUseAnIndex guards what makes an idle claim cheap.
func TestClaimsUseAnIndex(t *testing.T) {
	t.Parallel()
	db := sqlstoretest.Open(t, clock.System()).Database().(*sqldb.DB)
	for query, index := range map[string]string{
		outbox.SelectReady: "outbox_ready",
		outbox.SelectWork:  "outbox_work",
		outbox.SelectKnown: "outbox_name",
		outbox.SelectFirst: "outbox_lane",
	} {
		if text := strings.Join(plantest.Plan(t, db, query), "; "); !strings.Contains(text, "INDEX "+index) {
			t.Errorf("%s\n is done by: %s\n want index %s", query, text, index)
		}
	}
}
