package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// asked are how many callers ask for documents while the CPU time of a request is measured,
// whatever else there is: so only what the others cost makes a difference.
const asked = 10

// noise is by how much a figure may grow that is said not to grow.
const noise = 1.2

// costs are of one request; idle is the CPU time that all use while nobody asks, in CPUs.
type costs struct {
	tick, menu, hold, lists cost
	idle                    float64
}

// cost is CPU time of hosts, plugins and database together; database is the part of a server. p50
// and p99 are of its answers.
type cost struct{ all, database, p50, p99 time.Duration }

// growth measures what a request costs as live calls become more, and then ended ones. What is in
// brackets is the database server's part of the CPU time.
func growth(ctx context.Context, bin string, how setup, live, ended, others int) error {
	fmt.Printf("CPU time of a request on %s\n", how.name)
	if others > 0 {
		if err := growOthers(ctx, bin, how, others); err != nil {
			return err
		}
	}
	if live > asked {
		if err := growLive(ctx, bin, how, live); err != nil {
			return err
		}
	}
	if ended == 0 {
		return nil
	}
	return growEnded(ctx, bin, how, ended)
}

// growLive adds calls on hold, of which only the first ask for documents.
func growLive(ctx context.Context, bin string, how setup, most int) error {
	w, err := begin(ctx, bin, how, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	return w.grow(ctx, "live calls", []int{asked, most}, asked, 0, func(callers []*caller) (string, error) { return callers[0].sid, nil })
}

// growOthers adds integrations, and then people who read lists meanwhile. What these cost counts
// with the requests: of them the times of the answers tell.
func growOthers(ctx context.Context, bin string, how setup, most int) error {
	w, err := begin(ctx, bin, how, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	callers, err := manyOnHold(w.Stack, 0, asked)
	if err != nil {
		return err
	}
	if _, err := w.costs(ctx, callers); err != nil { // warms up, see grow
		return err
	}
	first, err := w.costs(ctx, callers)
	if err != nil {
		return err
	}
	report("1 integration", first, first)
	for i := range most - 1 {
		if _, _, err := w.AddHotline(ctx, fmt.Sprintf("+1%d55501%02d", 302+i/100, i%100), []string{"devops"}, nil); err != nil {
			return err
		}
	}
	now, err := w.costs(ctx, callers)
	if err != nil {
		return err
	}
	report(fmt.Sprintf("%d integrations", most), now, first)
	stop := readers(w.Stack, people)
	defer stop()
	if now, err = w.costs(ctx, callers); err != nil {
		return err
	}
	report(fmt.Sprintf("%d integrations, and %d people who read lists", most, people), now, first)
	return nil
}

// people are how many read lists meanwhile.
const people = 10

// growEnded adds calls that have ended, ten seconds apart, and their resolved alerts.
func growEnded(ctx context.Context, bin string, how setup, most int) error {
	w, err := begin(ctx, bin, how, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	return w.grow(ctx, "ended calls and their alerts", []int{0, most}, 0, 10*time.Second, func([]*caller) (string, error) { return w.endedCall(ctx) })
}

// grow measures with so many calls like the model as each size says; there are have of them.
func (w *world) grow(ctx context.Context, what string, sizes []int, have int, step time.Duration, like func([]*caller) (string, error)) error {
	callers, err := manyOnHold(w.Stack, 0, asked)
	if err != nil {
		return err
	}
	if err := settle(w.Stack); err != nil {
		return err
	}
	model, err := like(callers)
	if err != nil {
		return err
	}
	// Once to warm up: a process, and tables that were made a moment ago, become dearer in their
	// first calls.
	if _, err := w.costs(ctx, callers); err != nil {
		return err
	}
	var first costs
	for i, n := range sizes {
		if n > have {
			began := time.Now()
			if err := w.seed(ctx, model, have, n, step); err != nil {
				return err
			}
			fmt.Printf("  %d %s are seeded in %.0f s\n", n-have, what, time.Since(began).Seconds())
			have = n
		}
		var now costs
		err := w.scanned(ctx, n, func() (err error) {
			now, err = w.costs(ctx, callers)
			return err
		})
		if err != nil {
			return err
		}
		if i == 0 {
			first = now
		}
		report(fmt.Sprintf("%d %s", n, what), now, first)
	}
	return nil
}

func report(what string, now, first costs) {
	fmt.Printf("  %s (idle: %.2f CPUs)\n", what, now.idle)
	for _, of := range []struct {
		name        string
		now, before cost
	}{
		{"tick", now.tick, first.tick},
		{"call that ends in the menu", now.menu, first.menu},
		{"call that ends on hold", now.hold, first.hold},
		{"lists of calls and alerts", now.lists, first.lists},
	} {
		s := fmt.Sprintf("    %-28s %6.2f ms ×%.2f", of.name, ms(of.now.all), ratio(of.now.all, of.before.all))
		if float64(of.now.all) > noise*float64(of.before.all) {
			s += " GROWS"
		}
		if of.now.database > 0 {
			s += fmt.Sprintf(" (%.2f)", ms(of.now.database))
		}
		fmt.Printf("%s   p50 %.1f ms ×%.2f   p99 %.1f ms ×%.2f\n", s, ms(of.now.p50), ratio(of.now.p50, of.before.p50), ms(of.now.p99), ratio(of.now.p99, of.before.p99))
	}
}

func ratio(now, before time.Duration) float64 { return float64(now) / float64(before) }

// measureRounds is how often each cost is measured; the least counts, as whatever else the machine
// does makes it dearer.
const measureRounds = 3

// listed are the lists that people look at most.
var listed = []string{"/api/v1/alerts?status=open", "/api/v1/alerts?team=support", "/api/v1/calls", "/api/v1/calls?team=support"}

// numbers makes each call of a run another one.
var numbers atomic.Int64

// costs measures what requests cost now.
func (w *world) costs(ctx context.Context, callers []*caller) (costs, error) {
	if err := settle(w.Stack); err != nil {
		return costs{}, err
	}
	const ticks, calls, lists, idle = 1000, 60, 60, 3 * time.Second
	before := cpu(w.pids()...)
	time.Sleep(idle)
	out := costs{idle: float64(cpu(w.pids()...)-before) / float64(idle)}
	ends := func(begin func(n int) (*caller, error)) func(int) error {
		return func(int) error {
			c, err := begin(int(numbers.Add(1)) + 5_000_000)
			if err != nil {
				return err
			}
			return c.status("completed")
		}
	}
	for _, one := range []struct {
		into *cost
		n    int
		do   func(i int) error
	}{
		{&out.tick, ticks, func(i int) error { return callers[i%len(callers)].tick() }},
		{&out.menu, calls, ends(w.arrives)},
		{&out.hold, calls, ends(w.holds)},
		{&out.lists, lists, func(i int) error { return w.API(ctx, "GET", listed[i%len(listed)], nil, nil) }},
	} {
		var took []time.Duration
		for range measureRounds {
			each, err := w.cost(one.n, func(i int) error {
				began := time.Now()
				err := one.do(i)
				took = append(took, time.Since(began))
				return err
			})
			if err != nil {
				return out, err
			}
			if one.into.all == 0 || each.all < one.into.all {
				*one.into = each
			}
		}
		slices.Sort(took)
		one.into.p50, one.into.p99 = took[len(took)/2], took[len(took)*99/100]
	}
	return out, nil
}

func (w *world) arrives(n int) (*caller, error) { return arrival(w.Stack, n) }
func (w *world) holds(n int) (*caller, error)   { return onHold(w.Stack, n) }

// cost is the CPU time of each of n requests or calls, with the work that they leave to do.
func (w *world) cost(n int, do func(i int) error) (cost, error) {
	before := w.used()
	for i := range n {
		if err := do(i); err != nil {
			return cost{}, err
		}
	}
	if err := settle(w.Stack); err != nil {
		return cost{}, err
	}
	after := w.used()
	return cost{all: (after.all - before.all) / time.Duration(n), database: (after.database - before.database) / time.Duration(n)}, nil
}

// used is the CPU time so far.
func (w *world) used() (c cost) {
	if w.server != nil {
		c.database = cpu(w.server.Pid())
	}
	c.all = cpu(w.pids()...)
	return c
}

// endedCall plays a call to its end and returns its SID: the model of those that are seeded.
func (w *world) endedCall(ctx context.Context) (string, error) {
	c, err := onHold(w.Stack, 4_000_000)
	if err != nil {
		return "", err
	}
	if _, err := openAlert(ctx, w.Stack, c.sid); err != nil {
		return "", err
	}
	if err := c.status("completed"); err != nil {
		return "", err
	}
	return c.sid, settle(w.Stack)
}

// seeds copy everything about one call ($1), once for each number above $2 up to $3. STEP is how
// many milliseconds each begins before the one before it, LATER how much later than the model's its
// timers are: what is seeded must be there and do nothing. KEY is its SID.
var seeds = []string{
	`insert into sessions (integration, key, version, revision, format, live, created_at, updated_at, expires_at, alert_key, occupies, view, state, waits_for, media, caller, told, alert)
		select integration, KEY, version, revision, format, live, created_at - i * STEP, updated_at - i * STEP, expires_at + LATER, KEY, occupies,
			replace(view, $1, KEY), STATE, waits_for, media, '+1303555' || (1000 + i % 9000), told, alert
		from sessions, seeds where key = $1`,
	`insert into outbox (integration, key, kind, lane, name, generation, due, not_after, phase, attempt, owner, lease, ready, head, body, result, work)
		select integration, KEY, kind, lane, name, generation, due + LATER, not_after, phase, attempt, owner, lease, ready + LATER, head, body, result, work
		from outbox, seeds where key = $1 and kind = 'timer'`,
	`insert into calls (integration, integration_name, key, live, started_at, ended_at, updated_at, caller, team, ended, alert_key, alert_id, alert_url, alert_title, view)
		select integration, integration_name, KEY, live, started_at - i * STEP, case when live = 1 then 0 else ended_at - i * STEP end, updated_at - i * STEP, '+1303555' || (1000 + i % 9000), team, ended,
			KEY, KEY, alert_url, alert_title, replace(view, $1, KEY)
		from calls, seeds where key = $1`,
	`insert into call_lines (call, command, at, actor, message)
		select c.id, l.command, l.at - i * STEP, l.actor, l.message
		from call_lines l, seeds, calls c where l.call = (select id from calls where key = $1) and c.key = KEY`,
	`insert into embedded_alerts (id, tenant, integration, alert_key, version, status, title, spoken_title, description, urgency, fields, attachments, teams, layer, round, paged, rejected, acks, deadline, last_command, entries, created_at, updated_at)
		select KEY, tenant, integration, KEY, version, status, title, spoken_title, description, urgency, fields, attachments, teams, layer, round, paged, rejected, acks, deadline + LATER, last_command, entries, created_at - i * STEP, updated_at - i * STEP
		from embedded_alerts, seeds where alert_key = $1`,
	`insert into embedded_log (alert_id, n, at, actor, message)
		select KEY, n, at - i * STEP, actor, message
		from embedded_log, seeds where alert_id = (select id from embedded_alerts where alert_key = $1)`,
	`insert into embedded_alert_teams (team, at, alert_id)
		select team, at - i * STEP, KEY
		from embedded_alert_teams, seeds where alert_id = (select id from embedded_alerts where alert_key = $1)`,
}

// seed adds calls like the model with their alerts by SQL, each begun step before the one before
// it.
func (w *world) seed(ctx context.Context, model string, from, to int, step time.Duration) (err error) {
	const numbers = "with recursive seeds (i) as (select cast($2 as bigint) + 1 union all select i + 1 from seeds where i < $3) "
	const key = "('CAfeed000000000000000' || (1000000000000 + i))"
	state := "convert_to(replace(convert_from(state, 'UTF8'), $1, " + key + "), 'UTF8')"
	if w.server == nil {
		state = "cast(replace(cast(state as text), $1, " + key + ") as blob)"
	}
	fill := strings.NewReplacer("KEY", key, "STATE", state, "STEP", fmt.Sprint(step.Milliseconds()), "LATER", "86400000")
	if w.server != nil {
		return w.seedServer(ctx, func(conn *pgx.Conn) error {
			for _, s := range seeds {
				if _, err := conn.Exec(ctx, numbers+fill.Replace(s), model, from, to); err != nil {
					return fmt.Errorf("%.40s: %w", s, err)
				}
			}
			return nil
		})
	}
	db, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(w.DataDir, "switchboard.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const batch = 1000 // the host's own writes wait for it
	for ; from < to; from += batch {
		if err := db.Write(ctx, func(tx sqldb.Tx) error {
			for _, s := range seeds {
				if _, err := tx.ExecContext(ctx, numbers+fill.Replace(s), model, from, min(from+batch, to)); err != nil {
					return fmt.Errorf("%.40s: %w", s, err)
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil // switchboard never has SQLite look at its tables
}

// seedServer runs insert in one transaction without the limits of a host's connection, and has
// PostgreSQL look at its tables, as it does by itself a minute later.
func (w *world) seedServer(ctx context.Context, insert func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := pgx.BeginFunc(ctx, conn, func(pgx.Tx) error { return insert(conn) }); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "vacuum analyze")
	return err
}

// scans is how many rows have been read of each table by going through all of it. The server counts
// what a connection has done up to ten seconds later (pgstat.c, PGSTAT_IDLE_INTERVAL).
func (w *world) scans(ctx context.Context) (rows map[string]int64, err error) {
	time.Sleep(12 * time.Second)
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	found, err := conn.Query(ctx, "select relname, seq_tup_read from pg_stat_user_tables")
	if err != nil {
		return nil, err
	}
	rows = map[string]int64{}
	var table string
	var n int64
	_, err = pgx.ForEachRow(found, []any{&table, &n}, func() error {
		rows[table] = n
		return nil
	})
	return rows, err
}

// scanned runs do and says of which tables of a server more rows were read by scans than a scan of
// a tenth of what was seeded would read.
func (w *world) scanned(ctx context.Context, seeded int, do func() error) error {
	if w.server == nil || seeded == 0 {
		return do()
	}
	before, err := w.scans(ctx)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := w.scans(ctx)
	for table, n := range after {
		if n -= before[table]; n > int64(seeded)/10 {
			fmt.Printf("    %d rows of %s were read by scans\n", n, table)
		}
	}
	return err
}
