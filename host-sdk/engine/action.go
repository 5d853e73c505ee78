package engine

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/engine/internal/patient"
	"github.com/livecallrouting/livecall/host-sdk/engine/internal/sessions"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// actionStateYears is how long the state of actions is kept after the last one: as good as for
// ever.
const actionStateYears = 100

// RunAction runs one of the plugin's actions for an integration, answers its questions, and keeps
// the state and the findings it leaves. A person waits for it and it may have called somebody, so a
// failure is returned, never repeated.
func (e *Engine) RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error) {
	// Actions share one session of the integration, so the second of two people who press buttons
	// waits for the first.
	const key = integration.IntegrationSessionKey
	var none integration.ActionResult
	lock, err := e.locks.Lock(ctx, sessions.Ref{Integration: id, Key: key})
	if err != nil {
		return none, patient.Error(ctx, err)
	}
	defer lock.Release()
	l, err := e.load(ctx, id, key, loading{current: true})
	if err != nil {
		return none, err
	}
	if !l.integration.DeletedAt.IsZero() {
		return none, errNoIntegration() // it is kept for its calls alone
	}
	result, err := e.act(ctx, l, integration.ActionRequest{Facts: l.facts, Name: name, Values: values})
	if err != nil {
		return none, err
	}
	if len(result.Findings) > 0 {
		if err := e.store.SaveFindings(ctx, id, result.Findings); err != nil {
			return result, err
		}
		e.known.FindingsChanged(id) // the next handler sees what was just written
	}
	// An action that leaves no state leaves the old one as it is.
	if result.State == nil {
		return result, nil
	}
	// The lock above holds within this process only: if another host has run an action meanwhile,
	// the version has moved, and the person is told of the conflict rather than having the work
	// done twice.
	c := store.Commit{Integration: id, Key: key, Now: l.facts.Now, Session: &store.Session{
		Session:     integration.Session{Key: key, State: result.State, Format: result.Format},
		Integration: id, Revision: l.integration.Revision, ExpiresAt: l.facts.Now.AddDate(actionStateYears, 0, 0),
	}}
	if l.session != nil {
		c.Version = l.session.Version
	}
	_, err = e.store.Commit(ctx, c)
	return result, err
}

// act runs the action until it needs nothing more. The answers of all rounds are kept, as the
// action begins from nothing each time.
func (e *Engine) act(ctx context.Context, l loaded, req integration.ActionRequest) (integration.ActionResult, error) {
	for round := 0; ; round++ {
		result, err := l.plugin.RunAction(ctx, req)
		if err != nil || len(result.Need) == 0 {
			return result, err
		}
		if round == integration.MaxActionRounds {
			return integration.ActionResult{}, integration.Errorf(integration.KindInternal, "the action %s still asks questions after %d rounds", req.Name, round)
		}
		req.Facts.Answers = append(req.Facts.Answers, e.answers.To(ctx, l.integration, req.Facts.SessionKey, result.Need, req.Facts.Now, false)...)
	}
}
