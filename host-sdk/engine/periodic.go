package engine

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Timers of periodic tasks stand in the integration's own session under this prefix, so that they
// can be distinguished from timers that the plugin sets there itself.
const (
	periodicPrefix = "periodic/"
	expireEvery    = time.Hour
)

// periodic keeps the timers of periodic tasks alive and removes what has expired.
func (e *Engine) periodic(ctx context.Context) error {
	for {
		wait := expireEvery
		// Each run commits its successor, and a timer that is there is left alone. So what this
		// adds later is missing: a task that a plugin's new version has, or has again.
		if !e.startAllPeriodic(ctx) {
			wait = time.Minute
		}
		if n, err := e.store.DeleteExpired(ctx, e.clock.Now()); err != nil && ctx.Err() == nil {
			e.log.Error("cannot delete expired sessions", "error", err)
		} else if n > 0 {
			e.log.Info("expired sessions deleted", "sessions", n)
		}
		e.deletion.Sweep(ctx)
		if err := clock.Sleep(ctx, e.clock, wait); err != nil {
			return err
		}
	}
}

// startAllPeriodic adds the timers of all integrations that are not there yet; false: some could
// not be added, and the next look must.
func (e *Engine) startAllPeriodic(ctx context.Context) bool {
	list, err := e.store.ListIntegrations(ctx)
	if err != nil {
		e.log.Error("cannot list integrations for their periodic tasks, will retry", "error", err)
		return false
	}
	all := true
	for _, in := range list {
		if err := e.startPeriodic(ctx, in); err != nil {
			e.log.Warn("cannot start periodic tasks, will retry", "integration", in.ID, "error", err)
			all = false
		}
	}
	return all
}

// startPeriodic adds the timers that are not there yet.
func (e *Engine) startPeriodic(ctx context.Context, in store.Integration) error {
	desc, err := e.known.Description(ctx, in.Plugin)
	if err != nil || len(desc.Periodic) == 0 {
		return err
	}
	var items []store.Item
	for _, p := range desc.Periodic {
		it, err := periodicItem(in.ID, p, 1, e.clock.Now())
		if err != nil {
			return err
		}
		items = append(items, it)
	}
	return e.commitItems(ctx, in.ID, integration.IntegrationSessionKey, items, 0)
}

// nextPeriodic is the successor of a periodic timer, to be committed with the run it caused: so the
// chain neither breaks nor doubles if the process dies in between. None follows where the
// integration is deleted or the plugin no longer names the task. While that cannot be read, it is
// an error, and the run has to wait: without a successor it would be the last one.
func (e *Engine) nextPeriodic(ctx context.Context, it store.Item) ([]store.Item, error) {
	if it.Kind != store.ItemTimer || it.Key != integration.IntegrationSessionKey || !strings.HasPrefix(it.Name, periodicPrefix) {
		return nil, nil
	}
	in, err := e.known.Integration(ctx, it.Integration)
	switch {
	case integration.KindOf(err) == integration.KindNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case !in.DeletedAt.IsZero():
		return nil, nil
	}
	desc, err := e.known.Description(ctx, in.Plugin)
	if err != nil {
		return nil, err
	}
	for _, p := range desc.Periodic {
		if periodicPrefix+p.Name == it.Name {
			next, err := periodicItem(it.Integration, p, it.Generation+1, e.clock.Now())
			return []store.Item{next}, err
		}
	}
	return nil, nil
}

// periodicItem is the timer of a periodic task. Each carries a generation of its own: the store
// ignores a timer whose generation it knows, so starting them twice does no harm.
func periodicItem(integrationID string, p integration.PeriodicTask, generation int64, now time.Time) (store.Item, error) {
	// Once a minute at most, whatever a plugin asks for.
	due := now.Add(max(p.Every, time.Minute))
	body, err := json.Marshal(integration.Task{Name: p.Name, Generation: generation, Timer: true, At: due})
	return store.Item{
		Integration: integrationID, Key: integration.IntegrationSessionKey, Kind: store.ItemTimer, Name: periodicPrefix + p.Name,
		Generation: generation, Due: due, Phase: store.PhaseWaiting, Body: body,
	}, err
}
