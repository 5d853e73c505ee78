package engine

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestRing begins a test ring of a person's phone, or looks at one (see
// [integration.ActionTestRing]). key is the ring's session, which no other ring has. The error is
// not_found where the plugin cannot ring for a test, or the integration is unknown.
func (e *Engine) TestRing(ctx context.Context, id, key string, values map[string]string) (integration.ActionResult, error) {
	// The ring's first request waits until it is known that it has begun.
	lock, err := e.locks.Lock(ctx, sessions.Ref{Integration: id, Key: key})
	if err != nil {
		return integration.ActionResult{}, patient.Error(ctx, err)
	}
	defer lock.Release()
	l, err := e.load(ctx, id, key, loading{current: true})
	if err != nil {
		return integration.ActionResult{}, err
	}
	if !l.integration.DeletedAt.IsZero() {
		return integration.ActionResult{}, errNoIntegration()
	}
	return e.act(ctx, l, integration.ActionRequest{Facts: l.facts, Name: integration.ActionTestRing, Values: values})
}
