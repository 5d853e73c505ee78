package engine

import (
	"context"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/record"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// followTime is how long the answer to a request waits for what its call makes of the change that
// it causes. Beyond that, the change is handled after the answer. Tests have a longer one.
var followTime = 500 * time.Millisecond

// follow runs HandleAlert with what a commit is about to change of the alert, on the session as the
// commit leaves it, and adds what that decides to the commit and its outcome: one transaction
// instead of two, and none that only half of it has happened. false: the change is to be handled
// once it is written, as it is where the handler fails, takes long or commands more, which has to
// be decided on the alert as it is then.
func (e *Engine) follow(ctx context.Context, j job, l loaded, c store.Commit, change platform.AlertChange, o integration.Outcome) (store.Commit, integration.Outcome, bool) {
	ctx, cancel := context.WithTimeout(ctx, followTime)
	defer cancel()
	second := job{integration: j.integration, key: j.key, handler: "alert", call: callAlert}
	then := l
	left, snap := sessions.After(l.session, c, c.Version+1), change.Snapshot
	then.session, then.alert = &left, e.alerts.Decided(&snap)
	var err error
	if then.facts, err = e.facts(ctx, l.integration, j.key, then.session, j.loading); err != nil {
		return c, o, false
	}
	// Its time is now: the first decision may have waited for another process.
	then.facts.Alert = then.alert.Snap
	outcome, answers, err := e.decide(ctx, then, second)
	if err != nil || len(outcome.Alert) > 0 {
		return c, o, false
	}
	e.logLines(ctx, second, outcome.Log)
	e.metrics.Ran(second.handler, nil)
	o.Log = append(slices.Clip(o.Log), outcome.Log...)
	if outcome.Quiet() {
		return c, o, true
	}
	more, err := second.commit(then, outcome)
	if err != nil {
		return c, o, false
	}
	if more.Session != nil {
		c.Session, o.Session = more.Session, outcome.Session
	}
	c.Items = append(slices.Clip(c.Items), more.Items...)
	c.Findings = append(slices.Clip(c.Findings), more.Findings...)
	c.Free = append(slices.Clip(c.Free), occupiesFree(then.session, outcome, answers)...)
	c.Call = record.Join(c.Call, more.Call)
	return c, o, true
}
