package alerts

import (
	"strconv"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// However many alerts there are, those that were written last are known, and an old one that is
// still asked for; none as it was before another process or a later change.
func TestTheLastAlertsAreKnown(t *testing.T) {
	t.Parallel()
	scope, r := platform.Scope{Tenant: "t", Integration: "i"}, newRecent()
	written := func(n int, version int64) {
		key := strconv.Itoa(n)
		r.put(&alert{id: key, scope: scope, key: key, version: version, teams: []string{"ops"}})
	}
	const many = 10 * maxRecent
	for n := range many {
		written(n, 1)
		if r.get(scope, "0") == nil {
			t.Fatalf("the alert that each asks for is forgotten after %d others", n)
		}
	}
	for n := many - maxRecent + 1; n < many; n++ {
		if r.get(scope, strconv.Itoa(n)) == nil {
			t.Fatalf("alert %d of %d is forgotten", n, many)
		}
	}
	if n := r.byKey.Len(); n != maxRecent {
		t.Errorf("%d alerts are kept, want %d", n, maxRecent)
	}
	written(0, 3)
	written(0, 2) // a change that is told late
	got := r.get(scope, "0")
	if got == nil || got.version != 3 {
		t.Fatalf("after versions 3 and 2: %+v", got)
	}
	got.teams[0] = "another"
	if again := r.get(scope, "0"); again.teams[0] != "ops" {
		t.Error("a copy shares its lists with what is kept")
	}
	r.forget(scope, "0")
	if r.get(scope, "0") != nil {
		t.Error("a forgotten alert is known")
	}
	r.clear()
	if n := r.byKey.Len(); n != 0 {
		t.Errorf("%d alerts are known after all were forgotten", n)
	}
}
