package patient

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Store wraps a store: the methods that the engine uses. The others are those of the wrapped
// store, without patience.
type Store struct {
	store.Store
	patience *Patience
}

// Store wraps a store.
func (p *Patience) Store(of store.Store) Store { return Store{of, p} }

func (x Store) Session(ctx context.Context, id, key string) (store.Session, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Session, error) { return x.Store.Session(ctx, id, key) })
}

func (x Store) SessionByAlert(ctx context.Context, id, alertKey string) (store.Session, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Session, error) { return x.Store.SessionByAlert(ctx, id, alertKey) })
}

func (x Store) SessionsByKey(ctx context.Context, key string) ([]store.Session, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Session, error) { return x.Store.SessionsByKey(ctx, key) })
}

func (x Store) ListSessions(ctx context.Context, filter store.SessionFilter) ([]store.Session, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Session, error) { return x.Store.ListSessions(ctx, filter) })
}

func (x Store) Occupied(ctx context.Context, id, exceptKey string) (map[string]string, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (map[string]string, error) { return x.Store.Occupied(ctx, id, exceptKey) })
}

func (x Store) WaitingFor(ctx context.Context, id string, users []string) ([]string, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]string, error) { return x.Store.WaitingFor(ctx, id, users) })
}

func (x Store) Commit(ctx context.Context, c store.Commit) (int64, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int64, error) { return x.Store.Commit(ctx, c) })
}

func (x Store) StoreSeen(ctx context.Context, list []store.Seen) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.StoreSeen(ctx, list) })
}

func (x Store) SilentSessions(ctx context.Context, from, to time.Time, limit int) ([]store.Seen, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Seen, error) {
		return x.Store.SilentSessions(ctx, from, to, limit)
	})
}

func (x Store) SessionUnchanged(ctx context.Context, id, key string, version int64) (time.Time, bool, error) {
	return within2(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (time.Time, bool, error) {
		return x.Store.SessionUnchanged(ctx, id, key, version)
	})
}

func (x Store) ListCalls(ctx context.Context, filter store.CallFilter) ([]store.Call, string, error) {
	return within2(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Call, string, error) { return x.Store.ListCalls(ctx, filter) })
}

func (x Store) LookAtOld(ctx context.Context, q store.OldCalls) ([]store.Call, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Call, error) { return x.Store.LookAtOld(ctx, q) })
}

func (x Store) ExpireCalls(ctx context.Context, calls []store.CallRef, before time.Time, d store.Deletion) (int, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int, error) { return x.Store.ExpireCalls(ctx, calls, before, d) })
}

func (x Store) ExpireRecordings(ctx context.Context, calls []store.CallRef, before time.Time, d store.Deletion, line store.StoryLine) (int, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int, error) {
		return x.Store.ExpireRecordings(ctx, calls, before, d, line)
	})
}

func (x Store) UnheardRecordings(ctx context.Context, ended time.Time) ([]store.Unheard, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Unheard, error) { return x.Store.UnheardRecordings(ctx, ended) })
}

func (x Store) ClaimErasures(ctx context.Context, owner string, now time.Time, lease time.Duration, limit int) ([]store.Erasure, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Erasure, error) {
		return x.Store.ClaimErasures(ctx, owner, now, lease, limit)
	})
}

func (x Store) FinishErasure(ctx context.Context, done store.Erasure, line store.StoryLine) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.FinishErasure(ctx, done, line) })
}

func (x Store) FailErasure(ctx context.Context, failed store.Erasure, due time.Time, reason string, givenUp bool) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.FailErasure(ctx, failed, due, reason, givenUp) })
}

func (x Store) ListErasures(ctx context.Context, integrationID string, limit int) ([]store.Erasure, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Erasure, error) {
		return x.Store.ListErasures(ctx, integrationID, limit)
	})
}

func (x Store) ExpireErasures(ctx context.Context, before time.Time) (int, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int, error) { return x.Store.ExpireErasures(ctx, before) })
}

func (x Store) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int, error) { return x.Store.DeleteExpired(ctx, now) })
}

func (x Store) ListIntegrations(ctx context.Context) ([]store.Integration, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Integration, error) { return x.Store.ListIntegrations(ctx) })
}

func (x Store) Integration(ctx context.Context, id string) (store.Integration, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Integration, error) { return x.Store.Integration(ctx, id) })
}

func (x Store) KeptIntegration(ctx context.Context, id string) (store.Integration, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Integration, error) { return x.Store.KeptIntegration(ctx, id) })
}

func (x Store) IntegrationOptions(ctx context.Context, id string, revision int64) ([]byte, int, error) {
	return within2(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]byte, int, error) { return x.Store.IntegrationOptions(ctx, id, revision) })
}

func (x Store) SaveIntegration(ctx context.Context, in store.Integration) (int64, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (int64, error) { return x.Store.SaveIntegration(ctx, in) })
}

func (x Store) DeleteIntegration(ctx context.Context, id string) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.DeleteIntegration(ctx, id) })
}

func (x Store) Findings(ctx context.Context, id string) ([]integration.Finding, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]integration.Finding, error) { return x.Store.Findings(ctx, id) })
}

func (x Store) SaveFindings(ctx context.Context, id string, findings []integration.Finding) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.SaveFindings(ctx, id, findings) })
}

func (x Store) PutMedium(ctx context.Context, m store.Medium) (store.Medium, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Medium, error) { return x.Store.PutMedium(ctx, m) })
}

func (x Store) Medium(ctx context.Context, ref string) (store.Medium, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Medium, error) { return x.Store.Medium(ctx, ref) })
}

func (x Store) MediumInfo(ctx context.Context, ref string) (store.Medium, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) (store.Medium, error) { return x.Store.MediumInfo(ctx, ref) })
}

func (x Store) Claim(ctx context.Context, c store.Claim) ([]store.Item, time.Time, error) {
	return within2(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Item, time.Time, error) { return x.Store.Claim(ctx, c) })
}

func (x Store) ClaimLane(ctx context.Context, it store.Item, now time.Time, limit int) ([]store.Item, error) {
	return within(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) ([]store.Item, error) { return x.Store.ClaimLane(ctx, it, now, limit) })
}

func (x Store) StartItem(ctx context.Context, it store.Item) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.StartItem(ctx, it) })
}

func (x Store) RetryItem(ctx context.Context, it store.Item, due time.Time) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.RetryItem(ctx, it, due) })
}

func (x Store) FinishItem(ctx context.Context, it store.Item, result []byte) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.FinishItem(ctx, it, result) })
}

func (x Store) DeleteItem(ctx context.Context, it store.Item) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.DeleteItem(ctx, it) })
}

func (x Store) AddItem(ctx context.Context, it store.Item) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.AddItem(ctx, it) })
}

func (x Store) ReleaseLeases(ctx context.Context, owner string) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.ReleaseLeases(ctx, owner) })
}

func (x Store) Ping(ctx context.Context) error {
	return do(ctx, x.patience, callee{name: "store"}, func(ctx context.Context) error { return x.Store.Ping(ctx) })
}
