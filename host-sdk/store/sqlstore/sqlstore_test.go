package sqlstore_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/store/storetest"
)

var secretKey = strings.Repeat("0123456789abcdef", 4)

func open(t testing.TB, path string) *sqlstore.Store {
	t.Helper()
	s, err := tryOpen(path, secretKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func tryOpen(path, secret string) (*sqlstore.Store, error) {
	key, err := seal.ParseKey(secret)
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	s, err := sqlstore.New(context.Background(), db, key, clock.System())
	if err != nil {
		_ = db.Close()
	}
	return s, err
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Test(t, func(t *testing.T) (store.Store, func() store.Store) {
		path := filepath.Join(t.TempDir(), "store.db")
		s := open(t, path)
		return s, func() store.Store {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			s = open(t, path)
			return s
		}
	})
}
