package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// How long work is tried for if the handler that ordered it names no end of its own.
const (
	// Alert commands, mails and deferred webhooks: late is better than never.
	commandNotAfter = 24 * time.Hour
	taskNotAfter    = time.Hour // from when the task is due: later the call it serves is over
)

// commit turns an outcome into one transaction. The store pins the revision of the options at a
// session's first commit and keeps it from then on.
func (j job) commit(l loaded, o integration.Outcome) (store.Commit, error) {
	now := l.facts.Now
	c := store.Commit{Integration: j.integration, Key: j.key, Findings: newFindings(l.facts, o.Findings), Now: now, Items: append([]store.Item(nil), j.extra...)}
	// Only answers and findings can do without a session: there is nothing to compare and swap.
	if j.key == "" && (o.Session != nil || len(o.Alert)+len(o.Tasks)+len(o.Mail) > 0) {
		return c, integration.Errorf(integration.KindInternal, "the %s handler wants to remember or do something for a request that names no session", j.handler)
	}
	if l.session != nil {
		c.Version = l.session.Version
	}
	if j.done != nil {
		c.Done = j.done.ID
	}
	if u := o.Session; u != nil {
		c.Session = &store.Session{
			Session:     integration.Session{Key: j.key, State: u.State, Format: u.Format},
			Integration: j.integration, Revision: l.integration.Revision, AlertKey: u.AlertKey, Occupies: u.Occupies,
			WaitsFor: u.WaitsFor, Media: u.Media, Live: u.Live, ExpiresAt: u.ExpiresAt, Call: u.Call,
		}
	}
	if err := j.alert(&c, l, o); err != nil {
		return c, err
	}
	j.record(&c, l, o)
	for _, t := range o.Tasks {
		if err := j.add(&c, taskItem(t, now), t); err != nil {
			return c, err
		}
	}
	for _, m := range o.Mail {
		it := store.Item{Kind: store.ItemMail, Due: now, NotAfter: now.Add(commandNotAfter)}
		if err := j.add(&c, it, mailItem{Mail: m}); err != nil {
			return c, err
		}
	}
	return c, nil
}

// newFindings leaves out findings that are to be cleared and are not there: calls that go well
// clear the same ones again and again.
func newFindings(f integration.Facts, list []integration.Finding) (out []integration.Finding) {
	for _, n := range list {
		there := f.FindingsUnknown || slices.ContainsFunc(f.Findings, func(have integration.Finding) bool { return have.Code == n.Code })
		if n.Severity != integration.FindingClear || there {
			out = append(out, n)
		}
	}
	return out
}

// add completes an item with its body and the session it belongs to, and adds it to the commit.
// Bodies are JSON of the contract's types; they are read by this release or the next one.
func (j job) add(c *store.Commit, it store.Item, body any) error {
	b, err := json.Marshal(body)
	it.Integration, it.Key, it.Body = j.integration, j.key, b
	it.Phase = cmp.Or(it.Phase, store.PhaseWaiting)
	c.Items = append(c.Items, it)
	return err
}

// taskItem is the outbox item of a task. Tasks of one name share a lane, so that they are done in
// their order; timers wait for nobody.
func taskItem(t integration.Task, now time.Time) store.Item {
	it := store.Item{
		Kind: store.ItemTask, Lane: "task/" + t.Name, Name: t.Name, Generation: t.Generation, Cancel: t.Cancel,
		Due: t.At, NotAfter: t.NotAfter,
	}
	// A time in the past means at once. Left as it is, it would overtake work that has waited
	// longer.
	if it.Due.Before(now) {
		it.Due = now
	}
	if t.Timer {
		it.Kind, it.Lane = store.ItemTimer, ""
		// It waits for its turn in the pacer and may be cancelled until then.
	} else if t.PaceKey != "" {
		it.Work = store.WorkDial
	}
	if !t.Timer && it.NotAfter.IsZero() {
		it.NotAfter = it.Due.Add(taskNotAfter)
	}
	return it
}

// commitItems adds items to a session's outbox and consumes another (done; 0 = none) in one
// transaction, which leaves the session as it is. It begins again when somebody else committed
// first. It does not wake the outbox: whoever consumes an item does, and timers of periodic tasks
// are due later than the next look.
func (e *Engine) commitItems(ctx context.Context, integrationID, key string, items []store.Item, done int64) error {
	for attempt := 1; ; attempt++ {
		version := int64(0)
		sess, err := e.store.Session(ctx, integrationID, key)
		switch {
		case err == nil:
			version = sess.Version
		case integration.KindOf(err) != integration.KindNotFound:
			return err
		}
		_, err = e.store.Commit(ctx, store.Commit{
			Integration: integrationID, Key: key, Version: version, Items: items, Done: done, Now: e.clock.Now(),
		})
		if integration.KindOf(err) != integration.KindConflict || attempt == maxConflicts {
			return err
		}
	}
}
