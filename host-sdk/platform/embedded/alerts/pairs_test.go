package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/pairtest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/store/storetest"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

const pairFile = `
users:
  - {id: alice, name: Alice Example, email: alice@example.com, phones: ["+12025550143"]}
  - {id: bob, name: Bob Example, email: bob@example.com, phones: ["+12025550144"]}
  - {id: carol, name: Carol Example, email: carol@example.com, phones: ["+12025550145"]}
teams:
  - {id: devops, name: DevOps, members: [alice, bob, carol], escalation: {layers: [{timeout: 5m}, {timeout: 10m}], repeat: 1},
     schedule: {timezone: UTC, layers: [{users: [alice, bob]}, {users: [carol]}]}}
  - {id: support, name: Support, members: [bob], schedule: {timezone: UTC, layers: [{users: [bob]}]}}
`

// pairKey is the secret key of all hosts.
var pairKey = seal.NewKey()

var pairScope = platform.Scope{Integration: "int_1"}

// stopping is a clock at which a test may let another host come in: a change looks at it between
// reading and writing.
type stopping struct {
	clock.Clock
	stop func()
}

// Now implements clock.Clock.
func (c stopping) Now() time.Time {
	c.stop()
	return c.Clock.Now()
}

// pairHost is a host with the tables of both packages.
type pairHost struct {
	*Service
	kept *sqlstore.Store
}

// newPairHost opens a host. Each of its statements, and of its looks at the clock, is followed by
// stop.
func newPairHost(t *testing.T, url string, twice bool, stop func()) pairHost {
	t.Helper()
	db, err := sqldb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.AfterStatements(stop)
	if twice {
		db.Twice()
	}
	key, err := seal.ParseKey(pairKey)
	if err != nil {
		t.Fatal(err)
	}
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(pairFile))
	if file == nil {
		t.Fatal(switchboardfile.Text(problems))
	}
	var h pairHost
	if h.kept, err = sqlstore.New(t.Context(), db, key, clock.System()); err != nil {
		t.Fatal(err)
	}
	h.Service, err = New(t.Context(), Config{
		File: func() *switchboardfile.File { return file }, DB: db, Logger: slog.New(slog.DiscardHandler),
		Clock: stopping{clock.NewManual(storetest.WritersTime), stop},
		Notify: func(_ context.Context, page Page) error {
			switch page.ID {
			case "refused":
				return integration.Errorf(integration.KindInvalid, "there is no such address")
			case "unavailable":
				return integration.Errorf(integration.KindUnavailable, "there is no mail server")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// pairWriters are the ways to write alerts. by tells two of the same apart.
var pairWriters = map[string]func(ctx context.Context, s *Service, by string) error{
	"create":                     command(integration.AlertCommand{Kind: integration.AlertCreate, AlertKey: "CA9", Draft: &integration.AlertDraft{Title: "A call"}}),
	"route":                      command(integration.AlertCommand{Kind: integration.AlertRoute, Number: 5, Teams: []string{"support"}}),
	"log":                        command(integration.AlertCommand{Kind: integration.AlertLog, Number: 6}),
	"add a field":                command(integration.AlertCommand{Kind: integration.AlertAddField, Number: 7, Field: &integration.AlertField{Label: "a", Value: "b"}}),
	"attach":                     command(integration.AlertCommand{Kind: integration.AlertAttach, Number: 8, Media: &integration.MediaRef{Ref: "media:1"}}),
	"acknowledge":                command(integration.AlertCommand{Kind: integration.AlertAcknowledge, Number: 9, User: "alice"}),
	"decline":                    command(integration.AlertCommand{Kind: integration.AlertDecline, Number: 10, User: "alice"}),
	"escalate":                   command(integration.AlertCommand{Kind: integration.AlertEscalate, Number: 11, Layer: 1, Round: 1}),
	"resolve":                    command(integration.AlertCommand{Kind: integration.AlertResolve, Number: 12}),
	"reopen":                     command(integration.AlertCommand{Kind: integration.AlertReopen, AlertKey: "CA2", Number: 5, Ack: "ack"}),
	"a person acknowledges":      act(platform.ActAcknowledge, "bob"),
	"a person rejects":           act(platform.ActReject, "bob"),
	"a person escalates":         act(platform.ActEscalate, "carol"),
	"a person resolves":          act(platform.ActResolve, "carol"),
	"time out":                   due(0, (*change).timeOut),
	"leave a layer that is gone": due(24*time.Hour, (*change).leaveLostLayer),
	"claim a page":               onPage("page", false),
	"put a page off":             onPage("unavailable", true),
	"move old pages":             func(ctx context.Context, s *Service, _ string) error { return s.moveOldPages(ctx) },
	"send a page":                onPage("page", true),
	"give a page up":             onPage("refused", true),
}

// command applies a command to the first alert, if it names none; its text tells who did.
func command(cmd integration.AlertCommand) func(ctx context.Context, s *Service, by string) error {
	return func(ctx context.Context, s *Service, by string) error {
		cmd := cmd
		if cmd.AlertKey == "" {
			cmd.AlertKey = "CA1"
		}
		if cmd.Kind == integration.AlertLog {
			cmd.Text = by
		}
		return s.Apply(ctx, pairScope, cmd)
	}
}

// act does what a person does with the first alert.
func act(action platform.AlertAction, user string) func(ctx context.Context, s *Service, _ string) error {
	return func(ctx context.Context, s *Service, _ string) error {
		_, err := s.Act(ctx, "alert", action, user)
		return err
	}
}

// due changes what is due until a while from now.
func due(until time.Duration, do func(*change)) func(ctx context.Context, s *Service, _ string) error {
	return func(ctx context.Context, s *Service, _ string) error {
		late := delays{}
		_, _, err := s.changeDue(ctx, storetest.WritersTime.Add(until), dueBatch, do, late)
		if err == nil && len(late) > 0 {
			err = errors.New("an alert could not be changed")
		}
		return err
	}
}

// onPage claims a page, and sends it if send.
func onPage(id string, send bool) func(ctx context.Context, s *Service, _ string) error {
	return func(ctx context.Context, s *Service, _ string) error {
		claimed, err := s.claimNotice(ctx, id)
		if err == nil && claimed != nil && send {
			s.attempt(ctx, *claimed)
		}
		return err
	}
}

// beginPairs makes three alerts, one open and timed out, one acknowledged and one in a layer that
// is gone, and three pages of the first, with one that the release before has left.
func beginPairs(p *pairtest.Pairs, h pairHost) error {
	var errs []error
	for _, key := range []string{"CA1", "CA2", "CA3"} {
		for i, cmd := range []integration.AlertCommand{{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: "A call"}}, {Kind: integration.AlertRoute, Teams: []string{"devops"}}} {
			cmd.AlertKey, cmd.Number = key, int64(i)+1
			errs = append(errs, h.Apply(context.Background(), pairScope, cmd))
		}
	}
	errs = append(errs, h.Apply(context.Background(), pairScope, integration.AlertCommand{Kind: integration.AlertAcknowledge, AlertKey: "CA2", Number: 3, User: "alice"}))
	now := storetest.WritersTime.UnixMilli()
	p.Exec(fmt.Sprintf(`update embedded_log set alert_id = 'alert' where alert_id = (select id from embedded_alerts where alert_key = 'CA1');
		update embedded_alerts set id = 'alert', deadline = %d where alert_key = 'CA1';
		update embedded_alerts set acks = regexp_replace(acks, '"id":"[^"]*"', '"id":"ack"') where alert_key = 'CA2';
		update embedded_alerts set layer = 9, deadline = %d where alert_key = 'CA3';
		delete from embedded_notices;
		insert into embedded_pages (id, alert_id, layer, round, users, at, due, attempts) values ('of several', 'alert', 1, 7, '["alice","bob"]', %[1]d, %[1]d, 0);
		insert into embedded_notices (id, alert_id, event, person, team, way, note, layer, round, at, due, ends, attempts, claimed_by) values
			('page', 'alert', 'paged', 'alice', '', 'mail', '', 1, 1, %[1]d, %[1]d, %[2]d, 0, ''),
			('unavailable', 'alert', 'paged', 'bob', '', 'mail', '', 1, 9, %[1]d, %[1]d, %[2]d, 0, ''),
			('refused', 'alert', 'paged', 'bob', '', 'mail', '', 1, 8, %[1]d, %[1]d, %[2]d, 0, '')`,
		now, now+3_600_000))
	return errors.Join(errs...)
}

// endedPairs is the state after a trial. Ids of what the trial has made differ.
var endedPairs = []string{
	`select alert_key, version, status, title, fields, attachments, teams, layer, round, paged, rejected, regexp_replace(acks, '"id":"[^"]*"', ''), deadline, last_command, entries, 
		created_at, updated_at from embedded_alerts order by alert_key`,
	"select a.alert_key, l.n, l.at, l.actor, l.message from embedded_log l join embedded_alerts a on a.id = l.alert_id order by a.alert_key, l.n",
	"select p.alert_id = 'alert', p.layer, p.round, p.users, p.at, p.due, p.attempts from embedded_pages p order by p.alert_id = 'alert', p.layer, p.round, p.users",
	"select alert_id = 'alert', event, person, team, way, layer, round, at, due, ends, attempts, claimed_by from embedded_notices order by alert_id = 'alert', layer, round, person, way",
	"select key, version, state, live from sessions order by key",
	"select key, kind, lane, name, generation, phase, attempt, owner, head, body from outbox order by lane, id",
}

// brokenPairs are conditions that hold whatever has happened.
var brokenPairs = map[string]string{
	"an alert's lines are not those it counts": "select count(*) from embedded_alerts a where entries <> (select count(*) from embedded_log where alert_id = a.id)",
	"a line or page has no alert":              "select count(*) from (select alert_id from embedded_log union all select alert_id from embedded_pages union all select alert_id from embedded_notices) parts where alert_id not in (select id from embedded_alerts)",
	"time runs for an alert that is not open":  "select count(*) from embedded_alerts where status <> 'open' and deadline is not null",
	"no time runs for an open alert":           "select count(*) from embedded_alerts where status = 'open' and deadline is null",
	"a person was paged twice for one layer":   "select count(*) from (select 1 from embedded_notices where event = 'paged' group by alert_id, layer, round, person, way having count(*) > 1) pages",
	"an acknowledged alert names nobody":       "select count(*) from embedded_alerts where status = 'acknowledged' and acks = '[]'",
	"somebody has acknowledged a call twice":   "select count(*) from (select 1 from embedded_log where message like '%acknowledged' group by alert_id having count(*) > 1) lines",
}

// newAlertPairs makes a database with two hosts on it.
func newAlertPairs(t *testing.T) *pairtest.Pairs {
	t.Helper()
	url := postgres.Database(t)
	p := pairtest.New(t, url)
	hosts := []pairHost{newPairHost(t, url, false, p.Stop), newPairHost(t, url, false, func() {})}
	var at storetest.Start
	p.Begin = func() {
		var err error
		if at, err = storetest.Begin(t.Context(), hosts[1].kept); err == nil {
			err = beginPairs(p, hosts[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Write = func(name string, second bool) error {
		h, by := hosts[0], "one"
		if second {
			h, by = hosts[1], "two"
		}
		if write := pairWriters[name]; write != nil {
			return write(t.Context(), h.Service, by)
		}
		return storetest.Writers[name](t.Context(), h.kept, at, by)
	}
	p.Ended, p.Broken = endedPairs, brokenPairs
	p.Several = []string{"claim", "expire sessions", "expire records", "send a page", "give a page up", "put a page off"}
	return p
}

// TestEachPairOfWritersOfAlertsOnTwoConnections tries as many as pairtest.All says.
func TestEachPairOfWritersOfAlertsOnTwoConnections(t *testing.T) {
	t.Parallel()
	pairtest.All(t, slices.Collect(maps.Keys(pairWriters)), func(_, _ string) bool { return true }, newAlertPairs)
}

// TestEachWriterOfAlertsBesideEachOfTheStore lets writers of the store come in between the
// statements of those of alerts. Their tables have nothing in common but the locks of the server.
func TestEachWriterOfAlertsBesideEachOfTheStore(t *testing.T) {
	t.Parallel()
	names := slices.AppendSeq(slices.Collect(maps.Keys(pairWriters)), maps.Keys(storetest.Writers))
	pairtest.All(t, names, func(one, two string) bool { return pairWriters[one] != nil && pairWriters[two] == nil }, newAlertPairs)
}

// TestAWriterOfAlertsThatRunsTwiceWritesOnce compares a host whose transactions are all begun anew
// once with one whose are not.
func TestAWriterOfAlertsThatRunsTwiceWritesOnce(t *testing.T) {
	t.Parallel()
	url := postgres.Database(t)
	p := pairtest.New(t, url)
	once, twice := newPairHost(t, url, false, func() {}), newPairHost(t, url, true, func() {})
	p.Ended = endedPairs
	p.Begin = func() {
		if err := beginPairs(p, once); err != nil {
			t.Fatal(err)
		}
	}
	for name, write := range pairWriters {
		var ended []string
		for _, h := range []pairHost{once, twice} {
			p.Anew()
			if err := write(t.Context(), h.Service, "one"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			ended = append(ended, p.State())
		}
		if ended[0] != ended[1] {
			t.Errorf("%s ended with\n%s\nand run twice with\n%s", name, ended[0], ended[1])
		}
	}
}
