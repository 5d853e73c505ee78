package sqlstore_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/pairtest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/store/storetest"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// newPairs makes a database with two hosts on it.
func newPairs(t *testing.T) *pairtest.Pairs {
	t.Helper()
	url := postgres.Database(t)
	hosts := make([]*sqlstore.Store, 2)
	for i := range hosts {
		var err error
		if hosts[i], err = tryURL(url, secretKey); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = hosts[i].Close() })
	}
	p := pairtest.New(t, url)
	hosts[0].DB().AfterStatements(p.Stop)
	var at storetest.Start
	p.Begin = func() {
		var err error
		if at, err = storetest.Begin(t.Context(), hosts[1]); err != nil {
			t.Fatal(err)
		}
		p.Exec("delete from sessions where key = 'CA0'")
		if err := beginPeople(t.Context(), hosts[1]); err != nil {
			t.Fatal(err)
		}
	}
	p.Write = func(name string, second bool) error {
		if write := peopleWriters[name]; write != nil && second {
			return write(t.Context(), hosts[1], "two")
		} else if write != nil {
			return write(t.Context(), hosts[0], "one")
		}
		if second {
			return storetest.Writers[name](t.Context(), hosts[1], at, "two")
		}
		return storetest.Writers[name](t.Context(), hosts[0], at, "one")
	}
	p.Ended, p.Broken, p.Several = ended, broken, []string{"claim", "expire sessions", "expire records", "expire audit"}
	return p
}

// beginPeople makes what the writers of store.People change.
func beginPeople(ctx context.Context, s store.People) error {
	return errors.Join(
		s.BeginLogin(ctx, store.Login{ID: "known", Since: storetest.WritersTime, Ends: storetest.WritersTime.Add(time.Hour)}),
		s.AddOneTime(ctx, store.OneTime{ID: "once", Ends: storetest.WritersTime.Add(time.Hour)}),
		s.AddToken(ctx, store.Token{ID: "known", Hash: "known", Name: "known", MadeAt: storetest.WritersTime}),
		s.AddAudit(ctx, store.AuditLine{At: storetest.WritersTime, Who: "before"}),
	)
}

// peopleWriters are the ways to write into a store.People.
var peopleWriters = map[string]func(ctx context.Context, s store.People, by string) error{
	"log in": func(ctx context.Context, s store.People, by string) error {
		return s.BeginLogin(ctx, store.Login{ID: "login", Email: by, Since: storetest.WritersTime, Ends: storetest.WritersTime.Add(time.Hour)})
	},
	"log out": func(ctx context.Context, s store.People, _ string) error {
		return s.EndLogin(ctx, "known", store.LoggedOut, time.Now())
	},
	"use a login": func(ctx context.Context, s store.People, by string) error {
		return s.UseLogin(ctx, "known", storetest.WritersTime.Add(time.Duration(len(by))))
	},
	"use a one-time link": func(ctx context.Context, s store.People, _ string) error {
		_, ok, err := s.UseOneTime(ctx, "once", storetest.WritersTime)
		if err == nil && !ok {
			err = integration.Errorf(integration.KindConflict, "it is used")
		}
		return err
	},
	"make a token": func(ctx context.Context, s store.People, by string) error {
		return s.AddToken(ctx, store.Token{ID: by, Hash: by, Name: "token", MadeAt: storetest.WritersTime})
	},
	"revoke a token": func(ctx context.Context, s store.People, _ string) error {
		return s.RevokeToken(ctx, "known", storetest.WritersTime)
	},
	"audit": func(ctx context.Context, s store.People, by string) error {
		return s.AddAudit(ctx, store.AuditLine{At: storetest.WritersTime, Who: by})
	},
	"expire audit": func(ctx context.Context, s store.People, _ string) error {
		_, err := s.ExpireAudit(ctx, storetest.WritersTime.Add(time.Hour))
		return err
	},
}

// ended is the state after a trial.
var ended = []string{
	"select key, version, state, live, occupies from sessions order by integration, key",
	"select key, kind, lane, name, generation, due, phase, attempt, owner, lease, ready, head, body, result from outbox order by lane, id",
	"select name, revision, deleted_at > 0 from integrations order by id", "select revision from integration_options order by revision",
	"select code, message from findings order by code", "select key, live, caller from calls order by key",
	"select call, command, message from call_lines order by call, command", "select call, label, value from call_fields order by call, label",
	"select call, ref from call_recordings order by call, ref", "select recording, actor from call_heard order by recording, actor",
	"select call, actor from call_notes order by call, actor", "select * from paces", "select * from session_seen order by key",
	"select id, email, used_at from logins order by id", "select id, used_at from one_times", "select id, revoked_at from api_tokens order by id", "select who from audit order by who",
}

// broken are conditions that hold whatever has happened: each query counts what breaks one.
var broken = map[string]string{
	"a lane has not one head, its first item": `select count(*) from (select sum(head) heads, min(id) first, min(id) filter (where head = 1) head from outbox
		where lane <> '' and phase <> 'result' group by integration, key, lane) lanes where heads <> 1 or first <> head`,
	"an item without a lane is no head":     `select count(*) from outbox where (lane = '' or phase = 'result') and head <> 1`,
	"a lease has no owner":                  `select count(*) from outbox where owner = '' and lease <> 0`,
	"a person is occupied twice":            `select greatest(count(*) - 1, 0) from sessions where live = 1 and occupies like '%alice%'`,
	"a part of a record has no record":      `select count(*) from (select call from call_lines union all select call from call_fields union all select call from call_recordings union all select call from call_notes) parts where call not in (select id from calls)`,
	"two tokens have one name":              `select count(*) from (select name from api_tokens where revoked_at = 0 group by name having count(*) > 1) names`,
	"somebody has heard a dead recording":   `select count(*) from call_heard where recording not in (select id from call_recordings)`,
	"an item of a session that has expired": `select count(*) from outbox o where o.key = 'CA1' and o.lane in ('held', 'result') and not exists (select 1 from sessions s where s.key = o.key)`,
}

// TestEachPairOfWritersOnTwoConnections tries all pairs with LIVECALL_TEST_DATABASE=postgres,
// otherwise one of thirty.
func TestEachPairOfWritersOnTwoConnections(t *testing.T) {
	t.Parallel()
	names := slices.AppendSeq(slices.Collect(maps.Keys(storetest.Writers)), maps.Keys(peopleWriters))
	// Calls and people have no table in common.
	pairtest.All(t, names, func(one, two string) bool { return (peopleWriters[one] == nil) == (peopleWriters[two] == nil) }, newPairs)
}
