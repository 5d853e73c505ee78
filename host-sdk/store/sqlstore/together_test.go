package sqlstore_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

// What a platform writes together with a session is written with it or not at all, and nothing of
// either is written where the platform's row has changed or its lane holds something.
func TestWhatIsWrittenTogetherIsWholeOrNot(t *testing.T) {
	t.Parallel()
	together(t, open(t, filepath.Join(t.TempDir(), "store.db")))
}

// TestWhatIsWrittenTogetherIsWholeOrNotOnAServer is the same on PostgreSQL, with functions that run
// twice.
func TestWhatIsWrittenTogetherIsWholeOrNotOnAServer(t *testing.T) {
	t.Parallel()
	s, err := tryURL(onServer.Database(t), secretKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.DB().Twice()
	together(t, s)
}

func together(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	db := s.Database().(*sqldb.DB)
	if err := s.SetSetting(t.Context(), "theirs", "before"); err != nil {
		t.Fatal(err)
	}
	// change is a platform's: the row of its change must still be as it was, the other may be.
	change := func(lane, name string) *store.Together {
		return &store.Together{Lane: lane, Statements: []platform.Statement{
			{Text: "update settings set value = value where name = $1", Args: []any{name}, Must: true},
			{Text: "delete from settings where name = $1", Args: []any{"nothing"}},
			{Text: "insert into meta (name, value) values ($1, 'written')", Args: []any{"together/" + lane + "/" + name}},
		}}
	}
	commit := func(key string, version int64, with *store.Together) error {
		_, err := s.Commit(t.Context(), store.Commit{
			Integration: "int_1", Key: key, Version: version, Session: &store.Session{}, Together: with,
			Items: []store.Item{{Kind: store.ItemCommand, Lane: "busy", Phase: store.PhaseWaiting}},
		})
		return err
	}
	written := func(lane, name string) (there bool) {
		t.Helper()
		err := db.Read().QueryRowContext(t.Context(), "select exists (select 1 from meta where name = $1)", "together/"+lane+"/"+name).Scan(&there)
		if err != nil {
			t.Fatal(err)
		}
		return there
	}
	if err := commit("CA1", 0, change("free", "theirs")); err != nil || !written("free", "theirs") {
		t.Fatalf("a change of a row that is as it was: %v, written: %v", err, written("free", "theirs"))
	}
	for what, c := range map[string]struct {
		version    int64
		lane, name string
		code       string
	}{
		"the platform's row has changed": {1, "free", "changed", store.CodeApart},
		"its lane holds something":       {1, "busy", "theirs", store.CodeApart},
		"the session has moved":          {0, "moved", "theirs", store.CodeSessionMoved},
	} {
		var e *integration.Error
		if err := commit("CA1", c.version, change(c.lane, c.name)); !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("%s: %v, want the code %s", what, err, c.code)
		}
		if sess, err := s.Session(t.Context(), "int_1", "CA1"); err != nil || sess.Version != 1 || written(c.lane, c.name) {
			t.Errorf("%s: the session has version %d (%v), the platform's row is written: %v", what, sess.Version, err, written(c.lane, c.name))
		}
	}
}
