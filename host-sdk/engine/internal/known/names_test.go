package known

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestNamesOfAPlatformAreCleanedWhereTheyEnter(t *testing.T) {
	t.Parallel()
	team := []integration.Destination{{ID: "a", Name: "Dev\nOps"}, {ID: "b", Name: "\u202e"}, {ID: "c"}}
	want := []integration.Destination{{ID: "a", Name: "Dev Ops"}, {ID: "b", Name: "b"}, {ID: "c"}}
	if diff := cmp.Diff(want, cleanDestinations(team)); diff != "" {
		t.Error(diff)
	}
	if team[0].Name != "Dev\nOps" {
		t.Error("the platform's own list was changed")
	}
	got := cleanOnCall([]integration.OnCallEntry{{Layer: 1, User: integration.User{ID: "alice", Name: "Alice\u200b\r\nExample"}}})
	if name := got[0].User.Name; name != "Alice Example" {
		t.Errorf("user's name is %q", name)
	}
	v := CleanVerdict(integration.RouteVerdict{Receivers: team, Default: team, Notes: []string{"rule 1\nis odd"}})
	if v.Receivers[0].Name != "Dev Ops" || v.Default[0].Name != "Dev Ops" || v.Notes[0] != "rule 1 is odd" {
		t.Errorf("verdict: %+v", v)
	}
}
