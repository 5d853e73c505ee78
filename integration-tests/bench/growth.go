package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// asked are how many callers ask for documents while the CPU time of a request is measured, whatever
// else there is: so only what the others cost makes a difference.
const asked = 10

// noise is by how much a figure may grow that is said not to grow.
const noise = 1.2

// costs are CPU times of one request; idle is what all use while nobody asks, in CPUs.
type costs struct {
	tick, menu, hold cost
	idle             float64
}

// cost is of hosts, plugins and database together; database is the part of a server.
type cost struct{ all, database time.Duration }

// growth measures what a request costs as live calls become more, and then ended ones. What is in
// brackets is the database server's part.
func growth(ctx context.Context, bin string, how setup, live, ended int) error {
	fmt.Printf("CPU time on %-26s tick   call that ends in the menu   call that ends on hold   idle\n", how.name)
	if err := growLive(ctx, bin, how, live); err != nil {
		return err
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
	// Once to warm up: a process, and tables that were made a moment ago, become dearer in their first calls.
	if _, err := w.costs(callers); err != nil {
		return err
	}
	var first costs
	for i, n := range sizes {
		if n > have {
			const batch = 1000 // a statement may take a few seconds at most
			for ; have < n; have = min(have+batch, n) {
				if err := w.seed(ctx, model, have, min(have+batch, n), step); err != nil {
					return err
				}
			}
		}
		now, err := w.costs(callers)
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
	text := func(c, before cost) string {
		s := fmt.Sprintf("%6.2f ms ×%.2f", ms(c.all), float64(c.all)/float64(before.all))
		if float64(c.all) > noise*float64(before.all) {
			s += " GROWS"
		}
		if c.database > 0 {
			s += fmt.Sprintf(" (%.2f)", ms(c.database))
		}
		return s
	}
	fmt.Printf("  %-36s %s   %s   %s   %.2f CPUs\n", what, text(now.tick, first.tick), text(now.menu, first.menu), text(now.hold, first.hold), now.idle)
}

// measureRounds is how often each cost is measured; the least counts, as whatever else the machine
// does makes it dearer.
const measureRounds = 3

// numbers makes each call of a run another one.
var numbers atomic.Int64

// costs measures what requests cost now.
func (w *world) costs(callers []*caller) (costs, error) {
	if err := settle(w.Stack); err != nil {
		return costs{}, err
	}
	const ticks, calls, idle = 1000, 60, 3 * time.Second
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
	} {
		for range measureRounds {
			each, err := w.cost(one.n, one.do)
			if err != nil {
				return out, err
			}
			if one.into.all == 0 || each.all < one.into.all {
				*one.into = each
			}
		}
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
	return cost{(after.all - before.all) / time.Duration(n), (after.database - before.database) / time.Duration(n)}, nil
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

// seeds copy everything about one call ($1), once for each number above $2 up to $3. STEP is how many
// milliseconds each begins before the one before it, LATER how much later than the model's its timers are:
// what is seeded must be there and do nothing. KEY is its SID.
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
}

// seed adds calls like the model with their alerts by SQL, each begun step before the one before it.
func (w *world) seed(ctx context.Context, model string, from, to int, step time.Duration) (err error) {
	const numbers = "with recursive seeds (i) as (select cast($2 as bigint) + 1 union all select i + 1 from seeds where i < $3) "
	const key = "('CAfeed000000000000000' || (1000000000000 + i))"
	url, state := w.url, "convert_to(replace(convert_from(state, 'UTF8'), $1, "+key+"), 'UTF8')"
	if w.server == nil {
		url, state = "sqlite:"+filepath.Join(w.DataDir, "switchboard.db"), "cast(replace(cast(state as text), $1, "+key+") as blob)"
	}
	fill := strings.NewReplacer("KEY", key, "STATE", state, "STEP", fmt.Sprint(step.Milliseconds()), "LATER", "86400000")
	db, err := sqldb.Open(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Write(ctx, func(tx sqldb.Tx) error {
		for _, s := range seeds {
			if _, err := tx.ExecContext(ctx, numbers+fill.Replace(s), model, from, to); err != nil {
				return fmt.Errorf("%.40s: %w", s, err)
			}
		}
		if w.server == nil {
			return nil // switchboard never has SQLite look at its tables
		}
		_, err := tx.ExecContext(ctx, "analyze") // as PostgreSQL does by itself, a minute later
		return err
	})
}
