package engine_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// countingStore counts commits, can slip one in before another, and fails on demand.
type countingStore struct {
	store.Store
	mu      sync.Mutex
	commits int
	before  func()           // run once, before the next commit
	fail    map[string]error // by method
	reads   map[string]int   // by method, of those that can fail

	attempts map[string]int // of claimed items, by name
	expired  []int          // records that each transaction has removed

	alwaysConflict atomic.Bool // every commit finds that the session has moved
}

// failing makes a method fail with err from now on, or work again if err is nil.
func (s *countingStore) failing(method string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.fail = map[string]error{}
	}
	s.fail[method] = err
}

func (s *countingStore) read(method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reads == nil {
		s.reads = map[string]int{}
	}
	s.reads[method]++
	return s.fail[method]
}

// times is how often a method that can fail was called.
func (s *countingStore) times(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads[method]
}

// Database implements store.InDatabase.
func (s *countingStore) Database() any { return s.Store.(store.InDatabase).Database() }

func (s *countingStore) Ping(ctx context.Context) error {
	return errors.Join(s.read("Ping"), s.Store.Ping(ctx))
}

func (s *countingStore) ReleaseLeases(ctx context.Context, owner string) error {
	if err := s.read("ReleaseLeases"); err != nil {
		return err
	}
	return s.Store.ReleaseLeases(ctx, owner)
}

func (s *countingStore) Integration(ctx context.Context, id string) (store.Integration, error) {
	if err := s.read("Integration"); err != nil {
		return store.Integration{}, err
	}
	return s.Store.Integration(ctx, id)
}

func (s *countingStore) KeptIntegration(ctx context.Context, id string) (store.Integration, error) {
	if err := s.read("Integration"); err != nil {
		return store.Integration{}, err
	}
	return s.Store.KeptIntegration(ctx, id)
}

func (s *countingStore) IntegrationOptions(ctx context.Context, id string, revision int64) ([]byte, int, error) {
	if err := s.read("IntegrationOptions"); err != nil {
		return nil, 0, err
	}
	return s.Store.IntegrationOptions(ctx, id, revision)
}

func (s *countingStore) ListIntegrations(ctx context.Context) ([]store.Integration, error) {
	if err := s.read("ListIntegrations"); err != nil {
		return nil, err
	}
	return s.Store.ListIntegrations(ctx)
}

func (s *countingStore) Findings(ctx context.Context, id string) ([]integration.Finding, error) {
	if err := s.read("Findings"); err != nil {
		return nil, err
	}
	return s.Store.Findings(ctx, id)
}

func (s *countingStore) SaveFindings(ctx context.Context, id string, list []integration.Finding) error {
	if err := s.read("SaveFindings"); err != nil {
		return err
	}
	return s.Store.SaveFindings(ctx, id, list)
}

func (s *countingStore) SetSetting(ctx context.Context, name, value string) error {
	if err := s.read("SetSetting"); err != nil {
		return err
	}
	return s.Store.SetSetting(ctx, name, value)
}

func (s *countingStore) MediumInfo(ctx context.Context, ref string) (store.Medium, error) {
	if err := s.read("MediumInfo"); err != nil {
		return store.Medium{}, err
	}
	return s.Store.MediumInfo(ctx, ref)
}

func (s *countingStore) ListCalls(ctx context.Context, f store.CallFilter) ([]store.Call, string, error) {
	if err := s.read("ListCalls"); err != nil {
		return nil, "", err
	}
	return s.Store.ListCalls(ctx, f)
}

func (s *countingStore) Session(ctx context.Context, integrationID, key string) (store.Session, error) {
	if err := s.read("Session"); err != nil {
		return store.Session{}, err
	}
	return s.Store.Session(ctx, integrationID, key)
}

func (s *countingStore) SessionUnchanged(ctx context.Context, integrationID, key string, version int64) (time.Time, bool, error) {
	if err := s.read("SessionUnchanged"); err != nil {
		return time.Time{}, false, err
	}
	return s.Store.SessionUnchanged(ctx, integrationID, key, version)
}

func (s *countingStore) StoreSeen(ctx context.Context, list []store.Seen) error {
	if err := s.read("StoreSeen"); err != nil {
		return err
	}
	return s.Store.StoreSeen(ctx, list)
}

func (s *countingStore) SessionByAlert(ctx context.Context, integrationID, alertKey string) (store.Session, error) {
	if err := s.read("SessionByAlert"); err != nil {
		return store.Session{}, err
	}
	return s.Store.SessionByAlert(ctx, integrationID, alertKey)
}

func (s *countingStore) AddItem(ctx context.Context, it store.Item) error {
	if err := s.read("AddItem"); err != nil {
		return err
	}
	return s.Store.AddItem(ctx, it)
}

func (s *countingStore) Claim(ctx context.Context, c store.Claim) ([]store.Item, time.Time, error) {
	if err := s.read("Claim"); err != nil {
		return nil, time.Time{}, err
	}
	items, next, err := s.Store.Claim(ctx, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range items {
		if s.attempts == nil {
			s.attempts = map[string]int{}
		}
		s.attempts[it.Name] = it.Attempt
	}
	return items, next, err
}

// attempt is how often the item of a name was claimed.
func (s *countingStore) attempt(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts[name]
}

func (s *countingStore) DeleteExpired(ctx context.Context, now time.Time) (int, error) {
	if err := s.read("DeleteExpired"); err != nil {
		return 0, err
	}
	return s.Store.DeleteExpired(ctx, now)
}

func (s *countingStore) Occupied(ctx context.Context, integrationID, exceptKey string) (map[string]string, error) {
	if err := s.read("Occupied"); err != nil {
		return nil, err
	}
	return s.Store.Occupied(ctx, integrationID, exceptKey)
}

func (s *countingStore) PutMedium(ctx context.Context, m store.Medium) (store.Medium, error) {
	if err := s.read("PutMedium"); err != nil {
		return m, err
	}
	return s.Store.PutMedium(ctx, m)
}

func (s *countingStore) Commit(ctx context.Context, c store.Commit) (int64, error) {
	s.mu.Lock()
	s.commits++
	before := s.before
	s.before = nil
	s.mu.Unlock()
	if before != nil {
		before()
		// It has begun: it is written even if nobody waits any more.
		ctx = context.WithoutCancel(ctx)
	}
	if s.alwaysConflict.Load() {
		return 0, integration.Errorf(integration.KindConflict, "moved")
	}
	return s.Store.Commit(ctx, c)
}

func (s *countingStore) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commits
}
