package formats

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	// How old what a plugin says of its formats may be when something is refused for them.
	describeAgain = time.Second
	refusedSaid   = time.Minute      // how often a finding says that something newer was refused
	refusedOver   = 10 * time.Minute // since the last refusal, after which the finding is cleared
)

// FindingNewerFormat is the code of the finding that the host raises when its plugin is older than
// the one that wrote a call's state or task.
const FindingNewerFormat = "host-newer-format"

// codeNewerFormat marks the error for what only a newer version of the plugin can read.
const codeNewerFormat = "newer_format"

// Readable is nil if the plugin reads the session's state and the task, if there is one. What only
// a newer version reads is never handed to the plugin, which would damage the call: it waits for a
// host that has that version. Of the integration's own session only the task is looked at here:
// actions check its state themselves.
func (f *Formats) Readable(ctx context.Context, in store.Integration, key string, session *store.Session, task *integration.Task) error {
	state, payload := 0, 0
	if session != nil && key != integration.IntegrationSessionKey {
		state = session.Format
	}
	if task != nil {
		payload = task.Format
	}
	newer := func(f integration.Formats) bool {
		return f.State > 0 && state > f.State || f.Task > 0 && payload > f.Task
	}
	desc, err := f.known.Description(ctx, in.Plugin)
	if err != nil || !newer(desc.Formats) {
		return nil //nolint:nilerr // whoever cannot say what it reads is asked to read it
	}
	// The plugin may have been replaced since it was asked.
	if desc, err = f.known.Describe(ctx, in.Plugin, describeAgain); err != nil || !newer(desc.Formats) {
		return nil //nolint:nilerr // see above
	}
	what, has, reads := "the state", state, desc.Formats.State
	if state <= reads {
		what, has, reads = "a task", payload, desc.Formats.Task
	}
	text := fmt.Sprintf("%s of call %s has format %d, and %s %s reads up to %d", what, key, has, desc.ID, desc.Version, reads)
	f.refuses(ctx, in.ID, text)
	return &integration.Error{Kind: integration.KindUnavailable, Code: codeNewerFormat, Message: text}
}

// refusals says of each integration when something newer was refused last, and when that was said.
type refusals struct {
	mu         sync.Mutex
	last, said map[string]time.Time
}

// refused notes a refusal; true: it is to be said.
func (r *refusals) refused(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last, r.said = map[string]time.Time{}, map[string]time.Time{}
	}
	r.last[id] = now
	if said, ok := r.said[id]; ok && now.Sub(said) < refusedSaid {
		return false
	}
	r.said[id] = now
	return true
}

// over lists the integrations of which nothing has been refused for a while, and forgets them.
func (r *refusals) over(now time.Time) (ids []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, last := range r.last {
		if now.Sub(last) >= refusedOver {
			ids = append(ids, id)
			delete(r.last, id)
			delete(r.said, id)
		}
	}
	return ids
}

// refuses raises the finding, beside the request: nobody waits for it.
func (f *Formats) refuses(ctx context.Context, id, text string) {
	now := f.cfg.Clock.Now()
	if !f.refused.refused(id, now) {
		return
	}
	f.cfg.Beside(ctx, func(ctx context.Context) {
		f.known.Find(ctx, id, integration.Finding{
			Code: FindingNewerFormat, Severity: integration.FindingError, At: now,
			Message: "A host has an older version of the plugin than the one that served its calls: " + text + ". Callers of such calls hear that they should hold until " +
				"a host with the newer version takes them. Install the newer version on all hosts, or wait until these calls are over.",
		})
	})
}

// loadRefusals takes over what an earlier process has said: it is cleared like our own.
func (f *Formats) loadRefusals(ctx context.Context) {
	list, err := f.cfg.Store.ListIntegrations(ctx)
	for _, in := range list {
		findings, ferr := f.cfg.Store.Findings(ctx, in.ID)
		for _, have := range findings {
			if have.Code == FindingNewerFormat {
				f.refused.refused(in.ID, have.At)
			}
		}
		if err == nil {
			err = ferr
		}
	}
	if err != nil && ctx.Err() == nil {
		f.cfg.Log.Warn("cannot read findings; what is over may stay among them", "error", err)
	}
}

// clearRefusals clears the findings of which nothing has been seen for a while. Another host may
// still have a reason, and then says so again.
func (f *Formats) clearRefusals(ctx context.Context) {
	for _, id := range f.refused.over(f.cfg.Clock.Now()) {
		f.known.Find(ctx, id, integration.Finding{Code: FindingNewerFormat, Severity: integration.FindingClear, At: f.cfg.Clock.Now()})
	}
}
