package engine

import (
	"context"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// RunAction runs one of the plugin's actions for an integration, answers its questions, and keeps the state and the
// findings it leaves. It is never repeated otherwise.
func (e *Engine) RunAction(ctx context.Context, id, name string, values map[string]string) (integration.ActionResult, error) {
	var none integration.ActionResult
	unlock, err := e.locks.lock(ctx, id+"/"+integration.IntegrationSessionKey)
	if err != nil {
		return none, asError(ctx, err)
	}
	defer unlock()
	in, err := e.config(ctx, id)
	if err != nil {
		return none, err
	}
	plugin, ok := e.plugins.Plugin(in.Plugin)
	if !ok {
		return none, integration.Errorf(integration.KindUnavailable, "plugin %q is not installed", in.Plugin)
	}
	var sess *store.Session
	switch s, err := e.store.Session(ctx, id, integration.IntegrationSessionKey); {
	case err == nil:
		s.Revision = 0 // actions work on today's options
		sess = &s
	case integration.KindOf(err) != integration.KindNotFound:
		return none, err
	}
	facts, err := e.facts(ctx, in, integration.IntegrationSessionKey, sess, nil)
	if err != nil {
		return none, err
	}
	facts.Destinations = e.destinations(ctx, in, true)
	result, err := e.act(ctx, in, plugin, integration.ActionRequest{Facts: facts, Name: name, Values: values})
	if err != nil {
		return none, err
	}
	if len(result.Findings) > 0 {
		if err := e.store.SaveFindings(ctx, id, result.Findings); err != nil {
			return result, err
		}
		e.configs.forgetFindings(id)
	}
	if result.State == nil {
		return result, nil
	}
	c := store.Commit{Integration: id, Key: integration.IntegrationSessionKey, Now: facts.Now, Session: &store.Session{
		Session:     integration.Session{Key: integration.IntegrationSessionKey, State: result.State, Format: result.Format},
		Integration: id, Revision: in.Revision, ExpiresAt: facts.Now.AddDate(100, 0, 0),
	}}
	if sess != nil {
		c.Version = sess.Version
	}
	_, err = e.store.Commit(ctx, c)
	return result, err
}

// act runs the action until it needs nothing more.
func (e *Engine) act(ctx context.Context, in store.Integration, plugin integration.Integration, req integration.ActionRequest) (integration.ActionResult, error) {
	for round := 0; ; round++ {
		result, err := plugin.RunAction(ctx, req)
		if err != nil || len(result.Need) == 0 {
			return result, err
		}
		if round == integration.MaxActionRounds {
			return integration.ActionResult{}, integration.Errorf(integration.KindInternal, "the action %s still asks questions after %d rounds", req.Name, round)
		}
		req.Facts.Answers = append(req.Facts.Answers, e.answers(ctx, in, integration.IntegrationSessionKey, result.Need, req.Facts.Now)...)
	}
}
