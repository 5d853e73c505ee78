package answers

import (
	"context"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// noteOccupied says of each user which other session of the integration occupies or wants them, and
// how. The latter is for people to read, and no more: if the session cannot be read it is left out.
func (a *Answers) noteOccupied(ctx context.Context, integrationID, key string, users ...*integration.User) error {
	if strings.HasPrefix(key, integration.RingSessionPrefix) {
		return a.noteOccupiedAnywhere(ctx, users...)
	}
	occupied, err := a.cfg.Store.Occupied(ctx, integrationID, key)
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
			if s, err = a.cfg.Store.Session(ctx, integrationID, u.OccupiedBy); err != nil {
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
func (a *Answers) awaitedBy(ctx context.Context, integrationID, key, user string) []string {
	waiting, err := a.cfg.Store.WaitingFor(ctx, integrationID, []string{user})
	if err != nil {
		a.cfg.Log.Warn("cannot read which messages wait for somebody", "integration", integrationID, "user", user, "error", err)
	}
	var keys []string
	for _, k := range waiting {
		if k == key || len(keys) == maxAwaited {
			continue
		}
		if s, err := a.cfg.Store.Session(ctx, integrationID, k); err == nil && s.Call != nil && s.Call.Ended != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

// noteOccupiedAnywhere is noteOccupied for a test ring: a call of any integration comes before a
// test. How it has the person is left out, as a test asks nobody to wait.
func (a *Answers) noteOccupiedAnywhere(ctx context.Context, users ...*integration.User) error {
	all, err := a.cfg.Store.ListIntegrations(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		u.OccupiedBy, u.OccupiedHow = "", ""
	}
	for _, in := range all {
		occupied, err := a.cfg.Store.Occupied(ctx, in.ID, "")
		if err != nil {
			return err
		}
		for _, u := range users {
			if by := occupied[u.ID]; by != "" {
				u.OccupiedBy = by
			}
		}
	}
	return nil
}
