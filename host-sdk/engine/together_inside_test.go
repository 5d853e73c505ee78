package engine

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// A commit whose alert is not as it was is made without the alert's change; one that failed for
// another reason would fail without it as well.
func TestOnlyWhatAnAlertsChangeSpoilsIsCommittedWithoutIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{&integration.Error{Kind: integration.KindConflict, Code: store.CodeApart, Message: "the alert is not as it was"}, true},
		{integration.Errorf(integration.KindConflict, "the session has moved"), false},
		{integration.Errorf(integration.KindUnavailable, "the store is down"), false},
		{integration.Errorf(integration.KindDeadline, "not in time"), false},
		{integration.Errorf(integration.KindInternal, "the statements fail"), true},
	} {
		if got := apart(tt.err); got != tt.want {
			t.Errorf("%v: committed apart: %v, want %v", tt.err, got, tt.want)
		}
	}
}
