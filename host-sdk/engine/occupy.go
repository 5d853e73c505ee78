package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// occupiesFree names the people whom an outcome newly occupies after the handler was told that they
// are free. Two sessions that decide at the same moment both hear that, and both would ring them.
// The commit sees to it that only one does.
func occupiesFree(old *store.Session, outcome integration.Outcome, answers []integration.Answer) []string {
	// A call that has ended, or stays as it is, occupies nobody anew.
	if outcome.Session == nil || !outcome.Session.Live {
		return nil
	}
	var fresh []string
	for _, user := range outcome.Session.Occupies {
		if (old == nil || !slices.Contains(old.Occupies, user)) && toldFree(answers, user) {
			fresh = append(fresh, user)
		}
	}
	return fresh
}

// toldFree reports whether an answer of this run said that a user is free.
func toldFree(answers []integration.Answer, user string) bool {
	for _, a := range answers {
		if a.User != nil && a.User.ID == user && a.User.OccupiedBy == "" {
			return true
		}
		if slices.ContainsFunc(a.OnCall, func(o integration.OnCallEntry) bool { return o.User.ID == user && o.User.OccupiedBy == "" }) {
			return true
		}
	}
	return false
}

// noteOccupied says of each user which other session of the integration occupies or wants them, and
// how. The latter is for people to read, and no more: if the session cannot be read it is left out.
func (e *Engine) noteOccupied(ctx context.Context, integrationID, key string, users ...*integration.User) error {
	if strings.HasPrefix(key, integration.RingSessionPrefix) {
		return e.noteOccupiedAnywhere(ctx, users...)
	}
	occupied, err := e.store.Occupied(ctx, integrationID, key)
	if err != nil {
		return err
	}
	known := map[string]store.Session{}
	for _, u := range users {
		u.OccupiedBy, u.OccupiedHow = occupied[u.ID], ""
		if u.OccupiedBy == "" {
			continue
		}
		s, ok := known[u.OccupiedBy]
		if !ok {
			if s, err = e.store.Session(ctx, integrationID, u.OccupiedBy); err != nil {
				continue
			}
			known[u.OccupiedBy] = s
		}
		u.OccupiedHow = occupiedHow(s, u.ID)
	}
	return nil
}

// occupiedHow is what a session does with a user whom it occupies or waits for.
func occupiedHow(s store.Session, user string) string {
	talks := func(l integration.LegView) bool { return l.User == user && l.State == integration.LegTalking }
	switch {
	case s.Call != nil && s.Call.Ended != "":
		return integration.OccupiedTelling
	case !slices.Contains(s.Occupies, user):
		return integration.OccupiedWaiting
	case s.Call != nil && slices.ContainsFunc(s.Call.Legs, talks):
		return integration.OccupiedTalking
	}
	return integration.OccupiedRinging
}

// maxAwaited bounds the sessions that one answer names.
const maxAwaited = 10

// awaitedBy names the other sessions that have something to tell a user after their calls. It is no
// answer that a call hangs on: if the store cannot say, there are none.
func (e *Engine) awaitedBy(ctx context.Context, integrationID, key, user string) []string {
	waiting, err := e.store.WaitingFor(ctx, integrationID, []string{user})
	if err != nil {
		e.log.Warn("cannot read which messages wait for somebody", "integration", integrationID, "user", user, "error", err)
	}
	var keys []string
	for _, k := range waiting {
		if k == key || len(keys) == maxAwaited {
			continue
		}
		if s, err := e.store.Session(ctx, integrationID, k); err == nil && s.Call != nil && s.Call.Ended != "" {
			keys = append(keys, k)
		}
	}
	return keys
}
