package sqlstore_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// keyed opens a database with some keys.
func keyed(t *testing.T, url string, keys ...seal.Key) *sqlstore.Store {
	t.Helper()
	db, err := sqldb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlstore.New(t.Context(), db, keys[0], clock.System(), keys[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newKey(t *testing.T) seal.Key {
	t.Helper()
	k, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A change that is interrupted after its first batch is made again, while a host goes on writing.
func TestAChangeOfTheKeyGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") },
		"PostgreSQL": func(t *testing.T) string { t.Helper(); return onServer.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after, at := newKey(t), newKey(t), url(t)
			s, host := keyed(t, at, before, after), keyed(t, at, before, after)
			const settings = 120
			for i := range settings {
				if err := s.SetSetting(t.Context(), "s"+strconv.Itoa(i), "value "+strconv.Itoa(i)); err != nil {
					t.Fatal(err)
				}
			}
			in := store.Integration{ID: "i1", Plugin: "p", Options: []byte(`{"a":1}`)}
			var err error
			for range 3 {
				if in.Revision, err = s.SaveIntegration(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			refused := errors.New("a host has not the key")
			if _, err := s.ChangeKey(t.Context(), after, func([]store.Host) error { return refused }, nil); !errors.Is(err, refused) {
				t.Fatalf("refused: %v", err)
			}
			if left, err := s.NotSealedWith(t.Context(), before); err != nil || len(left) > 0 {
				t.Fatalf("a refused change has sealed something: %v %v", left, err)
			}
			allow := func([]store.Host) error { return nil }
			ctx, cancel := context.WithCancel(t.Context())
			if _, err := s.ChangeKey(ctx, after, allow, func(sqlstore.KeyChange) { cancel() }); err == nil {
				t.Fatal("an interrupted change has no error")
			}
			if left, err := s.NotSealedWith(t.Context(), after); err != nil || len(left) == 0 || !strings.Contains(left[0], "is sealed with the key "+before.ID()) {
				t.Fatalf("after the interruption: %v %v", left, err)
			}
			var writing sync.WaitGroup
			writing.Go(func() {
				for i := range settings {
					if err := host.SetSetting(t.Context(), "s"+strconv.Itoa(i), "new "+strconv.Itoa(i)); err != nil {
						t.Error(err)
					}
				}
			})
			left, err := s.ChangeKey(t.Context(), after, allow, func(sqlstore.KeyChange) {})
			writing.Wait()
			if err != nil || len(left) > 0 {
				t.Fatalf("%v %v", left, err)
			}
			only := keyed(t, at, after)
			for i := range settings {
				if got, err := only.Setting(t.Context(), "s"+strconv.Itoa(i)); err != nil || got != "new "+strconv.Itoa(i) {
					t.Errorf("%q %v", got, err)
				}
			}
			if got, err := only.Integration(t.Context(), "i1"); err != nil || string(got.Options) != `{"a":1}` || len(got.TokenKey) != 32 {
				t.Errorf("%+v %v", got, err)
			}
			if options, _, err := only.IntegrationOptions(t.Context(), "i1", 1); err != nil || string(options) != `{"a":1}` {
				t.Errorf("an earlier revision: %s %v", options, err)
			}
		})
	}
}

// A value that does not open stays as it is and is named; the others are sealed anew.
func TestAChangeOfTheKeyNamesWhatDoesNotOpen(t *testing.T) {
	t.Parallel()
	before, after := newKey(t), newKey(t)
	s := keyed(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"), before, after)
	for _, name := range []string{"good", "bad", "other"} {
		if err := s.SetSetting(t.Context(), name, "x"); err != nil {
			t.Fatal(err)
		}
	}
	foreign := newKey(t)
	sealed, err := foreign.Seal(seal.Place{Table: "settings", ID: "other", Field: "value"}, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	err = s.DB().Write(t.Context(), func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(t.Context(), "update settings set value = substr(value, 1, 40) where name = 'bad'")
		if err == nil {
			_, err = tx.ExecContext(t.Context(), "update settings set value = $1 where name = 'other'", sealed)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // again: nothing more is lost
		left, err := s.ChangeKey(t.Context(), after, func([]store.Host) error { return nil }, func(sqlstore.KeyChange) {})
		if err != nil || len(left) != 2 || !strings.HasPrefix(left[0], "settings/bad/value is") || left[1] != "settings/other/value is sealed with the key "+foreign.ID() {
			t.Errorf("%q %v", left, err)
		}
	}
	if got, err := s.Setting(t.Context(), "good"); err != nil || got != "x" {
		t.Errorf("%q %v", got, err)
	}
}

// A host that has one key only finds out when the other one is in use.
func TestAKeyThatIsNotInUseIsRefused(t *testing.T) {
	t.Parallel()
	before, after := newKey(t), newKey(t)
	at := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	s, host := keyed(t, at, before, after), keyed(t, at, before)
	if k, err := host.KeyInUse(t.Context()); err != nil || k.ID() != before.ID() {
		t.Fatalf("%v %v", k, err)
	}
	if _, err := s.ChangeKey(t.Context(), after, func([]store.Host) error { return nil }, func(sqlstore.KeyChange) {}); err != nil {
		t.Fatal(err)
	}
	if k, err := s.KeyInUse(t.Context()); err != nil || k.ID() != after.ID() {
		t.Errorf("%v %v", k, err)
	}
	_, used := host.KeyInUse(t.Context())
	for _, err := range []error{used, host.SetSetting(t.Context(), "x", "y")} {
		if integration.KindOf(err) != integration.KindInvalid || !strings.Contains(err.Error(), seal.Setting) {
			t.Errorf("a host with the old key alone: %v", err)
		}
	}
}
