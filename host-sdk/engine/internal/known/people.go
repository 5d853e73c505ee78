package known

import (
	"context"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// How old an answer may be that stands for one that the platform cannot give now. Shifts change, so
// who is on call is soon unknown: a call then goes on holding and asks again.
const (
	onCallCopy = 10 * time.Minute
	userCopy   = 24 * time.Hour
	copySpread = time.Minute // a question about a time this close to now is one about now
)

// onCallKey names a question of who is on call now.
type onCallKey struct {
	integration, team string
	layer             int
}

// userKey names a user as an integration sees them.
type userKey struct{ integration, user string }

// OnCall asks who is on call. asOf is set if the answer is a copy: it was given then.
func (k *Known) OnCall(ctx context.Context, id string, q integration.Question, at time.Time, copies bool) (list []integration.OnCallEntry, asOf time.Time, err error) {
	// Whose shift it is goes by the clock on the wall, also after that was set back.
	list, err = k.platform.OnCall(ctx, k.Scope(id), q.Team, q.Layer, clock.OnWall(k.clock, at))
	now, key := k.clock.Now(), onCallKey{id, q.Team, q.Layer}
	current := now.Sub(at).Abs() < copySpread
	if err == nil {
		list = cleanOnCall(list)
		for _, entry := range list {
			k.users.Put(userKey{id, entry.User.ID}, entry.User, now)
		}
		if current {
			k.onCall.Put(key, slices.Clone(list), now)
		}
		return list, asOf, nil
	}
	last, ok := k.onCall.Get(key)
	if !copies || !ok || !current || now.Sub(last.At) > onCallCopy || integration.KindOf(err).Final() {
		return nil, asOf, err
	}
	k.log.Warn("cannot read who is on call; using what the platform said last", "integration", id, "team", q.Team, "said", last.At, "error", err)
	return slices.Clone(last.Value), last.At, nil
}

// User asks for a user. asOf is set if the answer is a copy: it was given then.
func (k *Known) User(ctx context.Context, id, user string, copies bool) (u integration.User, asOf time.Time, err error) {
	u, err = k.platform.User(ctx, k.Scope(id), user)
	now, key := k.clock.Now(), userKey{id, user}
	if err == nil {
		u.Name = cleanName(u.Name, u.ID)
		k.users.Put(key, u, now)
		return u, asOf, nil
	}
	last, ok := k.users.Get(key)
	if !copies || !ok || now.Sub(last.At) > userCopy || integration.KindOf(err).Final() {
		return u, asOf, err
	}
	k.log.Warn("cannot read user; using what the platform said last", "integration", id, "user", user, "said", last.At, "error", err)
	return last.Value, last.At, nil
}

// copiesEvery leaves a copy of who is on call most of its ten minutes, whenever the platform fails.
const copiesEvery = 3 * time.Minute

// KeepCopies reads who is on call before a call needs it. Where the platform pages people itself,
// calls rarely ask: without this there would be no copy on the day when the platform fails.
func (k *Known) KeepCopies(ctx context.Context) error {
	for {
		list, err := k.store.ListIntegrations(ctx)
		if err != nil && ctx.Err() == nil {
			k.log.Warn("cannot list integrations to read who is on call, will retry", "error", err)
		}
		for _, in := range list {
			if in.Enabled && !k.readCopies(ctx, in) {
				break // the platform fails: the next integration would wait for it as well
			}
		}
		if err := clock.Sleep(ctx, k.clock, copiesEvery); err != nil {
			return err
		}
	}
}

// readCopies reads the names of an integration's destinations, and who is on call for its teams. It
// reports whether the platform answers.
func (k *Known) readCopies(ctx context.Context, in store.Integration) bool {
	for _, d := range k.Destinations(ctx, in, true) {
		if d.Kind != integration.DestinationTeam || d.Missing {
			continue
		}
		asking, cancel := context.WithTimeout(ctx, PlatformTimeout)
		_, _, err := k.OnCall(asking, in.ID, integration.Question{Team: d.ID}, k.clock.Now(), false)
		cancel()
		if err != nil && !integration.KindOf(err).Final() {
			return false
		}
	}
	return true
}
