package engine

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/snapshots"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// alertLane is the lane of all commands of a session: the platform must see them in the order in
// which they were decided.
const alertLane = "alert"

// laneLimit is how many commands are handed over together at most.
const laneLimit = 100

// alert adds the outcome's alert commands to the commit, and what the host remembers of the alert.
// On a platform without unrouted alerts the commands are held in their lane until a route is among
// them; then, or once the platform can do without a route, all of them are given to it. An alert
// that is resolved before that is never made, unless the platform could not say yet what it can do.
// Once the platform was given commands of an alert, none is held any more, whatever it says later
// that it can do.
func (j job) alert(c *store.Commit, l loaded, o integration.Outcome) error {
	m := snapshots.MemoryOf(l.session)
	l.alert.Seen(&m)
	for _, cmd := range o.Alert {
		m.Last = max(m.Last, cmd.Number)
	}
	has := func(kind integration.AlertCommandKind) bool {
		return slices.ContainsFunc(o.Alert, func(cmd integration.AlertCommand) bool { return cmd.Kind == kind })
	}
	held := false
	switch {
	case m.Commands != store.CommandsHeld || len(o.Alert) == 0 && m.Last == 0:
	case l.facts.Instance.Capabilities.UnroutedAlerts, has(integration.AlertRoute),
		c.Session == nil && l.session == nil: // without a session nothing could release them
		m.Commands = store.CommandsGiven
		if l.session != nil { // else nothing is held yet
			c.Release = alertLane
		}
	case has(integration.AlertResolve) && l.knowsPlatform:
		m.Commands, c.Drop = store.CommandsDropped, alertLane
	default:
		held = true
	}
	for _, cmd := range o.Alert {
		if m.Commands == store.CommandsDropped {
			break
		}
		it := store.Item{Kind: store.ItemCommand, Lane: alertLane, Due: l.facts.Now, NotAfter: l.facts.Now.Add(commandNotAfter)}
		if held {
			it.Phase, it.Due = store.PhaseHeld, it.NotAfter
		}
		if err := j.add(c, it, cmd); err != nil {
			return err
		}
	}
	// Commands change what the session remembers of its alert, so it is written even where the
	// handler left it as it is.
	if c.Session == nil && l.session != nil && len(o.Alert) > 0 {
		s := *l.session
		c.Session = &s
	}
	if c.Session != nil {
		c.Session.Alert = &m
	}
	return nil
}

// Command gives an alert command to the platform, with those behind it if the platform wants them
// together. A command that was applied leaves nothing for the handler to decide: the new snapshot
// tells it. Only a final failure comes back.
func (e work) Command(ctx context.Context, it store.Item) {
	if it.Phase == store.PhaseHeld {
		e.log.Info("an alert was never routed, and the platform is not told of it", "integration", it.Integration, "call", it.Key)
		e.metrics.Item(it.Kind, "unrouted")
		e.outbox.Delete(ctx, it)
		return
	}
	var cmd integration.AlertCommand
	if err := json.Unmarshal(it.Body, &cmd); err != nil {
		e.outbox.Drop(ctx, it, "unreadable alert command")
		return
	}
	apply, cancel := context.WithTimeout(ctx, outbox.PerformTimeout)
	defer cancel()
	if e.platform.Batches() {
		e.commands(ctx, apply, it, cmd)
		return
	}
	if err := e.platform.Apply(apply, e.known.Scope(it.Integration), cmd); err != nil {
		e.outbox.Failed(ctx, it, err, outbox.FirstRetry, outbox.MaxRetry)
		return
	}
	e.applied(ctx, it)
}

// applied ends a command that was applied.
func (e work) applied(ctx context.Context, it store.Item) {
	e.metrics.Item(it.Kind, "done")
	e.outbox.Delete(ctx, it)
}

// commands gives a command to the platform together with all that wait behind it.
func (e work) commands(ctx, apply context.Context, first store.Item, cmd integration.AlertCommand) {
	items, cmds := e.behind(ctx, first, cmd)
	done, err := e.platform.ApplyAll(apply, e.known.Scope(first.Integration), cmds)
	if err == nil && done != len(cmds) {
		err = integration.Errorf(integration.KindInternal, "the platform applied %d of %d commands and did not say why", done, len(cmds))
	}
	if err != nil {
		done = max(0, min(done, len(cmds)-1))
	}
	for _, it := range items[:done] {
		e.applied(ctx, it)
	}
	if err == nil {
		return
	}
	// First, as the handler of the failed one may take its time.
	for _, it := range items[done+1:] {
		e.outbox.Retry(ctx, it, e.clock.Now())
	}
	e.outbox.Failed(ctx, items[done], err, outbox.FirstRetry, outbox.MaxRetry)
}

// behind returns a claimed command with those that wait behind it for the same alert. While the
// store cannot say, there are none.
func (e work) behind(ctx context.Context, first store.Item, cmd integration.AlertCommand) ([]store.Item, []integration.AlertCommand) {
	items, cmds := []store.Item{first}, []integration.AlertCommand{cmd}
	more, err := e.store.ClaimLane(ctx, first, e.clock.Now(), laneLimit-1)
	if err != nil {
		e.log.Warn("cannot read what waits behind an alert command", "integration", first.Integration, "call", first.Key, "error", err)
	}
	for i, it := range more {
		var next integration.AlertCommand
		// One that cannot be read is dropped when it is the first.
		if json.Unmarshal(it.Body, &next) != nil || next.AlertKey != cmd.AlertKey || it.Phase == store.PhaseHeld {
			for _, rest := range more[i:] {
				e.outbox.Retry(ctx, rest, e.clock.Now())
			}
			break
		}
		items, cmds = append(items, it), append(cmds, next)
	}
	return items, cmds
}
