package records_test

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/plantest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/records"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
)

// Statistics read the calls of their weeks alone, by an index.
func TestCountsReadTheCallsOfTheirTimeAlone(t *testing.T) {
	t.Parallel()
	db := sqlstoretest.Open(t, clock.System()).Database().(*sqldb.DB)
	for _, f := range []store.CountFilter{{}, {ByTeam: true}, {Team: "devops"}, {Team: "devops", ByTeam: true}} {
		query, _ := records.CountQuery(f)
		want := "SEARCH calls USING INDEX calls_started (started_at>? AND started_at<?)"
		if f.Team != "" {
			want = "SEARCH calls USING INDEX calls_team (team=? AND started_at>? AND started_at<?)"
		}
		if plan := strings.Join(plantest.Plan(t, db, query), "; "); !strings.Contains(plan, want) || strings.Contains(plan, "SCAN calls") {
			t.Errorf("%+v is done by: %s\n want %s", f, plan, want)
		}
	}
}
