package sqlstore_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// In what follows two hosts write at the same time: one stands still after each of its statements until the
// other has done all of its own, or waits for the first. Then both go on. What comes out must be what
// would have come out if one had written after the other.

// pairTime is when everything happens.
var pairTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// pairStart are the items that each trial begins with and that the host "one" has claimed: the head of a
// lane, a task, and one whose result waits for its handler.
type pairStart struct{ head, task, result store.Item }

// writers are the ways to write into a store, but for ReleaseLeases, which only a process that is alone
// may use. by tells two of the same apart.
var writers = map[string]func(ctx context.Context, s *sqlstore.Store, at pairStart, by string) error{
	"commit": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: pairTime, Session: &store.Session{Session: integration.Session{State: []byte(by)}, Live: true},
			Items: []store.Item{inLane("commit " + by), {Kind: store.ItemTask, Lane: "task/t", Name: "t", Generation: 2, Due: pairTime}}})
		return err
	},
	"commit of a result": func(ctx context.Context, s *sqlstore.Store, at pairStart, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: pairTime, Done: at.result.ID, Items: []store.Item{inLane("consumed " + by)},
			Session: &store.Session{Session: integration.Session{State: []byte(by)}, Live: true}})
		return err
	},
	"commit of items": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: pairTime, Items: []store.Item{inLane("items " + by)}})
		return err
	},
	"cancel": func(ctx context.Context, s *sqlstore.Store, _ pairStart, _ string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: pairTime, Items: []store.Item{{Kind: store.ItemTask, Name: "t", Generation: 5, Cancel: true}}})
		return err
	},
	"release": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: pairTime, Release: "held", Session: &store.Session{Session: integration.Session{State: []byte(by)}, Live: true}})
		return err
	},
	"drop": func(ctx context.Context, s *sqlstore.Store, _ pairStart, _ string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: pairTime, Drop: "held"})
		return err
	},
	"occupy": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA-" + by, Now: pairTime, Free: []string{"alice"}, Session: &store.Session{Live: true, Occupies: []string{"alice"}}})
		return err
	},
	"commit of the record": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: pairTime, Session: &store.Session{Session: integration.Session{State: []byte(by)}, Live: true},
			Call: &store.CallUpdate{Live: false, View: &integration.CallView{From: by}, Fields: []integration.AlertField{{Label: "a", Value: by}, {Label: "b", Value: by}},
				Story: []store.StoryLine{{Command: 7, At: pairTime, Text: by}}, Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:1"}, At: pairTime}}}})
		return err
	},
	"claim": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, _, err := s.Claim(ctx, store.Claim{Owner: by, Now: pairTime, Lease: time.Minute, Limit: 10})
		return err
	},
	"claim a lane": func(ctx context.Context, s *sqlstore.Store, at pairStart, _ string) error {
		_, err := s.ClaimLane(ctx, at.head, pairTime, 5)
		return err
	},
	"start": func(ctx context.Context, s *sqlstore.Store, at pairStart, _ string) error {
		return s.StartItem(ctx, at.task)
	},
	"retry": func(ctx context.Context, s *sqlstore.Store, at pairStart, _ string) error {
		return s.RetryItem(ctx, at.head, pairTime.Add(time.Second))
	},
	"finish": func(ctx context.Context, s *sqlstore.Store, at pairStart, _ string) error {
		return s.FinishItem(ctx, at.head, []byte("done"))
	},
	"finish the task": func(ctx context.Context, s *sqlstore.Store, at pairStart, _ string) error {
		return s.FinishItem(ctx, at.task, []byte("done"))
	},
	"delete": func(ctx context.Context, s *sqlstore.Store, at pairStart, _ string) error {
		return s.DeleteItem(ctx, at.head)
	},
	"add": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		it := inLane("added " + by)
		it.Integration, it.Key = "int_1", "CA1"
		return s.AddItem(ctx, it)
	},
	"add to a new lane": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		return s.AddItem(ctx, store.Item{Integration: "int_1", Key: "CA1", Lane: "new", Kind: store.ItemCommand, Due: pairTime, Body: []byte(by)})
	},
	"expire sessions": func(ctx context.Context, s *sqlstore.Store, _ pairStart, _ string) error {
		_, err := s.DeleteExpired(ctx, pairTime.Add(time.Hour))
		return err
	},
	"save": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, err := s.SaveIntegration(ctx, store.Integration{ID: "int_1", Plugin: "livecall", Name: by, Revision: 1})
		return err
	},
	"delete the integration": func(ctx context.Context, s *sqlstore.Store, _ pairStart, _ string) error {
		return s.DeleteIntegration(ctx, "int_1")
	},
	"findings": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		return s.SaveFindings(ctx, "int_1", []integration.Finding{{Code: "a", Severity: "warning", Message: by}, {Code: "b", Severity: "warning", Message: by}})
	},
	"note": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, err := s.AddNote(ctx, "int_1", "CA0", store.Note{At: pairTime, By: by, Text: "x"})
		return err
	},
	"heard": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		return s.MarkHeard(ctx, "int_1", "CA0", "media:0", store.Heard{By: by, At: pairTime})
	},
	"delete the record": func(ctx context.Context, s *sqlstore.Store, _ pairStart, _ string) error {
		return s.DeleteCall(ctx, "int_1", "CA0")
	},
	"expire records": func(ctx context.Context, s *sqlstore.Store, _ pairStart, _ string) error {
		_, err := s.ExpireCalls(ctx, pairTime.Add(time.Hour))
		return err
	},
	"add to an ended record": func(ctx context.Context, s *sqlstore.Store, _ pairStart, by string) error {
		_, err := s.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA0", Now: pairTime, Call: &store.CallUpdate{
			Fields: []integration.AlertField{{Label: "a", Value: by}}, Story: []store.StoryLine{{Command: 7, At: pairTime, Text: by}},
			Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:1"}, At: pairTime}}}})
		return err
	},
	"turn": func(ctx context.Context, s *sqlstore.Store, _ pairStart, _ string) error {
		_, err := s.TakeTurn(ctx, "account", pairTime, time.Second)
		return err
	},
}

func inLane(body string) store.Item {
	return store.Item{Kind: store.ItemCommand, Lane: "lane", Due: pairTime, Body: []byte(body)}
}

// pairs is a database with two hosts on it, and what looks at it from outside.
type pairs struct {
	*testing.T
	one, two *sqlstore.Store
	look     *pgx.Conn
	each     atomic.Pointer[func()] // after each statement of one
}

func newPairs(t *testing.T) *pairs {
	t.Helper()
	url := postgres.Database(t)
	p := &pairs{T: t}
	for _, s := range []**sqlstore.Store{&p.one, &p.two} {
		var err error
		if *s, err = tryURL(url, secretKey); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*s).Close() })
	}
	p.one.DB().AfterStatements(func() {
		if f := p.each.Load(); f != nil {
			(*f)()
		}
	})
	var err error
	if p.look, err = pgx.Connect(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.look.Close(context.Background()) })
	return p
}

// begin makes the state with which each trial begins.
func (p *pairs) begin() pairStart {
	p.Helper()
	ctx := p.Context()
	if _, err := p.look.Exec(ctx, `truncate sessions, outbox, integrations, integration_options, findings, calls, call_lines, call_fields, call_recordings,
		call_heard, call_notes, paces restart identity`); err != nil {
		p.Fatal(err)
	}
	var errs []error
	check := func(err error) { errs = append(errs, err) }
	_, err := p.two.SaveIntegration(ctx, store.Integration{ID: "int_1", Plugin: "livecall", Name: "Hotline"})
	check(err)
	_, err = p.two.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Now: pairTime, Session: &store.Session{Live: true, ExpiresAt: pairTime.Add(time.Minute)},
		Call:  &store.CallUpdate{New: true, Live: true, View: &integration.CallView{From: "x"}},
		Items: []store.Item{inLane("first"), {Kind: store.ItemTask, Lane: "task/t", Name: "t", Generation: 1, Due: pairTime}, {Kind: store.ItemCommand, Lane: "result", Due: pairTime}}})
	check(err)
	items, _, err := p.two.Claim(ctx, store.Claim{Owner: "one", Now: pairTime, Lease: time.Minute, Limit: 10})
	check(err)
	var at pairStart
	for _, it := range items {
		switch it.Lane {
		case "lane":
			at.head = it
		case "result":
			at.result = it
			check(p.two.FinishItem(ctx, it, []byte("done")))
		default:
			at.task = it
		}
	}
	_, err = p.two.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA1", Version: 1, Now: pairTime, Items: []store.Item{
		inLane("second"), inLane("third"), {Kind: store.ItemCommand, Lane: "held", Phase: store.PhaseHeld, Due: pairTime.Add(time.Hour)},
		{Kind: store.ItemTask, Lane: "task/t", Name: "u", Generation: 1, Due: pairTime}, {Kind: store.ItemTimer, Name: "v", Generation: 1, Due: pairTime}}})
	check(err)
	_, err = p.two.Commit(ctx, store.Commit{Integration: "int_1", Key: "CA0", Now: pairTime, Session: &store.Session{},
		Call: &store.CallUpdate{New: true, View: &integration.CallView{From: "y", EndedAt: pairTime}, Recordings: []store.Recording{{Media: integration.MediaRef{Ref: "media:0"}, At: pairTime}}}})
	check(err)
	if _, err := p.look.Exec(ctx, "delete from sessions where key = 'CA0'"); err != nil {
		p.Fatal(err)
	}
	for _, err := range errs {
		if err != nil {
			p.Fatal(err)
		}
	}
	return at
}

// kinds are the errors of both as one text.
func kinds(one, two error) string {
	return fmt.Sprintf("one: %s, two: %s", integration.KindOf(one), integration.KindOf(two))
}

// ended is the state after a trial as one text, without what differs from time to time.
func (p *pairs) ended() string {
	p.Helper()
	var all strings.Builder
	for _, query := range []string{
		"select key, version, state, live, occupies from sessions order by integration, key",
		"select key, kind, lane, name, generation, due, phase, attempt, owner, lease, ready, head, body, result from outbox order by lane, id",
		"select name, revision, deleted_at > 0 from integrations order by id", "select revision from integration_options order by revision",
		"select code, message from findings order by code", "select key, live, caller from calls order by key",
		"select call, command, message from call_lines order by call, command", "select call, label, value from call_fields order by call, label",
		"select call, ref from call_recordings order by call, ref", "select recording, actor from call_heard order by recording, actor",
		"select call, actor from call_notes order by call, actor", "select * from paces",
	} {
		rows, err := p.look.Query(p.Context(), query)
		if err != nil {
			p.Fatal(err)
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				p.Fatal(err)
			}
			fmt.Fprintf(&all, "%s: %s\n", strings.Fields(strings.SplitN(query, " from ", 2)[1])[0], values)
		}
		rows.Close()
		if rows.Err() != nil {
			p.Fatal(rows.Err())
		}
	}
	return all.String()
}

// broken are conditions that hold whatever has happened: each query counts what breaks one.
var broken = map[string]string{
	"a lane has not one head, its first item": `select count(*) from (select sum(head) heads, min(id) first, min(id) filter (where head = 1) head from outbox
		where lane <> '' and phase <> 'result' group by integration, key, lane) lanes where heads <> 1 or first <> head`,
	"an item without a lane is no head":     `select count(*) from outbox where (lane = '' or phase = 'result') and head <> 1`,
	"a lease has no owner":                  `select count(*) from outbox where owner = '' and lease <> 0`,
	"a person is occupied twice":            `select greatest(count(*) - 1, 0) from sessions where live = 1 and occupies like '%alice%'`,
	"a part of a record has no record":      `select count(*) from (select call from call_lines union all select call from call_fields union all select call from call_recordings union all select call from call_notes) parts where call not in (select id from calls)`,
	"somebody has heard a dead recording":   `select count(*) from call_heard where recording not in (select id from call_recordings)`,
	"an item of a session that has expired": `select count(*) from outbox o where o.key = 'CA1' and o.lane in ('held', 'result') and not exists (select 1 from sessions s where s.key = o.key)`,
}

// trial lets one stand still after its n-th statement while two writes; over says that one has fewer.
func (p *pairs) trial(one, two string, n int) (outcome string, over bool) {
	p.Helper()
	at := p.begin()
	reached, goOn := make(chan struct{}), make(chan struct{})
	statements := 0
	stop := func() {
		if statements++; statements == n {
			close(reached)
			<-goOn
		}
	}
	p.each.Store(&stop)
	defer p.each.Store(nil)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- writers[one](p.Context(), p.one, at, "one") }()
	select {
	case <-reached:
	case err := <-first:
		if err != nil && integration.KindOf(err) != integration.KindConflict {
			p.Errorf("%s alone: %v", one, err)
		}
		return "", true
	}
	go func() { second <- writers[two](p.Context(), p.two, at, "two") }()
	err2, waits := error(nil), false
	for done := false; !done && !waits; {
		select {
		case err2 = <-second:
			done = true
		default:
			const query = "select exists (select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
			if err := p.look.QueryRow(p.Context(), query).Scan(&waits); err != nil {
				p.Fatal(err)
			}
		}
	}
	close(goOn)
	err1 := <-first
	if waits {
		err2 = <-second
	}
	for what, query := range broken {
		var count int
		if err := p.look.QueryRow(p.Context(), query).Scan(&count); err != nil {
			p.Fatal(err)
		}
		if count != 0 {
			p.Errorf("%q stood still after its statement %d while %q wrote: %s", one, n, two, what)
		}
	}
	for who, err := range map[string]error{one: err1, two: err2} {
		if k := integration.KindOf(err); err != nil && k != integration.KindConflict && k != integration.KindNotFound {
			p.Errorf("%s beside the other: %v", who, err)
		}
	}
	return kinds(err1, err2) + "\n" + p.ended(), false
}

// after is the outcome when one writes after the other.
func (p *pairs) after(one, two string, twoFirst bool) string {
	p.Helper()
	at := p.begin()
	var err1, err2 error
	if twoFirst {
		err2 = writers[two](p.Context(), p.two, at, "two")
	}
	err1 = writers[one](p.Context(), p.one, at, "one")
	if !twoFirst {
		err2 = writers[two](p.Context(), p.two, at, "two")
	}
	return kinds(err1, err2) + "\n" + p.ended()
}

// severalTransactions are writers whose work is more than one transaction, and claims, which pass over
// what another transaction has locked: others may come in between.
var severalTransactions = []string{"claim", "expire sessions", "expire records"}

// TestEachPairOfWritersOnTwoConnections tries all pairs with LIVECALL_TEST_DATABASE=postgres, otherwise one
// of thirty.
func TestEachPairOfWritersOnTwoConnections(t *testing.T) {
	t.Parallel()
	names := make([]string, 0, len(writers))
	for name := range writers {
		names = append(names, name)
	}
	slices.Sort(names)
	const groups = 4
	for group := range groups {
		t.Run(fmt.Sprint("group ", group+1), func(t *testing.T) {
			t.Parallel()
			p := newPairs(t)
			tried, trials := 0, 0
			for i, one := range names {
				if i%groups != group {
					continue
				}
				for j, two := range names {
					if os.Getenv("LIVECALL_TEST_DATABASE") != "postgres" && (7*i+j)%30 != 0 {
						continue
					}
					tried++
					orders := []string{p.after(one, two, false), p.after(one, two, true)}
					for n := 1; ; n++ {
						outcome, over := p.trial(one, two, n)
						if over {
							break
						}
						trials++
						if slices.Contains(orders, outcome) || slices.Contains(severalTransactions, one) || slices.Contains(severalTransactions, two) {
							continue
						}
						t.Errorf("%q stood still after its statement %d while %q wrote. It ended with\n%s\nand in one order or the other with\n%s", one, n, two, outcome, strings.Join(orders, "\nor\n"))
						break
					}
				}
			}
			t.Logf("%d pairs, %d trials", tried, trials)
		})
	}
}
