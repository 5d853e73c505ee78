package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/known"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/record"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/snapshots"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// sharedDatabase is the platform if its alerts are in the database of the store; nil: they are not.
func sharedDatabase(p platform.Platform, s store.Store) platform.InStore {
	alerts, ok := p.(platform.InStore)
	kept, alsoOK := s.(store.InDatabase)
	if !ok || !alsoOK || alerts.Database() != kept.Database() {
		return nil
	}
	return alerts
}

// decideTime is how long the platform may take to decide what commands change; after it they go
// through the outbox.
var decideTime = known.PlatformTimeout

// together returns the commit with what its alert commands change, in place of their outbox items;
// the same commit tells the snapshot. It returns nil where the commands go through the outbox: the
// platform is elsewhere, one of them cannot be decided, or they are held.
func (e *Engine) together(ctx context.Context, j job, l loaded, c store.Commit, cmds []integration.AlertCommand) (*store.Commit, platform.AlertChange) {
	none := platform.AlertChange{}
	if !e.platform.InStore() || len(cmds) == 0 || c.Session == nil || c.Session.Alert.Commands != store.CommandsGiven {
		return nil, none
	}
	key := c.Session.AlertKey
	if key == "" || slices.ContainsFunc(cmds, func(cmd integration.AlertCommand) bool { return cmd.AlertKey != key }) {
		return nil, none
	}
	ctx, cancel := context.WithTimeout(ctx, decideTime)
	defer cancel()
	change, err := e.platform.Decide(ctx, e.known.Scope(j.integration), cmds)
	if err != nil {
		e.log.Debug("alert commands go through the outbox", "integration", j.integration, "call", j.key, "error", err)
		return nil, none
	}
	c.Together = &store.Together{Lane: alertLane, Statements: change.Statements}
	c.Items = slices.DeleteFunc(slices.Clone(c.Items), func(it store.Item) bool { return it.Lane == alertLane })
	if c.Session.Call != nil {
		update, session := store.CallUpdate{}, *c.Session
		if c.Call != nil {
			update = *c.Call
			update.Story = slices.Clip(update.Story)
		}
		session.Told = record.TellSnapshot(&update, session.Told, change.Snapshot, l.facts.Now)
		c.Call, c.Session = &update, &session
	}
	return &c, change
}

// apart reports whether a commit that holds an alert's change is to be made without it, as the
// alert has changed meanwhile or its statements fail.
func apart(err error) bool {
	var e *integration.Error
	if errors.As(err, &e) && e.Code == store.CodeApart {
		return true
	}
	switch integration.KindOf(err) {
	case integration.KindConflict, integration.KindUnavailable, integration.KindDeadline:
		return false
	default:
		return true
	}
}

// isNews reports whether a handler is to see a change of the alert.
func (e *Engine) isNews(j job, l loaded, c store.Commit, change platform.AlertChange) bool {
	known := e.alerts.Seen(platform.Hint{Scope: e.known.Scope(j.integration), AlertKey: c.Session.AlertKey})
	return known || snapshots.MemoryOf(l.session).Change != 0 || !unremarkable(&change.Snapshot)
}

// changedAlert hands on what a commit has changed of an alert. news: a handler is to see it;
// handled: one has seen it already.
func (e *Engine) changedAlert(ctx context.Context, j job, c store.Commit, change platform.AlertChange, cmds []integration.AlertCommand, news, handled bool) {
	for range cmds {
		e.metrics.Item(store.ItemCommand, "done")
	}
	change.Written()
	h := platform.Hint{Scope: e.known.Scope(j.integration), AlertKey: c.Session.AlertKey}
	e.alerts.Committed(ctx, h, j.key, change.Snapshot, news, handled)
}

// unremarkable reports whether the first snapshot of an alert says nothing that its call does not
// know: it was created and waits to be routed. The next request of the call brings it along.
func unremarkable(snap *integration.AlertSnapshot) bool {
	return snap.Status == integration.AlertQueued && snap.Layer == 0 && len(snap.Acknowledgements) == 0 && len(snap.Declined) == 0 && snap.Unpaged == ""
}
