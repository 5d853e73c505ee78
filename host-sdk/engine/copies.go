package engine

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// copiesEvery leaves a copy of who is on call most of its ten minutes, whenever the platform fails.
const copiesEvery = 3 * time.Minute

// keepCopies reads who is on call before a call needs it. Where the platform pages people itself,
// calls rarely ask: without this there would be no copy on the day when the platform fails.
func (e *Engine) keepCopies(ctx context.Context) error {
	for {
		list, err := e.store.ListIntegrations(ctx)
		if err != nil && ctx.Err() == nil {
			e.log.Warn("cannot list integrations to read who is on call, will retry", "error", err)
		}
		for _, in := range list {
			if in.Enabled && !e.readCopies(ctx, in) {
				break // the platform fails: the next integration would wait for it as well
			}
		}
		if err := clock.Sleep(ctx, e.clock, copiesEvery); err != nil {
			return err
		}
	}
}

// readCopies reads the names of an integration's destinations, and who is on call for its teams. It
// reports whether the platform answers.
func (e *Engine) readCopies(ctx context.Context, in store.Integration) bool {
	for _, d := range e.destinations(ctx, in, true) {
		if d.Kind != integration.DestinationTeam || d.Missing {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, platformTimeout)
		_, _, err := e.onCall(asking, in.ID, integration.Question{Team: d.ID}, e.clock.Now(), false)
		cancel()
		if err != nil && !integration.KindOf(err).Final() {
			return false
		}
	}
	return true
}
