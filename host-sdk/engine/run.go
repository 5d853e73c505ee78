package engine

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/outbox"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/snapshots"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/tracing"
)

// maxConflicts is how often a run is tried when other processes commit first. Within one process
// the session's lock prevents conflicts, so more than a few mean that another host is busy with the
// same call.
const maxConflicts = 5

// runTimeout is how long one run may take, waiting for the session's lock included: a little more
// than a webhook's budget, so that a webhook's run ends by its own.
const runTimeout = 10 * time.Second

// job is one run of a handler: for which session, what to call, and what to commit with its
// outcome.
type job struct {
	integration string // instance id
	key         string // session key; "" = the request names none
	handler     string // for logs and metrics: webhook, alert, task
	call        func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error)
	// ahead is what a handler will ask that begins a session with this request: it is answered
	// before that. All are zero where it asks nothing that is known.
	ahead   integration.RecentCallsQuestion
	request *integration.WebhookRequest
	form    url.Values   // the request's, if somebody has read it
	loading loading      // what was looked up already
	done    *store.Item  // the outbox item this run consumes
	extra   []store.Item // committed with the outcome (the next periodic timer)
}

// run loads, runs, answers questions and commits, again when somebody else committed first. The
// lock is held throughout, so handlers of one session run one after the other; its waiters give up
// after runTimeout. Errors may cross the contract.
func (e *Engine) run(ctx context.Context, j job) (integration.Outcome, error) {
	// A webhook's is sooner.
	if end, bounded := ctx.Deadline(); !bounded || time.Until(end) > runTimeout {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, runTimeout)
		defer cancel()
	}
	lock, err := e.locks.Lock(ctx, sessions.Ref{Integration: j.integration, Key: j.key})
	if err != nil {
		return integration.Outcome{}, patient.Error(ctx, err)
	}
	defer lock.Release()
	j.loading.locked = true
	for attempt := 1; ; attempt++ {
		outcome, err := e.runOnce(ctx, j)
		if outbox.Consumed(err) {
			return outcome, nil // another process has handed the item on meanwhile
		}
		if integration.KindOf(err) != integration.KindConflict || attempt == maxConflicts {
			e.metrics.Ran(j.handler, err)
			return outcome, err
		}
		e.metrics.Conflict(j.handler)
		// Time has passed: what was looked up before the first attempt may be old, and what was
		// assumed may be wrong.
		j.loading.instance, j.loading.begins = store.Integration{}, false
	}
}

// handleAlert runs HandleAlert in the session of key with a reading of its alert.
func (e *Engine) handleAlert(ctx context.Context, h platform.Hint, key string, r snapshots.Reading) error {
	_, err := e.run(ctx, job{integration: h.Scope.Integration, key: key, handler: "alert", loading: loading{alert: &r}, call: callAlert})
	return err
}

// callAlert calls HandleAlert.
func callAlert(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error) {
	return p.HandleAlert(ctx, integration.AlertRequest{Facts: f})
}

// refusedBy makes an error a refusal, unless it says that the plugin could not answer now.
func refusedBy(err error) error {
	switch integration.KindOf(err) {
	case integration.KindUnavailable, integration.KindDeadline, integration.KindConflict:
		return err
	default:
		return outbox.Refusal{Err: err}
	}
}

// runOnce is one attempt: load, decide, commit.
func (e *Engine) runOnce(ctx context.Context, j job) (integration.Outcome, error) {
	var none integration.Outcome
	l, err := e.load(ctx, j.integration, j.key, j.loading)
	if err != nil {
		return none, err
	}
	outcome, answers, err := e.decide(ctx, l, j)
	if l.assumed && (err != nil || outcome.Session == nil) {
		if err := e.noSession(ctx, j); err != nil {
			return none, err
		}
	}
	if err != nil {
		return none, refusedBy(err)
	}
	e.logLines(ctx, j, outcome.Log)
	// An item to consume or to add makes a commit necessary even if the handler changed nothing.
	if outcome.Quiet() && j.done == nil && len(j.extra) == 0 {
		e.metrics.Lines(outcome.Log)
		return outcome, nil // a tick of hold music must not cost a write
	}
	commit, err := j.commit(l, outcome)
	if err != nil {
		return none, outbox.Refusal{Err: err}
	}
	commit.Free = occupiesFree(l.session, outcome, answers)
	if err := e.decided(ctx, j, l, commit, outcome); err != nil {
		return none, err
	}
	return outcome, nil
}

// noSession asks the store what a handler has assumed, that the session of a job does not exist. A
// conflict says that it does: the handler is then run again.
func (e *Engine) noSession(ctx context.Context, j job) error {
	_, err := e.sessions.Read(ctx, sessions.Ref{Integration: j.integration, Key: j.key}, j.loading.locked)
	switch {
	case err == nil:
		return integration.Errorf(integration.KindConflict, "the session exists")
	case integration.KindOf(err) == integration.KindNotFound:
		return nil
	default:
		return err
	}
}

// decided commits an outcome, with what its alert commands change if that is possible, and lets
// everybody know.
func (e *Engine) decided(ctx context.Context, j job, l loaded, commit store.Commit, outcome integration.Outcome) error {
	if with, change := e.together(ctx, j, l, commit, outcome.Alert); with != nil {
		both, all, handled := *with, outcome, false
		news := e.isNews(j, l, *with, change)
		if news {
			both, all, handled = e.follow(ctx, j, l, *with, change, outcome)
		}
		err := e.write(ctx, l, both)
		if err == nil {
			e.committed(ctx, j, l, both, all)
			e.changedAlert(ctx, j, both, change, outcome.Alert, news, handled)
		}
		if err == nil || !apart(err) {
			return err
		}
		e.log.Info("alert commands go through the outbox", "integration", j.integration, "call", j.key, "error", err)
	}
	if err := e.write(ctx, l, commit); err != nil {
		return err
	}
	e.committed(ctx, j, l, commit, outcome)
	return nil
}

// write commits in the store, under the session's lock. The session as it is then need not be read
// by the next handler.
func (e *Engine) write(ctx context.Context, l loaded, commit store.Commit) error {
	// A copy of the key, which may be a part of a request's text.
	of := sessions.Ref{Integration: commit.Integration, Key: strings.Clone(commit.Key)}
	e.sessions.Committing(of)
	if e.callers != nil && commit.Call != nil && commit.Call.View != nil {
		e.callers.Called(commit.Integration, commit.Call.View.From, commit.Now)
	}
	ctx, span := tracing.Start(ctx, "commit")
	defer span.End()
	span.Set(tracing.Integration, commit.Integration)
	span.Set(tracing.Call, commit.Key)
	ended := e.outbox.StartWith(&commit)
	version, err := e.store.Commit(ctx, commit)
	ended()
	switch {
	case err != nil:
		e.sessions.Failed(of)
	case commit.Session != nil:
		e.sessions.Holds(of, sessions.After(l.session, commit, version))
	}
	span.Fail(string(integration.KindOf(err)))
	return err
}

// committed tells everybody concerned what a commit has changed. Nothing here may fail or wait: the
// commit has happened, and its webhook has not been answered yet.
func (e *Engine) committed(ctx context.Context, j job, l loaded, commit store.Commit, outcome integration.Outcome) {
	e.metrics.Lines(outcome.Log)
	if outcome.Session != nil {
		e.metrics.Committed(j.integration, callOf(l.session), outcome.Session.Call, l.facts.Now)
	}
	e.outbox.WakeFor(commit)
	if len(commit.Findings) > 0 {
		e.known.FindingsChanged(j.integration) // the next handler sees what was just written
	}
	if users := freed(l.session, outcome.Session); len(users) > 0 {
		e.personFree(ctx, l.integration, users)
	}
	if users := wanted(l.session, outcome.Session); len(users) > 0 {
		e.personWanted(ctx, l.integration, j.key, users)
	}
	if outcome.Session != nil && outcome.Session.Call != nil {
		e.publish(Event{Type: "call", Integration: j.integration, Key: j.key, Call: outcome.Session.Call})
	}
}

// callOf is the view of a session's call; nil where there is none.
func callOf(s *store.Session) *integration.CallView {
	if s == nil {
		return nil
	}
	return s.Call
}

// decide runs the handler until it needs nothing more. It returns the answers to its questions,
// too. Answers add up over the rounds, since a handler remembers nothing between them.
func (e *Engine) decide(ctx context.Context, l loaded, j job) (integration.Outcome, []integration.Answer, error) {
	facts := l.facts
	if l.session == nil && j.ahead.Field != "" {
		form := j.form
		if form == nil {
			form = j.request.Form()
		}
		facts.Answers = e.answers.To(ctx, l.integration, j.key, recentCallsAhead(j.ahead, form, facts.Now), facts.Now, true)
	}
	for round := 0; ; round++ {
		outcome, err := j.call(ctx, l.plugin, facts)
		if err != nil || len(outcome.Need) == 0 {
			return outcome, facts.Answers, err
		}
		if round == integration.MaxNeedRounds {
			return outcome, nil, integration.Errorf(integration.KindInternal, "the %s handler still asks questions after %d rounds", j.handler, round)
		}
		facts.Answers = append(facts.Answers, e.answers.To(ctx, l.integration, j.key, outcome.Need, facts.Now, true)...)
	}
}

// logLines writes the plugin's lines into the host's log, each with the call it is about. They are
// written before the commit, so a run that is repeated may write them twice.
func (e *Engine) logLines(ctx context.Context, j job, lines []integration.LogLine) {
	for _, l := range lines {
		level := slog.LevelInfo
		if err := level.UnmarshalText([]byte(l.Level)); err != nil {
			level = slog.LevelInfo
		}
		attrs := []slog.Attr{slog.String("integration", j.integration), slog.String("call", j.key)}
		for k, v := range l.Attrs {
			attrs = append(attrs, slog.String(k, v))
		}
		e.log.LogAttrs(ctx, level, l.Message, attrs...)
	}
}
