// Package pairtest lets two hosts write at the same time, in tests. One stands still after each of
// its statements until the other has done all of its own, or waits for the first. Then both go on.
// What comes out must be what would have come out if one had written after the other.
package pairtest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/internal/testrows"
)

// Pairs is a PostgreSQL database with two hosts on it. It is used by one goroutine, but for Stop.
type Pairs struct {
	// Begin makes, in new tables, the state with which each trial begins. It runs once: later
	// trials begin with copies of the rows.
	Begin func()
	// Write runs a writer on one of the hosts.
	Write func(name string, second bool) error
	// Ended are queries of the state after a trial, without what differs from time to time.
	Ended []string
	// Broken are conditions that hold whatever has happened: each query counts what breaks one.
	Broken map[string]string
	// Several are writers whose work is more than one transaction, and those that pass over what
	// another transaction has locked: others may come in between, so only Broken counts.
	Several []string

	t     testing.TB
	look  *pgx.Conn
	begun bool
	each  atomic.Pointer[func()]
}

// New looks at a database. The hosts are the caller's, and the first one calls Stop.
func New(t testing.TB, url string) *Pairs {
	t.Helper()
	p := &Pairs{t: t}
	var err error
	if p.look, err = pgx.Connect(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.look.Close(context.Background()) })
	return p
}

// Stop is called by the first host after each of its statements, and wherever else the other may
// come in. Between trials it returns at once.
func (p *Pairs) Stop() {
	if f := p.each.Load(); f != nil {
		(*f)()
	}
}

// Exec runs a statement. It has a connection of its own, which is none of the hosts'.
func (p *Pairs) Exec(statement string) {
	p.t.Helper()
	if _, err := p.look.Exec(p.t.Context(), statement); err != nil {
		p.t.Fatal(err)
	}
}

// Anew puts the state into the tables with which each trial begins. Copying rows back is much
// faster than to make the state again.
func (p *Pairs) Anew() {
	p.t.Helper()
	if !p.begun {
		p.begun = true
		p.Begin()
		p.Exec(testrows.Keep)
		return
	}
	p.Exec(testrows.PutBack)
}

// Try lets one stand still at each place while two writes, and says at how many places. An outcome
// that neither order has is reported once; then the pair is given up.
func (p *Pairs) Try(one, two string) (trials int) {
	p.t.Helper()
	first, places := p.after(one, two, false)
	several := slices.Contains(p.Several, one) || slices.Contains(p.Several, two)
	orders := []string{first}
	for ; trials < places; trials++ {
		outcome, over := p.trial(one, two, trials+1)
		if over {
			return trials
		}
		if several || slices.Contains(orders, outcome) {
			continue
		}
		// The other order is played only when it is needed.
		if len(orders) == 1 {
			second, _ := p.after(one, two, true)
			orders = append(orders, second)
		}
		if !slices.Contains(orders, outcome) {
			p.t.Errorf("%q stood still at its place %d while %q wrote. It ended with\n%s\nand in one order or the other with\n%s", one, trials+1, two, outcome, strings.Join(orders, "\nor\n"))
			return trials + 1
		}
	}
	return trials
}

// kinds are the errors of both as one text. Whether a write was refused is part of the outcome.
func kinds(one, two error) string {
	return fmt.Sprintf("one: %s, two: %s", integration.KindOf(one), integration.KindOf(two))
}

// State is what the queries of Ended return, as one text.
func (p *Pairs) State() string {
	p.t.Helper()
	var all strings.Builder
	p.ask(p.Ended, func(query string, values []any) {
		fmt.Fprintf(&all, "%s: %s\n", strings.Fields(strings.SplitN(query, " from ", 2)[1])[0], values)
	})
	return all.String()
}

// ask sends queries together, and gives each of their rows to f.
func (p *Pairs) ask(queries []string, f func(query string, values []any)) {
	p.t.Helper()
	var batch pgx.Batch
	for _, query := range queries {
		batch.Queue(query).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				values, err := rows.Values()
				if err != nil {
					return err
				}
				f(query, values)
			}
			return rows.Err()
		})
	}
	if err := p.look.SendBatch(p.t.Context(), &batch).Close(); err != nil {
		p.t.Fatal(err)
	}
}

// trial lets one stand still at its n-th place while two writes; over says that one has fewer.
// Outcome is the kinds of the errors and the state.
func (p *Pairs) trial(one, two string, n int) (outcome string, over bool) {
	p.t.Helper()
	p.Anew()
	reached, goOn := make(chan struct{}), make(chan struct{})
	// Only the first writer's goroutine counts, and it is read after that has ended.
	places := 0
	stop := func() {
		if places++; places == n {
			close(reached)
			<-goOn
		}
	}
	p.each.Store(&stop)
	defer p.each.Store(nil)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- p.Write(one, false) }()
	select {
	case <-reached:
	case err := <-first:
		p.allowed(one, err)
		return "", true
	}
	go func() { second <- p.Write(two, true) }()
	err2, waits := error(nil), false
	// Either the other has done all of its work, or it waits for a lock that the first one holds.
	for done := false; !done && !waits; {
		select {
		case err2 = <-second:
			done = true
		case <-time.After(time.Millisecond):
			waits = p.someoneWaits()
		}
	}
	close(goOn)
	err1 := <-first
	if waits {
		err2 = <-second
	}
	p.check(one, two, n)
	p.allowed(one, err1)
	p.allowed(two, err2)
	return kinds(err1, err2) + "\n" + p.State(), false
}

// allowed looks at how a write ended: it may find that the other one has come first. Any other
// error would reach a caller.
func (p *Pairs) allowed(who string, err error) {
	p.t.Helper()
	if k := integration.KindOf(err); err != nil && k != integration.KindConflict && k != integration.KindNotFound {
		p.t.Errorf("%s beside the other: %v", who, err)
	}
}

// someoneWaits reports whether a connection waits for a lock. Nobody else uses the database, so it
// is the second writer.
func (p *Pairs) someoneWaits() (waits bool) {
	p.t.Helper()
	const query = "select exists (select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
	if err := p.look.QueryRow(p.t.Context(), query).Scan(&waits); err != nil {
		p.t.Fatal(err)
	}
	return waits
}

// check looks for what is broken.
func (p *Pairs) check(one, two string, n int) {
	p.t.Helper()
	names := map[string]string{}
	for what, query := range p.Broken {
		names[query] = what
	}
	p.ask(slices.Collect(maps.Keys(names)), func(query string, values []any) {
		if fmt.Sprint(values[0]) != "0" {
			p.t.Errorf("%q stood still at its place %d while %q wrote: %s", one, n, two, names[query])
		}
	})
}

// after is the outcome when one writes after the other, and at how many places one could stand
// still.
func (p *Pairs) after(one, two string, twoFirst bool) (outcome string, places int) {
	p.t.Helper()
	p.Anew()
	count := func() { places++ }
	p.each.Store(&count)
	defer p.each.Store(nil)
	var err1, err2 error
	if twoFirst {
		err2 = p.Write(two, true)
	}
	// Alone the first must succeed, or the pair tries nothing.
	if err1 = p.Write(one, false); err1 != nil && !twoFirst && integration.KindOf(err1) != integration.KindConflict {
		p.t.Errorf("%s alone: %v", one, err1)
	}
	if !twoFirst {
		err2 = p.Write(two, true)
	}
	return kinds(err1, err2) + "\n" + p.State(), places
}

// groups is how many databases are used at a time.
const groups = 4

// All tries all pairs of names for which wanted is true with LIVECALL_TEST_DATABASE=postgres,
// otherwise one of thirty. begin makes the hosts of a group. The others run in the job that has a
// server for itself.
func All(t *testing.T, names []string, wanted func(one, two string) bool, begin func(t *testing.T) *Pairs) {
	t.Helper()
	slices.Sort(names)
	for group := range groups {
		t.Run(fmt.Sprint("group ", group+1), func(t *testing.T) {
			t.Parallel()
			p := begin(t)
			tried, trials := 0, 0
			for i, one := range names {
				if i%groups != group {
					continue
				}
				for j, two := range names {
					if os.Getenv("LIVECALL_TEST_DATABASE") != "postgres" && (7*i+j)%30 != 0 || !wanted(one, two) {
						continue
					}
					tried++
					trials += p.Try(one, two)
				}
			}
			t.Logf("%d pairs, %d trials", tried, trials)
		})
	}
}
