package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

const (
	maxConflicts    = 5
	sessionLife     = 30 * 24 * time.Hour
	commandNotAfter = 24 * time.Hour
	taskNotAfter    = time.Hour
)

// job is one run of a handler.
type job struct {
	integration string
	key         string // session key; "" = the request names none
	handler     string // for logs and metrics: webhook, alert, task
	call        func(ctx context.Context, p integration.Integration, f integration.Facts) (integration.Outcome, error)
	done        *store.Item                // the outbox item this run consumes
	snapshot    *integration.AlertSnapshot // read for this run
	extra       []store.Item               // committed with the outcome (the next periodic timer)
}

// run loads, runs, answers questions and commits, again when somebody else committed first.
func (e *Engine) run(ctx context.Context, j job) (integration.Outcome, error) {
	unlock, err := e.locks.lock(ctx, j.integration+"/"+j.key)
	if err != nil {
		return integration.Outcome{}, asError(ctx, err)
	}
	defer unlock()
	for attempt := 1; ; attempt++ {
		outcome, err := e.runOnce(ctx, j)
		if consumed(err) {
			return outcome, nil // another process has handed the item on meanwhile
		}
		if integration.KindOf(err) != integration.KindConflict || attempt == maxConflicts {
			e.metrics.ran(j.handler, err)
			return outcome, err
		}
		e.metrics.conflict(j.handler)
	}
}

// consumed reports whether a commit failed because its outbox item is gone.
func consumed(err error) bool {
	var e *integration.Error
	return errors.As(err, &e) && e.Code == store.CodeItemGone
}

func (e *Engine) runOnce(ctx context.Context, j job) (integration.Outcome, error) {
	var none integration.Outcome
	in, err := e.config(ctx, j.integration)
	if err != nil {
		return none, err
	}
	plugin, ok := e.plugins.Plugin(in.Plugin)
	if !ok {
		return none, integration.Errorf(integration.KindUnavailable, "plugin %q is not installed", in.Plugin)
	}
	var sess *store.Session
	if j.key != "" {
		s, err := e.store.Session(ctx, j.integration, j.key)
		switch {
		case err == nil:
			sess = &s
		case integration.KindOf(err) != integration.KindNotFound:
			return none, err
		}
	}
	facts, err := e.facts(ctx, in, j.key, sess, j.snapshot)
	if err != nil {
		return none, err
	}
	outcome, err := e.decide(ctx, in, j, plugin, facts)
	if err != nil {
		return none, err
	}
	e.logLines(ctx, j, outcome.Log)
	if outcome.Quiet() && j.done == nil && len(j.extra) == 0 {
		return outcome, nil
	}
	commit, err := e.commit(j, in, sess, facts.Now, outcome)
	if err != nil {
		return none, err
	}
	if _, err = e.store.Commit(ctx, commit); err != nil {
		return none, err
	}
	if len(commit.Items) > 0 {
		e.outbox.wake()
	}
	if len(commit.Findings) > 0 {
		e.configs.forgetFindings(j.integration)
	}
	if outcome.Session != nil && outcome.Session.Call != nil {
		e.events.publish(Event{Type: "call", Integration: j.integration, Key: j.key, Call: outcome.Session.Call})
	}
	return outcome, nil
}

// decide runs the handler until it needs nothing more.
func (e *Engine) decide(ctx context.Context, in store.Integration, j job, plugin integration.Integration, facts integration.Facts) (integration.Outcome, error) {
	for round := 0; ; round++ {
		outcome, err := j.call(ctx, plugin, facts)
		if err != nil || len(outcome.Need) == 0 {
			return outcome, err
		}
		if round == integration.MaxNeedRounds {
			return outcome, integration.Errorf(integration.KindInternal, "the %s handler still asks questions after %d rounds", j.handler, round)
		}
		facts.Answers = append(facts.Answers, e.answers(ctx, in, j.key, outcome.Need, facts.Now)...)
	}
}

// answers answers the questions of one round, all at once.
func (e *Engine) answers(ctx context.Context, in store.Integration, key string, questions []integration.Question, now time.Time) []integration.Answer {
	answers := make([]integration.Answer, len(questions))
	var g errgroup.Group
	for i, q := range questions {
		g.Go(func() error {
			answers[i] = e.answer(ctx, in, key, q, now)
			return nil
		})
	}
	_ = g.Wait() // the functions return nil
	for i, a := range answers {
		if a.Err != nil {
			e.log.Warn("question not answered", "integration", in.ID, "call", key, "question", questions[i].Kind, "error", a.Err)
		}
	}
	return answers
}

// commit turns an outcome into one transaction.
func (e *Engine) commit(j job, in store.Integration, sess *store.Session, now time.Time, o integration.Outcome) (store.Commit, error) {
	c := store.Commit{Integration: j.integration, Key: j.key, Findings: o.Findings, Now: now, Items: append([]store.Item(nil), j.extra...)}
	if j.key == "" && (o.Session != nil || len(o.Alert)+len(o.Tasks)+len(o.Mail) > 0) {
		return c, integration.Errorf(integration.KindInternal, "the %s handler wants to remember or do something for a request that names no session", j.handler)
	}
	if sess != nil {
		c.Version = sess.Version
	}
	if j.done != nil {
		c.Done = j.done.ID
	}
	if u := o.Session; u != nil {
		revision := in.Revision
		if sess != nil {
			revision = sess.Revision
		}
		expires := u.ExpiresAt
		if expires.IsZero() {
			expires = now.Add(sessionLife)
		}
		c.Session = &store.Session{
			Session:     integration.Session{Key: j.key, State: u.State, Format: u.Format},
			Integration: j.integration, Revision: revision, AlertKey: u.AlertKey, Occupies: u.Occupies,
			Live: u.Live, ExpiresAt: expires, Call: u.Call,
		}
	}
	item := func(kind store.ItemKind, lane string, due, notAfter time.Time, body any) (store.Item, error) {
		b, err := json.Marshal(body)
		if due.Before(now) {
			due = now
		}
		return store.Item{
			Integration: j.integration, Key: j.key, Kind: kind, Lane: lane, Due: due, NotAfter: notAfter,
			Phase: store.PhaseWaiting, Body: b,
		}, err
	}
	for _, cmd := range o.Alert {
		it, err := item(store.ItemCommand, "alert", now, now.Add(commandNotAfter), cmd)
		if err != nil {
			return c, err
		}
		c.Items = append(c.Items, it)
	}
	for _, t := range o.Tasks {
		kind, lane := store.ItemTask, "task/"+t.Name
		due, notAfter := t.At, t.NotAfter
		if due.Before(now) {
			due = now
		}
		if t.Timer {
			kind, lane = store.ItemTimer, ""
		} else if notAfter.IsZero() {
			notAfter = due.Add(taskNotAfter)
		}
		it, err := item(kind, lane, due, notAfter, t)
		if err != nil {
			return c, err
		}
		it.Name, it.Generation, it.Cancel = t.Name, t.Generation, t.Cancel
		c.Items = append(c.Items, it)
	}
	for _, m := range o.Mail {
		it, err := item(store.ItemMail, "", now, now.Add(commandNotAfter), mailItem{Mail: m})
		if err != nil {
			return c, err
		}
		c.Items = append(c.Items, it)
	}
	return c, nil
}

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
