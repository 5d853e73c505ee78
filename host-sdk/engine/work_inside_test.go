package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Of what a later release has stored, and this one cannot read, no handler hears half.
func TestAFailureThatCannotBeReadIsNoFailureOfAnything(t *testing.T) {
	t.Parallel()
	for _, kind := range []store.ItemKind{store.ItemCommand, store.ItemMail} {
		var req integration.TaskRequest
		if err := (work{}).Ended(store.Item{Kind: kind, Body: []byte("{")}, &req); err == nil {
			t.Errorf("an unreadable %s is given to its handler: %+v", kind, req)
		}
	}
}

// unread is a store that cannot read an integration.
type unread struct {
	store.Store
	err error
}

func (s unread) KeptIntegration(context.Context, string) (store.Integration, error) {
	return store.Integration{}, s.err
}

// A mail that failed for good is told to the plugin, unless nothing is left of its integration:
// that the store does not answer for a moment is no reason to keep it back.
func TestThatAMailHasFailedIsToldWhileTheIntegrationCannotBeRead(t *testing.T) {
	t.Parallel()
	for kind, want := range map[integration.Kind]bool{integration.KindUnavailable: true, integration.KindDeadline: true, integration.KindNotFound: false} {
		e, err := New(Config{
			Store: unread{err: integration.Errorf(kind, "no integration")}, Platform: struct{ platform.Platform }{},
			Plugins: struct{ Plugins }{}, EndpointURL: func(string) string { return "" },
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := (work{e}).HearsOf(t.Context(), store.Item{Kind: store.ItemMail, Integration: "i"}); got != want {
			t.Errorf("the integration is %s: told %v, want %v", kind, got, want)
		}
	}
}

// A run of a periodic task waits while its successor cannot be told, or it would be the last one.
func TestAPeriodicTaskWaitsForItsSuccessor(t *testing.T) {
	t.Parallel()
	for kind, waits := range map[integration.Kind]bool{integration.KindUnavailable: true, integration.KindDeadline: true, integration.KindNotFound: false} {
		e, err := New(Config{
			Store: unread{err: integration.Errorf(kind, "no integration")}, Platform: struct{ platform.Platform }{},
			Plugins: struct{ Plugins }{}, EndpointURL: func(string) string { return "" },
		})
		if err != nil {
			t.Fatal(err)
		}
		it := store.Item{Kind: store.ItemTimer, Integration: "i", Key: integration.IntegrationSessionKey, Name: periodicPrefix + "sweep", Generation: 7}
		if next, err := e.nextPeriodic(t.Context(), it); len(next) != 0 || (err != nil) != waits {
			t.Errorf("the integration is %s: %v, %v; waits: want %v", kind, next, err, waits)
		}
		// Nor does it end because the plugin refuses it again and again.
		if ended, err := (work{e}).GiveUp(t.Context(), it, errors.New("refused")); ended || (err != nil) != waits {
			t.Errorf("the integration is %s: given up: %v, %v; waits: want %v", kind, ended, err, waits)
		}
		if err := (work{e}).Handle(t.Context(), it, integration.TaskRequest{}); integration.KindOf(err) != kind {
			t.Errorf("the integration is %s: handled: %v", kind, err)
		}
	}
}
