package sqlstore

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/filetest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/plantest"
)

var ctx = context.Background()

// templateInside has our tables.
var templateInside = filetest.New(Migrate)

func openInside(t testing.TB) (*Store, *clock.Manual) {
	t.Helper()
	db := templateInside.Open(t, filepath.Join(t.TempDir(), "store.db"))
	key, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.NewManual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	s, err := New(ctx, db, key, clk)
	if err != nil {
		t.Fatal(err)
	}
	return s, clk
}

// TestHotQueriesUseAnIndex guards what makes an idle claim and one session cheap.
func TestHotQueriesUseAnIndex(t *testing.T) {
	t.Parallel()
	s, _ := openInside(t)
	for query, index := range map[string]string{
		"delete from outbox where integration = $1 and key = $2":            "outbox_",
		selectSession + whereSession:                                        "sqlite_autoindex_sessions_1",
		selectSession + whereAlert:                                          "sessions_alert",
		selectSession + whereKey:                                            "sessions_key",
		selectSession + "1 = 1 order by created_at desc, key desc limit $1": "sessions_created",
		selectSession + "1 = 1 and integration = $2 and view <> '' order by created_at desc, key desc limit $1":     "sessions_created_in",
		selectSession + "1 = 1 and integration || '' = $2 and live = 1 order by created_at desc, key desc limit $1": "sessions_live",
		selectSession + "1 = 1 and caller <> '' and caller = $2 order by created_at desc, key desc limit $1":        "sessions_caller_any",
		selectSession + "1 = 1 and live = 1 order by created_at desc, key desc limit $1":                            "sessions_live",
		selectOccupied: "sessions_occupied",
		selectWaiting:  "sessions_waiting",
		selectSession + "1 = 1 and integration = $2 and caller <> '' and caller = $3 and created_at >= $4 order by created_at desc, key desc limit $1": "sessions_caller",
		"select integration, key from sessions where expires_at <= $1 order by expires_at limit $2":                                                    "sessions_expiry",
		"select 1 from sessions s where s.integration = $1 and s.revision = $2":                                                                        "sessions_pins",
		"select ref from media where token = $1 and public = 1":                                                                                        "sqlite_autoindex_media",
	} {
		plan := plantest.Plan(t, s.db, query)
		if text := strings.Join(plan, "; "); !strings.Contains(text, "INDEX "+index) {
			t.Errorf("%s\n is done by: %s\n want index %s", query, text, index)
		}
	}
}

func TestASealedValueMovedElsewhereIsNoticed(t *testing.T) {
	t.Parallel()
	s, _ := openInside(t)
	for _, id := range []string{"a", "b"} {
		if _, err := s.SaveIntegration(ctx, store.Integration{ID: id, Options: []byte(`{"of":"` + id + `"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "update integration_options set options = (select options from integration_options where integration = 'a') where integration = 'b'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if in, err := s.Integration(ctx, "b"); integration.KindOf(err) != integration.KindInternal {
		t.Errorf("b has a's options: %s (%v)", in.Options, err)
	}
	if _, err := s.Integration(ctx, "a"); err != nil {
		t.Error(err)
	}
}

// TestOptionsGoWhenNobodyNeedsThem looks at what the suite leaves open: when superseded options and
// deleted instances really go.
func TestOptionsGoWhenNobodyNeedsThem(t *testing.T) {
	t.Parallel()
	s, clk := openInside(t)
	save := func(revision int64) {
		t.Helper()
		if _, err := s.SaveIntegration(ctx, store.Integration{ID: "a", Revision: revision, Options: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	expire := func() {
		t.Helper()
		if _, err := s.DeleteExpired(ctx, clk.Now()); err != nil {
			t.Fatal(err)
		}
	}
	rows := func(want string) {
		t.Helper()
		var got string
		err := s.read.QueryRowContext(ctx, `select (select count(*) from integrations) || ' ' || coalesce(
			(select group_concat(revision, ',') from (select revision from integration_options order by revision)), '')`).Scan(&got)
		if err != nil || got != want {
			t.Errorf("integrations and revisions kept: %q, want %q (%v)", got, want, err)
		}
	}
	save(0)
	if _, err := s.Commit(ctx, store.Commit{Integration: "a", Key: "CA1", Now: clk.Now(), Session: &store.Session{Revision: 1, ExpiresAt: clk.Now().Add(72 * time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	clk.Advance(time.Hour)
	save(1)
	save(2)
	clk.Advance(time.Hour)
	save(3)
	clk.Advance(23 * time.Hour)
	expire() // 3 was superseded less than a day ago
	rows("1 1,3,4")
	clk.Advance(2 * time.Hour)
	expire()
	rows("1 1,4")
	if err := s.DeleteIntegration(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	clk.Advance(26 * time.Hour)
	// No call runs, and nothing waits to be done: the secrets go, whatever sessions are kept.
	expire()
	rows("0 ")
}

func TestDamagedRowsAreErrorsNotCrashes(t *testing.T) {
	t.Parallel()
	s, clk := openInside(t)
	if _, err := s.Commit(ctx, store.Commit{Integration: "a", Key: "CA1", Now: clk.Now(), Session: &store.Session{Live: true, Occupies: []string{"x"}, WaitsFor: []string{"y"}, Call: &integration.CallView{}}}); err != nil {
		t.Fatal(err)
	}
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "update sessions set view = '{', occupies = '{', waits_for = '{'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveIntegration(ctx, store.Integration{ID: "a", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	for column, damage := range map[string]string{"destinations": "{", "secret_fields": "{", "fallback": "{", "token_key": "x"} {
		err := s.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "update integrations set "+column+" = $1", []byte(damage))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err1 := s.Integration(ctx, "a")
		_, err2 := s.ListIntegrations(ctx)
		for _, err := range []error{err1, err2} {
			if integration.KindOf(err) != integration.KindInternal {
				t.Errorf("an integration with damaged %s: %v", column, err)
			}
		}
		err = s.db.Write(ctx, func(tx sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "delete from integrations")
			if err == nil {
				_, err = tx.ExecContext(ctx, "delete from integration_options")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SaveIntegration(ctx, store.Integration{ID: "a", Options: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	_, err1 := s.Session(ctx, "a", "CA1")
	_, err2 := s.ListSessions(ctx, store.SessionFilter{})
	_, err3 := s.Occupied(ctx, "a", "")
	_, err4 := s.WaitingFor(ctx, "a", []string{"y"})
	for _, err := range []error{err1, err2, err3, err4} {
		if integration.KindOf(err) != integration.KindInternal || !strings.Contains(err.Error(), "CA1") {
			t.Errorf("a damaged session: %v", err)
		}
	}
}

// everyMethod calls each method of the store that reads or writes.
func everyMethod(ctx context.Context, s *Store) map[string]error {
	errs := map[string]error{}
	_, errs["ListIntegrations"] = s.ListIntegrations(ctx)
	_, errs["Integration"] = s.Integration(ctx, "a")
	_, _, errs["IntegrationOptions"] = s.IntegrationOptions(ctx, "a", 1)
	_, errs["SaveIntegration"] = s.SaveIntegration(ctx, store.Integration{ID: "b", Options: []byte("{}")})
	errs["DeleteIntegration"] = s.DeleteIntegration(ctx, "a")
	_, errs["Findings"] = s.Findings(ctx, "a")
	errs["SaveFindings"] = s.SaveFindings(ctx, "a", []integration.Finding{{Code: "x"}})
	_, errs["Session"] = s.Session(ctx, "a", "CA1")
	_, errs["SessionByAlert"] = s.SessionByAlert(ctx, "a", "alert")
	_, errs["SessionsByKey"] = s.SessionsByKey(ctx, "CA1")
	_, errs["ListSessions"] = s.ListSessions(ctx, store.SessionFilter{})
	_, errs["KeptIntegration"] = s.KeptIntegration(ctx, "a")
	_, errs["WaitingFor"] = s.WaitingFor(ctx, "a", []string{"x"})
	errs["SetSetting"] = s.SetSetting(ctx, "x", "z")
	_, errs["Occupied"] = s.Occupied(ctx, "a", "")
	_, errs["Commit"] = s.Commit(ctx, store.Commit{Integration: "a", Key: "CA2", Session: &store.Session{}})
	_, errs["DeleteExpired"] = s.DeleteExpired(ctx, time.Now())
	_, _, errs["Claim"] = s.Claim(ctx, store.Claim{Owner: "me", Now: time.Now(), Lease: time.Minute})
	errs["RetryItem"] = s.RetryItem(ctx, store.Item{ID: 1, Owner: "me"}, time.Now())
	errs["FinishItem"] = s.FinishItem(ctx, store.Item{ID: 1, Owner: "me"}, nil)
	errs["DeleteItem"] = s.DeleteItem(ctx, store.Item{ID: 1, Owner: "me"})
	errs["AddItem"] = s.AddItem(ctx, store.Item{Integration: "a", Kind: store.ItemMail})
	errs["ReleaseLeases"] = s.ReleaseLeases(ctx, "")
	_, errs["CountCalls"] = s.CountCalls(ctx, store.CountFilter{})
	_, _, errs["OutboxStats"] = s.OutboxStats(ctx)
	_, errs["PutMedium"] = s.PutMedium(ctx, store.Medium{Data: []byte("x")})
	_, errs["Medium"] = s.Medium(ctx, "media:x")
	_, errs["MediumInfo"] = s.MediumInfo(ctx, "media:x")
	_, errs["MediumByToken"] = s.MediumByToken(ctx, "x")
	_, errs["Setting"] = s.Setting(ctx, "x")
	_, errs["InitSetting"] = s.InitSetting(ctx, "x", "y")
	errs["Ping"] = s.Ping(ctx)
	return errs
}

// A closed store and an ended context are errors of every method, of the documented kind, and never
// an empty answer.
func TestEveryMethodSaysThatItCannot(t *testing.T) {
	t.Parallel()
	s, _ := openInside(t)
	// For Claim to write.
	if err := s.AddItem(ctx, store.Item{Integration: "a", Kind: store.ItemMail}); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for name, err := range everyMethod(ended, s) {
		if integration.KindOf(err) != integration.KindDeadline {
			t.Errorf("%s under an ended context: %v", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range everyMethod(ctx, s) {
		if integration.KindOf(err) != integration.KindUnavailable {
			t.Errorf("%s of a closed store: %v", name, err)
		}
	}
}

func TestClosedAndCancelled(t *testing.T) {
	t.Parallel()
	s, clk := openInside(t)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err := s.Commit(ended, store.Commit{Integration: "a", Key: "CA1", Now: clk.Now(), Session: &store.Session{}})
	if integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("commit under an ended context: %v", err)
	}
	if _, err := s.Session(ended, "a", "CA1"); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("read under an ended context: %v", err)
	}
	if _, err := s.Session(ctx, "a", "CA1"); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("it was committed all the same: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(ctx); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("ping after close: %v", err)
	}
	if _, err := s.Session(ctx, "a", "CA1"); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("read after close: %v", err)
	}
}

func TestStoredBytesAreExact(t *testing.T) {
	t.Parallel()
	s, clk := openInside(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if _, err := s.Commit(ctx, store.Commit{Integration: "a", Key: "CA1", Now: clk.Now(), Session: &store.Session{Session: integration.Session{State: all}}}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Session(ctx, "a", "CA1"); err != nil || !bytes.Equal(got.State, all) {
		t.Errorf("state came back as %x (%v)", got.State, err)
	}
}

// However many people read pages, and however long that takes, the reads of calls find a
// connection.
func TestPagesLeaveTheConnectionsOfCallsAlone(t *testing.T) {
	t.Parallel()
	s, _ := openInside(t)
	pages := s.ForPages()
	reading, stop := context.WithCancel(ctx)
	var people sync.WaitGroup
	first := make(chan struct{}, 64)
	for range cap(first) {
		people.Go(func() {
			_ = s.db.Pages().View(reading, func(sqldb.Queryer) error {
				first <- struct{}{}
				<-reading.Done()
				return nil
			})
		})
	}
	<-first
	if _, err := s.Session(ctx, "a", "CA1"); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("the read of a call: %v", err)
	}
	beside := func() error {
		soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := pages.Session(soon, "a", "CA1")
		return err
	}
	// As long as not all of the others have begun it may find a connection.
	for end := time.Now().Add(time.Minute); integration.KindOf(beside()) != integration.KindDeadline; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("a page beside all the others: %v", beside())
		}
	}
	stop()
	people.Wait()
	if _, err := pages.Session(ctx, "a", "CA1"); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("a page afterwards: %v", err)
	}
}
