package engine

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Of what a later release has stored, and this one cannot read, no handler hears half.
func TestAFailureThatCannotBeReadIsNoFailureOfAnything(t *testing.T) {
	t.Parallel()
	for _, kind := range []store.ItemKind{store.ItemCommand, store.ItemMail} {
		var req integration.TaskRequest
		if err := (work{}).Failure(store.Item{Kind: kind, Body: []byte("{")}, &req); err == nil {
			t.Errorf("an unreadable %s is given to its handler: %+v", kind, req)
		}
	}
}
